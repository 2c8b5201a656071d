"""Controls, states, and ``explore`` in a real kernel."""

import base64
import io
import itertools
import math
import re
import subprocess
import sys
import threading
import time
from decimal import Decimal
from fractions import Fraction

import matplotlib.figure
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ipywidgets.widgets.widget import _instances
from jupyter_client.manager import start_new_kernel
from PIL import Image
from refusals import refuses

from glassbox.explorables import buttons, dropdown, explore, slider, slider_over, toggle
from glassbox.explorables.controls import as_control
from glassbox.explorables.explorable import make_explorable
from glassbox.explorables.widget_view import WIDGET, live_outputs
from glassbox.plotting import figure
from glassbox.plotting.figures import to_png


def draw(a, b="x"):
    made, ax = figure(width=3, height=2, alt=f"A bar of {a}, {b}.")
    ax.bar([0], [a])
    return made


@given(st.integers(-50, 50), st.integers(1, 9), st.integers(1, 40))
def test_slider_of_integers_goes_from_low_to_high_in_equal_steps(low, step, steps):
    made = slider(low, low + step * steps, step)
    assert made.values == tuple(range(low, low + step * steps + 1, step))
    assert all(type(value) is int for value in made.values)
    assert made.start == (steps + 1) // 2


@given(
    st.integers(-50, 50), st.integers(1, 9), st.integers(1, 40), st.sampled_from([10, 100, 1000])
)
def test_slider_of_fractions_has_no_rounding_noise(low, step, steps, scale):
    made = slider(low / scale, (low + step * steps) / scale, step / scale)
    exact = [(low + step * i) / scale for i in range(steps + 1)]
    assert list(made.values) == exact
    assert [float(label) for label in made.labels] == exact
    assert len({len(label.lstrip("-").split(".")[-1]) for label in made.labels}) == 1


def test_labels_of_a_slider_carry_their_unit():
    assert slider(1, 3, unit="px").labels == ("1 px", "2 px", "3 px")
    assert slider(0, 100, 50, unit="%").labels == ("0%", "50%", "100%")
    assert slider_over([0.001, 0.01, 0.1]).labels == ("0.001", "0.01", "0.1")


test_wrong_controls_are_refused = refuses(
    (lambda: slider(1, 1), "high is 1, expected a whole number of steps above low, 1"),
    (lambda: slider(5, 1), "high is 1"),
    (lambda: slider(0, 1, 0.3), "high is 1"),
    (lambda: slider(0, 1, 0), "step is 0, expected above 0"),
    (lambda: slider(0, 4, start=5), "start is 5, expected one of 0–4"),
    (lambda: slider_over([1]), "values is .* expected two or more"),
    (lambda: slider_over([]), "values is .* expected two or more"),
    (lambda: dropdown(["a"]), "options is .* for a dropdown"),
    (lambda: buttons(["a", "a"]), "options has 'a' 2 times, expected .* look different"),
    (lambda: slider_over([1.00001, 1.00002, 2.0]), "values has '1' 2 times"),
    (lambda: dropdown(["a", "b"], start="c"), r"start is 'c', expected one of a\|b"),
    (lambda: as_control("n", (4, 1)), "control 'n': high is 1"),
)


test_what_makes_no_choices_is_named = refuses(
    (lambda: slider(0, math.nan), "high is nan, expected a finite number"),
    (lambda: slider(-math.inf, 1), "low is -inf, expected a finite number"),
    (lambda: slider(0, 1, math.nan), "step is nan, expected a finite number"),
    (lambda: slider(0, 4, start=math.nan), "start is nan, expected a finite number"),
    (lambda: slider("0", 3), TypeError, "low is '0', expected a number"),
    (lambda: slider_over([1, math.nan]), "values is nan, expected a finite number"),
    (lambda: slider(0, 1, Fraction(1, 4)), TypeError, r"step is Fraction\(1, 4\), expected an int"),
    (lambda: slider(0, 3, label=5), TypeError, "label is 5, expected text"),
    (lambda: slider(0, 3, unit=5), TypeError, "unit is 5, expected text"),
    (lambda: slider_over(None), TypeError, "values is None, expected several choices"),
    (lambda: dropdown(7), TypeError, "options is 7, expected several choices"),
    (lambda: toggle(math.nan), r"start is nan, expected one of off\|on"),
    (lambda: dropdown([Decimal("sNaN"), 1], start=2), r"start is 2, expected one of sNaN\|1"),
    (lambda: buttons("ab", start=np.ones(2)), r"start is array\(.*, expected one of a\|b"),
)

test_more_choices_than_a_slider_has_pixels_are_refused_at_once = refuses(
    (lambda: explore(draw, a=(0, 10**9)), "'a': high is 1000000000, expected up to 1000 steps"),
    (lambda: slider(0, 1, 1e-30), "high is 1, expected up to 1000 steps above low, 0, by step, 1"),
    (lambda: slider(0, 1001), "high is 1001, expected up to"),
    (lambda: dropdown(range(10**12)), "options has over 1001 choices"),
    (lambda: slider_over(itertools.count()), "values has over 1001 choices"),
)


def test_a_thousand_steps_are_not_too_many():
    assert slider(0, 1000).labels[-1] == slider_over(range(1001, 0, -1)).labels[1] == "1000"


def test_integers_of_numpy_are_integers():
    made = slider(np.int64(2), np.int64(8), np.int64(3))
    assert made.values == (2, 5, 8) and all(type(value) is int for value in made.values)


def test_an_array_is_found_among_arrays():
    zeros, ones = np.zeros(3), np.ones(3)
    assert dropdown([zeros, ones], start=ones).start == 1


def test_shorthands_stand_for_controls():
    assert as_control("n", (1, 5)) == slider(1, 5, label="n")
    assert as_control("n", (0, 1, 0.25)) == slider(0, 1, 0.25, label="n")
    assert as_control("the_loss", ["mse", "ce"]) == dropdown(["mse", "ce"], label="the loss")
    assert as_control("n", {"few": 3, "many": 300}).values == (3, 300)
    assert as_control("n", True) == toggle(True, label="n")
    assert as_control("n", buttons("ab", label="letter")).label == "letter"


@pytest.mark.parametrize("spec", [3, "abc", (1, 2, 3, 4), ("a", "b"), None])
def test_other_things_are_no_controls(spec):
    with pytest.raises(TypeError, match=r"control 'n': spec is .* expected a control"):
        as_control("n", spec)


def test_values_of_a_dict_may_be_arrays():
    made = dropdown({"zeros": np.zeros(3), "ones": np.ones(3)}, start="ones")
    assert made.start == 1 and made.labels == ("zeros", "ones")


def test_states_are_all_combinations_with_the_last_control_fastest():
    made = make_explorable(draw, None, {"b": "y"}, {"a": (1, 3), "b": ["x", "y"]})
    assert [tuple(made.values(s).values()) for s in made.states()] == [
        (a, b) for a in (1, 2, 3) for b in "xy"
    ]
    assert made.start == (1, 1)
    assert made.settings(made.start) == "a 2, b y"
    assert made.summary("Alt.") == "Explorable: draw. Controls: a 1–3, b x|y. Alt."


test_functions_and_controls_that_do_not_fit_are_refused = refuses(
    ((None, None, None, {"a": (1, 2)}), TypeError, "draw is None"),
    ((draw, None, None, {}), "controls is empty"),
    ((draw, None, None, {"c": (1, 2)}), TypeError, "draw .* c: "),
    ((draw, None, None, {"b": ["x", "y"]}), TypeError, "missing a required argument: 'a'"),
    ((draw, None, {"z": 1}, {"a": (1, 2)}), "start has 'z'"),
    ((draw, None, {"a": 9}, {"a": (1, 2)}), "start is 9, expected one of 1–2"),
    ((draw, 5, None, {"a": (1, 2)}), TypeError, "name is 5, expected text"),
    ((draw, None, 1, {"a": (1, 2)}), TypeError, "start is 1, expected a dict"),
    by=lambda arguments: make_explorable(*arguments),
)


def test_state_without_alt_text_is_described_by_its_controls():
    made = make_explorable(lambda a: matplotlib.figure.Figure(), "plain", None, {"a": (1, 3)})
    assert made.picture((2,)).alt == "plain: a 3."


def test_draw_must_return_a_figure():
    made = make_explorable(lambda a: None, None, None, {"a": (1, 3)})
    with pytest.raises(TypeError, match="draw is None, expected a matplotlib Figure"):
        made.picture((0,))


def test_unknown_mode_is_refused(monkeypatch):
    monkeypatch.setenv("GLASSBOX_EXPLORE", "dynamic")
    with pytest.raises(ValueError, match="GLASSBOX_EXPLORE is 'dynamic'"):
        explore(draw, a=(1, 3))


def test_explore_imports_neither_torch_nor_pyplot():
    code = (
        "import os, sys; os.environ['GLASSBOX_EXPLORE'] = 'page';"
        "import glassbox.explorables.showing as e, glassbox.plotting.figures as f;"
        "e.explore(lambda a: f.figure()[0], a=(1, 2));"
        "assert not {'torch', 'matplotlib.pyplot'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


SOURCE = """
from glassbox.explorables import buttons, dropdown, explore, slider
from glassbox.plotting.figures import figure, to_png
from glassbox.explorables.widget_view import WIDGET, live_outputs

def draw(size, side, color, filled):
    if size == 5 and not filled:
        raise RuntimeError("five <is> too many")
    made, ax = figure(alt=f"A {color} bar of {size} on the {side}, {filled}.")
    ax.bar([side], [size], color=color, fill=filled)
    return made

explore(draw, size=slider(1, 5), side=buttons(["left", "right"]),
        color=dropdown({"blue": "navy", "red": "brown"}), filled=True)
"""


class Kernel:
    """A kernel, and the front end's half of its widgets."""

    def __init__(self):
        self.manager, self.client = start_new_kernel(startup_timeout=300)
        self.models = {}
        self.outputs = []

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def run(self, source):
        self._settle(self.client.execute(source))

    def send(self, model, **state):
        content = {
            "comm_id": model,
            "data": {"method": "update", "state": state, "buffer_paths": []},
        }
        message = self.client.session.msg("comm_msg", content)
        self.client.shell_channel.send(message)
        self._settle(message["header"]["msg_id"])

    def _settle(self, request):
        while True:
            message = self.client.get_iopub_msg(timeout=300)
            kind, content = message["msg_type"], message["content"]
            if kind == "comm_open":
                self.models[content["comm_id"]] = content["data"]["state"]
            elif kind == "comm_msg" and content["data"]["method"] == "update":
                self.models[content["comm_id"]].update(content["data"]["state"])
            elif kind in ("display_data", "error"):
                self.outputs.append(content)
            mine = message["parent_header"].get("msg_id") == request
            if mine and kind == "status" and content["execution_state"] == "idle":
                return

    def model(self, name):
        found = [key for key, state in self.models.items() if state["_model_name"] == name]
        assert len(found) == 1
        return found[0]

    @property
    def screen(self):
        return self.models[self.model("HTMLModel")]["value"]


@pytest.fixture(scope="module")
def shown():
    made = Kernel()
    made.run(SOURCE)
    yield made
    made.close()


@pytest.fixture
def kernel(shown):
    """The same kernel with its controls where they started."""
    for name, state in START.items():
        shown.send(shown.model(name), **state)
    return shown


START = {
    "SelectionSliderModel": {"index": 2},
    "ToggleButtonsModel": {"index": 0},
    "DropdownModel": {"index": 0},
    "CheckboxModel": {"value": True},
}


def picture(screen):
    alt, data = re.match(r'<img alt="(.*?)" src="data:image/png;base64,(.*?)"', screen).groups()
    return alt, np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))


@pytest.mark.parametrize(
    ("name", "state", "alt"),
    [
        ("SelectionSliderModel", {"index": 4}, "A navy bar of 5 on the left, True."),
        ("ToggleButtonsModel", {"index": 1}, "A navy bar of 3 on the right, True."),
        ("DropdownModel", {"index": 1}, "A brown bar of 3 on the left, True."),
        ("CheckboxModel", {"value": False}, "A navy bar of 3 on the left, False."),
    ],
)
def test_each_widget_redraws_the_picture_and_its_alt_text(kernel, name, state, alt):
    first_alt, before = picture(kernel.screen)
    assert first_alt == "A navy bar of 3 on the left, True."
    kernel.send(kernel.model(name), **state)
    new_alt, after = picture(kernel.screen)
    assert new_alt == alt
    assert (before != after).any()


def test_widgets_redraw_while_they_are_moved_and_say_what_they_are(kernel):
    bar = kernel.models[kernel.model("SelectionSliderModel")]
    assert bar["continuous_update"] is True and bar["description"] == "size"
    assert bar["_options_labels"] == ["1", "2", "3", "4", "5"]
    assert kernel.models[kernel.model("DropdownModel")]["_options_labels"] == ["blue", "red"]


def test_error_takes_the_place_of_the_picture_until_the_next_good_state(kernel):
    kernel.send(kernel.model("CheckboxModel"), value=False)
    kernel.send(kernel.model("SelectionSliderModel"), index=4)
    assert "<img" not in kernel.screen and "<is>" not in kernel.screen
    assert "RuntimeError: five &lt;is&gt; too many" in kernel.screen
    assert "draw failed at size 5, side left, color blue, filled off" in kernel.screen
    kernel.send(kernel.model("SelectionSliderModel"), index=3)
    assert picture(kernel.screen)[0] == "A navy bar of 4 on the left, False."


def test_controls_moved_at_once_end_at_what_is_set(monkeypatch):
    data, _ = live_outputs(make_explorable(draw, None, {"a": 0}, {"a": (0, 2), "b": ["x", "y"]}))
    first, second, screen = _instances[data[WIDGET]["model_id"]].children
    began = threading.Event()

    def slow_at_first(pixels):
        if threading.current_thread() is slow:
            began.set()
            time.sleep(0.3)
        return to_png(pixels)

    monkeypatch.setattr("glassbox.explorables.widget_view.to_png", slow_at_first)
    slow = threading.Thread(target=lambda: setattr(first, "index", 1))
    slow.start()
    assert began.wait(timeout=300)
    second.index = 1
    slow.join()
    assert picture(screen.value)[0] == "A bar of 1, y."


def test_what_is_stored_is_a_still_picture_and_one_line_of_text(shown):
    (output,) = [o for o in shown.outputs if "data" in o]
    data = output["data"]
    assert set(data) == {
        "text/plain",
        "image/png",
        "application/vnd.jupyter.widget-view+json",
    }
    assert data["text/plain"] == (
        "Explorable: draw. Controls: size 1–5, side left|right, color blue|red, filled off|on. "
        "A navy bar of 3 on the left, True."
    )
    assert Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).size == (840, 432)


def test_error_in_the_first_picture_is_raised_by_the_cell(shown):
    earlier = len(shown.outputs)
    shown.run(SOURCE.replace("slider(1, 5)", "slider(1, 5, start=5)").replace("=True)", "=False)"))
    assert [output.get("ename") for output in shown.outputs[earlier:]] == ["RuntimeError"]
