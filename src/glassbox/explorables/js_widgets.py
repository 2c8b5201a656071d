"""Pictures that are computed where they are seen: JavaScript modules in a page and in a notebook.

A module is an ES module of the shape that anywidget asks for: ``export default { render }``, where
``render({ model, el })`` fills the element ``el`` and finds its data by ``model.get("state")``. In
a page, but not in a notebook, ``model.get("inPage")`` is true. Numbers in bulk, as the weights of a
network, travel in the state as base64, and its ``colors`` are those of the figures. A large file,
which only those who ask for it should load, is a function among ``files``; ``readFile`` of
``files.js`` promises it.

``make scripts`` bundles a module with all that it imports: as ``<name>.js`` for a kernel's front
end, as ``<name>.page.js``, which starts it in a page, and its style as ``<name>.css``. What a
module does in a worker is in its bundle as text: a page that was opened as a file loads no worker.
"""

import base64
import html
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from IPython.display import display

from glassbox.explorables.static_view import read_bundle
from glassbox.explorables.widget_view import outputs
from glassbox.plotting.colors import BLUE, GRID, INK, MUTED, PAPER
from glassbox.plotting.dark import turned_color
from glassbox.plotting.figures import Figure, to_pixels
from glassbox.plotting.page_pictures import PLAYER, STYLE, for_page, still_html

_STYLES = ("player.css", "{}.css")
COLORS: Mapping[str, str] = MappingProxyType(
    {"paper": PAPER, "ink": INK, "muted": MUTED, "grid": GRID, "accent": BLUE}
)


def show_computed(
    module: str,
    state: dict[str, Any],
    *,
    still: Figure,
    name: str,
    colors: Mapping[str, Any] | None = None,
    themed: bool = True,
    files: Mapping[str, Callable[[], bytes]] | None = None,
) -> None:
    """Show a module: by anywidget in a kernel, and inlined where ``GLASSBOX_EXPLORE`` is ``page``.

    In a page it works without a kernel and a network, also opened as a file.

    Args:
        module: Name of the module among the package's bundles.
        state: What the module finds under ``state``; anything that JSON can say.
        still: Stands where there is no JavaScript, and is stored in the notebook.
        name: The title, for those who hear the page.
        colors: What the module's ``colors`` have beside those of all figures; a single color is
            known to its style sheet as ``--gb-figure-<name>``.
        themed: Give it in a page the colors for dark pages, too, as ``dark`` in its state; not if
            all of them are those of pictures.
        files: Functions that make what the module may ask for, by name. A kernel calls one when it
            is asked; for a page all are called, and the book puts what they make beside the page.
    """
    styles = [read_bundle(style.format(module)) for style in _STYLES]
    colored = state | {"colors": {**COLORS, **(colors or {})}}
    files, page = files or {}, {}
    if for_page():
        more = {"dark": _turned(colored["colors"])} if themed else {}
        if files:
            more["files"] = {key: _script_url(make()) for key, make in files.items()}
        page = {PLAYER: _page(module, styles, _json(colored | more), still, name)}
    widget = _widget(read_bundle(f"{module}.js"), styles, json.loads(_json(colored)), files)
    data, metadata = outputs(widget, f"{name}: {still.alt}", to_pixels(still))
    display(data | page, metadata=metadata, raw=True)


def _json(state: Mapping[str, Any]) -> str:
    return json.dumps(state, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _turned(colors: Any) -> Any:
    """Turn a color, or all that are in a mapping or a sequence."""
    if isinstance(colors, str):
        return turned_color(colors)
    if isinstance(colors, Mapping):
        return {name: _turned(one) for name, one in colors.items()}
    return [_turned(one) for one in colors]


def _script_url(data: bytes) -> str:
    """Write a script that gives a file to the element that loads it: ``files.js`` listens there.

    Beside a page that was opened as a file a browser loads scripts, and nothing else that could be
    read.
    """
    text = base64.b64encode(data).decode()
    script = f'document.currentScript.dispatchEvent(new CustomEvent("file",{{detail:"{text}"}}))'
    return f"data:text/javascript;base64,{base64.b64encode(script.encode()).decode()}"


def _widget(
    source: str,
    styles: list[str],
    state: dict[str, Any],
    files: Mapping[str, Callable[[], bytes]],
) -> Any:
    import anywidget
    import traitlets

    class Computed(anywidget.AnyWidget):
        _esm = source
        _css = "\n".join(styles)
        state = traitlets.Dict().tag(sync=True)

    def send(widget: Computed, content: dict[str, Any], buffers: list[memoryview]) -> None:
        if (name := content.get("file")) in files:
            widget.send({"file": name}, [files[name]()])

    made = Computed(state=state)
    made.on_msg(send)
    return made


def _page(module: str, styles: list[str], content: str, still: Figure, name: str) -> str:
    """Write the HTML: styles, still picture, data, and the script that starts the module.

    The attributes ``data-shared`` and ``data-frames`` are those of
    :mod:`~glassbox.plotting.page_pictures`.
    """
    escaped = content.replace("<", "\\u003c")  # which cannot end the script element
    return (
        STYLE
        + "".join(f"<style data-shared>{style}</style>" for style in styles)
        + f'<div class="gb-computed" data-module="{module}" data-frames role="group" '
        f'aria-label="{html.escape(name)}">'
        f'<div class="gb-card">{still_html(still)}'
        f'<noscript><p class="gb-note">Without JavaScript this is a still picture.</p></noscript>'
        f'</div><script type="application/json">{escaped}</script></div>'
        f'<script type="module" data-shared>{read_bundle(f"{module}.page.js")}</script>'
    )
