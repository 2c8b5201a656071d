"""Mixup and CutMix on whole batches: two images in one, and a label that says how much of each."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
