"""The networks of the book, those of torchvision adapted, and measures of what is inside one."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
