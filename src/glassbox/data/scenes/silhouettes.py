"""Silhouettes of things, each a signed distance that is negative inside.

Shapes are put together from a few primitives on a :class:`Plane`: the union of two is the
smaller distance, what both cover the larger. All fit into the square from -1 to 1, with
``y`` pointing down as in an image.

Reference:
    Inigo Quilez, 2D distance functions, https://iquilezles.org/articles/distfunctions2d/.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Plane:
    """The points at which distances are wanted, and the primitives measured from them.

    ``x`` and ``y`` have any shape, the same for both; -1 is left and top.
    """

    x: Tensor
    y: Tensor

    def moved(self, x: float, y: float, degrees: float = 0.0) -> "Plane":
        """Give the plane on which a shape appears moved and turned clockwise."""
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        right, down = self.x - x, self.y - y
        return Plane(right * cos + down * sin, down * cos - right * sin)

    def mirrored(self) -> "Plane":
        """Give the plane on which the right half of a shape appears on both sides."""
        return Plane(self.x.abs(), self.y)

    def turned_to_one_of(self, count: int) -> "Plane":
        """Give the plane on which a shape above the center appears ``count`` times around it."""
        step = 2 * math.pi / count
        angle = torch.atan2(self.x, -self.y)
        folded = angle - step * torch.round(angle / step)
        radius = torch.hypot(self.x, self.y)
        return Plane(radius * folded.sin(), -radius * folded.cos())

    def disk(self, x: float, y: float, radius: float) -> Tensor:
        """Measure the distance to a disk."""
        return torch.hypot(self.x - x, self.y - y) - radius

    def ring(self, x: float, y: float, radius: float, width: float) -> Tensor:
        """Measure the distance to a ring of the given middle radius and half width."""
        return self.disk(x, y, radius).abs() - width

    def ellipse(self, x: float, y: float, width: float, height: float) -> Tensor:
        """Measure the distance to an ellipse with these half axes, to first order."""
        right, down = (self.x - x) / width, (self.y - y) / height
        scaled = torch.hypot(right, down)
        slope = torch.hypot(right / width, down / height).clamp_min(1e-6)
        return scaled * (scaled - 1) / slope

    def box(self, x: float, y: float, width: float, height: float, corner: float = 0.0) -> Tensor:
        """Measure the distance to a box with these half sides and rounded corners."""
        right = (self.x - x).abs() - (width - corner)
        down = (self.y - y).abs() - (height - corner)
        outside = torch.hypot(right.clamp_min(0), down.clamp_min(0))
        return outside + torch.maximum(right, down).clamp_max(0) - corner

    def bar(self, start: tuple[float, float], end: tuple[float, float], width: float) -> Tensor:
        """Measure the distance to a line with this half width and round ends."""
        dx, dy = end[0] - start[0], end[1] - start[1]
        right, down = self.x - start[0], self.y - start[1]
        along = ((right * dx + down * dy) / (dx * dx + dy * dy)).clamp(0, 1)
        return torch.hypot(right - along * dx, down - along * dy) - width

    def above(self, y: float) -> Tensor:
        """Measure the distance to everything above a height."""
        return self.y - y

    def polygon(self, *corners: tuple[float, float]) -> Tensor:
        """Measure the distance to a polygon."""
        nearest = torch.full_like(self.x, math.inf)
        inside = torch.zeros_like(self.x, dtype=torch.bool)
        for (x, y), (next_x, next_y) in zip(corners, corners[1:] + corners[:1], strict=True):
            dx, dy = next_x - x, next_y - y
            right, down = self.x - x, self.y - y
            along = ((right * dx + down * dy) / (dx * dx + dy * dy)).clamp_(0, 1)
            nearest = torch.minimum(nearest, (right - along * dx) ** 2 + (down - along * dy) ** 2)
            # A ray to the right crosses the edge if it starts between its ends, left of it.
            left_of = right * dy < down * dx if dy > 0 else right * dy > down * dx
            inside ^= ((self.y >= y) != (self.y >= next_y)) & left_of
        return torch.where(inside, -1, 1) * nearest.sqrt()


@dataclass(frozen=True)
class Silhouette:
    """Signed distances to a shape, and to the part of it in a second color, if there is one."""

    outline: Tensor
    accent: Tensor | None = None


def union(*shapes: Tensor) -> Tensor:
    """Give what any of the shapes covers."""
    result = shapes[0]
    for shape in shapes[1:]:
        result = torch.minimum(result, shape)
    return result


def common(*shapes: Tensor) -> Tensor:
    """Give what all of the shapes cover."""
    return -union(*(-shape for shape in shapes))


def without(shape: Tensor, *holes: Tensor) -> Tensor:
    """Give a shape with holes in it."""
    return torch.maximum(shape, -union(*holes))


def anchor(p: Plane) -> Silhouette:
    """Draw a ring, a shank, a stock and two flukes."""
    m = p.mirrored()
    shank = union(p.bar((0, -0.5), (0, 0.75), 0.1), p.bar((-0.38, -0.38), (0.38, -0.38), 0.09))
    arms = common(p.ring(0, 0.08, 0.68, 0.1), -p.above(0.22))
    flukes = m.polygon((0.46, 0.42), (0.72, 0.02), (0.95, 0.42))
    eye = p.ring(0, -0.72, 0.18, 0.075)
    return Silhouette(union(shank, arms, flukes, eye))


def arrow(p: Plane) -> Silhouette:
    """Draw an arrow to the right."""
    head = p.polygon((0.1, -0.62), (0.95, 0), (0.1, 0.62))
    return Silhouette(union(p.box(-0.38, 0, 0.55, 0.22), head) - 0.03)


def bell(p: Plane) -> Silhouette:
    """Draw a bell with its clapper."""
    dome = union(
        p.disk(0, -0.25, 0.48), p.polygon((-0.48, -0.3), (0.48, -0.3), (0.74, 0.5), (-0.74, 0.5))
    )
    rim = p.box(0, 0.52, 0.82, 0.1, 0.1)
    clapper = p.disk(0, 0.72, 0.19)
    return Silhouette(union(dome, rim, clapper, p.disk(0, -0.78, 0.13)), union(rim, clapper))


def bolt(p: Plane) -> Silhouette:
    """Draw a flash of lightning."""
    corners = (
        (0.25, -0.95),
        (-0.55, 0.12),
        (-0.08, 0.12),
        (-0.3, 0.95),
        (0.55, -0.22),
        (0.08, -0.22),
    )
    return Silhouette(p.polygon(*corners) - 0.04)


def bottle(p: Plane) -> Silhouette:
    """Draw a bottle with a cap and a label."""
    body, neck = p.box(0, 0.3, 0.4, 0.65, 0.14), p.box(0, -0.5, 0.15, 0.35, 0.04)
    shoulder = p.ellipse(0, -0.2, 0.4, 0.3)
    cap, label = p.box(0, -0.84, 0.19, 0.12, 0.04), p.box(0, 0.35, 0.5, 0.22)
    return Silhouette(union(body, neck, shoulder, cap), union(cap, label))


def bulb(p: Plane) -> Silhouette:
    """Draw a light bulb and its socket."""
    glass = union(
        p.disk(0, -0.28, 0.62), p.polygon((-0.5, 0.1), (0.5, 0.1), (0.26, 0.5), (-0.26, 0.5))
    )
    socket = p.box(0, 0.66, 0.28, 0.26, 0.1)
    return Silhouette(union(glass, socket), socket)


def butterfly(p: Plane) -> Silhouette:
    """Draw four wings and a body."""
    m = p.mirrored()
    upper = m.moved(0.48, -0.36, -35).ellipse(0, 0, 0.52, 0.4)
    lower = m.moved(0.38, 0.38, 35).ellipse(0, 0, 0.42, 0.3)
    body = p.box(0, 0.05, 0.09, 0.6, 0.09)
    spots = union(m.disk(0.55, -0.4, 0.16), m.disk(0.42, 0.4, 0.11))
    return Silhouette(union(upper, lower, body), union(body, spots))


def car(p: Plane) -> Silhouette:
    """Draw a car from its side."""
    body = p.box(0, 0.18, 0.95, 0.24, 0.14)
    cabin = p.polygon((-0.6, 0), (-0.38, -0.45), (0.3, -0.45), (0.62, 0)) - 0.03
    wheels = union(p.disk(-0.5, 0.42, 0.24), p.disk(0.5, 0.42, 0.24))
    window = p.polygon((-0.42, -0.05), (-0.28, -0.33), (0.2, -0.33), (0.42, -0.05))
    return Silhouette(union(body, cabin, wheels), union(wheels, window))


def cat(p: Plane) -> Silhouette:
    """Draw the head of a cat."""
    m = p.mirrored()
    ear = m.polygon((0.12, -0.4), (0.66, -0.9), (0.74, -0.05))
    eye, nose = m.ellipse(0.3, 0.02, 0.13, 0.17), p.polygon((-0.12, 0.32), (0.12, 0.32), (0, 0.46))
    return Silhouette(union(p.ellipse(0, 0.15, 0.8, 0.68), ear - 0.03), union(eye, nose))


def cloud(p: Plane) -> Silhouette:
    """Draw a cloud with a flat bottom."""
    puffs = union(p.disk(-0.52, 0.15, 0.38), p.disk(-0.08, -0.15, 0.48), p.disk(0.5, 0.1, 0.42))
    return Silhouette(union(puffs, p.box(0, 0.35, 0.92, 0.22, 0.2)))


def crescent(p: Plane) -> Silhouette:
    """Draw the moon in its first days: a disk without another, measured exactly at the horns."""
    p = p.moved(-0.05, 0, -16)
    radius, hole, offset = 0.88, 0.7, 0.43
    along = (radius**2 - hole**2 + offset**2) / (2 * offset)
    across = math.sqrt(radius**2 - along**2)
    horn = torch.hypot(p.x - along, p.y.abs() - across)
    beside = p.x * across - p.y.abs() * along > offset * (across - p.y.abs()).clamp_min(0)
    moon = without(p.disk(0, 0, radius), p.disk(offset, 0, hole))
    return Silhouette(torch.where(beside, horn, moon))


def cross(p: Plane) -> Silhouette:
    """Draw two crossed bars."""
    return Silhouette(union(p.box(0, 0, 0.28, 0.85, 0.06), p.box(0, 0, 0.85, 0.28, 0.06)))


def crown(p: Plane) -> Silhouette:
    """Draw a crown of three points."""
    m = p.mirrored()
    points = p.polygon(
        (-0.8, 0.5),
        (-0.88, -0.4),
        (-0.42, 0.08),
        (0, -0.66),
        (0.42, 0.08),
        (0.88, -0.4),
        (0.8, 0.5),
    )
    balls = union(m.disk(0.88, -0.45, 0.12), p.disk(0, -0.7, 0.13))
    band = p.box(0, 0.58, 0.82, 0.14, 0.05)
    return Silhouette(union(points, balls, band), union(balls, band))


def drop(p: Plane) -> Silhouette:
    """Draw a drop of water."""
    tip = p.polygon((0, -0.95), (0.5, 0.08), (-0.5, 0.08))
    return Silhouette(
        union(p.disk(0, 0.32, 0.57), tip), p.moved(-0.25, 0.35, 20).ellipse(0, 0, 0.1, 0.2)
    )


def fish(p: Plane) -> Silhouette:
    """Draw a fish that swims to the left."""
    m = Plane(p.x, p.y.abs())
    body = common(p.disk(-0.18, 0.42, 0.86), p.disk(-0.18, -0.42, 0.86))
    tail = m.polygon((0.4, 0), (0.95, 0.52), (0.78, 0))
    fin = p.polygon((-0.3, -0.35), (0.12, -0.72), (0.22, -0.3))
    eye, stripe = p.disk(-0.58, -0.1, 0.1), common(p.ring(-0.75, 0, 0.62, 0.07), body)
    return Silhouette(union(body, tail, fin) - 0.02, union(eye, stripe, tail, fin))


def flower(p: Plane) -> Silhouette:
    """Draw six petals around a center."""
    petals = p.turned_to_one_of(6).ellipse(0, -0.58, 0.28, 0.38)
    center = p.disk(0, 0, 0.28)
    return Silhouette(union(petals, center), center)


def gear(p: Plane) -> Silhouette:
    """Draw a wheel with eight teeth."""
    teeth = p.turned_to_one_of(8).box(0, -0.78, 0.16, 0.18, 0.04)
    return Silhouette(without(union(p.disk(0, 0, 0.7), teeth), p.disk(0, 0, 0.3)))


def ghost(p: Plane) -> Silhouette:
    """Draw a ghost with two eyes."""
    body = union(p.disk(0, -0.22, 0.65), p.box(0, 0.2, 0.65, 0.5))
    hem = union(p.disk(-0.43, 0.7, 0.22), p.disk(0, 0.7, 0.22), p.disk(0.43, 0.7, 0.22))
    eyes = p.mirrored().ellipse(0.24, -0.2, 0.13, 0.19)
    return Silhouette(union(body, hem), eyes)


def heart(p: Plane) -> Silhouette:
    """Draw a heart."""
    m = p.mirrored()
    wedge = m.polygon((0, -0.15), (0.42, -0.28), (0.764, 0.04), (0, 0.86), (-0.3, 0.3))
    return Silhouette(union(m.disk(0.42, -0.28, 0.47), wedge))


def house(p: Plane) -> Silhouette:
    """Draw a house with a roof, a door and a window."""
    walls, roof = p.box(0, 0.38, 0.66, 0.48), p.polygon((-0.92, 0), (0, -0.82), (0.92, 0))
    chimney = p.box(0.5, -0.55, 0.12, 0.3)
    door, window = p.box(-0.25, 0.58, 0.15, 0.3), p.box(0.3, 0.35, 0.16, 0.16)
    return Silhouette(union(walls, roof, chimney), union(roof, chimney, door, window))


def key(p: Plane) -> Silhouette:
    """Draw a key with a round bow and two teeth."""
    bow = p.ring(-0.55, 0, 0.3, 0.12)
    blade = union(
        p.box(0.32, 0, 0.6, 0.1), p.box(0.8, 0.2, 0.1, 0.22), p.box(0.48, 0.17, 0.09, 0.18)
    )
    return Silhouette(union(bow, blade) - 0.02)


def leaf(p: Plane) -> Silhouette:
    """Draw a leaf with its rib and stalk."""
    blade = common(p.disk(0.5, -0.12, 0.95), p.disk(-0.5, -0.12, 0.95))
    rib = p.bar((0, -0.5), (0, 0.92), 0.05)
    veins = p.mirrored().bar((0, 0.15), (0.28, -0.12), 0.035)
    return Silhouette(union(blade, p.bar((0, 0.5), (0, 0.92), 0.06)), union(rib, veins))


def mug(p: Plane) -> Silhouette:
    """Draw a mug with a handle and a band."""
    body = p.box(-0.2, 0.05, 0.52, 0.72, 0.12)
    handle = without(p.box(0.38, 0.05, 0.46, 0.42, 0.3), p.box(0.38, 0.05, 0.27, 0.23, 0.18))
    return Silhouette(union(body, handle), common(body, p.box(-0.2, -0.02, 1, 0.16)))


def mushroom(p: Plane) -> Silhouette:
    """Draw a mushroom with a spotted cap."""
    cap = common(p.ellipse(0, 0.05, 0.88, 0.85), p.above(0.05)) - 0.03
    stem = p.box(0, 0.42, 0.27, 0.45, 0.14)
    spots = union(p.disk(-0.4, -0.25, 0.17), p.disk(0.12, -0.48, 0.18), p.disk(0.48, -0.15, 0.14))
    return Silhouette(union(cap, stem), union(stem, spots))


def padlock(p: Plane) -> Silhouette:
    """Draw a padlock with its shackle and keyhole."""
    body = p.box(0, 0.32, 0.68, 0.54, 0.12)
    shackle = union(
        common(p.ring(0, -0.3, 0.4, 0.12), p.above(-0.3)), p.mirrored().box(0.4, -0.2, 0.12, 0.14)
    )
    hole = union(p.disk(0, 0.22, 0.14), p.box(0, 0.42, 0.07, 0.2))
    return Silhouette(union(body, shackle), union(shackle, hole))


def ring(p: Plane) -> Silhouette:
    """Draw a ring with a stone."""
    stone = p.polygon((-0.3, -0.88), (0.3, -0.88), (0.45, -0.68), (0, -0.25), (-0.45, -0.68))
    return Silhouette(union(p.ring(0, 0.28, 0.55, 0.12), stone), stone)


def rocket(p: Plane) -> Silhouette:
    """Draw a rocket with fins, a window and a flame."""
    body = common(p.disk(0.55, 0.1, 0.92), p.disk(-0.55, 0.1, 0.92), p.above(0.55))
    fins = p.mirrored().polygon((0.25, 0.12), (0.62, 0.72), (0.22, 0.5))
    flame = p.polygon((-0.18, 0.55), (0.18, 0.55), (0, 0.95))
    return Silhouette(union(body, fins, flame) - 0.02, union(fins, flame, p.disk(0, -0.12, 0.17)))


def sailboat(p: Plane) -> Silhouette:
    """Draw a hull and two sails."""
    hull = p.polygon((-0.85, 0.4), (0.85, 0.4), (0.55, 0.82), (-0.55, 0.82))
    sails = union(
        p.polygon((0.06, -0.9), (0.06, 0.26), (0.72, 0.26)),
        p.polygon((-0.1, -0.6), (-0.1, 0.26), (-0.6, 0.26)),
    )
    return Silhouette(union(hull, sails, p.bar((-0.02, -0.9), (-0.02, 0.5), 0.05)), hull)


def star(p: Plane) -> Silhouette:
    """Draw a star with five points."""
    ray = p.turned_to_one_of(5).mirrored()
    return Silhouette(ray.polygon((0, 0.5), (0, -0.95), (0.252, -0.347), (0.4, 0.5)) - 0.03)


def tree(p: Plane) -> Silhouette:
    """Draw a fir tree."""
    tiers = [
        p.polygon((0, top), (width, top + 0.72), (-width, top + 0.72))
        for top, width in ((-0.95, 0.45), (-0.6, 0.6), (-0.2, 0.76))
    ]
    trunk = p.box(0, 0.7, 0.14, 0.26)
    return Silhouette(union(*tiers, trunk), torch.maximum(trunk, -tiers[-1]))


def umbrella(p: Plane) -> Silhouette:
    """Draw an open umbrella with a crooked handle."""
    scallops = union(*(p.disk(x, 0.02, 0.24) for x in (-0.64, -0.215, 0.215, 0.64)))
    canopy = without(common(p.disk(0, 0, 0.88), p.above(0.08)), scallops)
    crook = common(p.ring(0.2, 0.66, 0.2, 0.065), -p.above(0.66))
    handle = union(p.bar((0, -0.95), (0, 0.66), 0.065), crook)
    return Silhouette(union(canopy, handle), torch.maximum(handle, -canopy))


SILHOUETTES: dict[str, Callable[[Plane], Silhouette]] = {
    shape.__name__: shape
    for shape in (
        anchor, arrow, bell, bolt, bottle, bulb, butterfly, car, cat, cloud, crescent, cross,
        crown, drop, fish, flower, gear, ghost, heart, house, key, leaf, mug, mushroom, padlock,
        ring, rocket, sailboat, star, tree, umbrella,
    )
}  # fmt: skip
