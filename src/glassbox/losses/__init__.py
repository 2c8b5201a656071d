"""Losses for long tails, all of which take hard, soft and mixed labels.

They share one core, :class:`glassbox.losses.core.ClassLoss`, so that weights, reductions and
ignored labels mean the same in each.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
