// The map of a surface, and the walks on it.

import { fillPixels, fit, line, mix, ring, toRgb } from "../../explorables/js/canvas.js";
import { make } from "../../explorables/js/dom.js";
import { drawCross, drawMark } from "./playground_marks.js";

const LEVELS = 14;
const INSET = 10; // of a cross from the edge of the map

/** The logarithm of the height above the lowest point, for each pixel, and its range. */
function logHeights({ height, lowest, ground }, w, h) {
  const [[x0, x1], [y0, y1]] = ground.bounds;
  const values = new Float64Array(w * h);
  let [least, most] = [Infinity, -Infinity];
  for (let j = 0; j < h; j++) {
    const y = y1 - ((j + 0.5) / h) * (y1 - y0);
    for (let i = 0; i < w; i++) {
      const value = Math.log(height(x0 + ((i + 0.5) / w) * (x1 - x0), y) - lowest + 0.05);
      values[j * w + i] = value;
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
  }
  return { values, least, most };
}

/** Paints bands of height, low ground darker, with a line between bands. */
function paintGround(race, w, h, colors) {
  const { values, least, most } = logHeights(race, w, h);
  const level = (k) =>
    Math.min(LEVELS - 1, Math.floor(((values[k] - least) / (most - least)) * LEVELS));
  const [high, low] = [toRgb(colors.paper), toRgb(colors.ground)];
  const shades = Array.from({ length: LEVELS }, (_, k) => mix(high, low, 1 - k / (LEVELS - 1)));
  const canvas = make("canvas", { width: w, height: h });
  fillPixels(canvas, (k) => {
    const band = level(k);
    const edge = (k % w && level(k - 1) !== band) || (k >= w && level(k - w) !== band);
    const [red, green, blue] = shades[band];
    return edge ? [0.82 * red, 0.82 * green, 0.82 * blue, 255] : [red, green, blue, 255];
  });
  return canvas;
}

/** Where a way that never comes back leaves the map, a little inside of its edge. */
export function exitOf(points, width, height) {
  const inside = ([x, y]) => x >= 0 && x <= width && y >= 0 && y <= height;
  const last = points.findLastIndex(inside);
  const [from, to] = [points[last], points[last + 1]];
  if (!from || !to) return from;
  const room = from.map((at, k) => {
    const way = to[k] - at;
    return way ? ((way > 0 ? [width, height][k] - INSET : INSET) - at) / way : 1;
  });
  return mix(from, to, Math.max(0, Math.min(1, ...room)));
}

export class RaceMap {
  constructor(canvas, race, colors) {
    Object.assign(this, { canvas, race, colors });
  }

  /** The point of the surface at a place of the map, 0 to 1 from its left and from its top. */
  toSurface([right, down]) {
    const [[x0, x1], [y0, y1]] = this.race.ground.bounds;
    return [x0 + right * (x1 - x0), y1 - down * (y1 - y0)];
  }

  toMap([x, y]) {
    const [[x0, x1], [y0, y1]] = this.race.ground.bounds;
    return [((x - x0) / (x1 - x0)) * this.width, ((y1 - y) / (y1 - y0)) * this.height];
  }

  draw() {
    const { pen, width, height } = fit(this.canvas);
    if (!width) return;
    Object.assign(this, { width, height });
    pen.drawImage(this.paintedGround(), 0, 0, width, height);
    this.drawMinima(pen);
    this.drawWalks(pen);
    this.drawStart(pen);
  }

  /** The ground as it was painted last, if it is the same. */
  paintedGround() {
    const { width, height } = this.canvas;
    const wanted = `${this.race.surface} ${width} ${height} ${this.colors.paper}`;
    if (this.painted !== wanted) this.image = paintGround(this.race, width, height, this.colors);
    this.painted = wanted;
    return this.image;
  }

  drawMinima(pen) {
    for (const point of this.race.ground.minima) {
      const [x, y] = this.toMap(point);
      line(
        pen,
        [
          [x - 6, y],
          [x + 6, y],
        ],
        this.colors.ink,
        2,
      );
      line(
        pen,
        [
          [x, y - 6],
          [x, y + 6],
        ],
        this.colors.ink,
        2,
      );
    }
  }

  drawWalks(pen) {
    const { colors, race, width, height } = this;
    const ways = race.on.map((name) => [name, race.walks[name].points.map((p) => this.toMap(p))]);
    for (const [name, points] of ways) {
      line(pen, points, colors.paper, 4);
      line(pen, points, colors.racers[name], 2);
    }
    for (const [name, points] of ways) {
      const lost = race.walks[name].diverged && exitOf(points, width, height);
      if (lost) drawCross(pen, name, lost, 6, colors);
      else drawMark(pen, name, points.at(-1), 6, colors);
    }
  }

  drawStart(pen) {
    const [x, y] = this.toMap(this.race.start);
    ring(pen, [x, y], 9, this.colors.ink, 2);
    if (this.race.step) return;
    const left = x > this.width / 2;
    pen.font = "600 12px system-ui, sans-serif";
    pen.fillStyle = this.colors.ink;
    pen.textAlign = left ? "right" : "left";
    pen.fillText("start: click or drag", x + (left ? -14 : 14), y + 4);
  }
}
