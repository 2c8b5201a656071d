"""A module that computes in a page, and the model it gets there."""

import pytest

from glassbox import computed
from glassbox.explorables import PLAYER
from glassbox.figures import figure

pytestmark = pytest.mark.browser

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
def opened(monkeypatch, tmp_path, visit):
    """Open a page that shows modules: opened((source, state), ...)."""

    def show(*modules):
        shown = []
        monkeypatch.setenv("GLASSBOX_EXPLORE", "page")
        monkeypatch.setattr(computed, "display", lambda data, **_: shown.append(data[PLAYER]))
        files = {}
        asset = computed.asset
        monkeypatch.setattr(computed, "asset", lambda name: files.get(name) or asset(name))
        for number, (source, state) in enumerate(modules):
            files |= {f"module{number}.js": source, f"module{number}.css": "p {}"}
            still, _ = figure(alt="A still picture.")
            computed.show_computed(f"module{number}", state, still=still, name="Counter")
        body = "".join(shown)
        (tmp_path / "page.html").write_text(f"<!doctype html><meta charset=utf-8>{body}", "utf-8")
        return visit((tmp_path / "page.html").as_uri())

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
    assert visited.page.get_by_alt_text("A still picture.").count() == 1
    assert visited.page.locator("output").inner_text() == "other 0"
    assert any("there" in error for error in visited.errors)
