// A race as a part of the page's address, such as #race=surface:saddle;start:1,0.5;on:SGD;lr:0.1

import { racers } from "./playground_optimizers.js";
import { settingsFor } from "./playground_race.js";

/** Writes where a race is run, from where, by whom and with which settings. */
export function formatRace({ surface, start, on, settings }) {
  const numbers = Object.entries(settings).map(([name, value]) => `${name}:${value}`);
  const place = start.map((value) => Number(value.toPrecision(6)));
  return [`surface:${surface}`, `start:${place}`, `on:${on}`, ...numbers].join(";");
}

function parseStart(text, fallback) {
  const start = (text ?? "").split(",").map(Number);
  return start.length === 2 && start.every(Number.isFinite) ? start : fallback;
}

/**
 * Reads what `formatRace` wrote, or a reader. What is missing or unknown is as at the beginning on
 * that surface; who takes part stays as it is.
 */
export function parseRace(text, { known, knobs, surface, on }) {
  const given = new Map(text.split(";").map((part) => part.split(":")));
  const named = known.has(given.get("surface")) ? given.get("surface") : surface;
  const ground = known.get(named);
  const settings = settingsFor(ground);
  for (const { name, choices } of knobs) {
    const value = Number(given.get(name));
    if (given.has(name) && choices.includes(value)) settings[name] = value;
  }
  const listed = given
    .get("on")
    ?.split(",")
    .filter((name) => Object.hasOwn(racers, name));
  const start = parseStart(given.get("start"), ground.start);
  return { surface: named, start, on: listed ?? on, settings };
}

/** The key of a playground in the address; each on a page has its own. */
export function nextKey() {
  const number = window.gbRaces ?? 0; // of the page, for there each may have a module of its own
  window.gbRaces = number + 1;
  return `race${number || ""}`;
}

export function writeAddress(key, race) {
  try {
    history.replaceState(null, "", `#${key}=${formatRace(race)}`);
  } catch {
    // Some browsers forbid it to a page that was opened as a file.
  }
}

/** Brings the race to what the address says; tells whether it says anything. */
export function readAddress(key, race) {
  const text = new URLSearchParams(location.hash.slice(1)).get(key);
  if (text) Object.assign(race, parseRace(text, race));
  return Boolean(text);
}
