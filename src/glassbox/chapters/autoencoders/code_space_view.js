// Points in space, as an eye sees them that is near enough for what is in front to be larger.

import { clamp } from "../../explorables/js/canvas.js";

const EYE = 4; // how far it is from the middle, where the outermost point is 1 away
const RADIAN = Math.PI / 180;

/** The middle of the box around points, half the sides of the box, and the farthest from there. */
export function measure(points) {
  const sides = [0, 1, 2].map((axis) => points.map((point) => point[axis]));
  const [low, high] = [Math.min, Math.max].map((most) => sides.map((side) => most(...side)));
  const middle = low.map((value, axis) => value / 2 + high[axis] / 2);
  const halves = low.map((value, axis) => high[axis] / 2 - value / 2);
  const distances = points.map((point) => Math.hypot(...middle.map((at, k) => point[k] - at)));
  return { middle, halves, reach: Math.max(...distances) || 1 };
}

/**
 * A point turned about the third axis and then tilted towards the eye, by degrees: how far it is to
 * the right, up, and near. As `project` of figures.py has it.
 */
export function rotate([x, y, z], [azimuth, elevation]) {
  const [turn, tilt] = [azimuth * RADIAN, elevation * RADIAN];
  const right = Math.cos(turn) * x - Math.sin(turn) * y;
  const away = Math.sin(turn) * x + Math.cos(turn) * y;
  const up = Math.cos(tilt) * z + Math.sin(tilt) * away;
  return [right, up, Math.sin(tilt) * z - Math.cos(tilt) * away];
}

/** Where a point is seen on a map of this side, how near, -1 to 1, and how much larger for that. */
export function see(point, view, side) {
  const [right, up, near] = rotate(point, view);
  const scale = EYE / (EYE - near);
  const unit = side / 2.16;
  return { x: side / 2 + unit * scale * right, y: side / 2 - unit * scale * up, near, scale };
}

/** The view after a drag to the right and down, in fractions of the map's side. */
export function dragged([azimuth, elevation], [right, down]) {
  const turned = (((azimuth + 180 * right) % 360) + 360) % 360;
  return [turned, clamp(elevation + 180 * down, -90, 90)];
}

/**
 * Which of the places is meant by one: the front one of those it lies on, else the nearest one that
 * is no farther than `slack`, else none, -1. A place lies on what is `size` wide.
 */
export function pick(places, [x, y], slack) {
  let [found, least, front] = [-1, slack, Number.NEGATIVE_INFINITY];
  places.forEach((place, k) => {
    const distance = Math.hypot(place.x - x, place.y - y);
    const on = distance <= place.size / 2;
    if (on ? place.near <= front : front > Number.NEGATIVE_INFINITY || distance > least) return;
    found = k;
    if (on) front = place.near;
    else least = distance;
  });
  return found;
}
