// What a latent pad is laid out of: the plane, the picture, and the walk from a digit to another.

import {
  button,
  dropdown,
  make,
  setAttributes,
  slider,
  statusLine,
  uniqueId,
} from "../../explorables/js/dom.js";

export function makeStage(size) {
  const pad = make("canvas", { className: "gb-map", tabIndex: 0 });
  setAttributes(pad, { role: "application", "aria-roledescription": "map" });
  const picture = make("canvas", { className: "gb-picture", width: size, height: size });
  setAttributes(picture, { role: "img" });
  const place = make("p", { className: "gb-place" });
  const nearest = make("p", { className: "gb-near" });
  const side = make("div", { className: "gb-side" }, picture, place, nearest);
  return { pad, picture, place, nearest, stage: make("div", { className: "gb-stage" }, pad, side) };
}

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

/** Puts all of it into an element; gives the line that tells what happens. */
export function layOut(el, stage, panel) {
  const status = statusLine();
  el.className = "gb-computed gb-latent";
  el.append(make("div", { className: "gb-card" }, stage, panel), status);
  return status;
}
