"""Figures in the style of the book, each with the sentence that describes it.

``figures`` makes them, ``charts`` and ``images`` fill them. Drawings of one chapter alone are not
here but in ``glassbox.chapters``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
