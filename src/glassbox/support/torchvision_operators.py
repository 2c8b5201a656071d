"""Let ``import torchvision`` work where its compiled part does not fit the installed torch.

A CPU build of torch beside a CUDA build of torchvision cannot load torchvision's
compiled operators, and ``import torchvision`` stops with
``operator torchvision::nms does not exist``. Data sets, transforms and models need
none of them: declaring the two missing operators is enough. Importing this module does
that; where torchvision's operators load, nothing is changed. ``import glassbox`` sees to it that
this module is imported just before torchvision.
"""

from importlib.machinery import PathFinder
from importlib.util import find_spec

import torch

_SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}

# A library's operators live only as long as the object that declared them.
_library: torch.library.Library | None = None


def _load_compiled_operators(folders: list[str]) -> None:
    """Load torchvision's extension as torchvision itself does: quietly going on where it fails."""
    extension = PathFinder.find_spec("_C", folders)
    if extension is None or extension.origin is None:
        return
    try:
        torch.ops.load_library(extension.origin)
    except (ImportError, OSError):
        return


def define_missing_operators() -> tuple[str, ...]:
    """Declare the operators that ``import torchvision`` cannot load, and name those declared now.

    They have a schema and no kernel: calling one still raises.
    """
    global _library
    torchvision = find_spec("torchvision")
    if torchvision is None:
        return ()
    _load_compiled_operators(list(torchvision.submodule_search_locations or ()))
    missing = [name for name in _SCHEMAS if not hasattr(torch.ops.torchvision, name)]
    if missing and _library is None:
        _library = torch.library.Library("torchvision", "FRAGMENT")
    for name in missing:
        _library.define(_SCHEMAS[name])
    return tuple(f"torchvision::{name}" for name in missing)


define_missing_operators()
