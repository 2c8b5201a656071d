// A drawing that grows mark by mark, and what was there before.

import { addInk, addMark, emptyInk } from "./digit_pad_ink.js";

export class Drawing {
  constructor(marks) {
    Object.assign(this, { marks: [], past: [], ink: emptyInk(), penDown: false });
    this.replace(marks);
    this.opening = true; // the first stroke of all replaces the picture that stands there
  }

  replace(marks) {
    Object.assign(this, { marks, penDown: false, opening: false });
    this.ink.fill(0);
    for (const mark of marks) addMark(this.ink, mark);
  }

  change(marks) {
    this.past.push(this.marks);
    this.replace(marks);
  }

  /** Goes back by one change; tells whether there was any. */
  undo() {
    if (!this.past.length) return false;
    this.replace(this.past.pop());
    return true;
  }

  /** Puts the pen down. */
  begin(point) {
    const stroke = { points: [point] };
    this.past.push(this.marks);
    if (this.opening) this.ink.fill(0);
    this.marks = [...(this.opening ? [] : this.marks), stroke];
    Object.assign(this, { opening: false, penDown: true });
    addMark(this.ink, stroke);
  }

  /** Draws on to each of the points. */
  go(points) {
    const line = this.marks.at(-1).points;
    for (const point of points) {
      addInk(this.ink, line.at(-1), point);
      line.push(point);
    }
  }
}
