"""The optimizers of the chapter on Adam, written to be read and equal to PyTorch's bit for bit."""

from glassbox.optim.adam import Adam, AdamW
from glassbox.optim.rmsprop import RMSprop
from glassbox.optim.sgd import SGD
from glassbox.optim.vectorized import VectorizedAdam

__all__ = ["SGD", "Adam", "AdamW", "RMSprop", "VectorizedAdam"]
