"""An explorable in a kernel: ipywidgets that redraw, and a still picture to be stored."""

import base64
import html
import threading
import traceback
from collections.abc import Callable
from typing import Any

import ipywidgets
import numpy as np

from glassbox.explorables.controls import Control
from glassbox.explorables.explorable import Explorable, Picture, State
from glassbox.plotting.colors import PAPER, RUST
from glassbox.plotting.figures import display_size, to_png

WIDGET = "application/vnd.jupyter.widget-view+json"


def live_outputs(explorable: Explorable) -> tuple[dict[str, Any], dict[str, Any]]:
    """Make the widgets of an explorable, with its first picture as the fallback that is stored.

    Return data and metadata by MIME type.
    """
    first = explorable.picture(explorable.start)
    return outputs(_widgets(explorable, first), explorable.summary(first.alt), first.pixels)


def outputs(widget: Any, text: str, pixels: np.ndarray) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give data and metadata by MIME type of a widget, and of a still picture in its place."""
    data = {
        "text/plain": text,
        "image/png": base64.b64encode(to_png(pixels)).decode(),
        WIDGET: {"version_major": 2, "version_minor": 0, "model_id": widget.model_id},
    }
    return data, {"image/png": display_size(pixels)}


def _widgets(explorable: Explorable, first: Picture) -> ipywidgets.VBox:
    """Put the controls above the picture and let each change redraw it.

    The front end sends the next change of a control only when the kernel has answered the one
    before, and keeps none but the latest, so a fast drag does not pile up drawings. A kernel may
    answer two controls from two threads: the one that comes last must show what is then set.
    """
    knobs = [_WIDGETS[control.kind](control) for control in explorable.controls.values()]
    screen = ipywidgets.HTML(_img(first))
    shown, lock = explorable.start, threading.Lock()

    def redraw(_: Any) -> None:
        nonlocal shown
        with lock:
            state = tuple(int(knob.value) for knob in knobs)
            if state != shown:
                screen.value, shown = _screen(explorable, state), state

    for knob in knobs:
        knob.observe(redraw, "value")
    return ipywidgets.VBox([*knobs, screen])


def _screen(explorable: Explorable, state: State) -> str:
    """Draw a state, or show in place of the picture what went wrong."""
    try:
        return _img(explorable.picture(state))
    except Exception as error:
        return _message(explorable.settings(state), error)


def _img(picture: Picture) -> str:
    source = base64.b64encode(to_png(picture.pixels)).decode()
    width = display_size(picture.pixels)["width"]
    return (
        f'<img alt="{html.escape(picture.alt)}" src="data:image/png;base64,{source}" '
        f'style="width:{width}px;max-width:100%;height:auto;background:{PAPER}" decoding="sync">'
    )


def _message(settings: str, error: Exception) -> str:
    what = "".join(traceback.format_exception_only(error))
    where = "".join(traceback.format_exception(error))
    return (
        f'<div role="alert" style="border-left:4px solid {RUST};padding:.5em 1em">'
        f"<b>draw failed at {html.escape(settings)}</b>"
        f'<pre style="white-space:pre-wrap">{html.escape(what)}</pre>'
        f"<details><summary>Where</summary><pre>{html.escape(where)}</pre></details></div>"
    )


def _options(control: Control) -> dict[str, Any]:
    """Give what all selections have: their values are the indices of the choices."""
    return {
        "options": [(label, i) for i, label in enumerate(control.labels)],
        "value": control.start,
        "description": control.label,
        "style": {"description_width": "initial"},
    }


def _slider(control: Control) -> ipywidgets.SelectionSlider:
    return ipywidgets.SelectionSlider(
        **_options(control), continuous_update=True, layout={"width": "min(32rem, 100%)"}
    )


def _toggle(control: Control) -> ipywidgets.Checkbox:
    return ipywidgets.Checkbox(bool(control.start), description=control.label, indent=False)


_WIDGETS: dict[str, Callable[[Control], ipywidgets.DOMWidget]] = {
    "slider": _slider,
    "dropdown": lambda control: ipywidgets.Dropdown(**_options(control)),
    "buttons": lambda control: ipywidgets.ToggleButtons(**_options(control)),
    "toggle": _toggle,
}
