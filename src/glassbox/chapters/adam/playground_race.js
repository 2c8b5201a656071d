// The state of a race: where it is run, by whom, with which settings, and how far it has come.

import { clamp } from "../../explorables/js/canvas.js";
import { makeWalk, racers } from "./playground_optimizers.js";
import { surfaces } from "./playground_surfaces.js";
import { short } from "./playground_text.js";

const LIMIT = 1000; // steps
const RATES = [
  0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3,
];
const KNOBS = [
  ["lr", "learning rate: SGD, Momentum", RATES],
  [
    "adaptiveLr",
    "learning rate: the other four",
    [0.001, 0.003, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1],
  ],
  ["momentum", "momentum", [0, 0.5, 0.8, 0.9, 0.95, 0.99]],
  ["beta1", "β₁ of Adam", [0, 0.5, 0.8, 0.9, 0.95, 0.99]],
  ["beta2", "β₂ of Adam, α of RMSprop", [0.5, 0.9, 0.99, 0.999, 0.9999]],
  ["eps", "ε", [1e-8, 1e-4, 1e-2, 0.1, 1]],
  ["decay", "weight decay", [0, 0.001, 0.01, 0.1, 0.5]],
  ["speed", "steps a second", [4, 15, 60, 240]],
];
const COMMON = { momentum: 0.9, beta1: 0.9, beta2: 0.99, eps: 1e-8, decay: 0, speed: 60 };

export const NAMES = Object.keys(racers);

/** The settings, each with its label and choices; what a surface begins with is a choice, too. */
export function knobsFor(known) {
  return KNOBS.map(([name, label, choices]) => {
    const own = known.map((surface) => surface[name]).filter(Number.isFinite);
    return { name, label, choices: [...new Set([...choices, ...own])].sort((a, b) => a - b) };
  });
}

export const settingsFor = ({ lr, adaptiveLr }) => ({ ...COMMON, lr, adaptiveLr });

/** The point of a map that is nearest to a point. */
export const onMap = (point, { bounds }) => point.map((value, k) => clamp(value, ...bounds[k]));

export class Race {
  constructor(options) {
    this.options = options;
    this.known = new Map(options.surfaces.map((surface) => [surface.name, surface]));
    this.knobs = knobsFor(options.surfaces);
    this.reset();
  }

  /** What is known of the surface: title, bounds, start, rates, minima, noise. */
  get ground() {
    return this.known.get(this.surface);
  }

  get over() {
    return this.step >= LIMIT;
  }

  get height() {
    return surfaces[this.surface].height;
  }

  get lowest() {
    return Math.min(...this.ground.minima.map((point) => this.height(...point)));
  }

  reset() {
    const { surface, start, racers: on } = this.options;
    Object.assign(this, { surface, start, on: [...on] });
    this.settings = settingsFor(this.ground);
    this.restart();
  }

  choose(surface) {
    this.surface = surface;
    const { start, lr, adaptiveLr } = this.ground;
    this.start = start;
    this.settings = { ...this.settings, lr, adaptiveLr };
  }

  /** Lets an optimizer take part or stay out; the order of them stays. */
  enter(name, takesPart) {
    this.on = NAMES.filter((other) => (other === name ? takesPart : this.on.includes(other)));
  }

  /** Puts the start at a point, or at the nearest one that is on the map. */
  place(point) {
    this.start = onMap(point, this.ground);
  }

  restart() {
    this.step = 0;
    const { surface, settings, start } = this;
    const { noise } = this.ground;
    const walks = NAMES.map((name) => [name, makeWalk(surface, name, settings, start, noise)]);
    this.walks = Object.fromEntries(walks);
  }

  advance(steps) {
    for (let k = 0; k < steps && !this.over; k++, this.step++) {
      for (const walk of Object.values(this.walks)) walk.step();
    }
  }

  standing(name) {
    const { diverged, heights } = this.walks[name];
    return diverged ? "diverged" : short(heights.at(-1));
  }

  best(name) {
    return short(this.walks[name].heights.reduce((a, b) => Math.min(a, b)));
  }

  /** How the optimizers that take part stand, in words. */
  summary() {
    return this.on.map((name) => `${name} ${this.standing(name)}`).join(", ");
  }
}
