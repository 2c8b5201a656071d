"""Ways into the book: the address of the whole, and the list of pages in the sidebar."""

from collections.abc import Callable
from html import escape
from pathlib import Path

# With all that a page needs to be read without being led on, and to get its policy.
START = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8" />
<link rel="icon" href="_static/favicon.svg">
<title>{title}</title>
<meta http-equiv="refresh" content="0; url={first}" />
</head>
<body><p><a href="{first}">{title}</a></p></body>
</html>
"""


def lead_in(app, exception: Exception | None) -> None:
    """Lead from the address of the book to its first page."""
    if exception or app.builder.format != "html":
        return
    first = app.builder.get_target_uri(app.config.root_doc)
    if first != "index.html":
        page = START.format(title=escape(app.config.html_title), first=first)
        Path(app.outdir, "index.html").write_text(page, "utf-8")


def name_branches(app, pagename, templatename, context, doctree) -> None:
    """Label the buttons in the theme's list of pages, which contain nothing but an arrow."""
    if "generate_toctree_html" in context:
        context["generate_toctree_html"] = _named(context["generate_toctree_html"])


def _named(generate: Callable) -> Callable:
    def generate_and_name(*args, **kwargs):
        tree = str(generate(*args, **kwargs))
        return tree.replace("<summary>", '<summary aria-label="Pages inside">')

    return generate_and_name


def setup(app) -> dict:
    """Register after the theme, which provides the function, and before the policies of pages."""
    app.connect("html-page-context", name_branches, priority=900)
    app.connect("build-finished", lead_in, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
