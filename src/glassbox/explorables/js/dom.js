// What all widgets are built of: elements, labeled controls, and the keys they listen to.

export const wantsLittleMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

let made = 0;

/** An id that no other element of the page has, also where each widget has a module of its own. */
export const uniqueId = (prefix) => `${prefix}-${made++}-${Math.random().toString(36).slice(2, 7)}`;

export function button(text, act, className = "") {
  const element = make("button", { type: "button", textContent: text, className });
  element.addEventListener("click", act);
  return element;
}

/** What a screen reader says when its text changes, and nobody sees. */
export const statusLine = () =>
  setAttributes(make("p", { className: "gb-status" }), { role: "status" });

export const nameOf = (id, text) =>
  make("label", { className: "gb-name", htmlFor: id, textContent: text });

/**
 * A slider from 0 to `max`. `move(value)` is called while it moves; `put(value, text, heard)` shows
 * a value, with another text for those who hear it where that is given. Elements of `before` stand
 * in front of it.
 */
export function slider({ id, label, max, step = 1, value = 0, before = [] }, move) {
  const input = make("input", { type: "range", id, min: 0, max, step, value });
  const shown = setAttributes(make("span", { className: "gb-value" }), { "aria-hidden": "true" });
  const row = make("div", { className: "gb-row" }, ...before, input);
  const box = make("div", { className: "gb-control" }, nameOf(id, label), shown, row);
  input.addEventListener("input", () => move(Number(input.value)));
  const put = (next, text, heard = text) => {
    input.value = next;
    shown.textContent = text;
    input.setAttribute("aria-valuetext", heard);
    input.style.setProperty("--gb-done", `${(100 * Number(input.value)) / max}%`);
  };
  return { box, input, put };
}

/** A drop-down list of options or groups of them. */
export function dropdown(id, label, options, choose) {
  const select = make("select", { id }, ...options);
  select.addEventListener("change", () => choose(select));
  return { select, box: make("div", { className: "gb-control" }, nameOf(id, label), select) };
}

const ARROWS = new Map([
  ["ArrowLeft", [-1, 0]],
  ["ArrowRight", [1, 0]],
  ["ArrowUp", [0, 1]],
  ["ArrowDown", [0, -1]],
]);

/** Where an arrow key points, as [right, up]; undefined for any other key. */
export const arrowOf = (event) => ARROWS.get(event.key);

export const hasModifier = (event) => event.ctrlKey || event.metaKey || event.altKey;

/** A notebook takes plain keys for its own commands; those with a modifier are the browser's. */
export function keepPlainKeys(element) {
  element.addEventListener("keydown", (event) => {
    if (!hasModifier(event)) event.stopPropagation();
  });
}

const DARK = "(prefers-color-scheme: dark)";

function pageIsDark() {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : matchMedia(DARK).matches;
}

/**
 * The colors of a widget's figures, which the style sheets get, too. Where there are others for a
 * dark page, they change with the page's theme; then `changed()` is called.
 */
export function followTheme(element, { colors, dark }, changed) {
  const now = { ...colors };
  const put = () => setFigureColors(element, Object.assign(now, pageIsDark() ? dark : colors));
  const follow = () => {
    put();
    changed();
  };
  put();
  if (!dark) return now;
  new MutationObserver(follow).observe(document.documentElement, {
    attributeFilter: ["data-theme"],
  });
  matchMedia(DARK).addEventListener("change", follow);
  return now;
}

/** Hands the colors of figures on to the style sheets, as `--gb-figure-NAME`. */
export function setFigureColors(element, colors) {
  for (const [name, color] of Object.entries(colors)) {
    if (typeof color === "string") element.style.setProperty(`--gb-figure-${name}`, color);
  }
}
