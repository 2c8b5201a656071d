(() => {
  "use strict";
  if (customElements.get("gb-player")) return;

  const PLAY_MS = 700;
  const STATUS_MS = 700;
  let serial = 0;

  const make = (tag, className, text = "") => {
    const element = document.createElement(tag);
    element.className = className;
    element.textContent = text;
    return element;
  };

  const button = (className, text, onClick) => {
    const element = make("button", className, text);
    element.type = "button";
    element.addEventListener("click", onClick);
    return element;
  };

  // Each builder makes one control. It returns the element and put(), which shows a choice.
  const builders = {
    slider(control, choose, player) {
      const box = make("div", "gb-control");
      const name = make("label", "gb-name", control.label);
      const value = make("span", "gb-value");
      const row = make("div", "gb-row");
      const input = make("input", "");
      const last = control.labels.length - 1;
      Object.assign(input, { type: "range", id: `gb-${++serial}`, min: 0, max: last, step: 1 });
      name.htmlFor = input.id;
      value.setAttribute("aria-hidden", "true");
      input.addEventListener("input", () => choose(Number(input.value)));
      if (control.play && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
        row.append(player.playButton(control.label, () => choose((Number(input.value) + 1) % (last + 1), true)));
      }
      row.append(input);
      box.append(name, value, row);
      const put = (choice) => {
        input.value = choice;
        input.setAttribute("aria-valuetext", control.labels[choice]);
        input.style.setProperty("--gb-done", `${(100 * choice) / last}%`);
        value.textContent = control.labels[choice];
      };
      return { box, put };
    },

    dropdown(control, choose) {
      const box = make("div", "gb-control");
      const name = make("label", "gb-name", control.label);
      const select = make("select", "");
      select.id = name.htmlFor = `gb-${++serial}`;
      control.labels.forEach((label) => select.append(make("option", "", label)));
      select.addEventListener("change", () => choose(select.selectedIndex));
      box.append(name, select);
      return { box, put: (choice) => (select.selectedIndex = choice) };
    },

    toggle(control, choose) {
      const box = make("label", "gb-control gb-toggle");
      const input = make("input", "");
      input.type = "checkbox";
      input.addEventListener("change", () => choose(Number(input.checked)));
      box.append(make("span", "gb-name", control.label), input);
      return { box, put: (choice) => (input.checked = choice === 1) };
    },

    buttons(control, choose) {
      const box = make("fieldset", "gb-control");
      const segments = make("div", "gb-segments");
      const group = `gb-${++serial}`;
      const inputs = control.labels.map((label, choice) => {
        const item = make("label", "");
        const input = make("input", "");
        Object.assign(input, { type: "radio", name: group });
        input.addEventListener("change", () => choose(choice));
        item.append(input, make("span", "", label));
        segments.append(item);
        return input;
      });
      box.append(make("legend", "gb-name", control.label), segments);
      return { box, put: (choice) => (inputs[choice].checked = true) };
    },
  };

  class Player extends HTMLElement {
    connectedCallback() {
      // While the page is read, the element begins before its content is there.
      if (!this.build()) document.addEventListener("DOMContentLoaded", () => this.build(), { once: true });
    }

    disconnectedCallback() {
      this.stop();
    }

    build() {
      const source = this.querySelector('script[type="application/json"]');
      if (!source || this.data) return Boolean(this.data);
      this.data = JSON.parse(source.textContent);
      this.image = this.querySelector("img");
      this.choices = this.data.controls.map((control) => control.start);
      this.status = make("p", "gb-status");
      this.status.setAttribute("role", "status");
      const panel = make("div", "gb-panel");
      this.knobs = this.data.controls.map((control, k) =>
        builders[control.kind](control, (choice, playing) => this.choose(k, choice, playing), this));
      const reset = button("gb-reset", "Reset", () => this.reset());
      panel.append(...this.knobs.map((knob) => knob.box), reset);
      this.image.after(panel, this.status);
      this.knobs.forEach((knob, k) => knob.put(this.choices[k]));
      this.listen();
      return true;
    }

    listen() {
      // A notebook takes plain keys for its own commands; those with a modifier are the browser's.
      this.addEventListener("keydown", (event) => {
        if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
      });
      const load = () => this.preload();
      this.addEventListener("pointerenter", load, { once: true });
      this.addEventListener("focusin", load, { once: true });
      const seen = new IntersectionObserver((entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        seen.disconnect();
        load();
      });
      addEventListener("scroll", () => seen.observe(this), { once: true, passive: true });
    }

    choose(k, choice, playing = false) {
      if (!playing) this.stop();
      this.choices[k] = choice;
      this.show(playing);
    }

    reset() {
      this.stop();
      this.choices = this.data.controls.map((control) => control.start);
      this.show();
    }

    show(silent = false) {
      const { controls, states, alts, frames } = this.data;
      const state = this.choices.reduce((index, choice, k) => index * controls[k].labels.length + choice, 0);
      this.knobs.forEach((knob, k) => knob.put(this.choices[k]));
      this.image.src = frames[states[state]];
      this.image.alt = alts[state];
      clearTimeout(this.waiting);
      // Said only when the reader rests, so that a drag is not a flood of sentences.
      if (!silent) this.waiting = setTimeout(() => (this.status.textContent = alts[state]), STATUS_MS);
    }

    preload() {
      if (this.loaded) return;
      this.loaded = [];
      const next = (i) => {
        if (i === this.data.frames.length) return;
        const frame = new Image();
        frame.onload = frame.onerror = () => next(i + 1);
        frame.src = this.data.frames[i];
        this.loaded.push(frame);
      };
      next(0);
    }

    playButton(label, step) {
      const control = button("gb-play", "", () => {
        const start = this.playing !== control;
        this.stop();
        if (!start) return;
        this.playing = control;
        this.timer = setInterval(step, PLAY_MS);
        face();
        step();
      });
      const face = () => {
        const on = this.playing === control;
        control.textContent = on ? "❚❚" : "▶";
        control.setAttribute("aria-label", `${on ? "Pause" : "Play"} ${label}`);
      };
      control.face = face;
      face();
      return control;
    }

    stop() {
      clearInterval(this.timer);
      const control = this.playing;
      this.playing = null;
      if (control) control.face();
    }
  }

  customElements.define("gb-player", Player);
})();
