// A pad over the two latent dimensions of a VAE: each point is decoded while the pointer moves.

import { clamp, fillPixels, placeIn } from "../../explorables/js/canvas.js";
import {
  arrowOf,
  followTheme,
  keepPlainKeys,
  wantsLittleMotion,
} from "../../explorables/js/dom.js";
import { layOut, makeStage, makeWay } from "./latent_pad_controls.js";
import { makeDecoder } from "./latent_pad_decoder.js";
import { between, nearestOf, Plane, toCode } from "./latent_pad_plane.js";

const FAR = 0.5; // from every real digit
const WALK_MS = 3000;

/** A coordinate with two digits, a real minus and no negative zero. */
export function formatCoordinate(value) {
  const text = value.toFixed(2);
  return (text === "-0.00" ? "0.00" : text).replace("-", "−");
}

class LatentPad {
  constructor(el, state) {
    Object.assign(this, { el, state, code: state.start, ends: null, frame: 0 });
    this.decode = makeDecoder(state);
    this.build();
    this.listen();
    this.face();
    this.draw();
  }

  build() {
    const colors = followTheme(this.el, this.state, () => this.draw());
    Object.assign(this, makeStage(this.state.size));
    const actions = {
      choose: () => {
        this.stop();
        this.walk(0);
        this.tell();
      },
      walk: (percent) => {
        this.stop();
        this.walk(percent);
      },
      told: () => this.tell(),
      play: () => (this.frame ? this.stop() : this.start()),
    };
    Object.assign(this, makeWay(this.state, actions));
    this.playButton.hidden = wantsLittleMotion();
    this.status = layOut(this.el, this.stage, this.panel);
    this.plane = new Plane(this.pad, { ...this.state, colors });
  }

  // ---- moving --------------------------------------------------------------------------------

  put(code, percent = this.percent) {
    const { reach } = this.state;
    this.code = code.map((value) => clamp(value, -reach, reach));
    this.way.input.value = percent;
    this.draw();
  }

  get percent() {
    return Number(this.way.input.value);
  }

  walk(percent) {
    const { examples } = this.state;
    this.ends = [examples[this.from.value], examples[this.to.value]];
    this.put(between(...this.ends, percent / 100), percent);
  }

  start() {
    const done = this.percent < 100 ? this.percent / 100 : 0;
    const begun = performance.now() - WALK_MS * done;
    const tick = (now) => {
      const percent = Math.min(100, (100 * (now - begun)) / WALK_MS);
      this.walk(percent);
      if (percent < 100) {
        this.frame = requestAnimationFrame(tick);
      } else {
        this.stop();
        this.tell();
      }
    };
    this.frame = requestAnimationFrame(tick);
    this.face();
  }

  stop() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.face();
  }

  face() {
    this.playButton.textContent = this.frame ? "❚❚" : "▶";
    const heard = this.frame ? "Pause the walk" : "Walk from one digit to the other";
    this.playButton.setAttribute("aria-label", heard);
  }

  tell() {
    this.status.textContent = `${this.place.textContent}: ${this.nearest.textContent}`;
  }

  // ---- drawing -------------------------------------------------------------------------------

  draw() {
    const [label, distance] = nearestOf(this.state.points, this.code);
    const place = `at (${this.code.map(formatCoordinate).join(", ")})`;
    const nearest =
      distance > FAR ? "far from every real digit" : `the nearest real digit is a ${label}`;
    this.drawPicture();
    this.plane.draw(this.code, this.ends);
    this.place.textContent = place;
    this.nearest.textContent = nearest;
    this.picture.setAttribute("aria-label", `Decoded ${place}: ${nearest}.`);
    this.pad.setAttribute("aria-label", `Plane of codes, ${place}. Arrow keys move.`);
    const percent = `${this.percent}%`;
    this.way.put(this.percent, percent, `${percent}, ${nearest}`);
  }

  drawPicture() {
    const pixels = this.decode(this.code);
    fillPixels(this.picture, (k) => {
      const gray = Math.round(255 * pixels[k]);
      return [gray, gray, gray, 255];
    });
  }

  // ---- listening -----------------------------------------------------------------------------

  listen() {
    const { pad } = this;
    pad.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      pad.setPointerCapture(event.pointerId);
      this.point(event);
    });
    pad.addEventListener("pointermove", (event) => {
      const follows = event.pointerType === "mouse" || pad.hasPointerCapture(event.pointerId);
      if (follows) this.point(event);
    });
    pad.addEventListener("pointerup", () => this.tell());
    pad.addEventListener("keydown", (event) => this.press(event));
    keepPlainKeys(this.el);
    new ResizeObserver(() => this.draw()).observe(pad);
  }

  point(event) {
    const place = placeIn(this.pad.getBoundingClientRect(), event);
    this.leaveWay(toCode(place, this.state.reach));
  }

  press(event) {
    const arrow = arrowOf(event);
    if (!arrow) return;
    event.preventDefault();
    const size = event.shiftKey ? 0.5 : 0.1;
    this.leaveWay(this.code.map((value, k) => value + arrow[k] * size));
    this.tell();
  }

  leaveWay(code) {
    this.stop();
    this.ends = null;
    this.put(code);
  }
}

export function render({ model, el }) {
  const pad = new LatentPad(el, model.get("state"));
  return () => pad.stop();
}

export default { render };
