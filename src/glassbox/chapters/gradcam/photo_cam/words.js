// What is said about a picture, in sentences.

import { percent } from "../digit_pad_reader.js";
import { areaUnder, meanOf } from "./measures.js";

const UNSURE = 0.3; // probability of the likeliest class, below which the network has no idea

export const fixed = (number) => number.toFixed(2).replace("-", "−");

export const named = ({ name, probability }) => `${name}, ${percent(probability)}`;

/** The answer as it is told to those who hear the page. */
export const told = ([first, second]) => `Looks like ${named(first)}; then ${named(second)}.`;

/** What to bear in mind with an answer; "" if it is the usual. */
export function caution([{ probability }]) {
  if (probability >= UNSURE) return "";
  return "It is not sure: perhaps none of its 1,000 classes is to be seen.";
}

/** The sum that makes the map exact, with its four numbers. */
export function identity({ map, bias, logit }) {
  const mean = map.reduce((sum, value) => sum + value, 0) / map.length;
  const sum = fixed(mean + bias);
  const check = sum === fixed(logit) ? "which is its logit" : `but its logit is ${fixed(logit)}`;
  return `Mean of the map ${fixed(mean)}, plus bias ${fixed(bias)}: ${sum}, ${check}.`;
}

/** What the test of a map has found. */
export function verdict({ agreement, byMap, atRandom }) {
  const how = agreement > 0.7 ? "as" : agreement > 0.4 ? "roughly as" : "otherwise than";
  const [own, chance] = [byMap, meanOf(atRandom)].map(areaUnder);
  const sooner = atRandom.every((curve) => own < areaUnder(curve));
  return [
    `Covering places changes the logit ${how} the map says: rank correlation ${fixed(agreement)}.`,
    `While places are deleted, the class has ${percent(own)} on average in the map's order and`,
    `${percent(chance)} at random:`,
    sooner
      ? "the map finds what counts sooner than chance."
      : "here the map is no better than chance.",
  ].join(" ");
}

const CAMERA = {
  NotAllowedError:
    "The camera was not allowed. The lock or camera sign beside the address changes that.",
  NotFoundError: "No camera was found.",
  NotReadableError: "The camera is busy: another program may have it.",
};

/** Why there is no picture of a camera. */
export const noCamera = ({ name, message }) =>
  CAMERA[name] ?? `The camera does not work: ${message}`;

export const NO_CAMERA_HERE =
  "A browser gives its camera only to pages whose address begins with https or is on this machine.";
