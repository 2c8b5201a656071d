// A pad over the two latent dimensions of a VAE: each point is decoded while the pointer moves.

const INK = "#23262f", MUTED = "#666b78", GRID = "#d9d5ca", PAPER = "#fdfcf9";
const COLORS = ["#203699", "#b34427", "#13725c", "#d45ba9", "#b8830c"]; // two digits share one
let pads = 0;

// The decoder of the package's VAE: linear, ReLU, linear, and what makes pixels from 0 to 1 of it.
export function makeDecoder({ weights, likelihood }) {
  const layers = unpack(weights);
  const pixels = likelihood === "tanh" ? (values) => values.map((v) => (Math.tanh(v) + 1) / 2) : sigmoid;
  return (latent) => {
    const hidden = relu(dense(latent, layers["0.weight"], layers["0.bias"]));
    return pixels(dense(hidden, layers["2.weight"], layers["2.bias"]));
  };
}

function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export function render({ model, el }) {
  const state = model.get("state");
  const { size, reach, points, examples } = state;
  const decode = makeDecoder(state);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const serial = `gb-pad-${pads++}-${Math.random().toString(36).slice(2, 7)}`; // also among modules
  let at = state.start, ends = null, walking = 0;

  // ---- what is seen ------------------------------------------------------------------------
  const pad = make("canvas", { className: "gb-map", tabIndex: 0 });
  pad.setAttribute("role", "application");
  pad.setAttribute("aria-roledescription", "map");
  const picture = make("canvas", { className: "gb-picture", width: size, height: size });
  picture.setAttribute("role", "img");
  const place = make("p", { className: "gb-place" }), nearest = make("p", { className: "gb-near" });
  const status = make("p", { className: "gb-status" });
  status.setAttribute("role", "status");
  const choose = (label, digit) => {
    const id = `${serial}-${label}`;
    const select = make("select", { id }, ...examples.map((_, k) => make("option", { value: k, textContent: k })));
    select.value = digit;
    select.addEventListener("change", () => { stop(); walk(0); tell(); });
    const box = make("div", { className: "gb-control" },
      make("label", { className: "gb-name", htmlFor: id, textContent: label }), select);
    return [select, box];
  };
  const [from, fromBox] = choose("from a", state.from), [to, toBox] = choose("to a", state.to);
  const way = make("input", { type: "range", id: `${serial}-way`, min: 0, max: 100, step: 1, value: 0 });
  const share = make("span", { className: "gb-value" });
  share.setAttribute("aria-hidden", "true");
  way.addEventListener("input", () => { stop(); walk(Number(way.value)); });
  way.addEventListener("change", () => tell());
  const play = make("button", { type: "button", className: "gb-play", textContent: "▶", hidden: calm });
  play.addEventListener("click", () => (walking ? stop() : start()));
  const wayBox = make("div", { className: "gb-control" },
    make("label", { className: "gb-name", htmlFor: way.id, textContent: "on the way" }), share,
    make("div", { className: "gb-row" }, play, way));
  el.className = "gb-computed gb-latent";
  el.append(make("div", { className: "gb-card" },
    make("div", { className: "gb-stage" }, pad, make("div", { className: "gb-side" }, picture, place, nearest)),
    make("div", { className: "gb-panel" }, fromBox, toBox, wayBox)), status);

  // ---- moving ------------------------------------------------------------------------------
  const keep = (value) => Math.min(reach, Math.max(-reach, value));
  function put(point) {
    at = point.map(keep);
    draw();
  }
  function walk(percent) {
    ends = [examples[from.value], examples[to.value]];
    way.value = percent;
    const t = percent / 100;
    put(ends[0].map((a, k) => a + t * (ends[1][k] - a)));
  }
  function start() {
    const begun = performance.now() - (way.value < 100 ? 30 * way.value : 0);
    const tick = (now) => {
      const percent = Math.min(100, (now - begun) / 30);
      walk(percent);
      if (percent < 100) walking = requestAnimationFrame(tick);
      else { stop(); tell(); }
    };
    walking = requestAnimationFrame(tick);
    face();
  }
  function stop() {
    cancelAnimationFrame(walking);
    walking = 0;
    face();
  }
  function face() {
    play.textContent = walking ? "❚❚" : "▶";
    play.setAttribute("aria-label", walking ? "Pause the walk" : "Walk from one digit to the other");
  }
  const tell = () => { status.textContent = `${place.textContent}: ${nearest.textContent}`; };

  // ---- drawing -----------------------------------------------------------------------------
  const flat = (n) => (n.toFixed(2) === "-0.00" ? "0.00" : n.toFixed(2)).replace("-", "−");
  function draw() {
    drawPicture();
    drawPad();
    const [label, distance] = near();
    place.textContent = `at (${at.map(flat).join(", ")})`;
    nearest.textContent = distance > 0.5 ? "far from every real digit" : `the nearest real digit is a ${label}`;
    picture.setAttribute("aria-label", `Decoded ${place.textContent}: ${nearest.textContent}.`);
    pad.setAttribute("aria-label", `Plane of codes, ${place.textContent}. Arrow keys move.`);
    const percent = Math.round(way.value);
    share.textContent = `${percent}%`;
    way.setAttribute("aria-valuetext", `${percent}%, ${nearest.textContent}`);
    way.style.setProperty("--gb-done", `${percent}%`);
  }
  function near() {
    let [best, least] = [0, Infinity];
    for (const [x, y, label] of points) {
      const distance = Math.hypot(x - at[0], y - at[1]);
      if (distance < least) [best, least] = [label, distance];
    }
    return [best, least];
  }
  function drawPicture() {
    const image = new ImageData(size, size);
    decode(at).forEach((value, k) => {
      const grey = Math.round(255 * value);
      image.data.set([grey, grey, grey, 255], 4 * k);
    });
    picture.getContext("2d").putImageData(image, 0, 0);
  }
  function drawPad() {
    const side = pad.clientWidth, ratio = Math.min(2, devicePixelRatio || 1);
    if (!side) return;
    if (pad.width !== Math.round(side * ratio)) pad.width = pad.height = Math.round(side * ratio);
    const pen = pad.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.fillStyle = PAPER;
    pen.fillRect(0, 0, side, side);
    const map = ([x, y]) => [((x + reach) / (2 * reach)) * side, ((reach - y) / (2 * reach)) * side];
    const [middle] = map([0, 0]);
    pen.lineWidth = 1;
    pen.strokeStyle = GRID;
    for (let radius = 1; radius <= reach; radius++) {
      pen.beginPath();
      pen.arc(middle, middle, (radius / (2 * reach)) * side, 0, 7);
      pen.stroke();
    }
    trace(pen, [[0, middle], [side, middle]]);
    trace(pen, [[middle, 0], [middle, side]]);
    pen.font = `${Math.max(10, side / 36)}px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    for (const point of points) {
      pen.fillStyle = COLORS[point[2] % 5];
      pen.fillText(point[2], ...map(point));
    }
    // The names of the circles lie on paper, and have a sign that no digit has.
    pen.font = "600 11px system-ui, sans-serif";
    pen.fillStyle = MUTED;
    pen.strokeStyle = PAPER;
    pen.lineWidth = 5;
    pen.lineJoin = "round";
    for (let radius = 1; radius <= reach; radius++) {
      const spot = map([radius * Math.SQRT1_2, radius * Math.SQRT1_2]);
      pen.strokeText(`${radius}σ`, ...spot);
      pen.fillText(`${radius}σ`, ...spot);
    }
    pen.textBaseline = "alphabetic";
    pen.strokeStyle = INK;
    if (ends) {
      pen.lineWidth = 1.5;
      trace(pen, ends.map(map));
    }
    for (const [color, width] of [[PAPER, 6], [INK, 2.5]]) {
      pen.beginPath();
      pen.arc(...map(at), 10, 0, 7);
      pen.strokeStyle = color;
      pen.lineWidth = width;
      pen.stroke();
    }
  }
  function trace(pen, line) {
    pen.beginPath();
    for (const point of line) pen.lineTo(...point);
    pen.stroke();
  }

  // ---- listening ---------------------------------------------------------------------------
  const point = (event) => {
    const box = pad.getBoundingClientRect();
    stop();
    ends = null;
    put([((event.clientX - box.left) / box.width) * 2 * reach - reach,
      reach - ((event.clientY - box.top) / box.height) * 2 * reach]);
  };
  pad.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    pad.setPointerCapture(event.pointerId);
    point(event);
  });
  pad.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse" || pad.hasPointerCapture(event.pointerId)) point(event);
  });
  pad.addEventListener("pointerup", tell);
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  pad.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (!arrow) return;
    event.preventDefault();
    stop();
    ends = null;
    put(at.map((value, k) => value + arrow[k] * (event.shiftKey ? 0.5 : 0.1)));
    tell();
  });
  // A notebook takes plain keys for its own commands; those with a modifier are the browser's.
  el.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  });
  new ResizeObserver(draw).observe(pad);
  face();
  draw();
  return stop;
}

export default { render };
