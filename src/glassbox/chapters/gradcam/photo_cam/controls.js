// What the widget is laid out of: the picture, the answer, the controls, and the test of the map.

import { button, make, setAttributes, slider, uniqueId } from "../../../explorables/js/dom.js";
import { percent } from "../digit_pad_reader.js";
import { ACROSS } from "./painting.js";

export const USE_CAMERA = "Use the camera";
const CLASSES = 5;
const CLOSEST = 32; // steps of a fortieth of the picture's shorter side

export function makeStage({ preview, credit, megabytes }, begin) {
  const board = make("canvas", { className: "gb-board", tabIndex: 0 });
  setAttributes(board, { role: "application", "aria-roledescription": "picture" });
  const startButton = button("Start", begin, "gb-start");
  const size = make("span", { textContent: `loads the network, ${megabytes} MB` });
  const cover = make(
    "div",
    { className: "gb-cover" },
    make("img", { loading: "lazy", src: preview, alt: credit }),
    make("p", {}, startButton, size),
  );
  return { board, cover, slate: make("div", { className: "gb-slate" }, board, cover) };
}

function makeRow(group, choose) {
  const input = make("input", { type: "radio", name: group, disabled: true });
  const [name, share] = [make("b"), make("span", { className: "gb-share" })];
  const fill = make("i");
  input.addEventListener("change", choose);
  const track = make("span", { className: "gb-track" }, fill);
  const row = make("label", { className: "gb-class" }, input, name, share, track);
  return {
    row,
    put(found, chosen) {
      input.disabled = !found;
      input.checked = Boolean(found) && found === chosen;
      name.textContent = found?.name ?? "";
      share.textContent = found ? percent(found.probability) : "–";
      fill.style.width = `${100 * (found?.probability ?? 0)}%`;
    },
  };
}

/** Five classes, by which a reader chooses what the map is about. */
export function makeRows(choose) {
  const group = uniqueId("gb-photo");
  const rows = Array.from({ length: CLASSES }, (_, k) => makeRow(group, () => choose(k)));
  const legend = make("legend", { textContent: "Probability; choose a class for its map" });
  const boxes = rows.map(({ row }) => row);
  return { rows, answer: make("fieldset", { className: "gb-bars" }, legend, ...boxes) };
}

/** Where pictures come from, and how much of one the network sees. */
export function makeSources({ take, toggleCamera, resize }) {
  const input = make("input", { type: "file", accept: "image/*", hidden: true });
  input.addEventListener("change", () => {
    if (input.files.length) take(input.files[0]);
    input.value = ""; // so that the same one can be chosen again
  });
  const choose = button("Choose a picture", () => input.click());
  const cameraButton = button(USE_CAMERA, toggleCamera);
  const id = uniqueId("gb-photo");
  const closer = slider({ id, label: "closer", max: CLOSEST }, (step) => resize(1 - step / 40));
  const putPart = (share) => closer.put(Math.round(40 * (1 - share)), percent(share));
  const photographs = make("div", { className: "gb-photographs" });
  setAttributes(photographs, { role: "group", "aria-label": "Photographs of this book" });
  const tools = make("div", { className: "gb-tools" }, choose, cameraButton, input);
  return { cameraButton, putPart, photographs, sources: [tools, closer.box, photographs] };
}

/** A button with a small picture of a photograph. */
export function makeThumbnail({ subject, file }, show) {
  const canvas = make("canvas", { width: 96, height: 96 });
  const made = setAttributes(button("", show), { "aria-label": subject, title: subject });
  made.append(canvas);
  createImageBitmap(file).then((picture) => {
    const side = Math.min(picture.width, picture.height);
    const corner = [(picture.width - side) / 2, (picture.height - side) / 2];
    canvas.getContext("2d").drawImage(picture, ...corner, side, side, 0, 0, 96, 96);
    picture.close();
  });
  return made;
}

function makePlaces(text) {
  const canvas = make("canvas", { width: ACROSS, height: ACROSS });
  setAttributes(canvas, { role: "img", "aria-label": text });
  return {
    canvas,
    box: make("div", { className: "gb-places" }, canvas, make("p", { textContent: text })),
  };
}

/** The test of the map: its button, and room for what it finds. */
export function makeTest(run) {
  const testButton = button("Is the map true?", run);
  const progress = make("progress", { max: 1, hidden: true });
  progress.setAttribute("aria-label", "Test of the map");
  const [own, covered] = ["what the map says", "what covering places changes"].map(makePlaces);
  const chart = make("div", { className: "gb-chart" });
  const finding = make("p");
  const found = make("div", { className: "gb-found", hidden: true }, own.box, covered.box, chart);
  found.append(finding);
  const head = make("div", { className: "gb-tools" }, testButton, progress);
  const testBox = make("div", { className: "gb-test" }, head, found);
  return {
    testButton,
    progress,
    found,
    places: [own.canvas, covered.canvas],
    chart,
    finding,
    testBox,
  };
}
