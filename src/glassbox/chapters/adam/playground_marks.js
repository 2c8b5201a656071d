// The marks of the optimizers: regular polygons.

import { line } from "../../explorables/js/canvas.js";

// The corners, and by how much of a circle they are turned.
const MARKS = {
  SGD: [24, 0],
  Momentum: [4, 1 / 8],
  RMSprop: [3, 0],
  Adam: [4, 0],
  AdamW: [3, 1 / 2],
  AMSGrad: [6, 0],
};

/** The corners of a mark, as [right, down] of its middle, on a circle of radius 1. */
export function cornersOf(name) {
  const [count, turn] = MARKS[name];
  return Array.from({ length: count }, (_, k) => {
    const angle = 2 * Math.PI * (turn + k / count);
    return [Math.sin(angle), -Math.cos(angle)];
  });
}

/** The mark as a CSS `clip-path`. */
export function clipOf(name) {
  const corners = cornersOf(name).map(([x, y]) => `${50 + 50 * x}% ${50 + 50 * y}%`);
  return `polygon(${corners})`;
}

export function drawMark(pen, name, [x, y], radius, colors) {
  const size = MARKS[name][0] > 4 ? radius : 1.25 * radius;
  pen.beginPath();
  for (const [right, down] of cornersOf(name)) pen.lineTo(x + size * right, y + size * down);
  pen.closePath();
  pen.fillStyle = colors.racers[name];
  pen.strokeStyle = colors.paper;
  pen.lineWidth = 1.5;
  pen.stroke();
  pen.fill();
}

/** What stands in the place of the mark of an optimizer that diverged. */
export function drawCross(pen, name, [x, y], r, colors) {
  for (const [color, width] of [
    [colors.paper, 6],
    [colors.racers[name], 3],
  ]) {
    line(
      pen,
      [
        [x - r, y - r],
        [x + r, y + r],
      ],
      color,
      width,
    );
    line(
      pen,
      [
        [x - r, y + r],
        [x + r, y - r],
      ],
      color,
      width,
    );
  }
}
