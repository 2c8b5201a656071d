"""The list of pages in the sidebar: labels for the buttons that open its branches."""

from collections.abc import Callable


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
    """Register after the theme, which provides the function."""
    app.connect("html-page-context", name_branches, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
