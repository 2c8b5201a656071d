"""Optimizers written to be read and equal to PyTorch's bit for bit, and where they are raced.

``surfaces`` has functions of two numbers, ``sweeps`` compares learning rates.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
