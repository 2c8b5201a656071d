"""Glassbox, the helper package of the book: a house with a room for each topic.

Readers import from a room, as in ``from glassbox.training import fit``. Inside the house a module
imports from the module that defines what it needs, and only from rooms that lie before its own:
support, data, training, plotting, autograd, optim, losses, mixing, networks, generation,
attribution, explorables, chapters.
"""

__version__ = "0.2.0"
