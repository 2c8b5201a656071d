// From a drawing to what the network sees: size, place and darkness as in training.

import { CANVAS } from "./digit_pad_ink.js";

// As in digit_reader.py.
export const SIDE = 20; // pixels a side of what the network sees
const FIT = 15; // of which the longer side of the digit takes so many
const SAMPLES = 4; // a pixel and direction

/** A picture as a function of places, x and y in its pixels, with nothing outside. */
export function bilinear(values, width, height) {
  return (x, y) => {
    const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
    const [right, down] = [x - 0.5 - left, y - 0.5 - top];
    let sum = 0;
    for (let k = 0; k < 4; k++) {
      const [column, row] = [left + (k & 1), top + (k >> 1)];
      if (column < 0 || row < 0 || column >= width || row >= height) continue;
      const weight = (k & 1 ? right : 1 - right) * (k >> 1 ? down : 1 - down);
      sum += weight * values[row * width + column];
    }
    return sum;
  };
}

/** The middle of the ink, and the longer side of what is at least half as dark as the darkest. */
export function measure(ink) {
  const darkest = ink.reduce((a, b) => Math.max(a, b), 0);
  let [mass, across, down] = [0, 0, 0];
  let [top, bottom, left, right] = [CANVAS, -1, CANVAS, -1];
  for (let k = 0; k < ink.length; k++) {
    if (!ink[k]) continue;
    const row = Math.floor(k / CANVAS);
    const column = k % CANVAS;
    mass += ink[k];
    across += ink[k] * (column + 0.5);
    down += ink[k] * (row + 0.5);
    if (ink[k] < darkest / 2) continue;
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
    [left, right] = [Math.min(left, column), Math.max(right, column)];
  }
  const longest = Math.max(bottom - top, right - left) + 1;
  return { darkest, middle: [across / mass, down / mass], longest };
}

/**
 * What glassbox.digit_reader.centre computes: `seen`, and the window of the drawing that it shows,
 * by its `corner` and its `reach`. Null where there is no ink.
 */
export function center(ink) {
  const { darkest, middle, longest } = measure(ink);
  if (!darkest) return null;
  const reach = (longest * SIDE) / FIT;
  const corner = middle.map((value) => value - reach / 2);
  const at = bilinear(ink, CANVAS, CANVAS);
  const seen = new Float32Array(SIDE * SIDE);
  const fine = SIDE * SAMPLES;
  for (let row = 0; row < fine; row++) {
    const y = corner[1] + ((row + 0.5) / fine) * reach;
    for (let column = 0; column < fine; column++) {
      const place = Math.floor(row / SAMPLES) * SIDE + Math.floor(column / SAMPLES);
      seen[place] += at(corner[0] + ((column + 0.5) / fine) * reach, y);
    }
  }
  const most = Math.max(...seen);
  return { seen: seen.map((value) => value / most), corner, reach };
}
