"""A module that computes in a page, and the model it gets there."""

import shutil
from pathlib import Path

import pytest

import glassbox
from glassbox.explorables import js_widgets as computed
from glassbox.explorables.showing import PLAYER
from glassbox.plotting import figure

pytestmark = pytest.mark.browser

PAGE_SCRIPT = Path(glassbox.__path__[0]) / "explorables" / "js" / "page.js"

COUNTER = """
function render({ model, el }) {
  const shown = document.createElement("output");
  const { name } = model.get("state");
  const show = () => { shown.textContent = `${name} ${model.get("count") ?? 0}`; };
  const more = document.createElement("button");
  more.textContent = "More";
  more.addEventListener("click", () => {
    model.set("count", (model.get("count") ?? 0) + 1);
    model.save_changes();
  });
  const stop = document.createElement("button");
  stop.textContent = "Stop";
  stop.addEventListener("click", () => model.off("change:count", show));
  model.on("change:count", show);
  el.append(shown, more, stop);
  show();
}
export default { render };
"""
BROKEN = """
async function render({ model, el }) {
  el.append("half done");
  await null;
  model.get("nothing").there;
}
export default { render };
"""


@pytest.fixture
def opened(monkeypatch, tmp_path, visit, serve):
    """Open a page that shows modules: opened((source, state), ...)."""

    def show(*modules):
        shown = []
        monkeypatch.setenv("GLASSBOX_EXPLORE", "page")
        monkeypatch.setattr(computed, "display", lambda data, **_: shown.append(data[PLAYER]))
        files = {}
        read = computed.read_bundle
        monkeypatch.setattr(computed, "read_bundle", lambda name: files.get(name) or read(name))
        shutil.copy(PAGE_SCRIPT, tmp_path)
        for number, (source, state) in enumerate(modules):
            name = f"module{number}"
            started = f'import {{ mount }} from "./page.js";{source}mount("{name}", render);'
            files |= {f"{name}.js": source, f"{name}.page.js": started, f"{name}.css": "p {}"}
            still, _ = figure(alt="A still picture.")
            computed.show_computed(name, state, still=still, name="Counter")
        body = "".join(shown)
        head = "<!doctype html><meta charset=utf-8><link rel=icon href=data:,>"
        (tmp_path / "page.html").write_text(head + body, "utf-8")
        return visit(f"{serve(tmp_path)}/page.html")

    return show


def test_the_model_tells_of_changes_and_each_module_has_its_own(opened):
    visited = opened((COUNTER, {"name": "</script> ✓"}), (COUNTER, {"name": "second"}))
    first, second = visited.page.locator("output").all()
    assert first.inner_text() == "</script> ✓ 0" and second.inner_text() == "second 0"
    assert visited.page.locator("img").count() == 0
    visited.page.get_by_role("button", name="More").first.click()
    assert first.inner_text() == "</script> ✓ 1" and second.inner_text() == "second 0"
    visited.page.get_by_role("button", name="Stop").first.click()
    visited.page.get_by_role("button", name="More").first.click()
    assert first.inner_text() == "</script> ✓ 1"
    assert visited.errors == [] and visited.outside() == []


def test_what_goes_wrong_is_shown_beside_the_still_picture(opened):
    visited = opened((BROKEN, {}), (COUNTER, {"name": "other"}))
    alert = visited.page.get_by_role("alert")
    alert.wait_for()
    assert alert.inner_text().startswith("This picture could not be started: TypeError")
    assert visited.page.get_by_role("img", name="A still picture.").count() == 1
    assert visited.page.locator("output").inner_text() == "other 0"
    assert any("there" in error for error in visited.errors)
