// Controls, keys and colors, with elements that remember what they are told.

import assert from "node:assert/strict";
import test from "node:test";
import { clamp, mix, placeIn, ramp, toRgb } from "../../src/glassbox/explorables/js/canvas.js";
import {
  arrowOf,
  followTheme,
  keepPlainKeys,
  setFigureColors,
  slider,
  uniqueId,
} from "../../src/glassbox/explorables/js/dom.js";
import { makeModel } from "../../src/glassbox/explorables/js/page.js";

class FakeElement extends EventTarget {
  constructor(tag) {
    super();
    const styles = {};
    const setProperty = (name, value) => {
      styles[name] = value;
    };
    Object.assign(this, { tag, children: [], attributes: {}, style: { styles, setProperty } });
  }

  append(...children) {
    this.children.push(...children);
  }

  setAttribute(name, value) {
    this.attributes[name] = value;
  }
}

globalThis.document = { createElement: (tag) => new FakeElement(tag) };

test("a slider shows a value to those who see and to those who hear", () => {
  const { box, input, put } = slider({ id: "a", label: "size", max: 4, value: 1 }, () => {});
  const [name, shown, row] = box.children;
  assert.deepEqual([input.min, input.max, input.step, input.value], [0, 4, 1, 1]);
  assert.deepEqual([name.htmlFor, name.textContent], ["a", "size"]);
  assert.equal(shown.attributes["aria-hidden"], "true");
  assert.deepEqual(row.children, [input]);
  put(3, "large", "3, large");
  assert.deepEqual([input.value, shown.textContent], [3, "large"]);
  assert.equal(input.attributes["aria-valuetext"], "3, large");
  assert.equal(input.style.styles["--gb-done"], "75%");
  put(1, "small");
  assert.equal(input.attributes["aria-valuetext"], "small");
});

test("a slider tells of each movement, as a number, and not of what it is made to show", () => {
  const moves = [];
  const made = slider({ id: "a", label: "size", max: 4 }, (value) => moves.push(value));
  made.put(4, "4");
  made.input.value = "2"; // as a browser has it
  made.input.dispatchEvent(new Event("input"));
  assert.deepEqual(moves, [2]);
});

test("arrow keys point right and up, and other keys nowhere", () => {
  assert.deepEqual(arrowOf({ key: "ArrowLeft" }), [-1, 0]);
  assert.deepEqual(arrowOf({ key: "ArrowUp" }), [0, 1]);
  for (const key of ["a", "Enter", "constructor"]) assert.equal(arrowOf({ key }), undefined);
});

test("plain keys stay inside, and those with a modifier do not", () => {
  const element = new FakeElement("div");
  keepPlainKeys(element);
  const stays = (modifiers) => {
    let stopped = false;
    const stopPropagation = () => {
      stopped = true;
    };
    element.dispatchEvent(Object.assign(new Event("keydown"), { stopPropagation }, modifiers));
    return stopped;
  };
  assert.equal(stays({ shiftKey: true }), true);
  for (const key of ["ctrlKey", "metaKey", "altKey"]) assert.equal(stays({ [key]: true }), false);
});

test("ids differ", () => {
  const ids = Array.from({ length: 50 }, () => uniqueId("gb"));
  assert.equal(new Set(ids).size, 50);
  assert.match(ids[0], /^gb-\d+-/);
});

test("single colors of figures become variables of the style", () => {
  const element = new FakeElement("div");
  setFigureColors(element, { paper: "#fdfcf9", racers: { SGD: "#13725c" }, heat: ["#14161c"] });
  assert.deepEqual(element.style.styles, { "--gb-figure-paper": "#fdfcf9" });
});

/** A page that can change its theme; `system` is what is chosen outside of it. */
function themedPage(theme, system) {
  const changes = [];
  document.documentElement = { dataset: { theme } };
  globalThis.matchMedia = () => ({
    matches: system === "dark",
    addEventListener: (_, change) => changes.push(change),
  });
  globalThis.MutationObserver = class {
    constructor(change) {
      changes.push(change);
    }
    observe() {}
  };
  return (next) => {
    document.documentElement.dataset.theme = next;
    for (const change of changes) change();
  };
}

test("the colors of a figure follow the theme of the page, and what lies outside where it has none", () => {
  const [colors, dark] = [{ paper: "#fdfcf9" }, { paper: "#15171c" }];
  const element = new FakeElement("div");
  const turn = themedPage("light", "dark");
  let told = 0;
  const now = followTheme(element, { colors, dark }, () => told++);
  assert.equal(now.paper, "#fdfcf9");
  turn("dark");
  assert.equal(now.paper, "#15171c");
  assert.equal(element.style.styles["--gb-figure-paper"], "#15171c");
  assert.ok(told > 0 && colors.paper === "#fdfcf9");
  themedPage(undefined, "dark");
  assert.equal(followTheme(element, { colors, dark }, () => {}).paper, "#15171c");
});

test("a figure without colors for a dark page keeps its own", () => {
  const turn = themedPage("dark", "dark");
  const now = followTheme(new FakeElement("div"), { colors: { paper: "#fdfcf9" } }, () => {
    assert.fail("nothing changed");
  });
  turn("light");
  assert.equal(now.paper, "#fdfcf9");
});

test("colors are mixed channel by channel", () => {
  assert.deepEqual(toRgb("#203699"), [32, 54, 153]);
  assert.deepEqual(mix([0, 10, 200], [10, 0, 100], 0.25), [2.5, 7.5, 175]);
  const colors = [[0], [10], [110]];
  assert.deepEqual(
    [0, 0.25, 0.5, 0.75, 1].map((t) => ramp(colors, t)[0]),
    [0, 5, 10, 60, 110],
  );
});

test("places in an element are fractions of its box", () => {
  const box = { left: 100, top: 50, width: 200, height: 400 };
  assert.deepEqual(placeIn(box, { clientX: 150, clientY: 350 }), [0.25, 0.75]);
  assert.deepEqual(
    [-1, 3, 9].map((value) => clamp(value, 0, 5)),
    [0, 3, 5],
  );
});

test("a page's model tells of changes until one stops listening", () => {
  const model = makeModel({ count: 1 });
  const heard = [];
  const listen = () => heard.push(model.get("count"));
  model.on("change:count", listen);
  model.set("count", 2);
  model.set("other", 5);
  model.off("change:count", listen);
  model.set("count", 3);
  assert.deepEqual(heard, [2]);
  assert.equal(model.get("inPage"), undefined);
});
