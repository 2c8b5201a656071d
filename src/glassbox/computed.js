// Starts a module in a page without a kernel: each element that waits for it gets a model that
// holds its data, and the still picture gives way to what the module renders.
function mount(name, render) {
  for (const host of document.querySelectorAll(`.gb-computed[data-module="${name}"]`)) {
    const data = host.querySelector('script[type="application/json"]');
    if (!data || host.dataset.mounted) continue;
    host.dataset.mounted = "true";
    const values = { state: JSON.parse(data.textContent) };
    const model = {
      get: (key) => values[key],
      set: (key, value) => { values[key] = value; },
      save_changes() {},
      on() {},
      off() {},
    };
    const el = document.createElement("div");
    const still = host.querySelector(".gb-card");
    still.after(el);
    try {
      render({ model, el });
      still.remove();
    } catch (error) {
      el.setAttribute("role", "alert");
      el.textContent = `This picture could not be started: ${error}`;
      throw error;
    }
  }
}
