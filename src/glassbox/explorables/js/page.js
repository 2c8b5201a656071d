// Starts a module in a page without a kernel: each element that waits for it gets a model that
// holds its data, and the still picture gives way to what the module renders.

export function mount(name, render) {
  for (const host of document.querySelectorAll(`.gb-computed[data-module="${name}"]`)) {
    if (!host.dataset.mounted) start(host, render);
  }
}

async function start(host, render) {
  host.dataset.mounted = "true";
  const still = host.querySelector(".gb-card");
  const el = document.createElement("div");
  still.after(el);
  try {
    const data = host.querySelector('script[type="application/json"]').textContent;
    await render({ model: makeModel({ state: JSON.parse(data), inPage: true }), el });
    still.remove();
  } catch (error) {
    el.setAttribute("role", "alert");
    el.textContent = `This picture could not be started: ${error}`;
    throw error;
  }
}

/** What anywidget's model can do, as far as a page needs it. */
export function makeModel(values) {
  const events = new EventTarget();
  return {
    get: (key) => values[key],
    set(key, value) {
      values[key] = value;
      events.dispatchEvent(new Event(`change:${key}`));
    },
    on: (event, call) => events.addEventListener(event, call),
    off: (event, call) => events.removeEventListener(event, call),
    save_changes() {},
  };
}
