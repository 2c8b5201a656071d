// Which picture a player shows: its states are all combinations of choices, the last control
// moving fastest.

export const startOf = (controls) => controls.map((control) => control.start);

/** The place, among all states, of the one with these choices. */
export const stateOf = (controls, choices) =>
  choices.reduce((index, choice, k) => index * controls[k].labels.length + choice, 0);

/** The URLs of the pictures of a state, one for each theme and width, and what describes them. */
export function pictureOf({ controls, states, alts, frames }, choices) {
  const state = stateOf(controls, choices);
  return { urls: frames[states[state]], alt: alts[state] };
}
