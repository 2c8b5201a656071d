"""Adversarial training, a ring of Gaussians to watch it on, and measures of generated images.

The networks themselves live in ``glassbox.networks``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
