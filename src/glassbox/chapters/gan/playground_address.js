// A game as a part of the page's address, such as #gan=target:grid;loss:minimax;dRate:0.01;seed:3

import { chosenOf, partsOf } from "../../explorables/js/address.js";
import { knobs } from "./playground_game.js";
import { losses } from "./playground_losses.js";
import { targets } from "./playground_targets.js";

/** Writes what is imitated, with which loss and which settings. */
export function formatGame({ target, loss, settings }) {
  const numbers = knobs.map(({ name }) => `${name}:${settings[name]}`);
  return [`target:${target}`, `loss:${loss}`, ...numbers].join(";");
}

/** Reads what `formatGame` wrote, or a reader; what is missing or unknown is as at the beginning. */
export function parseGame(text, options) {
  const given = partsOf(text);
  const known = (name, choices) =>
    Object.hasOwn(choices, given.get(name)) ? given.get(name) : options[name];
  return {
    target: known("target", targets),
    loss: known("loss", losses),
    settings: chosenOf(knobs, given, options.settings),
  };
}
