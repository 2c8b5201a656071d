"""Controls in a real JupyterLab: run the notebook, move them, see the picture change."""

import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser

SOURCE = """
import time
from pathlib import Path

from glassbox.explorables import explore, slider
from glassbox.plotting.figures import figure

drawn = []

def draw(size, outlined):
    if size == 20 and outlined:
        raise RuntimeError("twenty is too many")
    while Path("hold").exists():
        time.sleep(0.01)
    drawn.append(size)
    made, ax = figure(alt=f"A bar of {size}, drawing {len(drawn)}.")
    ax.bar([0], [size], fill=not outlined, edgecolor="black")
    ax.set(ylim=(0, 20))
    return made

explore(draw, size=slider(1, 20, start=2), outlined=False)
"""

RACE = """
from glassbox.chapters.adam.playground import optimizer_playground

optimizer_playground()
"""

PICTURE = """
from glassbox.chapters.gradcam.photo_cam.photo_cam import see_your_picture

see_your_picture("coffee")
"""

OPTIONS = {
    "ServerApp.port": "0",
    "ServerApp.open_browser": "False",
    "ServerApp.allow_root": "True",
    "IdentityProvider.token": "",
    "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    "LabApp.extension_manager": "readonly",
}

FOLDERS = (
    "HOME",
    "IPYTHONDIR",
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
)


def wait_for_server(process, runtime: Path) -> str:
    """Wait until the server has written where it listens."""
    for _ in range(1500):
        for file in runtime.glob("jpserver-*.json"):
            return json.loads(file.read_text())["url"]
        assert process.poll() is None, "JupyterLab ended before it was ready"
        time.sleep(0.2)
    raise TimeoutError("JupyterLab was not ready after 300 s")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="module")
def lab(root):
    """A JupyterLab with one notebook that knows nothing of the user's files and settings."""
    cells = [nbformat.v4.new_code_cell(source) for source in (SOURCE, RACE, PICTURE)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    (root / "work").mkdir()
    nbformat.write(notebook, root / "work" / "explore.ipynb")
    environment = {**os.environ, **{name: str(root / name.lower()) for name in FOLDERS}}
    environment.pop("GLASSBOX_EXPLORE", None)
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={root / 'work'}"]
    with (root / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [*command, *(f"--{name}={value}" for name, value in OPTIONS.items())],
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:
            yield wait_for_server(process, root / "jupyter_runtime_dir")
        finally:
            process.terminate()
            process.wait(120)


@pytest.fixture(scope="module")
def notebook(lab, browser):
    """The notebook's page once all its cells have run."""
    context = browser.new_context(viewport={"width": 1200, "height": 1000})
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.goto(f"{lab}lab/tree/explore.ipynb")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.locator(".jp-OutputArea .widget-html img").wait_for()
    yield page
    context.close()


def picture(page):
    image = page.locator(".jp-OutputArea .widget-html img")
    image.evaluate("image => image.decode()")
    return np.asarray(Image.open(io.BytesIO(image.screenshot())).convert("L"), dtype=int)


def wait_for_size(page, size) -> int:
    """Wait for the picture of a size and return which drawing it is."""
    image = page.locator(f'.jp-OutputArea .widget-html img[alt^="A bar of {size},"]')
    image.wait_for()
    return int(re.search(r"drawing (\d+)", image.get_attribute("alt"))[1])


def test_slider_moves_the_picture_by_keyboard(notebook):
    notebook.locator(".noUi-handle").focus()
    notebook.keyboard.press("Home")
    wait_for_size(notebook, 1)
    before = picture(notebook)
    notebook.keyboard.press("ArrowRight")
    wait_for_size(notebook, 2)
    assert (np.abs(picture(notebook) - before) > 40).mean() > 0.01
    assert notebook.locator(".widget-readout").first.inner_text() == "2"


def test_fast_moves_are_drawn_less_often_than_they_come(notebook, root):
    """Where a drawing takes as long as all of them, however fast the machine is."""
    hold = root / "work" / "hold"
    notebook.locator(".noUi-handle").focus()
    notebook.keyboard.press("Home")
    first = wait_for_size(notebook, 1)
    hold.touch()
    for _ in range(15):
        notebook.keyboard.press("ArrowRight")
    hold.unlink()
    assert wait_for_size(notebook, 16) - first < 15


def test_error_is_shown_in_place_of_the_picture_and_goes_away(notebook):
    notebook.get_by_role("checkbox", name="outlined").focus()
    notebook.keyboard.press("Space")
    notebook.locator(".noUi-handle").focus()
    notebook.keyboard.press("End")
    alert = notebook.get_by_role("alert").filter(has_text="RuntimeError: twenty is too many")
    alert.wait_for()
    assert notebook.locator(".jp-OutputArea .widget-html img").count() == 0
    notebook.locator(".noUi-handle").focus()
    notebook.keyboard.press("Home")
    wait_for_size(notebook, 1)
    assert alert.count() == 0


def test_a_picture_computed_in_the_page_runs_and_takes_its_keys(notebook):
    race = notebook.locator(".gb-race")
    race.get_by_role("button", name="Step").click()
    race.get_by_text("step 1", exact=True).wait_for()
    land = race.locator(".gb-map")
    land.focus()
    before = land.get_attribute("aria-label")
    notebook.keyboard.press("ArrowDown")  # which in a notebook goes to the next cell
    assert land.get_attribute("aria-label") != before
    assert land.evaluate("land => land === document.activeElement")


def test_a_network_comes_from_the_kernel_when_it_is_asked_for(notebook):
    picture = notebook.locator(".gb-photo")
    picture.get_by_role("button", name="Start").click()
    picture.get_by_text(re.compile("A cup of coffee")).wait_for()
    picture.get_by_text("espresso", exact=True).wait_for()
    assert "which is its logit" in picture.locator(".gb-sum").inner_text()
