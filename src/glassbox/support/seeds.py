"""Random numbers that can be repeated: one seed for Python, NumPy and torch."""

import operator
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

_CUBLAS = "CUBLAS_WORKSPACE_CONFIG"


def seed_everything(seed: int, *, deterministic: bool = True) -> None:
    """Seed Python, NumPy and torch on all devices, and choose deterministic algorithms.

    Args:
        seed: From 0 to 2**32 - 1, the range that all three accept.
        deterministic: Whether an operation that has only a non-deterministic implementation
            raises an error. Some operations on a GPU are slower this way.

    Raises:
        TypeError: If ``seed`` is not an integer.
        ValueError: If ``seed`` is out of range.

    Reference:
        PyTorch, "Reproducibility", https://docs.pytorch.org/docs/stable/notes/randomness.html.
    """
    seed = _checked(seed)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(bool(deterministic))
    torch.backends.cudnn.deterministic = bool(deterministic)
    torch.backends.cudnn.benchmark = False
    if deterministic:
        os.environ.setdefault(_CUBLAS, ":4096:8")  # read by cuBLAS when it starts


@contextmanager
def isolated_seed(seed: int, *, deterministic: bool = True) -> Iterator[None]:
    """Seed inside a ``with`` block as :func:`seed_everything`, and restore all states at its end.

    The states of the random number generators and the settings of deterministic algorithms are
    restored, even if the block raises.
    """
    seed = _checked(seed)
    states = random_states()
    algorithms = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    cudnn = (torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark)
    cublas = os.environ.get(_CUBLAS)
    try:
        seed_everything(seed, deterministic=deterministic)
        yield
    finally:
        restore_random_states(states)
        torch.use_deterministic_algorithms(algorithms[0], warn_only=algorithms[1])
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = cudnn
        if cublas is None:
            os.environ.pop(_CUBLAS, None)


def generator_from(seed: int) -> torch.Generator:
    """Make a generator on the CPU from a seed of 0 to 2**63 - 1.

    Raises:
        TypeError: If ``seed`` is not an integer.
        ValueError: If ``seed`` is out of range.
    """
    return torch.Generator().manual_seed(_checked(seed, bits=63))


def random_states() -> dict[str, Any]:
    """Read the states of all global random number generators: Python, NumPy and torch (also CUDA).

    They are tensors, numbers and tuples, so that a file of them loads with ``weights_only=True``.
    """
    name, keys, *rest = np.random.get_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    return {
        "python": random.getstate(),
        "numpy": (name, torch.from_numpy(keys.astype(np.int64)), *rest),
        "torch": torch.get_rng_state(),
        "cuda": cuda,
    }


def restore_random_states(states: dict[str, Any]) -> None:
    """Set all global random number generators to what :func:`random_states` returned."""
    name, keys, *rest = states["numpy"]
    random.setstate(states["python"])
    np.random.set_state((name, keys.numpy().astype(np.uint32), *rest))
    torch.set_rng_state(states["torch"])
    if states["cuda"]:
        torch.cuda.set_rng_state_all(states["cuda"])


def _checked(seed: int, bits: int = 32) -> int:
    try:
        if isinstance(seed, bool):
            raise TypeError
        number = operator.index(seed)
    except TypeError:
        raise TypeError(f"seed is {seed!r}, expected an integer") from None
    if not 0 <= number < 2**bits:
        raise ValueError(f"seed is {number}, expected 0 to 2**{bits} - 1")
    return number
