// Heights above the minimum over the steps, on a logarithmic scale.

import { clamp, fit, line } from "../../explorables/js/canvas.js";
import { drawCross, drawMark } from "./playground_marks.js";
import { powerOfTen } from "./playground_text.js";

const [LEFT, RIGHT, TOP, BOTTOM] = [44, 12, 34, 26];
const [LEAST, MOST] = [-8, 4]; // powers of ten
const SHOWN_STEPS = 50; // at least
const POINTS = 300; // of a line

function scalesOf(span, lowest, width, height) {
  const across = (step) => LEFT + (step / span) * (width - LEFT - RIGHT);
  const down = (power) => TOP + ((MOST - power) / (MOST - LEAST)) * (height - TOP - BOTTOM);
  const toPower = (value) => clamp(Math.log10(value - lowest + 1e-12), LEAST, MOST);
  return { across, down, at: (step, value) => [across(step), down(toPower(value))] };
}

function drawAxes(pen, { across, down }, span, width, height, colors) {
  pen.font = "11px system-ui, sans-serif";
  pen.fillStyle = colors.muted;
  pen.textAlign = "right";
  for (let power = LEAST; power <= MOST; power += 4) {
    line(
      pen,
      [
        [LEFT, down(power)],
        [width - RIGHT, down(power)],
      ],
      colors.grid,
      1,
    );
    pen.fillText(powerOfTen(power), LEFT - 6, down(power) + 4);
  }
  pen.fillText(`${span} steps`, width - RIGHT + 6, height - 8);
  pen.textAlign = "center";
  for (const step of [0, span / 2]) pen.fillText(Math.round(step), across(step), height - 8);
  pen.fillStyle = colors.ink;
  pen.textAlign = "left";
  pen.font = "600 12px system-ui, sans-serif";
  pen.fillText("height above the minimum", 8, 15);
}

/** Every so-many-th height of a walk, and its last, as points of the chart. */
export function thinned(heights, span, at) {
  const every = Math.max(1, Math.floor(span / POINTS));
  const points = [];
  for (let k = 0; k < heights.length; k += every) points.push(at(k, heights[k]));
  return [...points, at(heights.length - 1, heights.at(-1))];
}

export function drawChart(canvas, race, colors) {
  const { pen, width, height } = fit(canvas);
  if (!width) return;
  const span = Math.max(SHOWN_STEPS, race.step);
  const scales = scalesOf(span, race.lowest, width, height);
  pen.fillStyle = colors.paper;
  pen.fillRect(0, 0, width, height);
  drawAxes(pen, scales, span, width, height, colors);
  for (const name of race.on) {
    const { heights, diverged } = race.walks[name];
    const points = thinned(heights, span, scales.at);
    line(pen, points, colors.racers[name], 2);
    (diverged ? drawCross : drawMark)(pen, name, points.at(-1), 4.5, colors);
  }
}
