// The ink of a drawing, from 0 to 1 for each of its 112 x 112 pixels.

import { clamp } from "../../explorables/js/canvas.js";

export const CANVAS = 112; // as in digit_reader.py
export const PEN = 8; // width of the line, as in the package
const BLOCK = 10; // pixels a side for each pixel of a small picture

export const emptyInk = () => new Float32Array(CANVAS * CANVAS);

/** The ink of a straight piece of a stroke: what glassbox.handwriting.ink computes. */
export function addInk(ink, [x0, y0], [x1, y1], pen = PEN) {
  const reach = pen / 2 + 0.5;
  const edge = (value) => clamp(Math.floor(value), 0, CANVAS - 1);
  const [along, down] = [x1 - x0, y1 - y0];
  const squared = Math.max(along * along + down * down, 1e-12);
  const [left, right] = [edge(Math.min(x0, x1) - reach), edge(Math.max(x0, x1) + reach)];
  const [top, bottom] = [edge(Math.min(y0, y1) - reach), edge(Math.max(y0, y1) + reach)];
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      const [x, y] = [column + 0.5 - x0, row + 0.5 - y0];
      const share = clamp((x * along + y * down) / squared, 0, 1);
      const dark = Math.min(1, reach - Math.hypot(x - share * along, y - share * down));
      if (dark > ink[row * CANVAS + column]) ink[row * CANVAS + column] = dark;
    }
  }
}

/** Where a small picture of so many pixels lies: its size, its first pixel, and its last plus one. */
export function placeOf(pixels) {
  const size = Math.sqrt(pixels.length);
  return { size, first: Math.floor((CANVAS - BLOCK * size) / 2), side: BLOCK * size };
}

/** A small picture, each pixel a square, in the middle: glassbox.digit_reader.place. */
export function addPicture(ink, pixels) {
  const { size, first } = placeOf(pixels);
  pixels.forEach((dark, k) => {
    const left = first + BLOCK * (k % size);
    const top = first + BLOCK * Math.floor(k / size);
    for (let row = top; row < top + BLOCK; row++) {
      const start = row * CANVAS + left;
      for (let at = start; at < start + BLOCK; at++) ink[at] = Math.max(ink[at], dark);
    }
  });
}

/** A mark is a stroke, by its `points`, or a small picture, by its `pixels`. */
export function addMark(ink, { points, pixels }) {
  if (pixels) return addPicture(ink, pixels);
  points.forEach((point, k) => {
    addInk(ink, points[Math.max(0, k - 1)], point);
  });
}
