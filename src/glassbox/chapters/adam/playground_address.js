// A race as a part of the page's address, such as #race=surface:saddle;start:1,0.5;on:SGD;lr:0.1

import { racers } from "./playground_optimizers.js";
import { onMap, settingsFor } from "./playground_race.js";

/** Writes where a race is run, from where, by whom and with which settings. */
export function formatRace({ surface, start, on, settings }) {
  const numbers = Object.entries(settings).map(([name, value]) => `${name}:${value}`);
  const place = start.map((value) => Number(value.toPrecision(6)));
  return [`surface:${surface}`, `start:${place}`, `on:${on}`, ...numbers].join(";");
}

/** The number that a text says; nan, and not 0, where it says none. */
const numberOf = (text) => (text?.trim() ? Number(text) : Number.NaN);

function parseStart(text, ground) {
  const start = (text ?? "").split(",").map(numberOf);
  return start.length === 2 && start.every(Number.isFinite) ? onMap(start, ground) : ground.start;
}

/** Those who are known, each once. An empty list means that nobody takes part. */
function parseRacers(text, fallback) {
  if (text === "") return [];
  const listed = [...new Set(text?.split(","))].filter((name) => Object.hasOwn(racers, name));
  return listed.length ? listed : fallback;
}

/**
 * Reads what `formatRace` wrote, or a reader. What is missing or unknown is as at the beginning on
 * that surface, and a start beside the map comes onto it; who takes part stays as it is.
 */
export function parseRace(text, { known, knobs, surface, on }) {
  const given = new Map(text.split(";").map((part) => part.split(":")));
  const named = known.has(given.get("surface")) ? given.get("surface") : surface;
  const ground = known.get(named);
  const settings = settingsFor(ground);
  for (const { name, choices } of knobs) {
    const value = numberOf(given.get(name));
    settings[name] = choices.find((choice) => choice === value) ?? settings[name];
  }
  const start = parseStart(given.get("start"), ground);
  return { surface: named, start, on: parseRacers(given.get("on"), on), settings };
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
