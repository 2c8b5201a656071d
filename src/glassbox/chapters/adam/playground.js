// The optimizer playground: optimizers race on a surface, from a start that the reader chooses.

import { placeIn } from "../../explorables/js/canvas.js";
import {
  arrowOf,
  followTheme,
  keepPlainKeys,
  wantsLittleMotion,
} from "../../explorables/js/dom.js";
import { nextKey, readAddress, writeAddress } from "./playground_address.js";
import { drawChart } from "./playground_chart.js";
import {
  fillTable,
  layOut,
  makeBar,
  makeCanvases,
  makeSliders,
  makeTable,
} from "./playground_controls.js";
import { RaceMap } from "./playground_map.js";
import { Pace } from "./playground_pace.js";
import { Race } from "./playground_race.js";

const LINK_MS = 2500; // for which the button says what it did

class Playground {
  constructor(el, { colors, dark, ...options }, inPage) {
    Object.assign(this, { el, inPage, frame: 0 });
    this.colors = followTheme(el, { colors, dark }, () => this.draw());
    this.race = new Race(options);
    this.key = nextKey();
    this.calm = wantsLittleMotion();
    this.pace = new Pace(this.race, this.calm, {
      advance: (steps) => this.advance(steps),
      changed: () => this.face(),
      describe: () => this.describe(),
    });
    this.build(options.surfaces);
    this.listen();
    this.restore();
    this.changed({ surface: true, address: false });
  }

  // ---- what is seen --------------------------------------------------------------------------

  build(surfaces) {
    Object.assign(this, makeCanvases());
    Object.assign(this, makeBar(surfaces, this.actions()));
    this.table = makeTable((name, takesPart) => {
      this.race.enter(name, takesPart);
      this.write();
      this.draw();
    });
    this.sliders = makeSliders(this.race, (name) => this.set(name));
    const { bar, map, chart } = this;
    const [{ table }, { boxes: sliders }] = [this.table, this.sliders];
    this.status = layOut(this.el, { bar, map, chart, table, sliders });
    this.link.hidden = !this.inPage;
    this.raceMap = new RaceMap(map, this.race, this.colors);
  }

  draw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.raceMap.draw();
      drawChart(this.chart, this.race, this.colors);
      fillTable(this.table, this.race, this.colors);
      this.chart.setAttribute(
        "aria-label",
        `Height above the minimum over ${this.race.step} steps, on a logarithmic scale. ${this.race.summary()}.`,
      );
    });
  }

  face() {
    this.go.textContent = this.pace.face;
  }

  say(text) {
    this.status.textContent = text;
  }

  describe() {
    this.say(`After ${this.race.step} steps: ${this.race.summary()}.`);
  }

  // ---- what changes --------------------------------------------------------------------------

  advance(steps) {
    this.race.advance(steps);
    this.draw();
  }

  /** Brings everything to the state of the race, which begins anew. */
  changed({ surface = false, address = true }) {
    const going = this.pace.playing;
    this.pace.halt();
    if (surface) this.select.value = this.race.surface;
    this.sliders.put();
    this.race.restart();
    const [x, y] = this.race.start.map((value) => value.toFixed(2));
    this.map.setAttribute(
      "aria-label",
      `Map of ${this.race.ground.title}. Start at ${x}, ${y}. Arrow keys move it, Enter plays.`,
    );
    if (address) this.write();
    this.draw();
    if (going && !surface) this.pace.begin();
  }

  set(name) {
    if (name !== "speed") return this.changed({});
    this.sliders.put();
    this.write();
  }

  actions() {
    return {
      choose: (surface) => {
        this.race.choose(surface);
        this.changed({ surface: true });
      },
      play: () => (this.pace.playing ? this.pace.stop() : this.pace.begin()),
      step: () => {
        this.pace.stop();
        this.advance(1);
        this.describe();
      },
      reset: () => {
        this.race.reset();
        this.changed({ surface: true });
      },
      copy: () => this.copy(),
    };
  }

  // ---- the address ---------------------------------------------------------------------------

  /** A notebook's address is not ours. */
  write() {
    if (this.inPage) writeAddress(this.key, this.race);
  }

  restore() {
    const found = this.inPage && readAddress(this.key, this.race);
    if (found) this.el.scrollIntoView({ block: "center" });
    return found;
  }

  follow() {
    if (this.restore()) this.changed({ surface: true, address: false });
  }

  async copy() {
    this.write();
    try {
      await navigator.clipboard.writeText(location.href);
      this.say("Link copied.");
      this.link.textContent = "Copied";
    } catch {
      this.say("The link is in the address bar.");
      this.link.textContent = "In the address";
    }
    setTimeout(() => {
      this.link.textContent = "Copy link";
    }, LINK_MS);
  }

  // ---- listening -----------------------------------------------------------------------------

  listen() {
    const { map } = this;
    map.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      map.setPointerCapture(event.pointerId);
      this.pace.halt();
      this.place(event);
    });
    map.addEventListener("pointermove", (event) => {
      if (map.hasPointerCapture(event.pointerId)) this.place(event);
    });
    map.addEventListener("pointerup", (event) => {
      if (event.button) return;
      this.write();
      if (!this.calm) this.pace.begin();
    });
    map.addEventListener("keydown", (event) => this.press(event));
    keepPlainKeys(this.el);
    new ResizeObserver(() => this.draw()).observe(map);
    this.hashed = () => this.follow();
    window.addEventListener("hashchange", this.hashed);
  }

  place(event) {
    const place = placeIn(this.map.getBoundingClientRect(), event);
    this.race.place(this.raceMap.toSurface(place));
    this.changed({ address: false });
  }

  press(event) {
    const arrow = arrowOf(event);
    const plays = event.key === "Enter" || event.key === " ";
    if (!arrow && !plays) return;
    event.preventDefault();
    if (plays) return this.go.click();
    const size = event.shiftKey ? 0.1 : 0.02;
    this.pace.halt();
    const { bounds } = this.race.ground;
    const range = bounds.map(([from, to]) => to - from);
    this.race.place(this.race.start.map((value, k) => value + arrow[k] * size * range[k]));
    this.changed({});
    this.say(`Start at ${this.race.start.map((value) => value.toFixed(2)).join(", ")}.`);
  }

  stop() {
    this.pace.halt();
    window.removeEventListener("hashchange", this.hashed);
  }
}

export function render({ model, el }) {
  const playground = new Playground(el, model.get("state"), Boolean(model.get("inPage")));
  return () => playground.stop();
}

export default { render };
