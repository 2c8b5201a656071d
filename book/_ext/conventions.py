"""What plain Markdown in a chapter means on the page.

The notebooks contain no directives, so that they read well in any notebook program. Two writing
conventions carry a meaning that the page shows:

- a paragraph that begins with a bold label, as in ``**Predict.**``, gets a class of its own;
- the first *emphasized* use of a glossary term on a page becomes a link to the glossary.
"""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode

LABELS = {"Predict.": "gb-predict", "Read.": "gb-read"}


class LabelledParagraphs(SphinxTransform):
    """Give a paragraph the class of the label it begins with."""

    default_priority = 500

    def apply(self) -> None:
        for paragraph in self.document.findall(nodes.paragraph):
            # MyST puts an empty text before bold text at the beginning of a paragraph.
            first = next((child for child in paragraph.children if child.astext()), None)
            if isinstance(first, nodes.strong) and first.astext() in LABELS:
                paragraph["classes"].append(LABELS[first.astext()])


class GlossaryLinks(SphinxPostTransform):
    """Link the first emphasized use of a term on a page to the glossary."""

    default_priority = 400

    def run(self) -> None:
        terms = {
            name.lower(): place
            for (kind, name), place in self.env.get_domain("std").objects.items()
            if kind == "term"
        }
        seen = set()
        for emphasis in list(self.document.findall(nodes.emphasis)):
            text = emphasis.astext().lower()
            term = next((form for form in (text, text.removesuffix("s")) if form in terms), None)
            if term is None or term in seen or isinstance(emphasis.parent, nodes.reference):
                continue
            seen.add(term)
            page, anchor = terms[term]
            if page != self.env.docname:
                builder = self.app.builder
                link = make_refnode(builder, self.env.docname, page, anchor, emphasis.deepcopy())
                link["classes"].append("gb-term")
                emphasis.replace_self(link)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_transform(LabelledParagraphs)
    app.add_post_transform(GlossaryLinks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
