"""Pictures among a notebook's outputs: their alt texts and their sizes."""

import re

from docutils import nodes
from sphinx.transforms import SphinxTransform

SIZED = re.compile(r'(<img [^>]*)style="width: (\d+)px; height: (\d+)px;"')


class Pictures(SphinxTransform):
    """Use the sentence stored beside a picture as its alt text, unless the cell gives one.

    MyST-NB keeps all forms of an output together until the page is written: the picture and, for
    the figures of this book, a sentence as plain text.
    """

    default_priority = 400

    def apply(self, **_) -> None:
        for bundle in self.document.findall(_is_bundle):
            forms = {form["mime_type"]: form for form in bundle.children}
            sentence = forms["text/plain"].astext() if "text/plain" in forms else ""
            for image in bundle.findall(nodes.image):
                if sentence and not _named(bundle):
                    image["alt"] = sentence


def _is_bundle(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and node.get("nb_element") == "mime_bundle"


def _named(node: nodes.Node) -> bool:
    """Return whether the cell around a node gives an alt text in its metadata."""
    while node.get("nb_element") != "cell_code":
        node = node.parent
    return bool(node["cell_metadata"].get("mystnb", {}).get("image", {}).get("alt"))


def keep_place(app, pagename, templatename, context, doctree) -> None:
    """Let a picture shrink with the page, and reserve its space until it is loaded."""
    body = context.get("body") or ""
    context["body"] = SIZED.sub(r'\1width="\2" height="\3" style="height: auto"', body)


def setup(app) -> dict:
    """Register what is done to pictures when they are read and when they are written."""
    app.add_transform(Pictures)
    app.connect("html-page-context", keep_place)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
