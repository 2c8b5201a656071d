// The losses of both players over the rounds, smoothed, and what they are where D cannot tell.

import { clamp, fit, line } from "../../explorables/js/canvas.js";
import { short } from "../../explorables/js/short_numbers.js";

const [LEFT, RIGHT, TOP, BOTTOM] = [36, 12, 50, 26];
const SHOWN_ROUNDS = 100; // at least
const POINTS = 120; // of a line
const HIGHEST = 4; // what lies above is at the edge

/** The means of so many losses in a row that `POINTS` of them fill the axis, each at its last. */
export function smoothed(losses, span) {
  const every = Math.max(1, Math.ceil(span / POINTS));
  const points = [];
  for (let start = 0; start < losses.length; start += every) {
    const part = losses.slice(start, start + every);
    points.push([start + part.length, part.reduce((a, b) => a + b) / part.length]);
  }
  return points;
}

/** The ends of the axis of losses, multiples of a half. */
export function rangeOf(values) {
  const shown = values.filter(Number.isFinite).map((value) => clamp(value, -HIGHEST, HIGHEST));
  const [least, most] = [Math.min(0, ...shown), Math.max(0.5, ...shown)];
  return [Math.floor(2 * least) / 2, Math.ceil(2 * most) / 2];
}

function drawAxes(pen, { across, down }, { span, range, width, height, colors }) {
  const rule = (value, color, dash) => {
    const ends = [LEFT, width - RIGHT].map((x) => [x, down(value)]);
    pen.setLineDash(dash);
    line(pen, ends, color, 1);
    pen.setLineDash([]);
  };
  pen.font = "11px system-ui, sans-serif";
  pen.fillStyle = colors.muted;
  pen.textAlign = "right";
  const [low, high] = range;
  const spacing = high - low > 2.5 ? 1 : 0.5;
  for (let value = Math.ceil(low / spacing) * spacing; value <= high; value += spacing) {
    rule(value, colors.grid, []);
    pen.fillText(short(value).replace("-", "−"), LEFT - 6, down(value) + 4);
  }
  pen.fillText(`${span} rounds`, width - RIGHT + 6, height - 8);
  pen.textAlign = "center";
  for (const round of [0, span / 2]) pen.fillText(round, across(round), height - 8);
  return rule;
}

function drawTitle(pen, players, colors) {
  pen.textAlign = "left";
  pen.font = "600 12px system-ui, sans-serif";
  pen.fillStyle = colors.ink;
  pen.fillText("losses; dotted: if D said 1/2", 8, 16);
  let x = 8;
  for (const [name, color] of players) {
    pen.fillStyle = color;
    pen.fillText(name, x, 34);
    x += pen.measureText(`${name}   `).width;
  }
}

export function drawChart(canvas, game, colors) {
  const { pen, width, height } = fit(canvas);
  if (!width) return;
  const span = Math.max(SHOWN_ROUNDS, 2 * Math.ceil(game.round / 2));
  const players = [
    ["discriminator", colors.real],
    ["generator", colors.fake],
  ];
  const lines = players.map(([name]) => smoothed(game.history[name], span));
  const even = players.map(([name]) => game.even[name]);
  const range = rangeOf([...even, ...lines.flat().map(([, value]) => value)]);
  const [low, high] = range;
  const across = (round) => LEFT + (round / span) * (width - LEFT - RIGHT);
  const down = (value) => TOP + ((high - value) / (high - low)) * (height - TOP - BOTTOM);
  pen.fillStyle = colors.paper;
  pen.fillRect(0, 0, width, height);
  const rule = drawAxes(pen, { across, down }, { span, range, width, height, colors });
  drawTitle(pen, players, colors);
  players.forEach(([, color], k) => {
    rule(even[k], color, [2, 3]);
    const points = lines[k].map(([round, value]) => [across(round), down(clamp(value, low, high))]);
    line(pen, points, color, 2);
  });
}
