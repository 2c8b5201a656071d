"""Two-dimensional slices of a network's loss, along filter-normalized directions."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from glassbox.support.arguments import (
    as_sizes,
    as_whole,
    check_all_finite,
    check_modules,
    check_overflow,
    check_positive,
    check_range,
)
from glassbox.support.scaling import scales
from glassbox.support.seeds import generator_from
from glassbox.training.evaluation import checked_task, evaluate

_Direction = Mapping[str, Tensor]


def filter_normalized(model: nn.Module, seed: int) -> dict[str, Tensor]:
    r"""Draw a random direction whose filters are as long as the network's own.

    :math:`d \leftarrow \frac{d}{\|d\|} \|w\|` for each filter: a step of 0.1 then changes every
    filter by a tenth of its length, in whatever units the network computes. Biases and scales of
    normalizations, which are not matrices, stay where they are.

    Args:
        model: Any module.
        seed: Decides the direction, at least 0.

    Raises:
        ValueError: If a weight is not finite, whose length is none, or too large.

    Reference:
        Li, Xu, Taylor, Studer and Goldstein (2018), "Visualizing the Loss Landscape of Neural
        Nets", https://arxiv.org/abs/1712.09913.
    """
    check_modules(model=model)
    generator = generator_from(seed)
    directions = {}
    for name, weight in model.named_parameters():
        if weight.ndim > 1:
            check_all_finite(**{name: weight})
            drawn = torch.randn(
                weight.shape, generator=generator, dtype=torch.float32, device="cpu"
            )
            exact = torch.promote_types(weight.dtype, torch.float32)
            drawn, filters = drawn.to(weight.device, exact).flatten(1), weight.detach().flatten(1)
            largest = scales(filters.to(exact), 1)
            length = (filters / largest).norm(dim=1, keepdim=True)
            scaled = drawn / drawn.norm(dim=1, keepdim=True) * length * largest
            directions[name] = scaled.view_as(weight).to(weight.dtype)
            check_overflow(directions[name], **{name: weight})
    return directions


@contextmanager
def _shifted(
    model: nn.Module, directions: Sequence[_Direction], amounts: Sequence[float]
) -> Iterator[None]:
    """Move the weights of a network along directions inside a ``with`` block."""
    if len(amounts) != len(directions):
        raise ValueError(f"amounts is {amounts}, expected {len(directions)} numbers")
    parameters = dict(model.named_parameters())
    before = {name: parameters[name].detach().clone() for one in directions for name in one}
    try:
        with torch.no_grad():
            for direction, amount in zip(directions, amounts, strict=True):
                for name, step in direction.items():
                    parameters[name].add_(step, alpha=amount)
        yield
    finally:
        with torch.no_grad():
            for name, weight in before.items():
                parameters[name].copy_(weight)


def loss_slice(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    points: int = 15,
    reach: float = 1.0,
    seed: int = 0,
) -> Tensor:
    """Measure the loss on a square around a network's weights, in ``eval`` mode.

    Args:
        model: Maps images to logits; it is left as it was.
        images: ``(N, C, H, W)``.
        labels: ``(N,)``.
        points: Points a side of the square; an odd number puts the network itself in the middle.
        reach: How far the square goes to each side, 1 being the length of the filters themselves.
        seed: Decides the two directions.

    Returns:
        Mean losses, ``(points, points)``; not finite where the logits overflow.

    Raises:
        ValueError: If ``points`` is below 1, ``reach`` not above 0 or beyond float32, or a weight
            not finite; if the images are not finite, or the labels no class indices.
    """
    (points,) = as_sizes(points=points)
    check_positive(reach=reach)
    check_range(0, torch.finfo(torch.float32).max, reach=reach)
    (seed,) = as_whole(0, seed=seed)
    images, labels = checked_task(images, labels)
    reach = float(reach)
    directions = [filter_normalized(model, 2 * seed), filter_normalized(model, 2 * seed + 1)]
    ticks = torch.linspace(-reach, reach, points, device="cpu").tolist()
    losses = torch.empty(points, points, device="cpu")
    for row, down in enumerate(ticks):
        for column, across in enumerate(ticks):
            with _shifted(model, directions, (across, down)):
                losses[row, column] = evaluate(model, images, labels).loss
    return losses
