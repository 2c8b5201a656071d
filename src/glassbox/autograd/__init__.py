"""Autograd by hand: tapes, the graph that PyTorch builds, hooks, and what fires when."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
