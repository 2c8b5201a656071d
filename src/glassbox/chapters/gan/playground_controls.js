// The controls of a game that are no sliders, and the table of how both players stand.

import { dropdown, make, uniqueId } from "../../explorables/js/dom.js";

/** A list of the losses; `choose(name)` is called with the one that is chosen. */
export function makeLossList(titles, choose) {
  const options = Object.entries(titles).map(([value, textContent]) =>
    make("option", { value, textContent }),
  );
  return dropdown(uniqueId("gb-loss"), "loss", options, (select) => choose(select.value));
}

/** A switch for each part of the picture; `change(name, on)` is called. */
export function makeSwitches(parts, change) {
  const labels = Object.entries(parts).map(([name, text]) => {
    const box = make("input", { type: "checkbox", checked: true });
    box.addEventListener("change", () => change(name, box.checked));
    return make("label", { className: "gb-switch" }, box, text);
  });
  return make("div", { className: "gb-control gb-switches" }, ...labels);
}

const ROWS = {
  modes: "places found",
  stray: "samples near none",
  discriminator: "discriminator's loss",
  generator: "generator's loss",
  pull: "mean pull on a sample",
};

export function makeTable() {
  const count = make("caption");
  const cells = Object.fromEntries(
    Object.keys(ROWS).map((name) => [name, make("td", { className: "gb-now" })]),
  );
  const rows = Object.entries(ROWS).map(([name, textContent]) =>
    make("tr", {}, make("th", { scope: "row", textContent }), cells[name]),
  );
  const body = make("tbody", {}, ...rows);
  return { count, cells, table: make("table", { className: "gb-table" }, count, body) };
}

const two = (value) => value.toFixed(2).replace("-", "−");

/** The mean of the last losses: a single one tells little. */
export function recent(losses, count = 50) {
  const last = losses.slice(-count);
  return last.length ? last.reduce((a, b) => a + b) / last.length : null;
}

export function fillTable({ count, cells }, game, seen) {
  count.textContent = `round ${game.round}`;
  cells.modes.textContent = `${seen.modes} of ${game.places.length}`;
  cells.stray.textContent = `${Math.round(100 * seen.stray)}%`;
  cells.pull.textContent = two(seen.pull);
  for (const name of ["discriminator", "generator"]) {
    const loss = recent(game.history[name]);
    cells[name].textContent = loss === null ? "–" : two(loss);
  }
}
