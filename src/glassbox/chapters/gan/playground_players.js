// A generator and a discriminator of points in the plane, and a step of each.

import { Adam } from "./playground_adam.js";
import { Network } from "./playground_network.js";

export const NOISE = 2; // numbers that the generator makes a point of
const HIDDEN = 16; // values in each of two hidden layers

export class Players {
  /** `rows` are the points of a batch; no more are judged at once than `most`. */
  constructor(rows, random, most = rows) {
    this.rows = rows;
    this.generator = new Network([NOISE, HIDDEN, HIDDEN, 2], most).draw(random);
    this.discriminator = new Network([2, HIDDEN, HIDDEN, 1], most).draw(random);
    this.optimizers = [this.generator, this.discriminator].map((network) => new Adam(network));
    this.slopes = new Float64Array(most);
  }

  /** Judges points; gives the mean of a loss, and puts its slopes where `backward` finds them. */
  judge(points, rows, { value, slope }) {
    const logits = this.discriminator.forward(points, rows);
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      sum += value(logits[row]);
      this.slopes[row] = slope(logits[row]) / rows;
    }
    return sum / rows;
  }

  discriminatorStep(real, noise, { loss, lr }) {
    const { rows, discriminator, slopes } = this;
    let sum = 0;
    for (const [points, part] of [
      [real, loss.real],
      [this.generator.forward(noise, rows), loss.fake],
    ]) {
      sum += this.judge(points, rows, part);
      discriminator.backward(slopes, rows);
    }
    this.optimizers[1].step(lr);
    return sum;
  }

  generatorStep(noise, { loss, lr }) {
    const { rows, generator } = this;
    const value = this.judge(generator.forward(noise, rows), rows, loss.fool);
    generator.backward(this.discriminator.backward(this.slopes, rows, false), rows);
    this.optimizers[0].step(lr);
    return value;
  }

  /** Where the generator's loss falls fastest at each point, and how fast; x and y in turns. */
  pulls(points, rows, loss) {
    this.judge(points, rows, loss.fool);
    const slopes = this.discriminator.backward(this.slopes, rows, false);
    return slopes.subarray(0, 2 * rows).map((slope) => -slope * rows);
  }
}
