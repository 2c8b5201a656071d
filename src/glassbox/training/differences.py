"""Compare what was told of a training with what is here now."""

import re
from collections.abc import Mapping

OPEN = ", open"  # ends the line of a file, a lock or the like, whose contents cannot be told
_EMPTY = ("[]", "{}", "()")
_HELD = re.compile(r"torch\.\w+ \(|\w+ of \d")  # a tensor, or several


def what_moved(start: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str | None]:
    """Keep the lines that have changed since the start; a line that is gone becomes ``None``."""
    names = dict.fromkeys([*start, *now])
    return {name: now.get(name) for name in names if now.get(name) != start.get(name)}


def first_difference(
    start: Mapping[str, str],
    moved: Mapping[str, str | None],
    here: Mapping[str, str],
    stepped: tuple[str, ...] = (),
) -> str | None:
    """Name the first line in which objects here are of another training, with both values.

    What moves in a training, as a learning rate, may be here as it was at the start, where all has
    been made anew, or as it was when the training was saved, where it goes on in the same process.
    Where the checkpoint brings it back and it moves with each step, under one of the prefixes
    ``stepped``, it may be anything, as after a stop within an epoch.
    """
    for name in dict.fromkeys([*here, *start, *moved]):
        begun, now = start.get(name), here.get(name)
        if now in (begun, moved.get(name, begun)) or _is_left(name, start, moved):
            continue
        if not (name in moved and name.startswith(stepped)):
            return f"{name} is {begun or 'missing'}, expected {now or 'none'}"
    return None


def first_not_restored(
    start: Mapping[str, str],
    moved: Mapping[str, str | None],
    before: Mapping[str, str],
    after: Mapping[str, str],
) -> str | None:
    """Name the first line that moved in the training and that loading has not brought back.

    Such are counters of a loss or of batches without a ``state_dict``, generators of random numbers
    that no checkpoint holds, and parameters that were unfrozen. They have to be as they were saved.
    """
    for name, saved in moved.items():
        now = after.get(name)
        if now != saved and now == before.get(name) and not _is_left(name, start, moved):
            return f"{name} is {saved or 'missing'}, expected {now or 'none'}"
    return None


def _is_left(name: str, start: Mapping[str, str], moved: Mapping[str, str | None]) -> bool:
    """Say whether a line is of a cache, a log, an opened file, or what a model keeps of a batch.

    Caches and logs are known by being empty at first. By the convention of PyTorch, tensors that
    are the state of a model are its parameters and buffers, and others that it holds, such as a map
    of attention, are made again at each batch.
    """
    saved = moved.get(name) or ""
    of_model = name.startswith(("model.", "average.model."))
    if saved.endswith(OPEN) or (of_model and _HELD.match(saved)):
        return True
    ends = [end for end, sign in enumerate(name) if sign in ".["]
    around = [name[:end] for end in (*ends, len(name))]
    return any(start.get(one) in _EMPTY and one in moved for one in around)
