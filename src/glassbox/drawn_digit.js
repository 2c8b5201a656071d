// Draw a digit: a pen, a small network that reads along, and where its score for a class comes from.

const CANVAS = 112, SIDE = 20, FIT = 15, SAMPLES = 4, PEN = 8; // as in digit_reader.py
const BOARD = "#14161c", CHALK = "#fdfcf9", FRAME = "#8a90a0", HOT = "#f7a13c";
const HEAT = [[66, 34, 116], [158, 52, 92], [224, 96, 46], [247, 161, 60], [252, 232, 150]]; // darker to lighter
let pads = 0;

// The ink of a straight piece of a stroke: what glassbox.handwriting.ink computes.
export function addInk(ink, [x0, y0], [x1, y1], pen = PEN) {
  const reach = pen / 2 + 0.5, edge = (value) => Math.min(CANVAS - 1, Math.max(0, Math.floor(value)));
  const [along, down] = [x1 - x0, y1 - y0], squared = Math.max(along * along + down * down, 1e-12);
  const [left, right] = [edge(Math.min(x0, x1) - reach), edge(Math.max(x0, x1) + reach)];
  for (let row = edge(Math.min(y0, y1) - reach); row <= edge(Math.max(y0, y1) + reach); row++) {
    for (let column = left; column <= right; column++) {
      const [x, y] = [column + 0.5 - x0, row + 0.5 - y0];
      const share = Math.min(1, Math.max(0, (x * along + y * down) / squared));
      const dark = Math.min(1, reach - Math.hypot(x - share * along, y - share * down));
      if (dark > ink[row * CANVAS + column]) ink[row * CANVAS + column] = dark;
    }
  }
}

// A small picture, each pixel a square of 10 x 10, in the middle: glassbox.digit_reader.place.
export function addPicture(ink, pixels) {
  const size = Math.sqrt(pixels.length), first = Math.floor((CANVAS - 10 * size) / 2);
  pixels.forEach((dark, k) => {
    const [left, top] = [first + 10 * (k % size), first + 10 * Math.floor(k / size)];
    for (let row = top; row < top + 10; row++) {
      for (let at = row * CANVAS + left; at < row * CANVAS + left + 10; at++) ink[at] = Math.max(ink[at], dark);
    }
  });
}

// A picture as a function of places, x and y in its pixels, with nothing outside.
function bilinear(values, width, height) {
  return (x, y) => {
    const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
    const [right, down] = [x - 0.5 - left, y - 0.5 - top];
    let sum = 0;
    for (let k = 0; k < 4; k++) {
      const [column, row] = [left + (k & 1), top + (k >> 1)];
      if (column < 0 || row < 0 || column >= width || row >= height) continue;
      sum += (k & 1 ? right : 1 - right) * (k >> 1 ? down : 1 - down) * values[row * width + column];
    }
    return sum;
  };
}

// Size, place and darkness as in training: glassbox.digit_reader.centre. Nothing without ink.
export function centre(ink) {
  let mass = 0, across = 0, down = 0;
  const most = ink.reduce((a, b) => Math.max(a, b), 0);
  let [top, bottom, left, right] = [CANVAS, -1, CANVAS, -1];
  for (let k = 0; k < ink.length; k++) {
    if (!ink[k]) continue;
    const row = Math.floor(k / CANVAS), column = k % CANVAS;
    mass += ink[k];
    across += ink[k] * (column + 0.5);
    down += ink[k] * (row + 0.5);
    if (ink[k] < most / 2) continue;
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
    [left, right] = [Math.min(left, column), Math.max(right, column)];
  }
  if (!most) return null;
  const reach = (Math.max(bottom - top, right - left) + 1) * SIDE / FIT;
  const corner = [across / mass - reach / 2, down / mass - reach / 2], at = bilinear(ink, CANVAS, CANVAS);
  const seen = new Float32Array(SIDE * SIDE), fine = SIDE * SAMPLES;
  for (let row = 0; row < fine; row++) {
    for (let column = 0; column < fine; column++) {
      const place = Math.floor(row / SAMPLES) * SIDE + Math.floor(column / SAMPLES);
      seen[place] += at(corner[0] + (column + 0.5) / fine * reach, corner[1] + (row + 0.5) / fine * reach);
    }
  }
  const darkest = Math.max(...seen);
  return { seen: seen.map((value) => value / darkest), corner, reach };
}

// The network of digit_reader.py. A place adds the weighted sum of its maps to the score of a class,
// so that this sum is Grad-CAM: the slope of the mean by a place is one over the number of places.
export function makeReader(packed) {
  const w = unpack(packed), side = SIDE / 2;
  const weights = w["classifier.weight"], channels = weights.shape[1];
  const layer = (input, size, name) =>
    relu(conv2d(input, [size, size], w[`features.${name}.weight`], w[`features.${name}.bias`], 1));
  return (seen) => {
    const coarse = maxPool2d(layer(seen, SIDE, 0), [SIDE, SIDE]);
    const maps = layer(layer(coarse, side, 3), side, 5), places = side * side;
    const means = Float32Array.from({ length: channels }, (_, c) =>
      maps.subarray(c * places, (c + 1) * places).reduce((a, b) => a + b) / places);
    const cam = (label) => {
      const sum = new Float32Array(places);
      for (let c = 0; c < channels; c++) {
        const weight = weights.values[label * channels + c] / places;
        for (let k = 0; k < places; k++) sum[k] += weight * maps[c * places + k];
      }
      return relu(sum);
    };
    return { probabilities: softmax(dense(means, weights, w["classifier.bias"])), cam };
  };
}

function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const percent = (share) => `${(100 * share).toFixed(share > 0.0995 ? 0 : 1)}%`;

function heat(t) {
  const place = t * (HEAT.length - 1), k = Math.min(HEAT.length - 2, Math.floor(place));
  return HEAT[k].map((value, c) => value + (place - k) * (HEAT[k + 1][c] - value));
}

export function render({ model, el }) {
  const { weights, examples, start } = model.get("state");
  const read = makeReader(weights);
  const serial = `gb-draw-${pads++}-${Math.random().toString(36).slice(2, 7)}`; // also among modules
  let marks = [], past = [], ink = new Float32Array(CANVAS * CANVAS);
  let opening = true; // the first stroke of all replaces the picture that stands there
  let view = null, reading = null, chosen = 0, likeliest = 0, most = 1;
  let pen = [CANVAS / 2, CANVAS / 4], down = false, keyed = false, telling = 0, side = 0;

  // ---- what is seen ------------------------------------------------------------------------
  const board = make("canvas", { className: "gb-board", tabIndex: 0 });
  board.setAttribute("role", "application");
  board.setAttribute("aria-roledescription", "drawing");
  const prompt = make("p", { className: "gb-prompt", textContent: "Draw a digit here" });
  prompt.setAttribute("aria-hidden", "true");
  const eye = make("canvas", { className: "gb-eye", width: SIDE, height: SIDE });
  eye.setAttribute("role", "img");
  const verdict = make("p", { className: "gb-verdict" });
  const status = make("p", { className: "gb-status" });
  status.setAttribute("role", "status");

  const rows = Array.from({ length: 10 }, (_, label) => {
    const input = make("input", { type: "radio", name: serial, value: label });
    const fill = make("i"), share = make("span", { className: "gb-share" });
    input.addEventListener("change", () => { follow.checked = false; choose(label); tell(true); });
    const row = make("label", { className: "gb-class" }, input,
      make("b", { textContent: label }), make("span", { className: "gb-track" }, fill), share);
    return { input, fill, share, row };
  });
  const bars = make("fieldset", { className: "gb-bars" },
    make("legend", { className: "gb-legend", textContent: "Probability; choose a class for its map" }),
    ...rows.map(({ row }) => row));

  const menu = make("select", { id: `${serial}-menu` });
  const nothing = make("option", { value: "", textContent: "choose …" });
  menu.append(nothing, ...[...new Set(examples.map(({ group }) => group))].map((label) =>
    make("optgroup", { label }, ...examples.filter(({ group }) => group === label).map(({ name }) =>
      make("option", { value: name, textContent: name })))));
  menu.addEventListener("change", () => {
    if (menu.value) { change(marksOf(menu.value)); tell(); }
  });
  const button = (textContent, act) => {
    const made = make("button", { type: "button", textContent });
    made.addEventListener("click", () => { act(); tell(); });
    return made;
  };
  const undo = button("Undo", back), clear = button("Clear", () => marks.length && change([]));
  const strength = make("input", { type: "range", id: `${serial}-map`, min: 0, max: 100, step: 5, value: 70 });
  const amount = make("span", { className: "gb-value" });
  amount.setAttribute("aria-hidden", "true");
  strength.addEventListener("input", draw);
  const follow = make("input", { type: "checkbox", checked: true });
  follow.addEventListener("change", () => { choose(follow.checked ? likeliest : chosen); tell(true); });
  const ramp = make("span", { className: "gb-ramp" }), low = make("span"), high = make("span");
  ramp.style.background = `linear-gradient(to right, ${HEAT.map((rgb) => `rgb(${rgb})`)})`;
  const key = make("p", { className: "gb-key" }), scale = make("div", { className: "gb-scale" }, low, ramp, high);

  el.className = "gb-computed gb-drawn";
  el.append(make("div", { className: "gb-card" },
    make("div", { className: "gb-stage" },
      make("div", { className: "gb-slate" }, board, prompt),
      make("div", { className: "gb-side" }, verdict, bars,
        make("div", { className: "gb-sight" }, eye, make("div", {}, key, scale)))),
    make("div", { className: "gb-panel" },
      make("div", { className: "gb-control" },
        make("label", { className: "gb-name", htmlFor: menu.id, textContent: "example" }), menu),
      make("div", { className: "gb-tools" }, undo, clear),
      make("div", { className: "gb-control" },
        make("label", { className: "gb-name", htmlFor: strength.id, textContent: "strength of the map" }), amount,
        make("div", { className: "gb-row" }, strength)),
      make("label", { className: "gb-control gb-toggle" },
        make("span", { className: "gb-name", textContent: "follow the likeliest" }), follow))), status);

  // ---- drawing up --------------------------------------------------------------------------
  const marksOf = (name) => examples.find((example) => example.name === name).marks;
  function add(mark) {
    if (mark.pixels) addPicture(ink, mark.pixels);
    else mark.points.forEach((point, k) => addInk(ink, mark.points[Math.max(0, k - 1)], point));
  }
  function change(wanted, remember = true) {
    if (remember) past.push(marks);
    marks = wanted;
    down = opening = false;
    ink.fill(0);
    marks.forEach(add);
    think();
  }
  function back() {
    if (past.length) change(past.pop(), false);
  }
  function begin(point) {
    past.push(marks);
    if (opening) ink.fill(0);
    marks = [...(opening ? [] : marks), { points: [point] }];
    opening = false;
    down = true;
    add(marks.at(-1));
    think();
  }
  function go(points) {
    const line = marks.at(-1).points;
    for (const point of points) {
      addInk(ink, line.at(-1), point);
      line.push(point);
    }
    think();
  }

  // ---- reading -----------------------------------------------------------------------------
  function think() {
    view = centre(ink);
    reading = view && read(view.seen);
    nothing.textContent = marks.length ? "your own" : "choose …";
    const shown = examples.find((example) => example.marks === marks);
    menu.value = shown ? shown.name : "";
    if (reading) {
      likeliest = reading.probabilities.indexOf(Math.max(...reading.probabilities));
      most = Math.max(...rows.map((_, label) => Math.max(...reading.cam(label))), 1e-6);
    }
    rows.forEach(({ fill, share, row }, label) => {
      const probability = reading ? reading.probabilities[label] : 0;
      fill.style.width = `${100 * probability}%`;
      share.textContent = reading ? percent(probability) : "–";
      row.classList.toggle("gb-first", Boolean(reading) && label === likeliest);
    });
    verdict.replaceChildren(...(reading
      ? ["Looks like a ", make("strong", { textContent: likeliest }), ` ${percent(reading.probabilities[likeliest])}`]
      : ["Waiting for a digit"]));
    undo.disabled = !past.length;
    clear.disabled = !marks.length;
    prompt.hidden = marks.length > 0;
    choose(follow.checked ? likeliest : chosen);
  }
  function choose(label) {
    chosen = label;
    rows[label].input.checked = true;
    draw();
  }
  function describe() {
    if (!reading) return "Nothing is drawn.";
    const order = rows.map((_, label) => label).sort((a, b) => reading.probabilities[b] - reading.probabilities[a]);
    const [first, second] = order.map((label) => `${label}, ${percent(reading.probabilities[label])}`);
    return `Looks like a ${first}; then ${second}.`;
  }
  function tell(ofMap = false) {
    clearTimeout(telling);
    const text = ofMap && reading ? `Map for ${chosen}, ${percent(reading.probabilities[chosen])}.` : describe();
    telling = setTimeout(() => { status.textContent = text; }, 250);
  }

  // ---- painting ----------------------------------------------------------------------------
  function draw() {
    const ratio = Math.min(2, devicePixelRatio || 1) * side / CANVAS;
    amount.textContent = `${strength.value}%`;
    strength.setAttribute("aria-valuetext", amount.textContent);
    strength.style.setProperty("--gb-done", amount.textContent);
    board.setAttribute("aria-label", `${describe()} Arrow keys move the pen, Space puts it down and lifts it.`);
    key.textContent = `What places add to the score of ${chosen}`;
    low.textContent = "0";
    high.textContent = reading ? `+${most.toFixed(2)}` : "";
    drawEye();
    if (!side) return;
    const pixels = Math.round(ratio * CANVAS);
    if (board.width !== pixels) board.width = board.height = pixels;
    const brush = board.getContext("2d");
    brush.setTransform(ratio, 0, 0, ratio, 0, 0);
    brush.fillStyle = BOARD;
    brush.fillRect(0, 0, CANVAS, CANVAS);
    marks.forEach((mark) => (mark.pixels ? drawPicture(brush, mark) : drawStroke(brush, mark)));
    if (view) drawMap(brush);
    if (keyed && document.activeElement === board) drawPen(brush);
  }
  function drawStroke(brush, { points }) {
    Object.assign(brush, { strokeStyle: CHALK, lineWidth: PEN, lineCap: "round", lineJoin: "round" });
    brush.beginPath();
    brush.moveTo(...points[0]);
    points.forEach((point) => brush.lineTo(...point));
    brush.stroke();
  }
  function drawPicture(brush, { pixels }) {
    const size = Math.sqrt(pixels.length), first = Math.floor((CANVAS - 10 * size) / 2);
    brush.imageSmoothingEnabled = false;
    brush.drawImage(paint(size, pixels, (value) => [253, 252, 249, 255 * value]), first, first, 10 * size, 10 * size);
    brush.imageSmoothingEnabled = true;
  }
  function paint(size, values, color, canvas = make("canvas", { width: size, height: size })) {
    const image = new ImageData(size, size);
    values.forEach((value, k) => image.data.set(color(value), 4 * k));
    canvas.getContext("2d").putImageData(image, 0, 0);
    return canvas;
  }
  function drawMap(brush) {
    const map = paint(SIDE / 2, reading.cam(chosen), (value) => {
      const t = Math.min(1, value / most);
      return [...heat(t), 255 * Math.min(1, 2.2 * t) * strength.value / 100];
    });
    brush.imageSmoothingQuality = "high";
    brush.drawImage(map, ...view.corner, view.reach, view.reach);
    Object.assign(brush, { strokeStyle: FRAME, lineWidth: 0.35 });
    brush.setLineDash([1.5, 1.5]);
    brush.strokeRect(...view.corner, view.reach, view.reach);
    brush.setLineDash([]);
  }
  function drawPen(brush) {
    for (const [color, width] of [[BOARD, 2.4], [down ? HOT : CHALK, 1.2]]) {
      Object.assign(brush, { strokeStyle: color, lineWidth: width });
      brush.beginPath();
      brush.arc(...pen, PEN / 2 + 1.5, 0, 7);
      brush.stroke();
    }
  }
  function drawEye() {
    paint(SIDE, view ? view.seen : new Float32Array(SIDE * SIDE), (value) => [
      20 + 233 * value, 22 + 230 * value, 28 + 221 * value, 255], eye);
    eye.setAttribute("aria-label", view
      ? "What the network sees: the drawing, centred and scaled to 20 by 20 pixels." : "The network sees nothing.");
  }

  // ---- listening ---------------------------------------------------------------------------
  const inside = (value) => Math.min(CANVAS, Math.max(0, value));
  let box = null; // where the board lies while the pen is down
  const place = (event) => [
    inside((event.clientX - box.left) / box.width * CANVAS), inside((event.clientY - box.top) / box.height * CANVAS)];
  board.addEventListener("pointerdown", (event) => {
    if (event.button || !event.isPrimary) return;
    board.setPointerCapture(event.pointerId);
    keyed = false;
    box = board.getBoundingClientRect();
    begin(place(event));
  });
  board.addEventListener("pointermove", (event) => {
    if (!board.hasPointerCapture(event.pointerId) || !down) return;
    const events = event.getCoalescedEvents?.() ?? [];
    go((events.length ? events : [event]).map(place));
  });
  const lift = () => { if (down) { down = false; draw(); tell(); } };
  board.addEventListener("pointerup", lift);
  board.addEventListener("pointercancel", lift);
  board.addEventListener("blur", lift);
  board.addEventListener("focus", () => { keyed = board.matches(":focus-visible"); draw(); });
  board.addEventListener("blur", draw);
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  board.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "z") back();
    else if (event.ctrlKey || event.metaKey || event.altKey) return;
    else if (event.key === " ") toggle();
    else if (ARROWS[event.key]) move(ARROWS[event.key], event.shiftKey ? 10 : 3);
    else return;
    event.preventDefault();
  });
  function toggle() {
    keyed = true;
    if (down) lift();
    else {
      begin(pen);
      status.textContent = "Pen down.";
    }
  }
  function move([right, below], step) {
    keyed = true;
    pen = [inside(pen[0] + step * right), inside(pen[1] + step * below)];
    if (down) go([pen]);
    else draw();
  }
  // A notebook takes plain keys for its own commands; those with a modifier are the browser's.
  el.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  });
  const watch = new ResizeObserver(() => {
    side = board.clientWidth; // which, asked for after each change, would cost as much as the reading
    draw();
  });
  watch.observe(board);
  change(marksOf(start), false);
  opening = true;
  return () => { watch.disconnect(); clearTimeout(telling); };
}

export default { render };
