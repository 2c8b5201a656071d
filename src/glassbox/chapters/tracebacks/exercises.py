"""Checks for the exercises of the page on tracebacks."""

import copy
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.chapters.checking import Candidate, Case, exercise


@exercise
def check_half_life(half_life: Candidate) -> Iterator[Case]:
    """Check ``half_life(decay)``."""
    for decay in (0.5, 0.9, 0.99, 0.9998):
        updates = next(t for t in range(1, 10_000) if decay**t <= 0.5)
        yield Case(f"half_life({decay})", lambda decay=decay: half_life(decay), updates)


@exercise
def check_accumulate(accumulate: Candidate) -> Iterator[Case]:
    """Check ``accumulate(model, parts, loss_fn, optimizer, scaler, max_norm)``."""
    for count, max_norm in ((1, 100.0), (3, 100.0), (4, 0.1)):
        run = _Accumulation(count, max_norm)
        names = f"{count} parts and max_norm {max_norm:g}"
        yield Case(f"the norm for {names}", lambda run=run: run.norm(accumulate), run.expected[0])
        yield Case(f"the weights after {names}", lambda run=run: run.weights, run.expected[1])


class _Accumulation:
    """One step on parts of a batch, beside the step on the whole."""

    def __init__(self, count: int, max_norm: float) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(count)
            self.model = nn.Linear(5, 3)
            self.images, self.labels = torch.randn(4 * count, 5), torch.arange(4 * count) % 3
        self.count, self.max_norm = count, max_norm
        whole = copy.deepcopy(self.model)
        optimizer = torch.optim.SGD(whole.parameters(), lr=0.5)
        F.cross_entropy(whole(self.images), self.labels).backward()
        norm = nn.utils.clip_grad_norm_(whole.parameters(), max_norm)
        optimizer.step()
        self.expected = norm, whole.weight.detach()

    def norm(self, accumulate: Candidate) -> Tensor:
        parts = list(zip(self.images.chunk(self.count), self.labels.chunk(self.count), strict=True))
        optimizer = torch.optim.SGD(self.model.parameters(), lr=0.5)
        self.model.weight.grad = torch.ones_like(self.model.weight)  # left from a step before
        scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
        return accumulate(self.model, parts, F.cross_entropy, optimizer, scaler, self.max_norm)

    @property
    def weights(self) -> Tensor:
        return self.model.weight.detach()
