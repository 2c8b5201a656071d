// What is seen on the board: the drawing, the map over it, and the pen; and what the network sees.

import { fillPixels, mix, pixelRatio, ramp, ring, toRgb } from "../../explorables/js/canvas.js";
import { make } from "../../explorables/js/dom.js";
import { CANVAS, PEN, placeOf } from "./digit_pad_ink.js";
import { MAP_SIDE } from "./digit_pad_reader.js";

function drawStroke(brush, { points }, color) {
  Object.assign(brush, { strokeStyle: color, lineWidth: PEN, lineCap: "round", lineJoin: "round" });
  brush.beginPath();
  brush.moveTo(...points[0]);
  for (const point of points) brush.lineTo(...point);
  brush.stroke();
}

function drawPicture(brush, { pixels }, color) {
  const { size, first, side } = placeOf(pixels);
  const picture = make("canvas", { width: size, height: size });
  const rgb = toRgb(color);
  fillPixels(picture, (k) => [...rgb, 255 * pixels[k]]);
  brush.imageSmoothingEnabled = false;
  brush.drawImage(picture, first, first, side, side);
  brush.imageSmoothingEnabled = true;
}

/** Gives a board as many pixels as are shown, and a brush that counts in pixels of the drawing. */
function fitBoard(board, side) {
  const ratio = (pixelRatio() * side) / CANVAS;
  const pixels = Math.round(ratio * CANVAS);
  if (board.width !== pixels) Object.assign(board, { width: pixels, height: pixels });
  const brush = board.getContext("2d");
  brush.setTransform(ratio, 0, 0, ratio, 0, 0);
  return brush;
}

export class Painter {
  constructor(board, eye, colors) {
    Object.assign(this, { board, eye, colors, heat: colors.heat.slice(1).map(toRgb) });
  }

  drawMarks(marks, side) {
    const brush = fitBoard(this.board, side);
    brush.fillStyle = this.colors.board;
    brush.fillRect(0, 0, CANVAS, CANVAS);
    for (const mark of marks) {
      (mark.pixels ? drawPicture : drawStroke)(brush, mark, this.colors.paper);
    }
    return brush;
  }

  /** Draws a map where the network looked; `most` is where its colors end, `strength` 0 to 1. */
  drawMap(brush, { corner, reach }, values, most, strength) {
    const map = make("canvas", { width: MAP_SIDE, height: MAP_SIDE });
    fillPixels(map, (k) => {
      const t = Math.min(1, values[k] / most);
      return [...ramp(this.heat, t), 255 * Math.min(1, 2.2 * t) * strength];
    });
    brush.imageSmoothingQuality = "high";
    brush.drawImage(map, ...corner, reach, reach);
    Object.assign(brush, { strokeStyle: this.colors.frame, lineWidth: 0.35 });
    brush.setLineDash([1.5, 1.5]);
    brush.strokeRect(...corner, reach, reach);
    brush.setLineDash([]);
  }

  drawPen(brush, pen, down) {
    ring(brush, pen, PEN / 2 + 1.5, this.colors.board, 2.4);
    ring(brush, pen, PEN / 2 + 1.5, down ? this.colors.hot : this.colors.paper, 1.2);
  }

  /** Draws what the network sees; nothing where `seen` is undefined. */
  drawSight(seen) {
    const [dark, light] = [toRgb(this.colors.board), toRgb(this.colors.paper)];
    fillPixels(this.eye, (k) => [...mix(dark, light, seen ? seen[k] : 0), 255]);
  }
}
