// How fast a race runs: frame by frame, or in leaps for readers who want little motion.

const LEAP = 50; // steps
const MOST = 8; // steps a frame

export class Pace {
  /** `advance(steps)` is called as time goes by, and `changed()` when it begins or ends. */
  constructor(race, calm, { advance, changed, describe }) {
    Object.assign(this, { race, calm, advance, changed, describe, frame: 0 });
  }

  get playing() {
    return Boolean(this.frame);
  }

  get face() {
    if (this.playing) return "❚❚ Pause";
    return this.calm ? `▶ ${LEAP} steps` : "▶ Play";
  }

  begin() {
    if (this.race.over) this.race.restart();
    if (this.calm) {
      this.advance(LEAP);
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
    const due = Math.min(MOST, Math.floor(steps + 0.1));
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
