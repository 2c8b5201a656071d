// Draws codes in space: each as its digit, fainter and smaller the farther away, and three axes.

import { clamp, fit, line, mix, ring, toRgb } from "../../explorables/js/canvas.js";
import { measure, see } from "./code_space_view.js";

const FAINTEST = 0.55;
const SMALLEST = 12; // CSS pixels of a digit in the middle
const BEYOND = 1.12; // times the length of an axis is its name
const DISK = 0.58; // of the size of the digit on it, its radius

const FONT = "system-ui, sans-serif";

export class Space {
  constructor(canvas, { points, axes, colors }) {
    const { middle, halves, reach } = measure(points);
    Object.assign(this, { canvas, axes, colors, places: [] });
    this.points = points.map((point) => middle.map((at, k) => (point[k] - at) / reach));
    this.labels = points.map((point) => point[3]);
    this.halves = halves.map((half) => half / reach);
  }

  /** Draws the space from one side, with a ring around one of its points. */
  draw(view, shown) {
    const { pen, width } = fit(this.canvas);
    if (!width) return;
    pen.fillStyle = this.colors.paper;
    pen.fillRect(0, 0, width, width);
    const axes = this.halves.map((half, k) => this.axis(half, k, view, width));
    for (const [start, end] of axes) {
      line(
        pen,
        [
          [start.x, start.y],
          [end.x, end.y],
        ],
        this.colors.muted,
        1,
      );
    }
    this.place(view, width);
    this.drawDigits(pen);
    this.nameAxes(pen, axes);
    this.mark(pen, this.places[shown]);
  }

  /** Where an axis begins and ends, and where its name is. */
  axis(half, k, view, side) {
    return [-half, half, BEYOND * half].map((at) => {
      const point = [0, 0, 0];
      point[k] = at;
      return see(point, view, side);
    });
  }

  place(view, side) {
    const size = Math.max(SMALLEST, side / 32);
    this.places = this.points.map((point) => {
      const place = see(point, view, side);
      return { ...place, size: Math.round(2 * size * place.scale) / 2 };
    });
  }

  drawDigits(pen) {
    Object.assign(pen, { textAlign: "center", textBaseline: "middle", lineJoin: "round" });
    const [paper, ...classes] = [this.colors.paper, ...this.colors.classes].map(toRgb);
    const order = this.places.map((place, k) => [place, this.labels[k]]);
    order.sort(([a], [b]) => a.near - b.near);
    for (const [place, label] of order) {
      const strength = FAINTEST + ((1 - FAINTEST) * (place.near + 1)) / 2;
      this.drawDigit(pen, place, label, `rgb(${mix(paper, classes[label], strength)})`);
    }
  }

  /** Two classes share a color: from 5 on, digits stand on disks. */
  drawDigit(pen, { x, y, size }, label, color) {
    const font = `600 ${size}px ${FONT}`;
    if (pen.font !== font) pen.font = font;
    Object.assign(pen, { strokeStyle: this.colors.paper, lineWidth: 2, fillStyle: color });
    if (label < 5) {
      pen.strokeText(label, x, y);
      pen.fillText(label, x, y);
      return;
    }
    pen.beginPath();
    pen.arc(x, y - size / 16, DISK * size, 0, 7);
    pen.stroke();
    pen.fill();
    pen.fillStyle = this.colors.paper;
    pen.fillText(label, x, y);
  }

  /** A name is moved so far that all of it is on the map. */
  nameAxes(pen, axes) {
    pen.font = `600 11px ${FONT}`;
    Object.assign(pen, { strokeStyle: this.colors.paper, lineWidth: 4 });
    pen.fillStyle = this.colors.muted;
    const { clientWidth: side } = this.canvas;
    axes.forEach(([, , { x, y }], k) => {
      const half = pen.measureText(this.axes[k]).width / 2 + 4;
      const spot = [clamp(x, half, side - half), clamp(y, 10, side - 10)];
      pen.strokeText(this.axes[k], ...spot);
      pen.fillText(this.axes[k], ...spot);
    });
  }

  mark(pen, { x, y, size }) {
    ring(pen, [x, y], 0.85 * size, this.colors.paper, 5);
    ring(pen, [x, y], 0.85 * size, this.colors.ink, 2);
  }
}
