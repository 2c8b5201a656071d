"""Glassbox, the helper package of the book: a house with a room for each topic.

Readers import from a room, as in ``from glassbox.training import fit``. Inside the house a module
imports from the module that defines what it needs, and only from rooms that lie before its own:
support, data, training, plotting, autograd, optim, losses, mixing, networks, generation,
attribution, explorables, chapters.
"""

import sys

__version__ = "0.2.0"


class _BeforeTorchvision:
    """Declares the operators that torchvision may miss, at the moment when it is imported.

    Doing so needs torch, which takes seconds to import: a reader who wants neither does not wait.
    """

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        """Find nothing, as the interpreter asks of every module: others find torchvision."""
        if name == "torchvision":
            import glassbox.support.torchvision_operators  # noqa: F401


sys.meta_path.insert(0, _BeforeTorchvision)
