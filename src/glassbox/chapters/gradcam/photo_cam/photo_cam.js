// Your own picture: a network trained on ImageNet names it, and a map tells what speaks for a name.

import { startWorker } from "../../../explorables/js/background.js";
import {
  arrowOf,
  hasModifier,
  keepPlainKeys,
  make,
  setFigureColors,
  statusLine,
} from "../../../explorables/js/dom.js";
import { readFile } from "../../../explorables/js/files.js";
import { openCamera } from "./camera.js";
import {
  makeRows,
  makeSources,
  makeStage,
  makeTest,
  makeThumbnail,
  USE_CAMERA,
} from "./controls.js";
import { middle, moved, resized, USUAL } from "./crop.js";
import { judge } from "./measures.js";
import { clear, drawPicture, drawPlaces, makeChart } from "./painting.js";
import { caution, identity, named, noCamera, told, verdict } from "./words.js";
import script from "./worker.js?script";

const TELL_MS = 250; // of rest, so that not each movement is told
const RATE_OVER = 10; // pictures of the camera whose mean pace is shown
const OWN = "Your picture. It stays on this machine";
const STOPPED = Symbol("a test whose picture has changed");

class PhotoCam {
  constructor(el, model) {
    const { start, credit, colors } = model.get("state");
    Object.assign(this, { el, model, start, colors });
    // `turn` counts pictures: what comes in for an earlier one is dropped.
    Object.assign(this, { turn: 0, picture: null, crop: null, picked: null, shown: null });
    Object.assign(this, { camera: null, testing: null, busy: false, wanted: false, fresh: false });
    this.build();
    this.source.textContent = `${credit}.`;
    this.listen();
  }

  // ---- what is seen --------------------------------------------------------------------------

  build() {
    const { el } = this;
    setFigureColors(el, this.colors);
    const stage = makeStage(this.model.get("state"), () => this.begin());
    const rows = makeRows((k) => this.pick(k));
    const sources = makeSources({
      take: (file) => this.show(file),
      toggleCamera: () => (this.camera ? this.freeze() : this.follow()),
      resize: (share) => this.reframe((crop) => resized(crop, this.picture, share)),
    });
    Object.assign(
      this,
      stage,
      rows,
      sources,
      makeTest(() => this.test()),
    );
    this.sum = make("p", { className: "gb-sum" });
    this.remark = make("p", { className: "gb-remark" });
    this.source = make("p", { className: "gb-source" });
    const side = make("div", { className: "gb-side" }, this.answer, this.sum);
    const top = make("div", { className: "gb-stage" }, this.slate, side);
    const panel = make("div", { className: "gb-panel" }, ...this.sources);
    this.status = statusLine();
    el.className = "gb-computed gb-photo";
    const about = make("div", { className: "gb-about" }, this.source, this.remark);
    el.append(make("div", { className: "gb-card" }, top, about, panel, this.testBox), this.status);
    this.fill();
  }

  /** Shows what is known of the picture: everything, or only the picture, or nothing. */
  fill() {
    const { shown, rows } = this;
    const classes = shown?.classes;
    const chosen = this.chosen();
    for (const [k, row] of rows.entries()) row.put(classes?.[k], chosen);
    this.sum.textContent = chosen ? identity(chosen) : "";
    this.remark.textContent = classes ? caution(classes) : "";
    this.testButton.disabled = !classes || Boolean(this.camera);
    this.putPart(
      shown ? shown.crop.side / Math.min(shown.picture.width, shown.picture.height) : USUAL,
    );
    const answer = classes ? told(classes) : shown ? "Looking." : "No picture.";
    this.board.setAttribute(
      "aria-label",
      `${answer} Arrow keys choose another part of the picture.`,
    );
    this.draw();
  }

  /** The class that the map is about: the one that was picked while it is among the five. */
  chosen() {
    const classes = this.shown?.classes;
    return classes && (classes.find(({ label }) => label === this.picked) ?? classes[0]);
  }

  draw() {
    if (!this.board.clientWidth) return;
    if (!this.shown) clear(this.board);
    else drawPicture(this.board, { ...this.shown, map: this.chosen()?.map }, this.colors.ink);
  }

  /** Says a sentence below the picture, and to those who hear the page. */
  say(text, ...links) {
    this.source.replaceChildren(text, ...links);
    this.tell(text);
  }

  tell(text) {
    clearTimeout(this.telling);
    this.telling = setTimeout(() => {
      this.status.textContent = text;
    }, TELL_MS);
  }

  // ---- the network ---------------------------------------------------------------------------

  /** Loads the network, once; where that fails, the next time tries again. */
  open() {
    this.opening ??= this.load().catch((error) => {
      this.opening = null;
      this.helper?.stop();
      throw new Error(`The network could not be loaded: ${error.message}.`);
    });
    return this.opening;
  }

  async load() {
    this.say("Loading the network …");
    this.helper = startWorker(script);
    const file = await readFile(this.model, "network");
    const { simd, photographs } = await this.helper.ask("load", file);
    Object.assign(this, { simd, photos: photographs });
    this.el.dataset.simd = simd;
    const thumbnails = photographs.map((photo) => {
      return makeThumbnail(photo, () => this.showPhoto(photo));
    });
    this.photographs.replaceChildren(...thumbnails);
    this.cover.remove();
  }

  /** Forgets the picture, so that nothing of it stands under the next one. */
  leave() {
    this.turn++;
    this.closeCamera();
    this.wanted = false;
    this.picture?.close();
    Object.assign(this, { picture: null, crop: null, picked: null, shown: null });
    this.forgetTest();
    this.fill();
    return this.turn;
  }

  /** Does something for a new picture, unless meanwhile there is another; says what goes wrong. */
  async forNext(act, explain = ({ message }) => message) {
    const turn = this.leave();
    const left = () => turn !== this.turn;
    try {
      await this.open();
      if (!left()) await act(left);
    } catch (error) {
      if (left()) return;
      this.leave();
      this.say(explain(error));
    }
  }

  begin() {
    return this.forNext(() => {
      this.showPhoto(this.photos.find(({ name }) => name === this.start));
    });
  }

  showPhoto({ file, credit, origin }) {
    const link = make("a", { href: origin, textContent: "Origin" });
    return this.show(file, credit, " ", link);
  }

  show(file, credit = OWN, ...links) {
    return this.forNext(async (left) => {
      this.say("Looking …");
      const picture = await this.helper.ask("decode", file);
      if (left()) return picture.close();
      Object.assign(this, { picture, crop: middle(picture), fresh: true });
      this.say(`${credit}.`, ...links);
      await this.look();
    });
  }

  /** Has the network look at the crop. While it does, only the last of further crops is kept. */
  async look() {
    this.forgetTest();
    if (!this.simd) this.receive(null, this.picture, this.crop); // it takes too long to wait for it
    this.wanted = true;
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.wanted) await this.lookOnce();
    } finally {
      this.busy = false;
    }
  }

  async lookOnce() {
    const { turn, crop, picture, fresh } = this;
    Object.assign(this, { wanted: false, fresh: false });
    const answer = await this.helper.ask("look", { crop, picture: fresh ? picture : undefined });
    if (turn !== this.turn || (!this.simd && crop !== this.crop)) return;
    this.receive(answer, picture, crop);
    this.tell(told(answer.classes));
  }

  receive(answer, picture, crop) {
    this.shown = { ...answer, picture, crop };
    this.fill();
  }

  pick(k) {
    const chosen = this.shown.classes[k];
    this.picked = chosen.label;
    this.forgetTest();
    this.fill();
    this.tell(`Map for ${named(chosen)}.`);
  }

  /** Takes another part of the picture. */
  reframe(change) {
    if (!this.picture) return this.fill();
    this.crop = change(this.crop);
    if (!this.camera) this.look().catch(({ message }) => this.say(message));
  }

  // ---- the camera ----------------------------------------------------------------------------

  follow() {
    return this.forNext(async (left) => {
      this.say("Waiting for the camera …");
      const camera = await openCamera(() => this.freeze());
      if (left()) return camera.close();
      this.camera = camera;
      this.cameraButton.textContent = "Stop the camera";
      const times = [];
      while (this.camera && !left()) {
        const frame = await camera.frame();
        if (!this.camera || left()) return frame.close();
        await this.lookAtFrame(frame, left);
        times.push(performance.now());
        this.sayPace(times);
      }
    }, noCamera);
  }

  async lookAtFrame(frame, left) {
    const { picture } = this;
    const same = picture?.width === frame.width && picture?.height === frame.height;
    if (!same) this.crop = middle(frame);
    const { crop } = this;
    const answer = await this.helper.ask("look", { crop, picture: frame });
    if (left()) return frame.close();
    picture?.close();
    this.picture = frame;
    this.receive(answer, frame, crop);
  }

  sayPace(times) {
    const [first, last] = [times.at(-1 - RATE_OVER), times.at(-1)];
    if (first === undefined || times.length % RATE_OVER) return;
    const pace = (1000 * RATE_OVER) / (last - first);
    this.source.textContent = `Your camera: ${pace.toFixed(pace < 10 ? 1 : 0)} pictures a second, none of which leaves this machine.`;
  }

  /** Turns the camera off; its last picture stays. */
  freeze() {
    if (!this.closeCamera()) return;
    this.fill();
    if (this.shown?.classes) this.say(`${OWN}. ${told(this.shown.classes)}`);
  }

  closeCamera() {
    const { camera } = this;
    camera?.close();
    this.camera = null;
    this.cameraButton.textContent = USE_CAMERA;
    return Boolean(camera);
  }

  // ---- the test of the map -------------------------------------------------------------------

  async test() {
    const chosen = this.chosen();
    if (!chosen || this.testing) return;
    const mine = Symbol("test");
    this.testing = mine;
    const score = async (places) => {
      const found = await this.helper.ask("cover", { places, label: chosen.label });
      if (this.testing !== mine) throw STOPPED;
      return found;
    };
    this.progress.hidden = false;
    try {
      this.showTest(
        chosen,
        await judge(score, chosen.map, (share) => this.progress.setAttribute("value", share)),
      );
      this.testing = null;
      this.progress.hidden = true;
    } catch (error) {
      if (error !== STOPPED) this.say(error.message);
    }
  }

  showTest(chosen, found) {
    for (const [k, map] of [chosen.map, found.occlusion].entries()) {
      drawPlaces(this.places[k], map, this.colors.heat);
    }
    this.chart.replaceChildren(...makeChart(found, verdict(found)));
    this.finding.textContent = verdict(found);
    this.found.hidden = false;
    this.tell(verdict(found));
  }

  forgetTest() {
    this.testing = null;
    this.progress.hidden = true;
    this.found.hidden = true;
  }

  // ---- listening -----------------------------------------------------------------------------

  listen() {
    const { board, el } = this;
    this.listenToPointer(board);
    board.addEventListener("keydown", (event) => this.press(event));
    keepPlainKeys(el);
    this.listenToDrops();
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(board);
    // In a notebook what is pasted elsewhere is meant for a cell.
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    const place = this.model.get("inPage") ? document : el;
    place.addEventListener("paste", (event) => this.paste(event), { signal });
    document.addEventListener("visibilitychange", () => document.hidden && this.freeze(), {
      signal,
    });
  }

  listenToPointer(board) {
    let from = null; // where the pointer was
    board.addEventListener("pointerdown", (event) => {
      if (event.button || !event.isPrimary) return;
      board.setPointerCapture(event.pointerId);
      from = [event.clientX, event.clientY];
    });
    board.addEventListener("pointermove", ({ pointerId, clientX, clientY }) => {
      if (!from || !board.hasPointerCapture(pointerId)) return;
      const way = [from[0] - clientX, from[1] - clientY].map(
        (pixels) => pixels / board.clientWidth,
      );
      from = [clientX, clientY];
      this.reframe((crop) => moved(crop, this.picture, way));
    });
    for (const end of ["pointerup", "pointercancel"]) {
      board.addEventListener(end, () => {
        from = null;
      });
    }
  }

  press(event) {
    const arrow = arrowOf(event);
    if (!arrow || hasModifier(event)) return;
    event.preventDefault();
    const step = event.shiftKey ? 0.25 : 0.05;
    const way = [step * arrow[0], -step * arrow[1]];
    this.reframe((crop) => moved(crop, this.picture, way));
  }

  listenToDrops() {
    const { el } = this;
    const over = (event, is) => {
      event.preventDefault();
      el.classList.toggle("gb-over", is);
    };
    el.addEventListener("dragover", (event) => over(event, true));
    el.addEventListener("dragleave", (event) => over(event, false));
    el.addEventListener("drop", (event) => {
      over(event, false);
      this.takeFirst(event.dataTransfer, "Only a file can be dropped here.");
    });
  }

  paste(event) {
    const { target, clipboardData } = event;
    const mine = target.closest?.(".gb-photo") ?? document.querySelector(".gb-photo");
    if (mine !== this.el || !clipboardData.files.length) return;
    event.preventDefault();
    this.takeFirst(clipboardData);
  }

  takeFirst({ files }, otherwise) {
    if (files.length) this.show(files[0]);
    else this.say(otherwise);
  }

  stop() {
    this.turn++;
    this.closeCamera();
    this.watch.disconnect();
    this.leaving.abort();
    clearTimeout(this.telling);
    this.helper?.stop();
  }
}

export function render({ model, el }) {
  const shown = new PhotoCam(el, model);
  return () => shown.stop();
}

export default { render };
