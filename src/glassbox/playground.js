// Optimizers race on a surface. The numbers are float64, in PyTorch's order of operations.

// Each surface: its height and its gradient. The rest (bounds, start, rates) comes with the state.
export const surfaces = {
  rosenbrock: {
    height: (x, y) => (1 - x) ** 2 + 100 * (y - x * x) ** 2,
    gradient: (x, y) => [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)],
  },
  beale: {
    height: (x, y) => (1.5 - x + x * y) ** 2 + (2.25 - x + x * y ** 2) ** 2 + (2.625 - x + x * y ** 3) ** 2,
    gradient: (x, y) => {
      const [a, b, c] = [1.5 - x + x * y, 2.25 - x + x * y ** 2, 2.625 - x + x * y ** 3];
      return [
        2 * a * (y - 1) + 2 * b * (y * y - 1) + 2 * c * (y ** 3 - 1),
        2 * a * x + 4 * b * x * y + 6 * c * x * y * y,
      ];
    },
  },
  himmelblau: {
    height: (x, y) => (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2,
    gradient: (x, y) => {
      const [a, b] = [x * x + y - 11, x + y * y - 7];
      return [4 * a * x + 2 * b, 2 * a + 4 * b * y];
    },
  },
  ravine: {
    height: (x, y) => 0.1 * (0.8 * x + 0.6 * y) ** 2 + 5 * (0.8 * y - 0.6 * x) ** 2,
    gradient: (x, y) => {
      const [along, across] = [0.2 * (0.8 * x + 0.6 * y), 10 * (0.8 * y - 0.6 * x)];
      return [0.8 * along - 0.6 * across, 0.6 * along + 0.8 * across];
    },
  },
  saddle: {
    height: (x, y) => x * x / 2 - y * y / 2 + y ** 4 / 4,
    gradient: (x, y) => [x, y ** 3 - y],
  },
  noisy_quadratic: {
    height: (x, y) => x * x / 2 + 5 * y * y,
    gradient: (x, y) => [x, 10 * y],
  },
};

function mulberry32(state) {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return (mixed ^ (mixed >>> 14)) >>> 0;
}

// Two normal numbers for a step, as the package's `standard_normals` draws them.
export function standardNormals(step, seed) {
  const state = (Math.imul(step, 0x9e3779b1) + Math.imul(seed, 0x85ebca6b) + 1) | 0;
  const first = mulberry32(state), second = mulberry32((state + 0x6d2b79f5) | 0);
  const radius = Math.sqrt(-2 * Math.log((first + 1) / 2 ** 32));
  const angle = 2 * Math.PI * second / 2 ** 32;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

// torch.lerp goes from whichever end is nearer.
const lerp = (a, b, w) => (w < 0.5 ? a + w * (b - a) : b - (b - a) * (1 - w));

// Each racer makes a function that moves one coordinate: (p, g, s) with its state s, which counts
// steps in s.t and begins with zeros.
const adam = (amsgrad, decoupled) => (settings) => {
  const { adaptiveLr: lr, beta1, beta2, eps, decay } = settings;
  return (p, g, s) => {
    if (decoupled) p *= 1 - lr * decay;
    else if (decay) g += decay * p;
    s.m = lerp(s.m, g, 1 - beta1);
    s.v = s.v * beta2 + (1 - beta2) * g * g;
    s.largest = Math.max(s.largest, s.v);
    const root = Math.sqrt(amsgrad ? s.largest : s.v) / Math.sqrt(1 - beta2 ** s.t) + eps;
    return p - lr / (1 - beta1 ** s.t) * (s.m / root);
  };
};

export const racers = {
  SGD: ({ lr, decay }) => (p, g) => p - lr * (g + decay * p),
  Momentum: ({ lr, momentum, decay }) => (p, g, s) => {
    g += decay * p;
    s.m = s.t === 1 ? g : momentum * s.m + g;
    return p - lr * s.m;
  },
  RMSprop: ({ adaptiveLr: lr, alpha, eps, decay }) => (p, g, s) => {
    g += decay * p;
    s.v = s.v * alpha + (1 - alpha) * g * g;
    return p - lr * (g / (Math.sqrt(s.v) + eps));
  },
  Adam: adam(false, false),
  AdamW: adam(false, true),
  AMSGrad: adam(true, false),
};

// One walk that can be continued: points and heights grow by step().
export function makeWalk(surface, racer, settings, start, noise = 0, seed = 0) {
  const { height, gradient } = surfaces[surface];
  const move = racers[racer](settings);
  const states = [0, 1].map(() => ({ t: 0, m: 0, v: 0, largest: 0 }));
  const walk = { points: [[...start]], heights: [height(...start)], diverged: false };
  walk.step = () => {
    if (walk.diverged) return;
    const point = walk.points.at(-1);
    const exact = gradient(...point);
    const drawn = noise ? standardNormals(walk.points.length - 1, seed) : [0, 0];
    const next = point.map((p, k) => {
      states[k].t += 1;
      return move(p, exact[k] + noise * drawn[k], states[k]);
    });
    walk.diverged = !next.every((p) => Math.abs(p) < 1e6);
    if (walk.diverged) return;
    walk.points.push(next);
    walk.heights.push(height(...next));
  };
  return walk;
}

const PAPER = "#fdfcf9", INK = "#23262f", MUTED = "#5b6070", GRID = "#e4e1d9";
const COLORS = { SGD: "#13725c", Momentum: "#b8830c", RMSprop: "#3292ea", Adam: "#203699",
  AdamW: "#d45ba9", AMSGrad: "#b34427" };
// A mark is a regular polygon: its corners, and by how much of a circle it is turned.
const MARKS = { SGD: [24, 0], Momentum: [4, 1 / 8], RMSprop: [3, 0], Adam: [4, 0], AdamW: [3, 1 / 2], AMSGrad: [6, 0] };
const corners = (name) => Array.from({ length: MARKS[name][0] }, (_, k) => {
  const angle = 2 * Math.PI * (MARKS[name][1] + k / MARKS[name][0]);
  return [Math.sin(angle), -Math.cos(angle)];
});
const LIMIT = 1000; // steps
const LEVELS = 14;
const KNOBS = [
  // key, label, choices
  ["lr", "learning rate: SGD, Momentum", [0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3]],
  ["adaptiveLr", "learning rate: the other four", [0.001, 0.003, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1]],
  ["momentum", "momentum", [0, 0.5, 0.8, 0.9, 0.95, 0.99]],
  ["beta1", "β₁ of Adam", [0, 0.5, 0.8, 0.9, 0.95, 0.99]],
  ["beta2", "β₂ of Adam, α of RMSprop", [0.5, 0.9, 0.99, 0.999, 0.9999]],
  ["eps", "ε", [1e-8, 1e-4, 1e-2, 0.1, 1]],
  ["decay", "weight decay", [0, 0.001, 0.01, 0.1, 0.5]],
  ["speed", "steps a second", [4, 15, 60, 240]],
];
const COMMON = { momentum: 0.9, beta1: 0.9, beta2: 0.99, eps: 1e-8, decay: 0, speed: 60 };

const make = (tag, props = {}, ...children) => {
  const { dataset, ...plain } = props;
  const element = Object.assign(document.createElement(tag), plain);
  Object.assign(element.dataset, dataset);
  element.append(...children);
  return element;
};

const short = (number) => {
  if (number === 0) return "0";
  if (Math.abs(number) >= 1e4 || Math.abs(number) < 1e-3) {
    const [digits, power] = number.toExponential(Math.abs(number) < 1e-3 ? 0 : 1).split("e");
    return `${digits} · 10${[...String(Number(power))].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻").join("")}`;
  }
  return String(Number(number.toPrecision(3)));
};

export function render({ model, el }) {
  const options = model.get("state");
  const known = Object.fromEntries(options.surfaces.map((surface) => [surface.name, surface]));
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const serial = window.gbRaces ?? 0; // of the page, for there each may have a module of its own
  window.gbRaces = serial + 1;
  const key = `race${serial || ""}`;
  const inPage = Boolean(model.get("inPage")); // a notebook's address is not ours

  const state = { surface: options.surface, start: options.start, on: [...options.racers], settings: {} };
  let walks = {}, step = 0, playing = 0, since = 0, frame = 0, background = null;
  const view = () => known[state.surface];
  const fresh = () => ({ ...COMMON, lr: view().lr, adaptiveLr: view().adaptiveLr });
  const knobs = KNOBS.map(([name, label, choices]) => {
    const own = options.surfaces.map((surface) => surface[name]).filter(Number.isFinite);
    return [name, label, [...new Set([...choices, ...own])].sort((a, b) => a - b)];
  });

  // ---- the address -------------------------------------------------------------------------
  const numbers = () => Object.entries(state.settings).map(([key, value]) => `${key}:${value}`);
  const write = () => {
    if (!inPage) return;
    const parts = [`surface:${state.surface}`, `start:${state.start.map((n) => +n.toPrecision(6)).join(",")}`,
      `on:${state.on.join(",")}`, ...numbers()];
    try { history.replaceState(null, "", `#${key}=${parts.join(";")}`); } catch { /* some files may not */ }
  };
  const read = () => {
    const text = inPage && new URLSearchParams(location.hash.slice(1)).get(key);
    if (!text) return false;
    const given = new Map(text.split(";").map((part) => part.split(":")));
    if (known[given.get("surface")]) state.surface = given.get("surface");
    state.settings = fresh();
    const start = (given.get("start") ?? "").split(",").map(Number);
    state.start = start.length === 2 && start.every(Number.isFinite) ? start : view().start;
    if (given.has("on")) state.on = given.get("on").split(",").filter((name) => racers[name]);
    for (const [name, , choices] of knobs) {
      const value = Number(given.get(name));
      if (given.has(name) && choices.includes(value)) state.settings[name] = value;
    }
    return true;
  };

  // ---- what is seen ------------------------------------------------------------------------
  const map = make("canvas", { className: "gb-map", tabIndex: 0 });
  const chart = make("canvas", { className: "gb-chart" });
  map.setAttribute("role", "application");
  map.setAttribute("aria-roledescription", "map");
  chart.setAttribute("role", "img");
  const status = make("p", { className: "gb-status" });
  status.setAttribute("role", "status");
  const say = (text) => { status.textContent = text; };

  const select = make("select", { id: `gb-surface-${serial}` },
    ...options.surfaces.map(({ name, title }) => make("option", { value: name, textContent: title })));
  const button = (text, act, className = "") => {
    const made = make("button", { type: "button", textContent: text, className });
    made.addEventListener("click", act);
    return made;
  };
  const play = button("▶ Play", () => (playing ? stop() : begin()), "gb-go");
  const once = button("Step", () => { stop(); advance(1); describe(); });
  const reset = button("Reset", () => {
    Object.assign(state, { surface: options.surface, start: options.start, on: [...options.racers] });
    state.settings = fresh();
    changed({ surface: true });
  });
  const link = button("Copy link", async () => {
    write();
    try { await navigator.clipboard.writeText(location.href); say("Link copied."); link.textContent = "Copied"; }
    catch { say("The link is in the address bar."); link.textContent = "In the address"; }
    setTimeout(() => { link.textContent = "Copy link"; }, 2500);
  });
  link.hidden = !inPage;

  const rows = Object.keys(racers).map((name) => {
    const box = make("input", { type: "checkbox" });
    const now = make("td", { className: "gb-now" }), best = make("td", { className: "gb-now" });
    box.addEventListener("change", () => {
      state.on = Object.keys(racers).filter((key) => (key === name ? box.checked : state.on.includes(key)));
      write();
      draw();
    });
    const mark = make("span", { className: "gb-mark" });
    const clip = corners(name).map(([x, y]) => `${50 + 50 * x}% ${50 + 50 * y}%`);
    Object.assign(mark.style, { background: COLORS[name], clipPath: `polygon(${clip})` });
    const head = make("th", { scope: "row" }, make("label", {}, box, mark, name));
    return { name, box, now, best, row: make("tr", {}, head, now, best) };
  });
  const count = make("caption", {});
  const header = make("tr", {}, ...["optimizer", "height", "lowest"].map((text) =>
    make("th", { scope: "col", textContent: text })));
  const table = make("table", { className: "gb-table" }, count, make("thead", {}, header),
    make("tbody", {}, ...rows.map(({ row }) => row)));

  const sliders = knobs.map(([name, label, choices], k) => {
    const id = `gb-race-${serial}-${k}`;
    const input = make("input", { type: "range", id, min: 0, max: choices.length - 1, step: 1 });
    const value = make("span", { className: "gb-value" });
    value.setAttribute("aria-hidden", "true");
    input.addEventListener("input", () => {
      state.settings[name] = choices[input.value];
      if (name === "speed") { put(); write(); } else changed({});
    });
    const put = () => {
      const index = choices.indexOf(state.settings[name]);
      input.value = index;
      value.textContent = short(state.settings[name]);
      input.setAttribute("aria-valuetext", value.textContent);
      input.style.setProperty("--gb-done", `${(100 * index) / (choices.length - 1)}%`);
    };
    const title = make("label", { className: "gb-name", htmlFor: id, textContent: label });
    return { put, box: make("div", { className: "gb-control" }, title, value, make("div", { className: "gb-row" }, input)) };
  });

  el.className = "gb-computed gb-race";
  el.append(make("div", { className: "gb-card" },
    make("div", { className: "gb-panel gb-bar" },
      make("label", { className: "gb-name", htmlFor: select.id, textContent: "surface" }), select,
      make("div", { className: "gb-buttons" }, play, once, reset, link)),
    make("div", { className: "gb-stage" }, map, make("div", { className: "gb-side" }, chart, table)),
    make("div", { className: "gb-panel" }, ...sliders.map(({ box }) => box))), status);

  // ---- running -----------------------------------------------------------------------------
  function restart() {
    step = 0;
    const { noise } = view();
    walks = Object.fromEntries(Object.keys(racers).map((name) => [name,
      makeWalk(state.surface, name, { ...state.settings, alpha: state.settings.beta2 }, state.start, noise)]));
  }
  function advance(steps) {
    for (let k = 0; k < steps && step < LIMIT; k++, step++) Object.values(walks).forEach((walk) => walk.step());
    draw();
  }
  function tick(now) {
    const due = Math.min(8, Math.floor(((now - since) * state.settings.speed) / 1000 + 0.1));
    if (due > 0) { since = now; advance(due); }
    if (step >= LIMIT) stop(); else playing = requestAnimationFrame(tick);
  }
  function begin() {
    if (step >= LIMIT) restart();
    if (calm) { advance(50); describe(); return; }
    since = performance.now();
    playing = requestAnimationFrame(tick);
    face();
  }
  function halt() {
    cancelAnimationFrame(playing);
    playing = 0;
    face();
  }
  function stop() {
    if (playing) describe();
    halt();
  }
  function face() {
    play.textContent = playing ? "❚❚ Pause" : calm ? "▶ 50 steps" : "▶ Play";
  }
  function describe() {
    const heights = state.on.map((name) => `${name} ${walks[name].diverged ? "diverged" : short(walks[name].heights.at(-1))}`);
    say(`After ${step} steps: ${heights.join(", ")}.`);
  }
  function changed({ surface = false, address = true }) {
    const going = playing;
    halt();
    if (surface) { background = null; select.value = state.surface; }
    sliders.forEach(({ put }) => put());
    restart();
    const [x, y] = state.start.map((n) => n.toFixed(2));
    map.setAttribute("aria-label", `Map of ${view().title}. Start at ${x}, ${y}. Arrow keys move it, Enter plays.`);
    if (address) write();
    draw();
    if (going && !surface) begin();
  }

  // ---- drawing -----------------------------------------------------------------------------
  const scale = () => Math.min(2, devicePixelRatio || 1);
  function context(canvas) {
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const ratio = scale();
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      if (canvas === map) background = null;
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    return [pen, width, height];
  }
  const toMap = ([x, y], width, height) => {
    const [[x0, x1], [y0, y1]] = view().bounds;
    return [((x - x0) / (x1 - x0)) * width, ((y1 - y) / (y1 - y0)) * height];
  };
  const toSurface = (px, py) => {
    const [[x0, x1], [y0, y1]] = view().bounds;
    return [x0 + (px / map.clientWidth) * (x1 - x0), y1 - (py / map.clientHeight) * (y1 - y0)];
  };
  const floor = () => Math.min(...view().minima.map((point) => surfaces[state.surface].height(...point)));

  // Bands of the logarithm of the height above the lowest point, with a line between bands.
  function paintBackground(width, height) {
    const ratio = scale();
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    const low = floor(), bands = new Float64Array(w * h);
    const { height: f } = surfaces[state.surface];
    const [[x0, x1], [y0, y1]] = view().bounds;
    let [least, most] = [Infinity, -Infinity];
    for (let j = 0; j < h; j++) {
      for (let i = 0; i < w; i++) {
        const value = Math.log(f(x0 + ((i + 0.5) / w) * (x1 - x0), y1 - ((j + 0.5) / h) * (y1 - y0)) - low + 0.05);
        bands[j * w + i] = value;
        least = Math.min(least, value);
        most = Math.max(most, value);
      }
    }
    const level = (value) => Math.min(LEVELS - 1, Math.floor(((value - least) / (most - least)) * LEVELS));
    const image = new ImageData(w, h);
    for (let k = 0; k < w * h; k++) {
      const band = level(bands[k]);
      const edge = (k % w && level(bands[k - 1]) !== band) || (k >= w && level(bands[k - w]) !== band);
      const t = 1 - band / (LEVELS - 1); // low ground is darker
      const shade = edge ? 0.82 : 1;
      image.data.set([(253 - 84 * t) * shade, (252 - 66 * t) * shade, (249 - 24 * t) * shade, 255], 4 * k);
    }
    background = make("canvas", { width: w, height: h });
    background.getContext("2d").putImageData(image, 0, 0);
  }
  function mark(pen, name, x, y, r) {
    const size = MARKS[name][0] > 4 ? r : 1.25 * r;
    pen.beginPath();
    for (const [right, down] of corners(name)) pen.lineTo(x + size * right, y + size * down);
    pen.closePath();
    pen.fillStyle = COLORS[name];
    pen.strokeStyle = PAPER;
    pen.lineWidth = 1.5;
    pen.stroke();
    pen.fill();
  }
  function cross(pen, name, x, y, r) {
    for (const [color, width] of [[PAPER, 6], [COLORS[name], 3]]) {
      line(pen, [[x - r, y - r], [x + r, y + r]], color, width);
      line(pen, [[x - r, y + r], [x + r, y - r]], color, width);
    }
  }
  // Where a way that never comes back leaves the map, a little inside of its edge.
  function exit(points, width, height) {
    const last = points.findLastIndex(([x, y]) => x >= 0 && x <= width && y >= 0 && y <= height);
    const [from, to] = [points[last], points[last + 1]];
    if (!from || !to) return from;
    const room = from.map((at, k) => {
      const way = to[k] - at;
      return way ? ((way > 0 ? [width, height][k] - 10 : 10) - at) / way : 1;
    });
    const share = Math.max(0, Math.min(1, ...room));
    return from.map((at, k) => at + share * (to[k] - at));
  }
  function line(pen, points, color, width) {
    pen.beginPath();
    for (const [x, y] of points) pen.lineTo(x, y);
    pen.strokeStyle = color;
    pen.lineWidth = width;
    pen.lineJoin = "round";
    pen.stroke();
  }
  function drawMap() {
    const [pen, width, height] = context(map);
    if (!width) return;
    if (!background) paintBackground(width, height);
    pen.drawImage(background, 0, 0, width, height);
    pen.font = "600 12px system-ui, sans-serif";
    for (const point of view().minima) {
      const [x, y] = toMap(point, width, height);
      line(pen, [[x - 6, y], [x + 6, y]], INK, 2);
      line(pen, [[x, y - 6], [x, y + 6]], INK, 2);
    }
    for (const name of state.on) {
      const points = walks[name].points.map((point) => toMap(point, width, height));
      line(pen, points, PAPER, 4);
      line(pen, points, COLORS[name], 2);
    }
    for (const name of state.on) {
      const points = walks[name].points.map((point) => toMap(point, width, height));
      const lost = walks[name].diverged && exit(points, width, height);
      if (lost) cross(pen, name, ...lost, 6);
      else mark(pen, name, ...points.at(-1), 6);
    }
    const [x, y] = toMap(state.start, width, height);
    pen.beginPath();
    pen.arc(x, y, 9, 0, 7);
    pen.strokeStyle = INK;
    pen.lineWidth = 2;
    pen.stroke();
    if (!step) {
      pen.fillStyle = INK;
      pen.textAlign = x > width / 2 ? "right" : "left";
      pen.fillText("start: click or drag", x + (x > width / 2 ? -14 : 14), y + 4);
    }
  }
  function drawChart() {
    const [pen, width, height] = context(chart);
    if (!width) return;
    const [left, right, top, bottom] = [44, 12, 34, 26];
    pen.fillStyle = PAPER;
    pen.fillRect(0, 0, width, height);
    const low = floor();
    const span = Math.max(50, step);
    const above = (value) => Math.min(4, Math.max(-8, Math.log10(value - low + 1e-12)));
    const across = (k) => left + (k / span) * (width - left - right);
    const down = (power) => top + ((4 - power) / 12) * (height - top - bottom);
    pen.font = "11px system-ui, sans-serif";
    pen.fillStyle = MUTED;
    for (let power = -8; power <= 4; power += 4) {
      line(pen, [[left, down(power)], [width - right, down(power)]], GRID, 1);
      pen.textAlign = "right";
      pen.fillText(power ? `10${[...String(power)].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻").join("")}` : "1", left - 6, down(power) + 4);
    }
    pen.textAlign = "center";
    for (const k of [0, span / 2]) pen.fillText(Math.round(k), across(k), height - 8);
    pen.textAlign = "right";
    pen.fillText(`${span} steps`, width - right + 6, height - 8);
    pen.fillStyle = INK;
    pen.textAlign = "left";
    pen.font = "600 12px system-ui, sans-serif";
    pen.fillText("height above the minimum", 8, 15);
    const every = Math.max(1, Math.floor(span / 300));
    for (const name of state.on) {
      const { heights, diverged } = walks[name];
      const points = [];
      for (let k = 0; k < heights.length; k += every) points.push([across(k), down(above(heights[k]))]);
      points.push([across(heights.length - 1), down(above(heights.at(-1)))]);
      line(pen, points, COLORS[name], 2);
      (diverged ? cross : mark)(pen, name, ...points.at(-1), 4.5);
    }
  }
  function fill() {
    count.textContent = `step ${step}`;
    for (const { name, box, now, best, row } of rows) {
      const { heights, diverged } = walks[name];
      box.checked = state.on.includes(name);
      row.classList.toggle("gb-off", !box.checked);
      now.textContent = diverged ? "diverged" : short(heights.at(-1));
      best.textContent = short(heights.reduce((a, b) => Math.min(a, b)));
    }
    const heard = state.on.map((name) => `${name} ${rows.find((row) => row.name === name).now.textContent}`);
    chart.setAttribute("aria-label", `Height above the minimum over ${step} steps, on a logarithmic scale. ${heard.join(", ")}.`);
  }
  function draw() {
    if (frame) return;
    frame = requestAnimationFrame(() => {
      frame = 0;
      drawMap();
      drawChart();
      fill();
    });
  }

  // ---- listening ---------------------------------------------------------------------------
  const inside = (point) => point.map((value, k) => {
    const [from, to] = view().bounds[k];
    return Math.min(to, Math.max(from, value));
  });
  const place = (event) => {
    const box = map.getBoundingClientRect();
    state.start = inside(toSurface(event.clientX - box.left, event.clientY - box.top));
    changed({ address: false });
  };
  map.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    map.setPointerCapture(event.pointerId);
    halt();
    place(event);
  });
  map.addEventListener("pointermove", (event) => { if (map.hasPointerCapture(event.pointerId)) place(event); });
  map.addEventListener("pointerup", (event) => {
    if (event.button) return;
    write();
    if (!calm) begin();
  });
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  map.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); play.click(); }
    if (!arrow) return;
    event.preventDefault();
    const size = event.shiftKey ? 0.1 : 0.02;
    halt();
    state.start = inside(state.start.map((value, k) => {
      const [from, to] = view().bounds[k];
      return value + arrow[k] * size * (to - from);
    }));
    changed({});
    say(`Start at ${state.start.map((n) => n.toFixed(2)).join(", ")}.`);
  });
  // A notebook takes plain keys for its own commands; those with a modifier are the browser's.
  el.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  });
  select.addEventListener("change", () => {
    state.surface = select.value;
    state.start = view().start;
    state.settings = { ...state.settings, lr: view().lr, adaptiveLr: view().adaptiveLr };
    changed({ surface: true });
  });
  new ResizeObserver(draw).observe(map);

  const restore = () => {
    const found = read();
    if (found) el.scrollIntoView({ block: "center" });
    return found;
  };
  const follow = () => { if (restore()) changed({ surface: true, address: false }); };
  window.addEventListener("hashchange", follow);

  state.settings = fresh();
  restore();
  changed({ surface: true, address: false });
  return () => {
    halt();
    window.removeEventListener("hashchange", follow);
  };
}

export default { render };
