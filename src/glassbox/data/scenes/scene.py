"""Color images of things in front of things, drawn from a seed, with each object's mask.

A scene is described by numbers (which object, where, how large, how turned, its colors, its
background, its light, what lies about and what hides it) and then drawn at any resolution: the
same seed gives the same scenes at 32 and at 96 pixels. Scenes are drawn in blocks, each from
its own seed, so that the first scenes do not depend on how many there are.
"""

import math
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from glassbox.data.dataset import Dataset
from glassbox.data.scenes.backgrounds import BACKGROUNDS, Ground, smooth_noise
from glassbox.data.scenes.painting import Light, bevel, cast_shadow, coverage, illuminate, lay
from glassbox.data.scenes.palettes import PALETTES, Palette
from glassbox.data.scenes.silhouettes import SILHOUETTES, Plane
from glassbox.support.arguments import as_sizes, as_whole, check_choice, check_range

DEFAULT_CLASSES = (
    "arrow", "crescent", "fish", "gear", "heart", "key", "mug", "star", "tree", "umbrella",
)  # fmt: skip
_SPLITS = ("train", "validation", "test")
BLOCK = 256
# An object of which less is left to see stands free instead.
_LEAST_VISIBLE = 0.5
# The distance to what is not there.
_FAR = 9.0


def draw_scenes(
    n: int = 10_000,
    *,
    size: int = 32,
    seed: int = 0,
    split: str = "train",
    classes: Sequence[str] = DEFAULT_CLASSES,
    palette: str = "natural",
    backgrounds: Sequence[str] = tuple(BACKGROUNDS),
    occlusion: float = 0.4,
    clutter: int = 3,
) -> Dataset:
    """Draw scenes, each with one object of a class among other things, and the object's mask.

    Args:
        n: Number of images.
        size: Pixels a side, from 16 to 256.
        seed: Decides everything, together with ``split``.
        split: ``"train"``, ``"validation"`` or ``"test"``: scenes drawn independently.
        classes: Names from :data:`~glassbox.data.scenes.silhouettes.SILHOUETTES`, in the order
            of their labels.
        palette: Name from :data:`glassbox.data.scenes.palettes.PALETTES`.
        backgrounds: Names from :data:`glassbox.data.scenes.backgrounds.BACKGROUNDS`.
        occlusion: Fraction of scenes, from 0 to 1, in which something stands before the object.
        clutter: Number of small things that lie about in each scene.

    Returns:
        Balanced classes; images ``uint8 (n, 3, size, size)``; masks of the objects' visible
        pixels ``bool (n, size, size)``; all on the CPU.

    Raises:
        ValueError: If a number is out of range or a name is unknown.
    """
    (n,) = as_sizes(n=n)
    check_range(16, 256, size=size)
    check_range(0, 1, occlusion=occlusion)
    check_range(0, 20, clutter=clutter)
    size, seed, clutter = as_whole(0, size=size, seed=seed, clutter=clutter)
    check_choice(_SPLITS, split=split)
    check_choice(PALETTES, palette=palette)
    _check_names("classes", classes, SILHOUETTES)
    _check_names("backgrounds", backgrounds, BACKGROUNDS)
    style = _Style(tuple(classes), PALETTES[palette], tuple(backgrounds), float(occlusion), clutter)
    key = (seed, _SPLITS.index(split))
    with _float32_on_cpu():
        images = torch.empty(n, 3, size, size, dtype=torch.uint8)
        masks = torch.empty(n, size, size, dtype=torch.bool)
        labels = _draw_labels(n, len(style.classes), key)
        for start in range(0, n, BLOCK):
            part = slice(start, min(start + BLOCK, n))
            draws = _Draws(_generator(*key, start), part.stop - start)
            images[part], masks[part] = _draw_block(labels[part], size, style, draws)
    return Dataset("scenes", images, labels, tuple(classes), masks)


@contextmanager
def _float32_on_cpu() -> Iterator[None]:
    """Make new tensors so in a block, whatever the defaults are: the scenes stay the same."""
    before = torch.get_default_dtype()
    try:
        torch.set_default_dtype(torch.float32)
        with torch.device("cpu"):
            yield
    finally:
        torch.set_default_dtype(before)


@dataclass(frozen=True)
class _Style:
    classes: tuple[str, ...]
    palette: Palette
    backgrounds: tuple[str, ...]
    occlusion: float
    clutter: int


@dataclass(frozen=True)
class _Draws:
    """Random numbers for the first ``count`` scenes of a block, drawn for the whole block."""

    generator: torch.Generator
    count: int

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        drawn = torch.rand(BLOCK, *shape, generator=self.generator)[: self.count]
        return low + (high - low) * drawn

    def integers(self, high: int, *shape: int) -> Tensor:
        return torch.randint(high, (BLOCK, *shape), generator=self.generator)[: self.count]

    def noise(self, size: int, roughness: float) -> Tensor:
        return smooth_noise(BLOCK, size, roughness, self.generator)[: self.count]

    def grain(self, *shape: int) -> Tensor:
        return torch.randn(BLOCK, *shape, generator=self.generator)[: self.count]


def _generator(*key: int) -> torch.Generator:
    seed = np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> np.uint64(1)
    return torch.Generator().manual_seed(int(seed))


def _draw_labels(n: int, num_classes: int, key: tuple[int, int]) -> Tensor:
    """List every class once, in random order, then every class again, and so on."""
    rounds = torch.rand(-(-n // num_classes), num_classes, generator=_generator(*key))
    return rounds.argsort(dim=1).flatten()[:n]


def _draw_block(labels: Tensor, size: int, style: _Style, draws: _Draws) -> tuple[Tensor, Tensor]:
    position = (torch.arange(size) + 0.5) / size * 2 - 1
    noise = torch.stack([draws.noise(size, 2.2), draws.noise(size, 1.3)], dim=1)
    angle = draws.uniform(-2.6, -0.5, 1, 1)  # from above, left or right
    light = Light(angle.cos(), angle.sin())
    pairs = style.palette.ground_colors()
    colors = pairs[draws.integers(len(pairs), 2)].flatten(1, 2)
    colors = (colors + draws.uniform(-0.05, 0.05, 4, 3)).clamp_(0, 1)

    canvas = _background(Ground(position, colors, noise, draws.uniform(0, 1, 8)), style, draws)
    outline, accent = _object(labels, position, style, draws)
    things = [_pebble(position, draws) for _ in range(style.clutter)]
    cast_shadow(canvas, torch.stack([outline, *things]).amin(0), light, 0.12, 0.5)
    for thing in things:
        _paint(canvas, thing, _pick_color(style, draws, colors[:, :2]), light)
    color = _pick_color(style, draws, colors[:, :2], candidates=3)
    tone = 1 + 0.07 * noise[:, 1]
    _paint(canvas, outline, color, light, tone)
    _paint(
        canvas,
        torch.maximum(outline, accent),
        _pick_color(style, draws, color[:, None], 3),
        light,
        tone,
    )
    seen = coverage(outline)
    front = _occluder(position, seen, style, draws)
    cast_shadow(canvas, front, light, 0.12, 0.5)
    _paint(canvas, front, colors[:, 2], light, 1 + 0.2 * noise[:, 0])
    illuminate(canvas, position, light, draws.uniform(0.92, 1.22, 1, 1))
    canvas += draws.grain(3, size, size) * draws.uniform(0.005, 0.025, 1, 1, 1)
    return canvas.mul_(255).round_().clamp_(0, 255).to(torch.uint8), (seen > 0.5) & (front > 0)


def _background(ground: Ground, style: _Style, draws: _Draws) -> Tensor:
    kinds = draws.integers(len(style.backgrounds))
    size = len(ground.x)
    canvas = torch.empty(draws.count, 3, size, size)
    for kind, name in enumerate(style.backgrounds):
        rows = (kinds == kind).nonzero()[:, 0]
        if len(rows):
            canvas[rows] = BACKGROUNDS[name](ground.of(rows))
    return canvas.clamp_(0, 1)


def _object(
    labels: Tensor, position: Tensor, style: _Style, draws: _Draws
) -> tuple[Tensor, Tensor]:
    """Measure the distances to each image's object and to its part in the second color."""
    scale = draws.uniform(0.42, 0.78, 1, 1)
    room = 1.08 - 0.85 * scale
    plane = _plane(
        position, draws.uniform(-1, 1, 2, 1, 1) * room[:, None], draws.uniform(-0.7, 0.7, 1, 1)
    )
    mirror = 1 - 2 * draws.integers(2, 1, 1)
    x, y = plane.x * mirror / scale, plane.y / scale
    outline, accent = torch.empty_like(x), torch.full_like(x, _FAR)
    for label, name in enumerate(style.classes):
        rows = (labels == label).nonzero()[:, 0]
        if len(rows):
            shape = SILHOUETTES[name](Plane(x[rows], y[rows]))
            outline[rows] = shape.outline
            if shape.accent is not None:
                accent[rows] = shape.accent
    return outline * scale, accent * scale


def _plane(position: Tensor, center: Tensor, angle: Tensor) -> Plane:
    right, down = position - center[:, 0], position[:, None] - center[:, 1]
    cos, sin = angle.cos(), angle.sin()
    return Plane(right * cos + down * sin, down * cos - right * sin)


def _rounded_box(plane: Plane, width: Tensor, height: Tensor, corner: Tensor) -> Tensor:
    right, down = plane.x.abs() - width + corner, plane.y.abs() - height + corner
    outside = torch.hypot(right.clamp_min(0), down.clamp_min(0))
    return outside + torch.maximum(right, down).clamp_max(0) - corner


def _pebble(position: Tensor, draws: _Draws) -> Tensor:
    """Measure the distance to something small and round or square."""
    plane = _plane(position, draws.uniform(-1, 1, 2, 1, 1), draws.uniform(0, math.pi, 1, 1))
    width, height = draws.uniform(0.05, 0.28, 1, 1), draws.uniform(0.04, 0.14, 1, 1)
    corner = torch.minimum(width, height) * draws.uniform(0, 1, 1, 1)
    return _rounded_box(plane, width, height, corner)


def _occluder(position: Tensor, seen: Tensor, style: _Style, draws: _Draws) -> Tensor:
    """Measure the distance to a post or a slab before some objects, never before most of one."""
    weight = seen / seen.sum((1, 2), keepdim=True)
    middle = torch.stack(
        [(weight * position).sum((1, 2)), (weight * position[:, None]).sum((1, 2))], 1
    )
    center = middle[..., None, None] + draws.uniform(-0.35, 0.35, 2, 1, 1)
    is_post = draws.integers(2, 1, 1) == 0
    width = torch.where(is_post, 3.0, draws.uniform(0.2, 0.5, 1, 1))
    height = torch.where(is_post, draws.uniform(0.04, 0.1, 1, 1), draws.uniform(0.15, 0.3, 1, 1))
    plane = _plane(position, center, draws.uniform(0, math.pi, 1, 1))
    outline = _rounded_box(plane, width, height, height * 0.5)
    visible = (weight * (outline > 0)).sum((1, 2), keepdim=True)
    present = (draws.uniform(0, 1, 1, 1) < style.occlusion) & (visible > _LEAST_VISIBLE)
    return torch.where(present, outline, _FAR)


def _pick_color(style: _Style, draws: _Draws, away_from: Tensor, candidates: int = 1) -> Tensor:
    """Pick from some colors of the palette the one farthest from given colors."""
    palette = style.palette.object_colors()
    offered = palette[draws.integers(len(palette), candidates)]
    offered = (offered + draws.uniform(-0.06, 0.06, candidates, 3)).clamp_(0, 1)
    best = torch.cdist(offered, away_from).amin(2).argmax(1)
    return offered[torch.arange(len(best)), best]


def _paint(
    canvas: Tensor, outline: Tensor, color: Tensor, light: Light, tone: Tensor | float = 1.0
) -> None:
    shade = tone + 0.3 * bevel(outline, light, 0.12)
    lay(canvas, color[:, :, None, None] * shade[:, None], coverage(outline))


def _check_names(argument: str, names: Sequence[str], known: Collection[str]) -> None:
    if isinstance(names, str) or not isinstance(names, Sequence) or not names:
        raise ValueError(f"{argument} is {names!r}, expected different names")
    for name in names:
        check_choice(known, **{argument: name})
    if len(set(names)) < len(names):
        raise ValueError(f"{argument} is {names!r}, expected different names")
