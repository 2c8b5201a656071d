// A GAN that is trained where it is seen: two players, and points in the plane.

import { copyAddress, nextKey, readAddress, writeAddress } from "../../explorables/js/address.js";
import { clamp, placeIn } from "../../explorables/js/canvas.js";
import {
  arrowOf,
  followTheme,
  keepPlainKeys,
  wantsLittleMotion,
} from "../../explorables/js/dom.js";
import { Pace } from "../../explorables/js/pace.js";
import {
  layOut,
  makeBar,
  makeCanvases,
  makeSliders,
} from "../../explorables/js/playground_parts.js";
import { formatGame, parseGame } from "./playground_address.js";
import { drawChart } from "./playground_chart.js";
import { fillTable, makeLossList, makeSwitches, makeTable } from "./playground_controls.js";
import { Game, knobs, REACH } from "./playground_game.js";
import { Plane, toPlane } from "./playground_plane.js";
import { targets } from "./playground_targets.js";

const PACE = { leap: 300, most: 30, unit: "rounds" };
const LOSSES = {
  minimax: "minimax",
  non_saturating: "non-saturating",
  least_squares: "least squares",
};

class GanPlayground {
  constructor(el, { colors, dark, ...options }, inPage) {
    Object.assign(this, { el, inPage, frame: 0, place: null });
    this.colors = followTheme(el, { colors, dark }, () => this.draw());
    this.game = new Game(options);
    this.key = nextKey("gan");
    this.calm = wantsLittleMotion();
    const told = {
      advance: (rounds) => this.advance(rounds),
      changed: () => this.face(),
      describe: () => this.describe(),
    };
    this.pace = new Pace(this.game, this.calm, told, PACE);
    this.build();
    this.listen();
    this.restore();
    this.changed({ address: false });
  }

  // ---- what is seen --------------------------------------------------------------------------

  build() {
    Object.assign(this, makeCanvases());
    const grounds = Object.entries(targets).map(([name, { title }]) => ({ name, title }));
    Object.assign(this, makeBar("target", grounds, this.actions()));
    this.table = makeTable();
    this.losses = makeLossList(LOSSES, (loss) => this.choose({ loss }));
    this.sliders = makeSliders(knobs, this.game, (name) => this.set(name));
    this.plane = new Plane(this.map, this.game, this.colors);
    const parts = { surface: "the discriminator's surface", pulls: "pulls on samples" };
    const switches = makeSwitches(parts, (name, on) => {
      this.plane.shows[name] = on;
      this.draw();
    });
    const controls = [this.losses.box, ...this.sliders.boxes, switches];
    const { bar, map, chart } = this;
    this.status = layOut(this.el, "gb-gan", { bar, map, chart, table: this.table.table, controls });
    this.link.hidden = !this.inPage;
  }

  draw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      const { game, place } = this;
      const seen = game.look();
      this.plane.draw(seen, place && { place, ...game.probe(place) });
      drawChart(this.chart, game, this.colors);
      fillTable(this.table, game, seen);
      const { discriminator, generator } = this.table.cells;
      this.chart.setAttribute(
        "aria-label",
        `Losses over ${game.round} rounds: discriminator ${discriminator.textContent}, ` +
          `generator ${generator.textContent}.`,
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
    this.say(`After ${this.game.round} rounds: ${this.game.summary()}.`);
  }

  // ---- what changes --------------------------------------------------------------------------

  advance(rounds) {
    this.game.advance(rounds);
    this.draw();
  }

  /** Brings everything to the settings of the game, which begins anew. */
  changed({ address = true } = {}) {
    const going = this.pace.playing;
    this.pace.halt();
    this.select.value = this.game.target;
    this.losses.select.value = this.game.loss;
    this.sliders.put();
    this.game.restart();
    this.map.setAttribute(
      "aria-label",
      `${targets[this.game.target].title}, and samples of the generator. ` +
        "Arrow keys move a probe of the discriminator, Enter plays.",
    );
    if (address) this.write();
    this.draw();
    if (going) this.pace.begin();
  }

  choose(chosen) {
    Object.assign(this.game, chosen);
    this.changed();
  }

  set(name) {
    if (name !== "speed") return this.changed();
    this.sliders.put();
    this.write();
  }

  actions() {
    return {
      choose: (target) => this.choose({ target }),
      play: () => (this.pace.playing ? this.pace.stop() : this.pace.begin()),
      step: () => {
        this.pace.stop();
        this.advance(1);
        this.describe();
      },
      reset: () => {
        this.pace.halt();
        this.place = null;
        this.game.reset();
        this.changed();
      },
      copy: () => {
        this.write();
        copyAddress(this.link, (text) => this.say(text));
      },
    };
  }

  // ---- the address ---------------------------------------------------------------------------

  /** A notebook's address is not ours. */
  write() {
    if (this.inPage) writeAddress(this.key, formatGame(this.game));
  }

  restore() {
    const text = this.inPage && readAddress(this.key);
    if (!text) return false;
    Object.assign(this.game, parseGame(text, this.game.options));
    this.el.scrollIntoView({ block: "center" });
    return true;
  }

  follow() {
    if (!this.restore()) return;
    this.pace.halt();
    this.changed({ address: false });
  }

  // ---- listening -----------------------------------------------------------------------------

  listen() {
    const { map } = this;
    map.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      map.setPointerCapture(event.pointerId);
      this.point(event);
    });
    map.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse" || map.hasPointerCapture(event.pointerId)) {
        this.point(event);
      }
    });
    map.addEventListener("pointerup", () => this.tell());
    map.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse") this.probe(null);
    });
    map.addEventListener("keydown", (event) => this.press(event));
    keepPlainKeys(this.el);
    new ResizeObserver(() => this.draw()).observe(map);
    this.hashed = () => this.follow();
    window.addEventListener("hashchange", this.hashed);
  }

  probe(place) {
    this.place = place;
    this.draw();
  }

  point(event) {
    this.probe(toPlane(placeIn(this.map.getBoundingClientRect(), event)));
  }

  press(event) {
    const arrow = arrowOf(event);
    const plays = event.key === "Enter" || event.key === " ";
    if (!arrow && !plays) return;
    event.preventDefault();
    if (plays) return this.go.click();
    const size = event.shiftKey ? 0.5 : 0.1;
    const from = this.place ?? [0, 0];
    this.probe(from.map((value, k) => clamp(value + arrow[k] * size, -REACH, REACH)));
    this.tell();
  }

  tell() {
    if (!this.place) return;
    const { answer, pull } = this.game.probe(this.place);
    const [at, pulled] = [this.place, pull].map((pair) =>
      Array.from(pair, (value) => value.toFixed(2)).join(", "),
    );
    this.say(`At ${at} the discriminator says ${answer.toFixed(2)}; the pull is ${pulled}.`);
  }

  stop() {
    this.pace.halt();
    window.removeEventListener("hashchange", this.hashed);
  }
}

export function render({ model, el }) {
  const playground = new GanPlayground(el, model.get("state"), Boolean(model.get("inPage")));
  return () => playground.stop();
}

export default { render };
