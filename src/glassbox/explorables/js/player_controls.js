// The controls of a player. Each maker gets what Python says of the control, and what to call with
// a choice; it returns the element, and put(), which shows a choice.

import {
  button,
  dropdown,
  make,
  setAttributes,
  slider,
  uniqueId,
  wantsLittleMotion,
} from "./dom.js";

function makeSlider(control, choose, player) {
  const last = control.labels.length - 1;
  const next = () => choose((Number(made.input.value) + 1) % (last + 1), true);
  const before =
    control.play && !wantsLittleMotion() ? [player.playButton(control.label, next)] : [];
  const options = { id: uniqueId("gb"), label: control.label, max: last, before };
  const made = slider(options, (choice) => choose(choice));
  return { box: made.box, put: (choice) => made.put(choice, control.labels[choice]) };
}

function makeDropdown(control, choose) {
  const options = control.labels.map((label) => make("option", { textContent: label }));
  const made = dropdown(uniqueId("gb"), control.label, options, (select) =>
    choose(select.selectedIndex),
  );
  const put = (choice) => {
    made.select.selectedIndex = choice;
  };
  return { box: made.box, put };
}

function makeToggle(control, choose) {
  const input = make("input", { type: "checkbox" });
  const name = make("span", { className: "gb-name", textContent: control.label });
  input.addEventListener("change", () => choose(Number(input.checked)));
  const put = (choice) => {
    input.checked = choice === 1;
  };
  return { box: make("label", { className: "gb-control gb-toggle" }, name, input), put };
}

function makeButtons(control, choose) {
  const group = uniqueId("gb");
  const inputs = control.labels.map((_, choice) => {
    const input = make("input", { type: "radio", name: group });
    input.addEventListener("change", () => choose(choice));
    return input;
  });
  const items = inputs.map((input, choice) =>
    make("label", {}, input, make("span", { textContent: control.labels[choice] })),
  );
  const legend = make("legend", { className: "gb-name", textContent: control.label });
  const segments = make("div", { className: "gb-segments" }, ...items);
  const put = (choice) => {
    inputs[choice].checked = true;
  };
  return { box: make("fieldset", { className: "gb-control" }, legend, segments), put };
}

const MAKERS = {
  slider: makeSlider,
  dropdown: makeDropdown,
  toggle: makeToggle,
  buttons: makeButtons,
};

export const makeControl = (control, choose, player) =>
  MAKERS[control.kind](control, choose, player);

/** A button that plays and pauses. `press(self)` is called on a click, `isPlaying` asked for its face. */
export function makePlayButton(label, press, isPlaying) {
  const element = button("", () => press(element), "gb-play");
  element.face = () => {
    const on = isPlaying(element);
    element.textContent = on ? "❚❚" : "▶";
    setAttributes(element, { "aria-label": `${on ? "Pause" : "Play"} ${label}` });
  };
  element.face();
  return element;
}
