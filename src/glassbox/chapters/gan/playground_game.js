// The state of a game: what is imitated, with which settings, and how far both players have come.

import { makeNormal, makeRandom } from "../../explorables/js/random.js";
import { evenLosses, losses } from "./playground_losses.js";
import { NOISE, Players } from "./playground_players.js";
import { targets } from "./playground_targets.js";

export const REACH = 3; // of the plane that is shown, from its middle to each side
export const SAMPLES = 500; // that are shown and counted
const CELLS = 48; // of the surface, from side to side
const BATCH = 32;
const LIMIT = 20_000; // steps
const ENOUGH = 0.02; // of the samples, for a place to count as found
const [NEAR, DEVIATIONS] = [0.3, 3]; // a sample may be so far from a place, or from its curve

const RATES = [0.0001, 0.0003, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03];
const TURNS = [1, 2, 3, 5, 10];
const knob = (name, label, choices) => ({ name, label, choices });

/** The settings that are numbers, each with its label and choices. */
export const knobs = [
  knob("dRate", "learning rate: discriminator", RATES),
  knob("gRate", "learning rate: generator", RATES),
  knob("dSteps", "steps a round: discriminator", TURNS),
  knob("gSteps", "steps a round: generator", TURNS),
  knob("noise", "noise on the data", [0.02, 0.05, 0.1, 0.2, 0.3]),
  knob(
    "seed",
    "seed",
    Array.from({ length: 20 }, (_, k) => k),
  ),
  knob("speed", "rounds a second", [30, 120, 600, 1800]),
];

const START = {
  target: "ring",
  loss: "non_saturating",
  settings: { dRate: 0.005, gRate: 0.005, dSteps: 1, gSteps: 1, noise: 0.1, seed: 0, speed: 600 },
};

export class Game {
  /** What is not given, of a target, a loss and settings, is as usual. */
  constructor({ target = START.target, loss = START.loss, settings = {} } = {}) {
    this.options = { target, loss, settings: { ...START.settings, ...settings } };
    this.reset();
  }

  reset() {
    Object.assign(this, this.options, { settings: { ...this.options.settings } });
    this.restart();
  }

  restart() {
    const { seed, noise } = this.settings;
    this.random = makeRandom(seed);
    this.normal = makeNormal(this.random);
    this.players = new Players(BATCH, this.random, CELLS * CELLS);
    this.real = new Float64Array(2 * BATCH);
    this.noise = new Float64Array(NOISE * BATCH);
    this.round = 0;
    this.history = { discriminator: [], generator: [] };
    this.reach = Math.hypot(Math.max(NEAR, DEVIATIONS * noise), targets[this.target].spacing / 2);
    this.drawShown();
  }

  /** What is shown is drawn apart, so that looking does not change the game. */
  drawShown() {
    const random = makeRandom(~this.settings.seed);
    this.shownReal = this.fillReal(new Float64Array(2 * SAMPLES), random, makeNormal(random));
    this.shownNoise = fillNoise(new Float64Array(NOISE * SAMPLES), random);
  }

  fillReal(points, random, normal) {
    const { at } = targets[this.target];
    for (let k = 0; k < points.length; k += 2) {
      const [x, y] = at(random);
      points[k] = x + this.settings.noise * normal();
      points[k + 1] = y + this.settings.noise * normal();
    }
    return points;
  }

  drawReal() {
    return this.fillReal(this.real, this.random, this.normal);
  }

  drawNoise() {
    return fillNoise(this.noise, this.random);
  }

  get over() {
    return this.round >= LIMIT;
  }

  get rules() {
    return losses[this.loss];
  }

  get even() {
    return evenLosses(this.rules);
  }

  get places() {
    return targets[this.target].places;
  }

  advance(rounds) {
    const { players, rules: loss, history } = this;
    const { dRate, gRate, dSteps, gSteps } = this.settings;
    for (let k = 0; k < rounds && !this.over; k++, this.round++) {
      let [first, second] = [0, 0];
      for (let turn = 0; turn < dSteps; turn++) {
        first = players.discriminatorStep(this.drawReal(), this.drawNoise(), { loss, lr: dRate });
      }
      for (let turn = 0; turn < gSteps; turn++) {
        second = players.generatorStep(this.drawNoise(), { loss, lr: gRate });
      }
      history.discriminator.push(first);
      history.generator.push(second);
    }
  }

  // ---- what is seen of it --------------------------------------------------------------------

  /** The shown samples, x and y in turns, and the way the generator's loss pulls each. */
  look() {
    const { players, shownNoise, rules } = this;
    const samples = players.generator.forward(shownNoise, SAMPLES).slice(0, 2 * SAMPLES);
    const pulls = players.pulls(samples, SAMPLES, rules);
    return { samples, pulls, ...this.census(samples), pull: meanLength(pulls) };
  }

  /** How many samples each place has, how many places have enough, and who is near none. */
  census(samples) {
    const counts = this.places.map(() => 0);
    let strays = 0;
    for (let k = 0; k < samples.length; k += 2) {
      const far = this.places.map(([x, y]) => Math.hypot(x - samples[k], y - samples[k + 1]));
      const least = Math.min(...far);
      if (least < this.reach) counts[far.indexOf(least)] += 1;
      else strays += 1;
    }
    const count = samples.length / 2;
    return {
      counts,
      modes: counts.filter((n) => n >= ENOUGH * count).length,
      stray: strays / count,
    };
  }

  /** The discriminator's answers over the plane, row after row from above, 0 to 1. */
  surface() {
    this.cells ??= cellMiddles();
    return this.answers(this.cells, CELLS * CELLS);
  }

  /** The discriminator's answer at a point, and the pull that a sample there would feel. */
  probe([x, y]) {
    const points = Float64Array.of(x, y, x, y, x, y, x, y); // it takes four at a time
    const [answer] = this.answers(points, 4);
    return { answer, pull: this.players.pulls(points, 4, this.rules).slice(0, 2) };
  }

  answers(points, rows) {
    const logits = this.players.discriminator.forward(points, rows);
    return Array.from(logits.subarray(0, rows), this.rules.toAnswer);
  }

  /** How both players stand, in words. */
  summary() {
    const { modes, stray, pull } = this.look();
    const share = Math.round(100 * stray);
    const found = `${modes} of ${this.places.length} places found, ${share}% of the samples stray`;
    return `${found}, mean pull ${pull.toFixed(2)}`;
  }
}

function fillNoise(noise, random) {
  for (let k = 0; k < noise.length; k++) noise[k] = 2 * random() - 1;
  return noise;
}

function meanLength(vectors) {
  let sum = 0;
  for (let k = 0; k < vectors.length; k += 2) sum += Math.hypot(vectors[k], vectors[k + 1]);
  return (2 * sum) / vectors.length;
}

function cellMiddles() {
  const middle = (k) => ((k + 0.5) / CELLS) * 2 * REACH - REACH;
  const points = new Float64Array(2 * CELLS * CELLS);
  for (let k = 0; k < CELLS * CELLS; k++) {
    points[2 * k] = middle(k % CELLS);
    points[2 * k + 1] = -middle(Math.floor(k / CELLS));
  }
  return points;
}
