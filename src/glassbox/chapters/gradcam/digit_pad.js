// Draw a digit: a pen, a small network that reads along, and where its score for a class comes from.

import { clamp, placeIn } from "../../explorables/js/canvas.js";
import {
  arrowOf,
  followTheme,
  hasModifier,
  keepPlainKeys,
  make,
} from "../../explorables/js/dom.js";
import {
  layOut,
  makeBars,
  makeBoard,
  makeMenu,
  makeSight,
  makeTools,
} from "./digit_pad_controls.js";
import { Drawing } from "./digit_pad_drawing.js";
import { CANVAS } from "./digit_pad_ink.js";
import { Painter } from "./digit_pad_painting.js";
import { makeReader, percent, ranked } from "./digit_pad_reader.js";
import { center } from "./digit_pad_sight.js";

const TELL_MS = 250; // of rest, so that not each movement is told

const onBoard = (place) => place.map((value) => clamp(value, 0, CANVAS));

class DigitPad {
  constructor(el, { weights, examples, start, colors }) {
    Object.assign(this, { el, examples, colors, view: null, reading: null });
    Object.assign(this, { chosen: 0, likeliest: 0, most: 1, side: 0 });
    Object.assign(this, { pen: [CANVAS / 2, CANVAS / 4], keyed: false });
    this.read = makeReader(weights);
    this.drawing = new Drawing(this.marksOf(start));
    this.build();
    this.listen();
    this.think();
  }

  marksOf(name) {
    return this.examples.find((example) => example.name === name).marks;
  }

  // ---- what is seen --------------------------------------------------------------------------

  build() {
    followTheme(this.el, { colors: this.colors });
    const [board, sight] = [makeBoard(), makeSight(this.colors.heat)];
    const bars = makeBars((label) => this.pick(label));
    const menu = makeMenu(this.examples, (name) => this.show(name));
    const tools = makeTools(this.actions());
    Object.assign(this, board, sight, bars, menu, tools);
    Object.assign(this, layOut(this.el, this, [menu.box, ...tools.boxes]));
    this.painter = new Painter(this.board, this.eye, this.colors);
  }

  actions() {
    return {
      undo: () => {
        if (this.drawing.undo()) this.think();
        this.tell();
      },
      clear: () => {
        if (this.drawing.marks.length) this.change([]);
        this.tell();
      },
      fade: () => this.draw(),
      follow: () => {
        this.choose(this.followBox.checked ? this.likeliest : this.chosen);
        this.tell(true);
      },
    };
  }

  pick(label) {
    this.followBox.checked = false;
    this.choose(label);
    this.tell(true);
  }

  show(name) {
    if (!name) return;
    this.change(this.marksOf(name));
    this.tell();
  }

  change(marks) {
    this.drawing.change(marks);
    this.think();
  }

  // ---- reading -------------------------------------------------------------------------------

  /** Reads the drawing anew, and shows what comes of it. */
  think() {
    this.view = center(this.drawing.ink);
    this.reading = this.view && this.read(this.view.seen);
    if (this.reading) {
      const { probabilities, cam } = this.reading;
      this.likeliest = ranked(probabilities)[0];
      this.most = Math.max(...this.rows.map((_, label) => Math.max(...cam(label))), 1e-6);
    }
    this.fillControls();
    this.fillAnswer();
    this.choose(this.followBox.checked ? this.likeliest : this.chosen);
  }

  fillControls() {
    const { marks, past } = this.drawing;
    const shown = this.examples.find((example) => example.marks === marks);
    this.own.textContent = marks.length ? "your own" : "choose …";
    this.menu.value = shown ? shown.name : "";
    this.undoButton.disabled = !past.length;
    this.clearButton.disabled = !marks.length;
    this.prompt.hidden = marks.length > 0;
  }

  fillAnswer() {
    const { likeliest, reading, rows, verdict } = this;
    const probabilities = reading?.probabilities;
    rows.forEach(({ fill, share, row }, label) => {
      fill.style.width = `${100 * (probabilities?.[label] ?? 0)}%`;
      share.textContent = probabilities ? percent(probabilities[label]) : "–";
      row.classList.toggle("gb-first", Boolean(probabilities) && label === likeliest);
    });
    if (!probabilities) return verdict.replaceChildren("Waiting for a digit");
    const answer = make("strong", { textContent: likeliest });
    verdict.replaceChildren("Looks like a ", answer, ` ${percent(probabilities[likeliest])}`);
  }

  choose(label) {
    this.chosen = label;
    this.rows[label].input.checked = true;
    this.draw();
  }

  answerFor(label) {
    return `${label}, ${percent(this.reading.probabilities[label])}`;
  }

  describe() {
    if (!this.reading) return "Nothing is drawn.";
    const [first, second] = ranked(this.reading.probabilities);
    return `Looks like a ${this.answerFor(first)}; then ${this.answerFor(second)}.`;
  }

  tell(ofMap = false) {
    clearTimeout(this.telling);
    const map = ofMap && this.reading;
    const text = map ? `Map for ${this.answerFor(this.chosen)}.` : this.describe();
    this.telling = setTimeout(() => {
      this.status.textContent = text;
    }, TELL_MS);
  }

  // ---- painting ------------------------------------------------------------------------------

  draw() {
    const { painter, reading, strength, view } = this;
    const force = Number(strength.input.value);
    strength.put(force, `${force}%`);
    this.key.textContent = `What places add to the score of ${this.chosen}`;
    this.high.textContent = reading ? `+${this.most.toFixed(2)}` : "";
    this.label();
    painter.drawSight(view?.seen);
    if (!this.side) return;
    const brush = painter.drawMarks(this.drawing.marks, this.side);
    if (view) painter.drawMap(brush, view, reading.cam(this.chosen), this.most, force / 100);
    const focused = this.keyed && document.activeElement === this.board;
    if (focused) painter.drawPen(brush, this.pen, this.drawing.penDown);
  }

  label() {
    const keys = "Arrow keys move the pen, Space puts it down and lifts it.";
    this.board.setAttribute("aria-label", `${this.describe()} ${keys}`);
    const seen = this.view
      ? "What the network sees: the drawing, centered and scaled to 20 by 20 pixels."
      : "The network sees nothing.";
    this.eye.setAttribute("aria-label", seen);
  }

  // ---- the pen -------------------------------------------------------------------------------

  begin(point) {
    this.drawing.begin(point);
    this.think();
  }

  go(points) {
    this.drawing.go(points);
    this.think();
  }

  lift() {
    if (!this.drawing.penDown) return;
    this.drawing.penDown = false;
    this.draw();
    this.tell();
  }

  toggle() {
    this.keyed = true;
    if (this.drawing.penDown) return this.lift();
    this.begin(this.pen);
    this.status.textContent = "Pen down.";
  }

  move([right, up], step) {
    this.keyed = true;
    this.pen = onBoard([this.pen[0] + step * right, this.pen[1] - step * up]);
    if (this.drawing.penDown) this.go([this.pen]);
    else this.draw();
  }

  // ---- listening -----------------------------------------------------------------------------

  listen() {
    const { board } = this;
    this.listenToPointer(board);
    board.addEventListener("blur", () => this.lift());
    board.addEventListener("blur", () => this.draw());
    board.addEventListener("focus", () => {
      this.keyed = board.matches(":focus-visible");
      this.draw();
    });
    board.addEventListener("keydown", (event) => this.press(event));
    keepPlainKeys(this.el);
    this.watch = new ResizeObserver(() => {
      this.side = board.clientWidth; // which, asked for after each change, would cost as much as the reading
      this.draw();
    });
    this.watch.observe(board);
  }

  listenToPointer(board) {
    let box = null; // where the board lies while the pen is down
    const place = (event) => onBoard(placeIn(box, event).map((share) => share * CANVAS));
    board.addEventListener("pointerdown", (event) => {
      if (event.button || !event.isPrimary) return;
      board.setPointerCapture(event.pointerId);
      this.keyed = false;
      box = board.getBoundingClientRect();
      this.begin(place(event));
    });
    board.addEventListener("pointermove", (event) => {
      if (!board.hasPointerCapture(event.pointerId) || !this.drawing.penDown) return;
      const events = event.getCoalescedEvents?.() ?? [];
      this.go((events.length ? events : [event]).map(place));
    });
    board.addEventListener("pointerup", () => this.lift());
    board.addEventListener("pointercancel", () => this.lift());
  }

  press(event) {
    const arrow = arrowOf(event);
    if ((event.ctrlKey || event.metaKey) && event.key === "z") {
      if (this.drawing.undo()) this.think();
    } else if (hasModifier(event)) return;
    else if (event.key === " ") this.toggle();
    else if (arrow) this.move(arrow, event.shiftKey ? 10 : 3);
    else return;
    event.preventDefault();
  }

  stop() {
    this.watch.disconnect();
    clearTimeout(this.telling);
  }
}

export function render({ model, el }) {
  const pad = new DigitPad(el, model.get("state"));
  return () => pad.stop();
}

export default { render };
