// The networks, losses and targets of the GAN playground, the state of a game and its address.

import assert from "node:assert/strict";
import test from "node:test";
import { formatGame, parseGame } from "../../src/glassbox/chapters/gan/playground_address.js";
import { rangeOf, smoothed } from "../../src/glassbox/chapters/gan/playground_chart.js";
import { recent } from "../../src/glassbox/chapters/gan/playground_controls.js";
import { Game, knobs, REACH } from "../../src/glassbox/chapters/gan/playground_game.js";
import { evenLosses, losses } from "../../src/glassbox/chapters/gan/playground_losses.js";
import { Network } from "../../src/glassbox/chapters/gan/playground_network.js";
import { tipOf, toPlane } from "../../src/glassbox/chapters/gan/playground_plane.js";
import { targets } from "../../src/glassbox/chapters/gan/playground_targets.js";
import { makeNormal, makeRandom } from "../../src/glassbox/explorables/js/random.js";
import { hostileAddresses } from "./hostile_addresses.js";

const near = (found, expected, bound = 1e-9) =>
  assert.ok(Math.abs(found - expected) < bound, `${found} is not ${expected}`);
const play = (options, rounds) => {
  const game = new Game(options);
  game.advance(rounds);
  return game;
};

test("gradients are the slopes of a loss over each weight and each value", () => {
  const network = new Network([2, 4, 4, 1], 8).draw(makeRandom(3));
  const random = makeRandom(4);
  const values = Float64Array.from({ length: 16 }, () => 2 * random() - 1);
  const loss = () => network.forward(values, 8).reduce((sum, out) => sum + out * out, 0);
  const slopes = () => network.forward(values, 8).map((out) => 2 * out);
  const back = Array.from(network.backward(slopes(), 8));
  const gradients = Array.from(network.gradients);
  for (const [array, found] of [
    [network.weights, gradients],
    [values, back],
  ]) {
    array.forEach((value, k) => {
      const [above, below] = [1e-5, -1e-5].map((d) => {
        array[k] = value + d;
        return loss();
      });
      array[k] = value;
      near(found[k], (above - below) / 2e-5, 1e-7);
    });
  }
  network.backward(slopes(), 8, false);
  assert.deepEqual(Array.from(network.gradients), gradients);
});

test("slopes of the losses are those of their values, and even losses have known values", () => {
  for (const [name, rules] of Object.entries(losses)) {
    for (const part of ["real", "fake", "fool"]) {
      for (const at of [-3, 0.2, 4]) {
        const { value, slope } = rules[part];
        near(slope(at), (value(at + 1e-5) - value(at - 1e-5)) / 2e-5, 1e-8);
      }
    }
    near(rules.toAnswer(rules.even), 0.5);
    assert.ok(Number.isFinite(rules.fool.value(1000) + rules.real.value(-1000)), name);
  }
  near(evenLosses(losses.minimax).generator, -Math.LN2);
  near(evenLosses(losses.non_saturating).discriminator, Math.log(4));
  assert.deepEqual(evenLosses(losses.least_squares), { discriminator: 0.25, generator: 0.125 });
});

test("a seed decides a game, and looking at it changes nothing", () => {
  const [first, second] = [0, 1].map(() => play({ settings: { seed: 5 } }, 20));
  second.look();
  second.surface();
  second.probe([1, 1]);
  for (const game of [first, second]) game.advance(20);
  const weights = ({ players }) => Array.from(players.generator.weights);
  assert.deepEqual(weights(first), weights(second));
  assert.deepEqual(first.history, second.history);
  assert.notDeepEqual(weights(first), weights(play({ settings: { seed: 6 } }, 40)));
});

test("neighboring seeds share no numbers, and normal numbers are normal", () => {
  const drawn = [0, 1, 2].map((seed) => {
    const random = makeRandom(seed);
    return Array.from({ length: 200 }, random);
  });
  assert.equal(new Set(drawn.flat()).size, 600);
  const normal = makeNormal(makeRandom(0));
  const many = Array.from({ length: 20_000 }, normal);
  const mean = many.reduce((a, b) => a + b) / many.length;
  near(mean, 0, 0.03);
  near(many.reduce((sum, x) => sum + (x - mean) ** 2, 0) / many.length, 1, 0.05);
});

test("each round has its steps, and a game ends at 20,000", () => {
  const game = new Game({ settings: { dSteps: 3, gSteps: 2 } });
  game.advance(4);
  assert.deepEqual(
    game.players.optimizers.map(({ steps }) => steps),
    [8, 12],
  );
  assert.equal(game.history.generator.length, 4);
  game.round = 19_999;
  game.advance(5);
  assert.ok(game.over && game.round === 20_000);
  game.restart();
  assert.ok(!game.over && game.history.generator.length === 0);
});

test("real points find all places of their target, which lie on the plane", () => {
  for (const target of Object.keys(targets)) {
    const game = new Game({ target, settings: { noise: 0.1 } });
    const { modes, stray, counts } = game.census(game.shownReal);
    assert.equal(modes, game.places.length, target);
    assert.ok(stray < 0.05 && counts.every((count) => count > 15), `${target} ${stray} ${counts}`);
    assert.ok(
      game.shownReal.every((value) => Math.abs(value) < REACH),
      target,
    );
  }
});

test("a sample near no place is a stray, and a place needs 2% of the samples", () => {
  const game = new Game();
  const at = (place, count) => Array.from({ length: count }, () => place).flat();
  const { counts, modes, stray } = game.census([
    ...at([2, 0], 60),
    ...at([0, 2.29], 2),
    ...at([-2, 0.01], 1),
    ...at([0, 0], 37),
  ]);
  assert.deepEqual(counts, [60, 0, 2, 0, 1, 0, 0, 0]);
  assert.deepEqual([modes, stray], [2, 0.37]);
});

test("a pull goes where the generator's loss falls, and its size is told", () => {
  const game = play({}, 50);
  const { samples, pulls, pull } = game.look();
  const loss = ([x, y]) => {
    const points = Float64Array.of(x, y, x, y, x, y, x, y);
    return game.rules.fool.value(game.players.discriminator.forward(points, 4)[0]);
  };
  const at = [samples[0], samples[1]];
  const slope = (loss([at[0] + 1e-5, at[1]]) - loss([at[0] - 1e-5, at[1]])) / 2e-5;
  near(pulls[0], -slope, 1e-7);
  near(game.probe(at).pull[0], pulls[0]);
  assert.ok(pull > 0 && pull < 5);
  const answers = game.surface();
  assert.ok(answers.length === 48 * 48 && answers.every((answer) => answer > 0 && answer < 1));
});

test("the surface is seen from above: its first row is the highest", () => {
  const game = play({}, 5);
  const middle = (k) => ((k + 0.5) / 48) * 2 * REACH - REACH;
  near(game.surface()[48 * 3 + 7], game.probe([middle(7), -middle(3)]).answer);
});

test("a game comes back from its address", () => {
  const game = new Game({ target: "grid", loss: "minimax", settings: { dRate: 0.02, seed: 7 } });
  const text = formatGame(game);
  assert.match(text, /^target:grid;loss:minimax;dRate:0.02;/);
  const { target, loss, settings } = parseGame(text, new Game().options);
  assert.deepEqual({ target, loss, settings }, game.options);
});

test("what an address has wrong is as at the beginning", () => {
  const { options } = new Game({ loss: "least_squares" });
  for (const text of [
    "target:moon;loss:constructor;dRate:7;seed:NaN",
    "target:__proto__;loss:;dSteps: ;noise",
    "toString",
    "seed:1e999;gSteps:-1;constructor:1",
  ]) {
    assert.deepEqual(parseGame(text, options), options, text);
  }
  assert.equal(parseGame("seed:3;loss:x", options).settings.seed, 3);
});

test("whatever an address says, the game is one that the controls could have made", () => {
  const { options } = new Game();
  let read = 0;
  for (const address of hostileAddresses(6, 2000)) {
    const text = new URLSearchParams(address).get("gan");
    if (!text) continue;
    const { target, loss, settings } = parseGame(text, options);
    assert.ok(Object.hasOwn(targets, target) && Object.hasOwn(losses, loss), text);
    assert.deepEqual(Object.keys(settings).sort(), knobs.map(({ name }) => name).sort(), text);
    for (const { name, choices } of knobs) assert.ok(choices.includes(settings[name]), text);
    read += 1;
  }
  assert.ok(read > 300, `${read}`);
});

test("losses are smoothed and their axis holds them", () => {
  assert.deepEqual(smoothed([1, 3], 100), [
    [1, 1],
    [2, 3],
  ]);
  const many = smoothed(Array(1000).fill(2), 1000);
  assert.ok(many.length <= 120 && many.at(-1)[0] === 1000 && many.at(-1)[1] === 2);
  assert.deepEqual(rangeOf([1.386, 0.7]), [0, 1.5]);
  assert.deepEqual(rangeOf([-0.69, Number.NaN, 1e9]), [-1, 4]);
  assert.deepEqual([recent([]), recent([1, 2, 3], 2)], [null, 2.5]);
});

test("places of the pointer become points of the plane, and long pulls short arrows", () => {
  assert.deepEqual(toPlane([0.5, 0]), [0, REACH]);
  assert.deepEqual(toPlane([-1, 2]), [-REACH, -REACH]);
  assert.deepEqual(tipOf([1, 1], [0.5, 0]), [1.25, 1]);
  assert.deepEqual(tipOf([0, 0], [0, -20]), [0, -0.7]);
  assert.deepEqual(tipOf([0, 0], [0, 0]), [0, 0]);
});
