// What a widget keeps in the page's address, as the part #KEY=TEXT, and the link to it.

const SHOWN_MS = 2500; // for which the button says what it did

/** The number that a text says; nan, and not 0, where it says none. */
export const numberOf = (text) => (text?.trim() ? Number(text) : Number.NaN);

/** What stands behind each name in a text such as `lr:0.1;start:1,2`. */
export const partsOf = (text) => new Map(text.split(";").map((part) => part.split(":")));

/** For each knob the number that the parts give it, if it is a choice, or that of `settings`. */
export function chosenOf(knobs, parts, settings) {
  const chosen = knobs.map(({ name, choices }) => {
    const value = numberOf(parts.get(name));
    return [name, choices.find((choice) => choice === value) ?? settings[name]];
  });
  return Object.fromEntries(chosen);
}

/** The key of a widget in the address, which begins with `name`; each on a page has its own. */
export function nextKey(name) {
  window.gbKeys ??= {}; // of the page, for there each may have a module of its own
  const number = window.gbKeys[name] ?? 0;
  window.gbKeys[name] = number + 1;
  return `${name}${number || ""}`;
}

export function writeAddress(key, text) {
  try {
    history.replaceState(null, "", `#${key}=${text}`);
  } catch {
    // Some browsers forbid it to a page that was opened as a file.
  }
}

/** What the address says behind a key; nothing where it does not have it. */
export const readAddress = (key) => new URLSearchParams(location.hash.slice(1)).get(key);

/** Copies the address; the button, and `say`, tell where it is. */
export async function copyAddress(button, say) {
  try {
    await navigator.clipboard.writeText(location.href);
    say("Link copied.");
    button.textContent = "Copied";
  } catch {
    say("The link is in the address bar.");
    button.textContent = "In the address";
  }
  setTimeout(() => {
    button.textContent = "Copy link";
  }, SHOWN_MS);
}
