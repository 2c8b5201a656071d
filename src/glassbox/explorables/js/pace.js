// How fast steps are made: frame by frame, or in leaps for readers who want little motion.

export class Pace {
  /**
   * `race` says whether it is `over`, can `restart()`, and has the steps of a second in its
   * `settings.speed`; a leap has `leap` steps, which readers know as `unit`, and a frame at most
   * `most`. `advance(steps)` is called
   * as time goes by, and `changed()` when it begins or ends.
   */
  constructor(
    race,
    calm,
    { advance, changed, describe },
    { leap = 50, most = 8, unit = "steps" } = {},
  ) {
    Object.assign(this, { race, calm, advance, changed, describe, leap, most, unit, frame: 0 });
  }

  get playing() {
    return Boolean(this.frame);
  }

  get face() {
    if (this.playing) return "❚❚ Pause";
    return this.calm ? `▶ ${this.leap} ${this.unit}` : "▶ Play";
  }

  begin() {
    if (this.race.over) this.race.restart();
    if (this.calm) {
      this.advance(this.leap);
      this.describe();
      return;
    }
    this.since = performance.now();
    this.ask();
    this.changed();
  }

  ask() {
    this.frame = requestAnimationFrame((now) => this.tick(now));
  }

  tick(now) {
    const steps = ((now - this.since) * this.race.settings.speed) / 1000;
    const due = Math.min(this.most, Math.floor(steps + 0.1));
    if (due > 0) {
      this.since = now;
      this.advance(due);
    }
    if (this.race.over) this.stop();
    else this.ask();
  }

  /** Ends it without a word. */
  halt() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.changed();
  }

  stop() {
    if (this.playing) this.describe();
    this.halt();
  }
}
