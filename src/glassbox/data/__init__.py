"""Images and labels: where they come from, how they are split, batched and augmented.

Real ones lie in installed packages, such as :func:`~glassbox.data.photos.photographs`, or are
official files; ``scenes`` draws pictures whose every mask is known. Nothing here knows of a
network.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
