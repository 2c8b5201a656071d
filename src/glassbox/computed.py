"""Pictures that are computed where they are seen: JavaScript modules in a page and in a notebook.

A module is a file of the package, ``<name>.js``, with its style beside it, ``<name>.css``. It is an
ES module of the shape that anywidget asks for: ``export default { render }``, where
``render({ model, el })`` fills the element ``el`` and finds its data by ``model.get("state")``. In
a page, but not in a notebook, ``model.get("inPage")`` is true. Numbers in bulk, as the weights of a
network, travel in the state as base64. What several modules need is a part of its own, without a
default export.
"""

import base64
import html
import json
from collections.abc import Sequence
from typing import Any

from IPython.display import display

from glassbox.explorables import PLAYER, for_page
from glassbox.figures import Figure, display_size, to_pixels, to_png
from glassbox.live import WIDGET
from glassbox.player import asset

STYLES = ("player.css", "{}.css")


def show_computed(
    module: str, state: dict[str, Any], *, still: Figure, name: str, parts: Sequence[str] = ()
) -> None:
    """Show a module: by anywidget in a kernel, and inlined where ``GLASSBOX_EXPLORE`` is ``page``.

    In a page it works without a kernel and a network, also opened as a file.

    Args:
        module: Name of the module among the package's files.
        state: What the module finds under ``state``; anything that JSON can say.
        still: Stands where there is no JavaScript, and is stored in the notebook.
        name: The title, for those who hear the page.
        parts: Names of other scripts whose functions the module uses; they go before it.

    Raises:
        FileNotFoundError: If there is no such module or part.
        TypeError: If JSON can't say the state.
    """
    source = "\n".join(asset(f"{script}.js") for script in (*parts, module))
    styles = [asset(style.format(module)) for style in STYLES]
    content = json.dumps(state, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    page = {PLAYER: _page(module, source, styles, content, still, name)} if for_page() else {}
    pixels = to_pixels(still)
    view = {
        "version_major": 2,
        "version_minor": 0,
        "model_id": _widget(source, styles, json.loads(content)).model_id,
    }
    data = {
        "text/plain": f"{name}: {still.alt}",
        "image/png": base64.b64encode(to_png(pixels)).decode(),
        WIDGET: view,
    }
    display(data | page, metadata={"image/png": display_size(pixels)}, raw=True)


def _widget(source: str, styles: list[str], state: dict[str, Any]) -> Any:
    import anywidget
    import traitlets

    class Computed(anywidget.AnyWidget):
        _esm = source
        _css = "\n".join(styles)
        state = traitlets.Dict().tag(sync=True)

    return Computed(state=state)


def _page(
    module: str, source: str, styles: list[str], content: str, still: Figure, name: str
) -> str:
    """Write the HTML: styles, still picture, data, and the module with the code that starts it."""
    pixels = to_pixels(still)
    height, width = pixels.shape[:2]
    picture = base64.b64encode(to_png(pixels)).decode()
    escaped = content.replace("<", "\\u003c")  # which cannot end the script element
    return (
        "".join(f"<style>{style}</style>" for style in styles)
        + f'<div class="gb-computed" data-module="{module}" role="group" '
        f'aria-label="{html.escape(name)}">'
        f'<div class="gb-card"><img src="data:image/png;base64,{picture}" '
        f'alt="{html.escape(still.alt)}" width="{width}" height="{height}">'
        f'<noscript><p class="gb-note">Without JavaScript this is a still picture.</p></noscript>'
        f'</div><script type="application/json">{escaped}</script></div>'
        f'<script type="module">{source}\n{asset("computed.js")}\nmount("{module}", render);'
        f"</script>"
    )
