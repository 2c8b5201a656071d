"""Pictures with controls: alive in a kernel, and in a page without one.

:func:`~glassbox.explorables.showing.explore` shows a function that draws; ``js_widgets`` shows what
is computed in the page by the scripts in ``js``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
