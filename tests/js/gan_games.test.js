// What the chapter's text says of four games, held by a few of the seeds that it speaks of.

import assert from "node:assert/strict";
import test from "node:test";
import { recent } from "../../src/glassbox/chapters/gan/playground_controls.js";
import { Game } from "../../src/glassbox/chapters/gan/playground_game.js";

const STRONG = { dSteps: 10, dRate: 0.02, gRate: 0.001 };

/** How a game stands after each of some numbers of rounds. */
function standings({ loss, settings }, seed, marks) {
  const game = new Game({ loss, settings: { ...settings, seed } });
  return marks.map((mark) => {
    game.advance(mark - game.round);
    const { discriminator, generator } = game.history;
    return {
      ...game.look(),
      surface: game.surface(),
      first: recent(discriminator),
      second: recent(generator),
    };
  });
}
const near = (found, expected, bound) =>
  assert.ok(Math.abs(found - expected) < bound, `${found} is not within ${bound} of ${expected}`);

for (const seed of [0, 1]) {
  test(`balance, seed ${seed}: places are found while the losses hardly tell`, () => {
    const [early, late] = standings({}, seed, [300, 3000]);
    assert.ok(early.stray >= 0.75 && late.stray < 0.5 && late.modes >= 7, `${late.modes}`);
    for (const { first, second } of [early, late]) {
      near(first, Math.log(4), 0.3);
      near(second, Math.LN2, 0.3);
    }
  });

  test(`lost modes, seed ${seed}: five steps a round bring ideal losses and few places`, () => {
    const [{ first, second, modes, stray, surface }] = standings(
      { settings: { gSteps: 5 } },
      seed,
      [1000],
    );
    near(first, Math.log(4), 0.01);
    near(second, Math.LN2, 0.01);
    assert.ok(modes <= 2 && stray > 0.8, `${modes}, ${stray}`);
    assert.ok(surface.every((answer) => answer > 0.45 && answer < 0.55));
  });

  test(`least squares, seed ${seed}: it finds places in balance, and few with five steps`, () => {
    const [fair] = standings({ loss: "least_squares" }, seed, [3000]);
    near(fair.first, 0.25, 0.02);
    near(fair.second, 0.125, 0.02);
    const settings = { gSteps: 5 };
    const [lost] = standings({ loss: "least_squares", settings }, seed, [1000]);
    assert.ok(fair.modes >= 6 && lost.modes <= 2, `${fair.modes}, ${lost.modes}`);
  });
}

for (const seed of [0, 1, 2]) {
  test(`too strong, seed ${seed}: minimax stands still, the others find a few places`, () => {
    const marks = [100, 300];
    const [before, after] = standings({ loss: "minimax", settings: STRONG }, seed, marks);
    assert.ok(before.pull < 0.005 && after.modes === 0);
    before.samples.forEach((value, k) => {
      near(after.samples[k], value, 0.01);
    });
    const [early, late] = standings({ settings: STRONG }, seed, marks);
    assert.ok(early.pull > 1 && [1, 2].includes(late.modes), `${early.pull}, ${late.modes}`);
    const [first, last] = standings({ loss: "least_squares", settings: STRONG }, seed, marks);
    assert.ok(first.pull > 0.04 && last.modes >= 1 && last.modes <= 3, `${first.pull}`);
  });
}
