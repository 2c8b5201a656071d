// A map and, beside it, a picture of where one is on the map, with two lines of text.

import { make, setAttributes, statusLine } from "./dom.js";

/** The map, the picture of `size` pixels a side, and what says which place it is and what is near. */
export function makeStage(size) {
  const map = make("canvas", { className: "gb-map", tabIndex: 0 });
  setAttributes(map, { role: "application", "aria-roledescription": "map" });
  const picture = make("canvas", { className: "gb-picture", width: size, height: size });
  setAttributes(picture, { role: "img" });
  const place = make("p", { className: "gb-place" });
  const nearest = make("p", { className: "gb-near" });
  const side = make("div", { className: "gb-side" }, picture, place, nearest);
  return { map, picture, place, nearest, stage: make("div", { className: "gb-stage" }, map, side) };
}

/** Puts stage and panel into an element of this class; gives the line that tells what happens. */
export function layOut(el, className, stage, panel) {
  const status = statusLine();
  el.className = `gb-computed gb-staged ${className}`;
  el.append(make("div", { className: "gb-card" }, stage, panel), status);
  return status;
}

/** A coordinate with so many digits, a real minus and no negative zero. */
export function formatCoordinate(value, digits = 2) {
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}
