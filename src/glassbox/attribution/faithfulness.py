"""Tests of saliency maps: pointing game, deletion and insertion, randomization."""

import copy
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from scipy.stats import rankdata
from torch import Tensor, nn

from glassbox.attribution.maps import as_filled, as_finite, as_images, as_maps
from glassbox.support.arguments import (
    as_tensor,
    as_whole,
    check_all_finite,
    check_at_least,
    check_class_indices,
    check_finite,
    check_modules,
    check_overflow,
    check_range,
    check_shapes,
    reject_tensor,
)
from glassbox.support.scaling import scales
from glassbox.support.seeds import generator_from, isolated_seed
from glassbox.training.evaluation import predict


def pointing_hits(maps: Tensor, masks: Tensor, tolerance: float = 0.0) -> Tensor:
    """Say whether the largest value of each map lies on the object, as in the pointing game.

    Args:
        maps: ``(B, H, W)``, finite.
        masks: The objects' pixels, bool ``(B, H, W)``.
        tolerance: Distance from the object in pixels that still counts, at least 0; the paper
            takes 15 for photographs.

    Returns:
        Bool ``(B,)``. A map that is the same everywhere points nowhere and misses.

    Raises:
        ValueError: If the shapes or the dtype of the masks do not fit, the maps are not finite, or
            ``tolerance`` is below 0.

    Reference:
        Zhang et al. (2018), "Top-Down Neural Attention by Excitation Backprop",
        https://arxiv.org/abs/1608.00507.
    """
    maps = as_maps(maps=maps)
    masks = _as_masks(masks, maps)
    check_at_least(0, tolerance=tolerance)
    check_finite(tolerance=tolerance)
    flat = maps.flatten(1)  # (B, H*W)
    peak = flat.argmax(dim=1)
    width = maps.shape[2]
    rows = torch.arange(maps.shape[1], device=maps.device)[:, None]
    columns = torch.arange(width, device=maps.device)
    down = rows - (peak // width)[:, None, None]  # (B, H, 1)
    right = columns - (peak % width)[:, None, None]  # (B, 1, W)
    reach = min(float(tolerance), sum(maps.shape[1:]))  # a square may be too large
    near = down**2 + right**2 <= reach**2  # (B, H, W)
    points = flat.amax(dim=1) > flat.amin(dim=1)
    return (near & masks).flatten(1).any(dim=1) & points


def mask_iou(maps: Tensor, masks: Tensor, threshold: float = 0.5) -> Tensor:
    """Measure how well the high part of a map covers the object, as intersection over union.

    Args:
        maps: ``(B, H, W)``, finite and not negative.
        masks: The objects' pixels, bool ``(B, H, W)``.
        threshold: Fraction of a map's own maximum above which a pixel belongs to the high part,
            from 0 up to, but not including, 1.

    Returns:
        ``(B,)`` from 0 to 1; 0 where a map is 0 everywhere.

    Raises:
        ValueError: If the shapes or the dtype of the masks do not fit, a map is below 0 or not
            finite, or ``threshold`` is out of range.
    """
    maps = as_maps(maps=maps, positive=True)
    masks = _as_masks(masks, maps)
    check_range(0, 1, below=True, threshold=threshold)
    high = maps > float(threshold) * maps.amax((1, 2), keepdim=True)
    union = (high | masks).sum((1, 2))
    return (high & masks).sum((1, 2)) / union.clamp(min=1)


def deletion_curves(
    model: nn.Module, images: Tensor, classes: Tensor, maps: Tensor, fill: Tensor, steps: int = 16
) -> Tensor:
    """Delete the pixels of each image, the most important first, and watch the probability fall.

    A good map lets it fall early. Where a map has equal values, the upper and left pixels go first.

    Args:
        model: Maps images ``(B, C, H, W)`` to logits ``(B, K)``.
        images: ``(B, C, H, W)``, floating point.
        classes: The class to watch in each image, ``(B,)``.
        maps: ``(B, H, W)``, finite.
        fill: What takes the place of a pixel; broadcast to the images, as a blurred copy of them
            or one number for each channel ``(C, 1, 1)``.
        steps: In how many equal parts the pixels go, at least 1.

    Returns:
        The probability of the class, ``(B, steps + 1)``: of the whole image first, then after each
        part, up to nothing but ``fill``.

    Raises:
        TypeError: If the images are not floating point, or ``model`` is no module.
        ValueError: If shapes do not fit, ``steps`` is no number of at least 1, or something is not
            finite, be it a probability.

    Reference:
        Petsiuk et al. (2018), "RISE", https://arxiv.org/abs/1806.07421.
    """
    images, fill = as_filled(images, fill=fill)
    return _curves(model, images, fill, classes, maps, steps)


def insertion_curves(
    model: nn.Module, images: Tensor, classes: Tensor, maps: Tensor, fill: Tensor, steps: int = 16
) -> Tensor:
    """Insert the pixels of each image, the most important first, and watch the probability rise.

    A good map lets it rise early. Arguments, errors and source are those of
    :func:`deletion_curves`, and ``fill`` is what stands where nothing was inserted yet: the first
    probability of ``(B, steps + 1)`` is that of ``fill``, the last that of the image.
    """
    images, fill = as_filled(images, fill=fill)
    return _curves(model, fill, images, classes, maps, steps)


def area_under(curves: Tensor) -> Tensor:
    """Compute the areas ``(B,)`` under curves ``(B, S)`` over the unit interval, by trapezoids.

    Raises:
        ValueError: If the curves have fewer than two points, or are not finite.
    """
    curves = as_finite(curves=curves)
    if curves.ndim != 2 or curves.shape[1] < 2:
        reject_tensor("curves", curves, "(B, S) with S of at least 2")
    largest = scales(curves, 1)
    return torch.trapezoid(curves / largest, dim=1) / (curves.shape[1] - 1) * largest[:, 0]


def center_maps(count: int, size: int) -> Tensor:
    """Make maps ``(count, size, size)`` that fall from 1 in the center to 0 at the corners.

    Raises:
        ValueError: If ``count`` is below 0 or ``size`` below 2.
    """
    (count,), (size,) = as_whole(0, count=count), as_whole(2, size=size)
    line = torch.linspace(-1, 1, size)
    distance = torch.hypot(line[:, None], line)
    return (1 - distance / distance.max()).expand(count, size, size)


def random_maps(count: int, size: int, cells: int, *, seed: int = 0) -> Tensor:
    """Make random maps ``(count, size, size)`` from 0 to 1, as coarse as those to compare with.

    ``cells`` numbers a side, at most ``size``, are independent; between them it is interpolated.
    The maps are on the CPU.

    Raises:
        ValueError: If ``count`` is below 0, ``size`` below 1, or ``cells`` out of range.
    """
    (count,) = as_whole(0, count=count)
    size, cells = as_whole(1, size=size, cells=cells)
    check_range(1, size, cells=cells)
    shape, generator = (count, 1, cells, cells), generator_from(seed)
    drawn = torch.rand(shape, generator=generator, dtype=torch.float32, device="cpu")
    return F.interpolate(drawn, (size, size), mode="bilinear", align_corners=False)[:, 0]


def edge_maps(images: Tensor) -> Tensor:
    """Make maps of edges ``(B, H, W)``, which depend on no network, from images ``(B, C, H, W)``.

    They are the lengths of the gradient of the brightness by Sobel's kernels, averaged over 5 x 5
    pixels. Adebayo et al. (2018) find that some maps are little else.

    Raises:
        TypeError: If the images are not floating point.
        ValueError: If they are not ``(B, C, H, W)``, or not finite.
    """
    images = as_images(images)
    check_all_finite(images=images)
    across = images.new_tensor([[[[1, 0, -1], [2, 0, -2], [1, 0, -1]]]])
    largest = scales(images, (1, 2, 3))
    gray = F.pad((images / largest).mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    length = torch.hypot(F.conv2d(gray, across), F.conv2d(gray, across.mT))
    maps = (blurred(length, 5) * largest)[:, 0]
    check_overflow(maps, images=images)
    return maps


def blurred(images: Tensor, side: int = 9) -> Tensor:
    """Replace each pixel by the mean of its neighborhood, with edges repeated; same shape.

    Args:
        images: ``(B, C, H, W)``, floating point.
        side: Of the square neighborhood in pixels, odd.

    Raises:
        TypeError: If the images are not floating point.
        ValueError: If they are not ``(B, C, H, W)``, or ``side`` is not an odd number of at least
            1.
    """
    images = as_images(images)
    (side,) = as_whole(1, side=side)
    if side % 2 == 0:
        raise ValueError(f"side is {side}, expected an odd number of at least 1")
    exact = images.to(torch.promote_types(images.dtype, torch.float32))
    padded = F.pad(exact, (side // 2,) * 4, mode="replicate")
    # Divided before they are added, so that no sum is too large.
    blur = F.avg_pool2d(padded / side**2, side, stride=1, divisor_override=1)
    return blur.to(images.dtype)


def cascading_randomization(
    model: nn.Module, *, seed: int = 0
) -> Iterator[tuple[str | None, nn.Module]]:
    """Reinitialize the weights of a network layer by layer, from the output down.

    A map that shows what the network has learned has to change. One that stays shows the image.

    Args:
        model: Any module; it is not changed. Its layers are those that know how to
            ``reset_parameters``, in the order in which they were registered.
        seed: Decides the new weights.

    Yields:
        The name of the layer reached, None before the first, and a copy of the model in which this
        layer and all after it are new. It is the same copy each time.

    Raises:
        TypeError: If ``model`` is no module.
        ValueError: If no layer can be drawn anew, or ``seed`` is no seed.

    Reference:
        Adebayo et al. (2018), "Sanity Checks for Saliency Maps", https://arxiv.org/abs/1810.03292.
    """
    check_modules(model=model)
    (seed,) = as_whole(0, seed=seed)
    changing = copy.deepcopy(model)
    layers = [
        (name, layer.reset_parameters)
        for name, layer in changing.named_modules()
        if isinstance(getattr(layer, "reset_parameters", None), Callable)
        and any(True for _ in layer.parameters(recurse=False))
    ]
    if not layers:
        raise ValueError(
            f"model is a {type(model).__name__} without layers that can be drawn anew, expected one"
        )
    yield None, changing
    for index, (name, reset_parameters) in enumerate(reversed(layers)):
        with isolated_seed(seed + index):
            reset_parameters()
        yield name, changing


def rank_correlation(first: Tensor, second: Tensor) -> Tensor:
    """Compare maps ``(B, H, W)`` by Spearman's rank correlation, image by image.

    Returns:
        ``(B,)`` from -1 to 1, float64, on the CPU. Equal values share their ranks; where one of the
        maps is the same everywhere, it orders nothing, and the correlation is 0.

    Raises:
        ValueError: If the shapes differ, or the maps are not finite.

    Reference:
        Spearman (1904), "The Proof and Measurement of Association between Two Things",
        https://doi.org/10.2307/1412159.
    """
    first, second = as_maps(first=first), as_maps(second=second)
    check_shapes(first=(first, "B H W"), second=(second, "B H W"))
    flat = (maps.detach().cpu().flatten(1).numpy() for maps in (first, second))
    ranks = [torch.from_numpy(rankdata(values, axis=1)) for values in flat]
    a, b = (rank - rank.mean(dim=1, keepdim=True) for rank in ranks)
    spread = a.norm(dim=1) * b.norm(dim=1)
    return torch.where(spread > 0, (a * b).sum(dim=1) / spread.clamp(min=1e-300), 0)


def _curves(
    model: nn.Module, start: Tensor, end: Tensor, classes: Tensor, maps: Tensor, steps: int
) -> Tensor:
    """Replace the pixels of one image by those of another, in the order of a map."""
    check_modules(model=model)
    (steps,) = as_whole(1, steps=steps)
    maps, classes = as_maps(maps=maps), as_tensor(classes=classes)
    check_shapes(images=(start, "B C H W"), maps=(maps, "B H W"), classes=(classes, "B"))
    order = (
        maps.to(start.device).flatten(1).argsort(dim=1, descending=True, stable=True)
    )  # (B, H*W)
    ranks = order.argsort(dim=1).view_as(maps)[:, None]  # (B, 1, H, W), 0 for the most important
    curves = []
    for step in range(steps + 1):
        mixed = torch.where(ranks < step * order.shape[1] / steps, end, start)
        probabilities = predict(model, mixed).softmax(dim=1)  # (B, K)
        if step == 0:
            check_class_indices(probabilities.shape[1], classes=classes)
            classes = classes.to(probabilities.device, torch.int64)[:, None]
        curves.append(probabilities.gather(1, classes))
    curves = torch.cat(curves, dim=1)  # (B, steps + 1)
    check_all_finite(**{"the probabilities that model gives": curves})
    return curves


def _as_masks(masks: Tensor, maps: Tensor) -> Tensor:
    masks = as_tensor(masks=masks)
    check_shapes(maps=(maps, "B H W"), masks=(masks, "B H W"))
    if masks.dtype != torch.bool:
        reject_tensor("masks", masks, "type torch.bool")
    return masks
