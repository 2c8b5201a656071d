// What a playground is laid out of: map, chart, table, and the controls above and below.

import { button, make, nameOf, setAttributes, slider, statusLine, uniqueId } from "./dom.js";
import { short } from "./short_numbers.js";

/**
 * A slider for each knob, which has a name, a label and choices; it changes the setting of that name
 * in `holder.settings`, and then `changed(name)` is called.
 */
export function makeSliders(knobs, holder, changed) {
  const sliders = knobs.map(({ name, label, choices }) => {
    const options = { id: uniqueId("gb-knob"), label, max: choices.length - 1 };
    const made = slider(options, (choice) => {
      holder.settings[name] = choices[choice];
      changed(name);
    });
    const put = () => {
      const value = holder.settings[name];
      made.put(choices.indexOf(value), short(value));
    };
    return { box: made.box, put };
  });
  const put = () => {
    for (const one of sliders) one.put();
  };
  return { boxes: sliders.map(({ box }) => box), put };
}

/** A list to choose a ground from, each with its name and title, and the buttons. */
export function makeBar(label, grounds, { choose, play, step, reset, copy }) {
  const titles = grounds.map(({ name, title }) =>
    make("option", { value: name, textContent: title }),
  );
  const select = make("select", { id: uniqueId("gb-ground") }, ...titles);
  select.addEventListener("change", () => choose(select.value));
  const go = button("▶ Play", play, "gb-go");
  const link = button("Copy link", copy);
  const buttons = [go, button("Step", step), button("Reset", reset), link];
  const row = make("div", { className: "gb-buttons" }, ...buttons);
  const name = nameOf(select.id, label);
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

/** Puts all of it into an element of a class; gives the line that tells what happens. */
export function layOut(el, className, { bar, map, chart, table, controls }) {
  const status = statusLine();
  const side = make("div", { className: "gb-side" }, chart, table);
  const stage = make("div", { className: "gb-stage" }, map, side);
  const panel = make("div", { className: "gb-panel" }, ...controls);
  el.className = `gb-computed gb-playground ${className}`;
  el.append(make("div", { className: "gb-card" }, bar, stage, panel), status);
  return status;
}
