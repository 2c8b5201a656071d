// The table of a race: who takes part, and how each stands.

import { make } from "../../explorables/js/dom.js";
import { clipOf } from "./playground_marks.js";
import { NAMES } from "./playground_race.js";

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
