// The plane of codes: circles of standard deviations, the codes of real digits, and where one is.

import { fit, line, ring } from "../../explorables/js/canvas.js";

const HALF = Math.SQRT1_2;

/** The real digit whose code is nearest, and how far it is; `points` are [x, y, label]. */
export function nearestOf(points, [x, y]) {
  let [nearest, least] = [0, Infinity];
  for (const [across, up, label] of points) {
    const distance = Math.hypot(across - x, up - y);
    if (distance < least) [nearest, least] = [label, distance];
  }
  return [nearest, least];
}

/** The code at a place of the pad, 0 to 1 from its left and from its top. */
export const toCode = ([right, down], reach) => [
  right * 2 * reach - reach,
  reach - down * 2 * reach,
];

/** The code at a fraction of the way from one to another. */
export const between = (a, b, fraction) => a.map((value, k) => value + fraction * (b[k] - value));

export class Plane {
  constructor(canvas, { points, reach, colors }) {
    Object.assign(this, { canvas, points, reach, colors });
  }

  toMap([x, y]) {
    const { reach, side } = this;
    return [((x + reach) / (2 * reach)) * side, ((reach - y) / (2 * reach)) * side];
  }

  /** Draws a code on the plane, and the line between `ends` where there are some. */
  draw(code, ends) {
    const { pen, width } = fit(this.canvas);
    if (!width) return;
    this.side = width;
    const { ink, paper } = this.colors;
    pen.fillStyle = paper;
    pen.fillRect(0, 0, width, width);
    this.drawGrid(pen);
    this.drawDigits(pen);
    this.nameCircles(pen);
    const points = ends?.map((end) => this.toMap(end));
    if (points) line(pen, points, ink, 1.5);
    ring(pen, this.toMap(code), 10, paper, 6);
    ring(pen, this.toMap(code), 10, ink, 2.5);
  }

  drawGrid(pen) {
    const { colors, reach, side } = this;
    const middle = this.toMap([0, 0]);
    for (let radius = 1; radius <= reach; radius++) {
      ring(pen, middle, (radius / (2 * reach)) * side, colors.grid, 1);
    }
    line(
      pen,
      [
        [0, middle[1]],
        [side, middle[1]],
      ],
      colors.grid,
      1,
    );
    line(
      pen,
      [
        [middle[0], 0],
        [middle[0], side],
      ],
      colors.grid,
      1,
    );
  }

  drawDigits(pen) {
    pen.font = `${Math.max(10, this.side / 36)}px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    for (const point of this.points) {
      pen.fillStyle = this.colors.digits[point[2]];
      pen.fillText(point[2], ...this.toMap(point));
    }
  }

  /** The names of the circles lie on paper, and have a sign that no digit has. */
  nameCircles(pen) {
    pen.font = "600 11px system-ui, sans-serif";
    pen.fillStyle = this.colors.muted;
    Object.assign(pen, { strokeStyle: this.colors.paper, lineWidth: 5, lineJoin: "round" });
    for (let radius = 1; radius <= this.reach; radius++) {
      const spot = this.toMap([radius * HALF, radius * HALF]);
      pen.strokeText(`${radius}σ`, ...spot);
      pen.fillText(`${radius}σ`, ...spot);
    }
  }
}
