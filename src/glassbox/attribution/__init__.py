"""Where a network looks: Grad-CAM and other maps, and measures of whether such a map is true."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
