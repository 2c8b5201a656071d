// What the pad is laid out of: the board, the answer of the network, and the controls below.

import {
  button,
  dropdown,
  make,
  setAttributes,
  slider,
  statusLine,
  uniqueId,
} from "../../explorables/js/dom.js";
import { SIDE } from "./digit_pad_sight.js";

const STRENGTH = { label: "strength of the map", max: 100, step: 5, value: 70 };

export function makeBoard() {
  const board = make("canvas", { className: "gb-board", tabIndex: 0 });
  setAttributes(board, { role: "application", "aria-roledescription": "drawing" });
  const prompt = make("p", { className: "gb-prompt", textContent: "Draw a digit here" });
  setAttributes(prompt, { "aria-hidden": "true" });
  return { board, prompt, slate: make("div", { className: "gb-slate" }, board, prompt) };
}

function makeRow(name, label, choose) {
  const input = make("input", { type: "radio", name, value: label });
  const fill = make("i");
  const share = make("span", { className: "gb-share" });
  input.addEventListener("change", () => choose(label));
  const title = make("b", { textContent: label });
  const track = make("span", { className: "gb-track" }, fill);
  const row = make("label", { className: "gb-class" }, input, title, track, share);
  return { input, fill, share, row };
}

/** A bar for each digit, by which a reader chooses the class of the map. */
export function makeBars(choose) {
  const name = uniqueId("gb-digit");
  const rows = Array.from({ length: 10 }, (_, label) => makeRow(name, label, choose));
  const legend = make("legend", {
    textContent: "Probability; choose a class for its map",
  });
  const boxes = rows.map(({ row }) => row);
  return { rows, bars: make("fieldset", { className: "gb-bars" }, legend, ...boxes) };
}

/** What the network sees, and what the colors of the map mean. */
export function makeSight(heat) {
  const eye = make("canvas", { className: "gb-eye", width: SIDE, height: SIDE });
  setAttributes(eye, { role: "img" });
  const band = make("span", { className: "gb-ramp" });
  band.style.background = `linear-gradient(to right, ${heat.slice(1)})`;
  const [low, high] = [make("span", { textContent: "0" }), make("span")];
  const key = make("p", { className: "gb-key" });
  const scale = make("div", { className: "gb-scale" }, low, band, high);
  const sight = make("div", { className: "gb-sight" }, eye, make("div", {}, key, scale));
  return { eye, high, key, sight };
}

/** The list of examples in their groups; its first entry stands for what the reader drew. */
export function makeMenu(examples, choose) {
  const own = make("option", { value: "", textContent: "choose …" });
  const groups = [...new Set(examples.map(({ group }) => group))].map((label) => {
    const inGroup = examples.filter(({ group }) => group === label);
    const options = inGroup.map(({ name }) => make("option", { value: name, textContent: name }));
    return make("optgroup", { label }, ...options);
  });
  const id = uniqueId("gb-digit");
  const { box, select } = dropdown(id, "example", [own, ...groups], ({ value }) => choose(value));
  return { menu: select, own, box };
}

export function makeTools({ undo, clear, fade, follow }) {
  const [undoButton, clearButton] = [button("Undo", undo), button("Clear", clear)];
  const strength = slider({ ...STRENGTH, id: uniqueId("gb-digit") }, fade);
  const followBox = make("input", { type: "checkbox", checked: true });
  followBox.addEventListener("change", follow);
  const title = make("span", { className: "gb-name", textContent: "follow the likeliest" });
  const boxes = [
    make("div", { className: "gb-tools" }, undoButton, clearButton),
    strength.box,
    make("label", { className: "gb-control gb-toggle" }, title, followBox),
  ];
  return { undoButton, clearButton, strength, followBox, boxes };
}

/** Puts all of it into an element; gives the answer in words, and the line that tells it. */
export function layOut(el, { slate, bars, sight }, controls) {
  const status = statusLine();
  const verdict = make("p", { className: "gb-verdict" });
  const side = make("div", { className: "gb-side" }, verdict, bars, sight);
  const stage = make("div", { className: "gb-stage" }, slate, side);
  const panel = make("div", { className: "gb-panel" }, ...controls);
  el.className = "gb-computed gb-digit";
  el.append(make("div", { className: "gb-card" }, stage, panel), status);
  return { status, verdict };
}
