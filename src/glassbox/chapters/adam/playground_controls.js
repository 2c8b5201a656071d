// What a playground is laid out of: map, chart, table, and the controls above and below.

import {
  button,
  make,
  nameOf,
  setAttributes,
  slider,
  statusLine,
  uniqueId,
} from "../../explorables/js/dom.js";
import { clipOf } from "./playground_marks.js";
import { NAMES } from "./playground_race.js";
import { short } from "./playground_text.js";

/** A row for an optimizer: whether it takes part, its height now and its lowest. */
function makeRow(name, enter) {
  const box = make("input", { type: "checkbox" });
  const now = make("td", { className: "gb-now" });
  const best = make("td", { className: "gb-now" });
  const mark = make("span", { className: "gb-mark" });
  mark.style.clipPath = clipOf(name);
  box.addEventListener("change", () => enter(name, box.checked));
  const head = make("th", { scope: "row" }, make("label", {}, box, mark, name));
  return { name, box, mark, now, best, row: make("tr", {}, head, now, best) };
}

export function makeTable(enter) {
  const rows = NAMES.map((name) => makeRow(name, enter));
  const count = make("caption");
  const titles = ["optimizer", "height", "lowest"].map((textContent) =>
    make("th", { scope: "col", textContent }),
  );
  const head = make("thead", {}, make("tr", {}, ...titles));
  const body = make("tbody", {}, ...rows.map(({ row }) => row));
  return { rows, count, table: make("table", { className: "gb-table" }, count, head, body) };
}

export function fillTable({ rows, count }, race, colors) {
  count.textContent = `step ${race.step}`;
  for (const { name, box, mark, now, best, row } of rows) {
    box.checked = race.on.includes(name);
    mark.style.background = colors.racers[name];
    row.classList.toggle("gb-off", !box.checked);
    now.textContent = race.standing(name);
    best.textContent = race.best(name);
  }
}

/** A slider for each setting, which it changes in the race; then `changed(name)` is called. */
export function makeSliders(race, changed) {
  const sliders = race.knobs.map(({ name, label, choices }) => {
    const options = { id: uniqueId("gb-race"), label, max: choices.length - 1 };
    const made = slider(options, (choice) => {
      race.settings[name] = choices[choice];
      changed(name);
    });
    const put = () => made.put(choices.indexOf(race.settings[name]), short(race.settings[name]));
    return { box: made.box, put };
  });
  const put = () => {
    for (const one of sliders) one.put();
  };
  return { boxes: sliders.map(({ box }) => box), put };
}

export function makeBar(surfaces, { choose, play, step, reset, copy }) {
  const titles = surfaces.map(({ name, title }) =>
    make("option", { value: name, textContent: title }),
  );
  const select = make("select", { id: uniqueId("gb-surface") }, ...titles);
  select.addEventListener("change", () => choose(select.value));
  const go = button("▶ Play", play, "gb-go");
  const link = button("Copy link", copy);
  const buttons = [go, button("Step", step), button("Reset", reset), link];
  const row = make("div", { className: "gb-buttons" }, ...buttons);
  const name = nameOf(select.id, "surface");
  return {
    select,
    go,
    link,
    bar: make("div", { className: "gb-panel gb-bar" }, name, select, row),
  };
}

export function makeCanvases() {
  const map = make("canvas", { className: "gb-map", tabIndex: 0 });
  const chart = make("canvas", { className: "gb-chart" });
  setAttributes(map, { role: "application", "aria-roledescription": "map" });
  setAttributes(chart, { role: "img" });
  return { map, chart };
}

/** Puts all of it into an element; gives the line that tells what happens. */
export function layOut(el, { bar, map, chart, table, sliders }) {
  const status = statusLine();
  const side = make("div", { className: "gb-side" }, chart, table);
  const stage = make("div", { className: "gb-stage" }, map, side);
  const panel = make("div", { className: "gb-panel" }, ...sliders);
  el.className = "gb-computed gb-race";
  el.append(make("div", { className: "gb-card" }, bar, stage, panel), status);
  return status;
}
