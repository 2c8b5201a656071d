// <gb-player>: a still picture, and controls that put another picture of the same explorable in its
// place. What it holds is described in player.py.

import { button, keepPlainKeys, make, statusLine } from "./dom.js";
import { makeControl, makePlayButton } from "./player_controls.js";
import { pictureOf, startOf } from "./player_state.js";

const PLAY_MS = 700;
const STATUS_MS = 700;

class Player extends HTMLElement {
  connectedCallback() {
    if (this.build()) return;
    // While the page is read, the element begins before its content is there.
    document.addEventListener("DOMContentLoaded", () => this.build(), { once: true });
  }

  disconnectedCallback() {
    this.stop();
  }

  build() {
    const source = this.querySelector('script[type="application/json"]');
    if (!source || this.data) return Boolean(this.data);
    this.data = JSON.parse(source.textContent);
    this.slots = [...this.querySelectorAll("picture > *")];
    this.choices = startOf(this.data.controls);
    this.status = statusLine();
    this.knobs = this.data.controls.map((control, k) =>
      makeControl(control, (choice, playing) => this.choose(k, choice, playing), this),
    );
    const reset = button("Reset", () => this.reset(), "gb-reset");
    const boxes = this.knobs.map((knob) => knob.box);
    const panel = make("div", { className: "gb-panel" }, ...boxes, reset);
    this.slots.at(-1).parentElement.after(panel, this.status);
    this.putChoices();
    this.listen();
    return true;
  }

  listen() {
    keepPlainKeys(this);
    const load = () => this.preload();
    this.addEventListener("pointerenter", load);
    this.addEventListener("focusin", load);
    const seen = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      seen.disconnect();
      load();
    });
    addEventListener("scroll", () => seen.observe(this), { once: true, passive: true });
  }

  choose(k, choice, playing = false) {
    if (!playing) this.stop();
    this.choices[k] = choice;
    this.show(playing);
  }

  reset() {
    this.stop();
    this.choices = startOf(this.data.controls);
    this.show();
  }

  putChoices() {
    this.knobs.forEach((knob, k) => {
      knob.put(this.choices[k]);
    });
  }

  show(silent = false) {
    const { urls, alt } = pictureOf(this.data, this.choices);
    this.putChoices();
    this.slots.forEach((slot, k) => {
      Object.assign(slot, slot.media ? { srcset: urls[k] } : { src: urls[k], alt });
    });
    clearTimeout(this.waiting);
    if (silent) return;
    // Said only when the reader rests, so that a drag is not a flood of sentences.
    this.waiting = setTimeout(() => {
      this.status.textContent = alt;
    }, STATUS_MS);
  }

  /** Which of a frame's pictures is seen: that of the page's theme, for the width of its window. */
  shownSlot() {
    return this.slots.findIndex(
      ({ media, parentElement }) =>
        parentElement.getClientRects().length && (!media || matchMedia(media).matches),
    );
  }

  /** Fetches the frames of the theme and width that are shown, one after the other, once. */
  preload() {
    const slot = this.shownSlot();
    if (this.loadedSlot === slot || slot < 0) return;
    this.loadedSlot = slot;
    this.loaded = [];
    const next = (i) => {
      if (i === this.data.frames.length || this.loadedSlot !== slot) return;
      const frame = new Image();
      frame.onload = frame.onerror = () => next(i + 1);
      frame.src = this.data.frames[i][slot];
      this.loaded.push(frame);
    };
    next(0);
  }

  playButton(label, step) {
    const press = (control) => {
      const start = this.playing !== control;
      this.stop();
      if (!start) return;
      this.playing = control;
      this.timer = setInterval(step, PLAY_MS);
      control.face();
      step();
    };
    return makePlayButton(label, press, (control) => this.playing === control);
  }

  stop() {
    clearInterval(this.timer);
    const control = this.playing;
    this.playing = null;
    if (control) control.face();
  }
}

if (!customElements.get("gb-player")) customElements.define("gb-player", Player);
