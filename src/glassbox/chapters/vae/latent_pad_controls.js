// The walk of a latent pad from one digit to another.

import { button, dropdown, make, slider, uniqueId } from "../../explorables/js/dom.js";

function chooser(label, digits, digit, choose) {
  const options = digits.map((value) => make("option", { value, textContent: value }));
  const made = dropdown(uniqueId("gb-pad"), label, options, choose);
  made.select.value = digit;
  return made;
}

/** Two lists of digits and the way between them; `walk(percent)` is called as its slider moves. */
export function makeWay({ from, to, examples }, { choose, walk, told, play }) {
  const digits = [...examples.keys()];
  const [first, last] = [
    chooser("from a", digits, from, choose),
    chooser("to a", digits, to, choose),
  ];
  const playButton = button("▶", play, "gb-play");
  const options = { id: uniqueId("gb-pad"), label: "on the way", max: 100, before: [playButton] };
  const way = slider(options, walk);
  way.input.addEventListener("change", told);
  const panel = make("div", { className: "gb-panel" }, first.box, last.box, way.box);
  return { from: first.select, to: last.select, way, playButton, panel };
}
