"""The training loop and what goes with it: evaluation, checkpoints, freezing, statistics of runs.

Everything takes any ``nn.Module``; no network of the book is known here.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
