// What is drawn: the picture under its map, maps as squares, and the curves of a deletion.

import { fillPixels, fit, ramp, toRgb } from "../../../explorables/js/canvas.js";
import { make } from "../../../explorables/js/dom.js";
import { percent } from "../digit_pad_reader.js";
import { meanOf } from "./measures.js";

export const ACROSS = 7; // places of a map
const DARKEST = 0.86; // how much is taken from places that do not speak for the class
const [CHART_WIDTH, CHART_HEIGHT] = [300, 130];

const peak = (map) => Math.max(...map, 1e-6);

/** Draws a square of a picture, and dims what does not speak for the class of a map. */
export function drawPicture(board, { picture, crop, map }, dark) {
  const { pen, width } = fit(board);
  pen.imageSmoothingQuality = "high";
  pen.fillStyle = "white"; // under what is transparent
  pen.fillRect(0, 0, width, width);
  pen.drawImage(picture, crop.x, crop.y, crop.side, crop.side, 0, 0, width, width);
  if (!map) return;
  const most = peak(map);
  const shade = make("canvas", { width: ACROSS, height: ACROSS });
  const rgb = toRgb(dark);
  fillPixels(shade, (k) => [...rgb, 255 * DARKEST * (1 - Math.max(0, map[k]) / most)]);
  pen.drawImage(shade, 0, 0, width, width);
}

export function clear(board) {
  const { pen, width, height } = fit(board);
  pen.clearRect(0, 0, width, height);
}

/** Draws the places of a map as squares: from 0, or below, to the largest. */
export function drawPlaces(canvas, map, heat) {
  const most = peak(map);
  const colors = heat.map(toRgb);
  fillPixels(canvas, (k) => [...ramp(colors, Math.max(0, map[k]) / most), 255]);
}

/** A chart of the probability while more and more is deleted: in the map's order, and at random. */
export function makeChart({ byMap, atRandom }, text) {
  const most = Math.max(...byMap, ...atRandom.flat(), 1e-6);
  const points = (curve) =>
    curve
      .map((value, k) => {
        const x = (CHART_WIDTH * k) / (curve.length - 1);
        return `${x.toFixed(1)},${(CHART_HEIGHT * (1 - value / most)).toFixed(1)}`;
      })
      .join(" ");
  const draw = (curve, name) => `<polyline class="${name}" points="${points(curve)}"></polyline>`;
  const lines = atRandom.map((curve) => draw(curve, "gb-one"));
  lines.push(draw(meanOf(atRandom), "gb-random"), draw(byMap, "gb-by-map"));
  const box = `-2 -3 ${CHART_WIDTH + 4} ${CHART_HEIGHT + 5}`;
  const axes = `<path d="M0 0V${CHART_HEIGHT}H${CHART_WIDTH}"></path>`;
  const chart = make("div", {
    innerHTML: `<svg viewBox="${box}" role="img">${axes}${lines.join("")}</svg>`, // of numbers alone
  });
  chart.firstChild.setAttribute("aria-label", text);
  const key = (textContent, className) => make("span", { textContent, className });
  const keys = [key("in the map's order", "gb-by-map"), key("at random, four times", "gb-random")];
  return [
    make("p", { textContent: `probability, from 0 to ${percent(most)}` }),
    chart,
    make("p", { textContent: "part of the places deleted, from none to all" }),
    make("p", { className: "gb-keys" }, ...keys),
  ];
}
