"""``explore``: one function with controls, alive with a kernel and in a page without one."""

from collections.abc import Callable
from typing import Any

from IPython.display import display
from matplotlib.figure import Figure

from glassbox.explorables.explorable import Explorable, make_explorable
from glassbox.plotting.page_pictures import PLAYER, for_page


def explore(
    draw: Callable[..., Figure],
    *,
    name: str | None = None,
    start: dict[str, Any] | None = None,
    **controls: Any,
) -> None:
    """Show a picture with controls that redraw it.

    In a kernel the controls are ipywidgets, and a still picture is stored in the notebook. Where
    the environment variable ``GLASSBOX_EXPLORE`` is ``page``, all states are drawn, too (100 at
    most), and a player that needs neither a kernel nor a network is put out beside the rest.

    Args:
        draw: Takes each control's value by name and returns a figure; the ``alt`` of a
            :class:`glassbox.plotting.figures.Figure` describes the state.
        name: The title, for those who hear the page; by default ``draw``'s own name.
        start: Argument name to the choice at the start, where it is not the control's own.
        **controls: For each argument of ``draw`` a :func:`~glassbox.explorables.controls.slider`,
            :func:`~glassbox.explorables.controls.slider_over`,
            :func:`~glassbox.explorables.controls.dropdown`,
            :func:`~glassbox.explorables.controls.buttons` or
            :func:`~glassbox.explorables.controls.toggle`; or in short
            ``(low, high)`` or ``(low, high, step)``, a list or a dict, or a bool.

    Raises:
        TypeError: ``draw`` does not accept the controls, or does not return a figure.
        ValueError: A control or ``start`` is wrong, or a grid for a page has more than 100 states.
        Exception: Whatever ``draw`` raises: for the first picture, or, for a page, for any. With a
            kernel, the message of a later picture takes its place until the next one succeeds.
    """
    from glassbox.explorables.widget_view import live_outputs

    page = for_page()
    explorable = make_explorable(draw, name, start, controls)
    player = {PLAYER: _player(explorable)} if page else {}
    data, metadata = live_outputs(explorable)
    display(data | player, metadata=metadata, raw=True)


def _player(explorable: Explorable) -> str:
    from glassbox.explorables.static_view import static_outputs

    return static_outputs(explorable)[0]["text/html"]
