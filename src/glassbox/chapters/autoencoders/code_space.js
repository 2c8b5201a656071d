// Codes in space: they turn under the pointer, and the digit that it points at is shown.

import { placeIn } from "../../explorables/js/canvas.js";
import {
  arrowOf,
  button,
  followTheme,
  hasModifier,
  keepPlainKeys,
  make,
  wantsLittleMotion,
} from "../../explorables/js/dom.js";
import { formatCoordinate, layOut, makeStage } from "../../explorables/js/stage.js";
import { Space } from "./code_space_drawing.js";
import { dragged, pick } from "./code_space_view.js";

const CLICK = 4; // CSS pixels by which a pointer may move before it turns the space
const SLACK = { mouse: 12, pen: 12, touch: 24 }; // CSS pixels beside a digit
const STEP = 5; // degrees of an arrow key
const PACE = 15; // degrees a second

class CodeSpace {
  constructor(el, state, sheet) {
    const { view, shown } = state;
    Object.assign(this, { el, state, sheet, view, shown, drag: null, frame: 0 });
    this.build();
    this.listen();
    this.face();
    this.draw();
  }

  build() {
    const colors = followTheme(this.el, this.state, () => this.draw());
    Object.assign(this, makeStage(this.state.size));
    this.map.setAttribute("aria-roledescription", "space");
    this.turnButton = button("", () => (this.frame ? this.stop() : this.start()), "gb-go");
    this.turnButton.hidden = wantsLittleMotion();
    const hint =
      "Drag or press arrow keys to turn. Point at a digit or tap it, or press Enter or 0 to 9.";
    const panel = make(
      "div",
      { className: "gb-panel" },
      make("p", { className: "gb-hint", textContent: hint }),
      this.turnButton,
      button("Reset", () => this.reset(), "gb-reset"),
    );
    this.status = layOut(this.el, "gb-codes", this.stage, panel);
    this.space = new Space(this.map, { ...this.state, colors });
  }

  // ---- what is seen --------------------------------------------------------------------------

  get seenFrom() {
    const [turned, above] = this.view.map((angle) => Math.round(angle));
    const side = above < 0 ? "below" : "above";
    return `turned by ${turned}°, seen from ${Math.abs(above)}° ${side}`;
  }

  get digit() {
    const label = this.state.points[this.shown][3];
    return `${label === 8 ? "an" : "a"} ${label}`;
  }

  draw() {
    const { points, digits } = this.state;
    this.space.draw(this.view, this.shown);
    this.drawPicture();
    const numbers = points[this.shown].slice(0, 3).map((value) => formatCoordinate(value, digits));
    this.place.textContent = `(${numbers.join(", ")})`;
    this.nearest.textContent = this.digit;
    this.picture.setAttribute("aria-label", `The image of ${this.digit}.`);
    this.map.setAttribute(
      "aria-label",
      `Codes of ${points.length} digits in space, ${this.seenFrom}. Arrow keys turn it, Enter ` +
        "goes to the next digit, 0 to 9 to the next of a class.",
    );
  }

  drawPicture() {
    const { size, columns } = this.state;
    const [left, top] = [this.shown % columns, Math.floor(this.shown / columns)];
    const pen = this.picture.getContext("2d");
    pen.drawImage(this.sheet, left * size, top * size, size, size, 0, 0, size, size);
  }

  tellView() {
    this.status.textContent = `The codes are ${this.seenFrom}.`;
  }

  tellDigit() {
    const { length } = this.state.points;
    const place = this.place.textContent;
    this.status.textContent = `${this.digit} at ${place}, number ${this.shown + 1} of ${length}`;
  }

  // ---- what changes --------------------------------------------------------------------------

  see(view) {
    this.view = view;
    this.draw();
  }

  show(index) {
    if (index < 0 || index === this.shown) return;
    this.shown = index;
    this.draw();
  }

  /** Goes on to the next digit, or back; where a label is given, to one that has it. */
  step(by, label) {
    const { points } = this.state;
    for (let k = 1; k <= points.length; k++) {
      const index = (this.shown + by * k + points.length * k) % points.length;
      if (label === undefined || points[index][3] === label) {
        this.show(index);
        this.tellDigit();
        return;
      }
    }
    this.status.textContent = `There is no ${label}.`;
  }

  reset() {
    this.stop();
    this.shown = this.state.shown;
    this.see(this.state.view);
    this.tellView();
  }

  start() {
    let before = performance.now();
    const tick = (now) => {
      this.see(dragged(this.view, [(PACE * (now - before)) / 180_000, 0]));
      before = now;
      this.frame = requestAnimationFrame(tick);
    };
    this.frame = requestAnimationFrame(tick);
    this.face();
  }

  stop() {
    if (this.frame) this.tellView();
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.face();
  }

  face() {
    this.turnButton.textContent = this.frame ? "❚❚ Pause" : "▶ Turn";
  }

  // ---- listening -----------------------------------------------------------------------------

  listen() {
    const { map } = this;
    map.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      map.setPointerCapture(event.pointerId);
      this.drag = { from: this.placeOf(event), view: this.view, turns: false };
    });
    map.addEventListener("pointermove", (event) => {
      if (this.drag && map.hasPointerCapture(event.pointerId)) this.turn(event);
      else if (event.pointerType !== "touch") this.point(event);
    });
    map.addEventListener("pointerup", (event) => {
      if (!this.drag || event.button) return;
      if (this.drag.turns) return this.tellView();
      this.point(event);
      this.tellDigit();
    });
    map.addEventListener("lostpointercapture", () => {
      this.drag = null;
    });
    map.addEventListener("keydown", (event) => this.press(event));
    keepPlainKeys(this.el);
    new ResizeObserver(() => this.draw()).observe(map);
  }

  /** Where an event is on the map, in CSS pixels. */
  placeOf(event) {
    return placeIn(this.map.getBoundingClientRect(), event).map(
      (fraction) => fraction * this.map.clientWidth,
    );
  }

  point(event) {
    this.show(pick(this.space.places, this.placeOf(event), SLACK[event.pointerType] ?? 12));
  }

  turn(event) {
    const { drag, map } = this;
    const way = this.placeOf(event).map((at, k) => at - drag.from[k]);
    if (!drag.turns && Math.hypot(...way) < CLICK) return;
    if (!drag.turns) this.stop();
    drag.turns = true;
    this.see(
      dragged(
        drag.view,
        way.map((pixels) => pixels / map.clientWidth),
      ),
    );
  }

  press(event) {
    if (hasModifier(event)) return;
    const arrow = arrowOf(event);
    if (arrow) this.turnBy(arrow, event.shiftKey ? 5 * STEP : STEP);
    else if (event.key === "Enter" || event.key === " ") this.step(event.shiftKey ? -1 : 1);
    else if (/^[0-9]$/.test(event.key)) this.step(1, Number(event.key));
    else return;
    event.preventDefault();
  }

  turnBy([right, up], degrees) {
    this.stop();
    this.see(dragged(this.view, [(right * degrees) / 180, (-up * degrees) / 180]));
    this.tellView();
  }
}

async function load(address) {
  const image = make("img", { src: address });
  await image.decode();
  return image;
}

export async function render({ model, el }) {
  const state = model.get("state");
  const space = new CodeSpace(el, state, await load(state.sheet));
  return () => space.stop();
}

export default { render };
