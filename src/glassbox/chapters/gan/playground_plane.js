// The plane: the discriminator's surface, real points and samples, and how each sample is pulled.

import { clamp, fillPixels, fit, line, ramp, ring, toRgb } from "../../explorables/js/canvas.js";
import { make } from "../../explorables/js/dom.js";
import { REACH } from "./playground_game.js";

const ARROWS = 80; // samples whose pull is drawn
const [LENGTH, LONGEST] = [0.5, 0.7]; // of an arrow, in the plane's units, for a pull of 1 and at most
const [HEAD, OPEN] = [5, 0.45]; // of an arrow: pixels, and radians to each side

/** The point of the plane at a place, 0 to 1 from its left and from its top. */
export const toPlane = ([right, down]) => [
  clamp(2 * REACH * right - REACH, -REACH, REACH),
  clamp(REACH - 2 * REACH * down, -REACH, REACH),
];

/** The end of an arrow that begins at a point, of the pull's length but no longer than `LONGEST`. */
export function tipOf([x, y], [right, up]) {
  const size = Math.hypot(right, up);
  const scale = size ? Math.min(LENGTH * size, LONGEST) / size : 0;
  return [x + scale * right, y + scale * up];
}

/** A line with a head, where it is long enough to have one. */
function drawArrow(pen, from, to, color) {
  const [right, down] = [to[0] - from[0], to[1] - from[1]];
  line(pen, [from, to], color, 1);
  if (Math.hypot(right, down) < HEAD) return;
  const back = Math.atan2(-down, -right);
  const [one, other] = [back - OPEN, back + OPEN].map((angle) => [
    to[0] + HEAD * Math.cos(angle),
    to[1] + HEAD * Math.sin(angle),
  ]);
  line(pen, [one, to, other], color, 1);
}

export class Plane {
  constructor(canvas, game, colors) {
    Object.assign(this, { canvas, game, colors, shows: { surface: true, pulls: true } });
  }

  toMap([x, y]) {
    return [((x + REACH) / (2 * REACH)) * this.side, ((REACH - y) / (2 * REACH)) * this.side];
  }

  /** Draws what `look()` of the game gave, and the probe where it is. */
  draw(seen, probe) {
    const { pen, width } = fit(this.canvas);
    if (!width) return;
    this.side = width;
    pen.fillStyle = this.colors.paper;
    pen.fillRect(0, 0, width, width);
    if (this.shows.surface) this.drawSurface(pen);
    for (const place of this.game.places) {
      const radius = (this.game.reach / (2 * REACH)) * width;
      ring(pen, this.toMap(place), radius, this.colors.faint, 1);
    }
    this.drawPoints(pen, this.game.shownReal, this.colors.real, 0.45);
    this.drawPoints(pen, seen.samples, this.colors.fake, 0.85);
    if (this.shows.pulls) this.drawPulls(pen, seen);
    if (probe) this.drawProbe(pen, probe);
  }

  drawSurface(pen) {
    const answers = this.game.surface();
    const side = Math.sqrt(answers.length);
    const shades = this.colors.surface.map(toRgb);
    this.image ??= make("canvas", { width: side, height: side });
    fillPixels(this.image, (k) => [...ramp(shades, clamp(answers[k], 0, 1)), 255]);
    pen.imageSmoothingEnabled = true;
    pen.drawImage(this.image, 0, 0, this.side, this.side);
  }

  drawPoints(pen, points, color, opacity) {
    pen.fillStyle = color;
    pen.globalAlpha = opacity;
    for (let k = 0; k < points.length; k += 2) {
      const [x, y] = this.toMap([points[k], points[k + 1]]);
      pen.fillRect(x - 1.5, y - 1.5, 3, 3);
    }
    pen.globalAlpha = 1;
  }

  drawPulls(pen, { samples, pulls }) {
    for (let k = 0; k < 2 * ARROWS; k += 2) {
      const from = [samples[k], samples[k + 1]];
      const to = tipOf(from, [pulls[k], pulls[k + 1]]);
      drawArrow(pen, this.toMap(from), this.toMap(to), this.colors.ink);
    }
  }

  drawProbe(pen, { place, answer }) {
    const [x, y] = this.toMap(place);
    for (const [color, width] of [
      [this.colors.paper, 5],
      [this.colors.ink, 2],
    ]) {
      ring(pen, [x, y], 7, color, width);
    }
    const left = x > this.side / 2;
    pen.font = "600 12px system-ui, sans-serif";
    pen.textAlign = left ? "right" : "left";
    Object.assign(pen, { strokeStyle: this.colors.paper, lineWidth: 4, lineJoin: "round" });
    const spot = [x + (left ? -12 : 12), clamp(y + 4, 14, this.side - 6)];
    pen.strokeText(`D = ${answer.toFixed(2)}`, ...spot);
    pen.fillStyle = this.colors.ink;
    pen.fillText(`D = ${answer.toFixed(2)}`, ...spot);
  }
}
