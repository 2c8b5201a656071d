"""What every other room stands on: seeds, checks of arguments, progress, tables.

Nothing here knows of images or networks. Modules import from here; readers call
:func:`~glassbox.support.seeds.seed_everything`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
