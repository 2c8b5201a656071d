"""Four images of different classes in one, and in which quarter a map for a class lies."""

import torch
from torch import Tensor

from glassbox.attribution.maps import as_maps
from glassbox.support.seeds import generator_from


def make_grids(images: Tensor, labels: Tensor, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Put each image into a quarter of a picture, and three of other classes into the others.

    Args:
        images: ``(N, C, S, S)``.
        labels: ``(N,)``; the four labels in a picture differ.
        seed: Of the three others, and of the quarters.

    Returns:
        ``(N, C, 2 S, 2 S)``, and the quarter of each image, ``(N,)``: 0 and 1 above, 2 and 3 below.

    Raises:
        ValueError: If there are fewer than four classes.

    Reference:
        Böhle, Fritz and Schiele (2021), "Convolutional Dynamic Alignment Networks for Interpretable
        Classifications", https://arxiv.org/abs/2104.00032.
    """
    if len(found := labels.unique()) < 4:
        raise ValueError(f"labels is {found.tolist()}, expected at least four classes")
    generator = generator_from(seed)
    places = torch.randint(4, (len(images),), generator=generator)
    grids = []
    for index, place in enumerate(places.tolist()):
        order = torch.randperm(len(images), generator=generator).tolist()
        four = _others(index, order, labels.tolist())
        four.insert(place, index)
        above, below = torch.cat(list(images[four]), dim=2).chunk(2, dim=2)
        grids.append(torch.cat([above, below], dim=1))
    return torch.stack(grids), places


def _others(index: int, order: list[int], labels: list[int]) -> list[int]:
    """Take the first three in an order whose labels are new."""
    others, seen = [], {labels[index]}
    for other in order:
        if labels[other] not in seen:
            seen.add(labels[other])
            others.append(other)
    return others[:3]


def quarter_fractions(maps: Tensor, quarters: Tensor) -> Tensor:
    """Compute which fraction of each map lies in its quarter.

    Args:
        maps: ``(N, h, w)`` of at least 0, with even sides.
        quarters: From 0 to 3, ``(N,)``.

    Returns:
        ``(N,)`` from 0 to 1; a map that is 0 everywhere has 0.25.

    Raises:
        ValueError: If a map is below 0 or not finite.
    """
    maps = as_maps(maps=maps, positive=True)
    mass = maps.unflatten(2, (2, -1)).unflatten(1, (2, -1)).sum((2, 4)).flatten(1)  # (N, 4)
    total = mass.sum(1)
    own = mass.gather(1, quarters[:, None])[:, 0]
    return torch.where(total > 0, own / torch.where(total > 0, total, 1), 0.25)
