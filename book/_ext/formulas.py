"""Formulas as MathML, made while the book is built, so that pages need no script and no network.

KaTeX (a JavaScript library, run here in an embedded engine) turns TeX into MathML, which browsers
draw by themselves, with a font that is reduced to the characters the book uses. A mistake in a
formula is a build warning.
"""

import atexit
import itertools
import json
import re
import xml.etree.ElementTree as ElementTree
from functools import cache
from importlib.metadata import files
from pathlib import Path

from docutils import nodes
from py_mini_racer import JSEvalException, MiniRacer
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

from weight import cut_font

ElementTree.register_namespace("", "http://www.w3.org/1998/Math/MathML")
logger = logging.getLogger(__name__)

FONT = "fonts/formulas.woff2"
CSS = "formulas.css"
STYLE = """\
@font-face { font-family: "Glassbox Math"; src: url("fonts/formulas.woff2"); font-display: block; }
math { font-family: "Glassbox Math", "STIX Two Math", "Cambria Math", math; font-size: 1.08em; }
span.math { display: inline; overflow: visible; }
div.math { display: flex; align-items: center; margin: 1.15em 0; overflow: visible; }
div.math > .formula { flex: 1; min-width: 0; padding: .2em 0; overflow: auto hidden; }
mtable[columnalign^="right"] > mtr > mtd:nth-child(odd) { text-align: right; }
mtable[columnalign^="right"] > mtr > mtd:nth-child(even) { text-align: left; }
mtable[columnalign^="left"] > mtr > mtd { text-align: left; }
mtable[columnspacing^="0em"] > mtr > mtd { padding-left: 0; padding-right: 0; }
mtable[columnspacing^="1em"] > mtr > mtd:not(:first-child) { padding-left: 1em; }
"""
# Characters that browsers add to those in formulas: roots, italics of single letters.
IMPLIED = [0x221A, 0x210E, *range(0x1D434, 0x1D468), *range(0x1D6E2, 0x1D71C)]
# Browsers no longer support the attribute mathvariant; its letters are characters of their own:
# variant -> first capital letter, first small letter, first digit.
VARIANTS = {
    "bold": (0x1D400, 0x1D41A, 0x1D7CE),
    "italic": (0x1D434, 0x1D44E, None),
    "bold-italic": (0x1D468, 0x1D482, None),
    "script": (0x1D49C, 0x1D4B6, None),
    "fraktur": (0x1D504, 0x1D51E, None),
    "double-struck": (0x1D538, 0x1D552, 0x1D7D8),
    "sans-serif": (0x1D5A0, 0x1D5BA, 0x1D7E2),
    "monospace": (0x1D670, 0x1D68A, 0x1D7F6),
}
BOLD_GREEK = {"Α": 0x1D6A8, "α": 0x1D6C2}
# Letters that Unicode had before it added the mathematical alphabets.
OLDER = dict(
    zip(
        "ℎ𝒝𝒠𝒡𝒣𝒤𝒧𝒨𝒭𝒺𝒼𝓄𝔆𝔋𝔍𝔕𝔝𝔺𝔿𝕅𝕇𝕈𝕉𝕑".replace("ℎ", "\U0001d455"),
        "ℎℬℰℱℋℐℒℳℛℯℊℴℭℌℑℜℨℂℍℕℙℚℝℤ",
        strict=True,
    )
)
MATHML = "http://www.w3.org/1998/Math/MathML"
SCRIPTS = ("msub", "msup", "msubsup", "munder", "mover", "munderover")
APPLIED = "\u2061"  # invisible, between a function's name and its argument


@cache
def _katex() -> MiniRacer:
    found = next(file for file in files("sphinxcontrib-katex") if file.name == "katex.min.js")
    engine = MiniRacer()
    atexit.register(engine.close)  # otherwise its thread keeps the process from ending
    engine.eval(found.read_text("utf-8"))
    return engine


@cache
def to_mathml(tex: str, display: bool) -> str:
    """Turn TeX into MathML; a mistake raises ``ValueError`` with the message of KaTeX."""
    options = {"displayMode": display, "output": "mathml", "strict": "ignore"}
    try:
        html = _katex().eval(f"katex.renderToString({json.dumps(tex)},{json.dumps(options)})")
    except JSEvalException as error:
        message = re.search(r"KaTeX parse error: .*|\w*Error: .*", str(error))
        raise ValueError(message[0] if message else str(error)) from error
    math = ElementTree.fromstring(re.search(r"<math.*</math>", html, re.DOTALL)[0])
    _spell_letters(math)
    _space_like_tex(math)
    return ElementTree.tostring(math, "unicode")


def _spell_letters(math: ElementTree.Element) -> None:
    for element in math.iter():
        if element.get("mathvariant") in VARIANTS:
            variant = element.attrib.pop("mathvariant")
            element.text = "".join(_letter(char, variant) for char in element.text)


def _space_like_tex(math: ElementTree.Element) -> None:
    """Set spaces as TeX does where the browsers' rules differ."""
    for parent in math.iter():
        for element, following in itertools.zip_longest(parent, parent[1:]):
            if element.text == APPLIED and not _opens(following):
                element.text = None
                element.tag = f"{{{MATHML}}}mspace"
                element.set("width", "0.17em")
    tight = [element for element in math.iter() if element.text in ("∥", "∣", "|")]
    for scripted in (element for name in SCRIPTS for element in math.iter(f"{{{MATHML}}}{name}")):
        tight += [element for script in scripted[1:] for element in script.iter()]
    for element in tight:
        if element.tag == f"{{{MATHML}}}mo" and element.get("lspace") is None:
            narrow = "0.25em" if element.text == "∣" and not element.get("stretchy") else "0em"
            element.attrib |= {"lspace": narrow, "rspace": narrow}


def _opens(element: ElementTree.Element | None) -> bool:
    return element is not None and next(element.itertext(), "") in "([{⟨"


def _letter(char: str, variant: str) -> str:
    capital, small, digit = VARIANTS[variant]
    for first, last, start in (
        ("A", "Z", capital),
        ("a", "z", small),
        ("0", "9", digit),
    ):
        if start and first <= char <= last:
            letter = chr(start + ord(char) - ord(first))
            return OLDER.get(letter, letter)
    if variant == "bold" and "Α" <= char <= "ω":
        first = "α" if char >= "α" else "Α"
        return chr(BOLD_GREEK[first] + ord(char) - ord(first))
    return char


def _rendered(translator, node: nodes.Element, tex: str, display: bool) -> str:
    app = translator.builder.app
    try:
        mathml = to_mathml(tex, display)
    except ValueError as error:
        logger.warning("%s in the formula %s", error, tex, location=node, type="formulas")
        return f"<code>{translator.encode(tex)}</code>"
    app.env.characters_of_formulas.update(re.sub(r"<annotation.*?</annotation>", "", mathml))
    return mathml


def inline(translator, node: nodes.math) -> None:
    """Write an inline formula."""
    mathml = _rendered(translator, node, node.astext(), False)
    translator.body.append(
        translator.starttag(node, "span", "", CLASS="math notranslate") + mathml + "</span>"
    )
    raise nodes.SkipNode


def displayed(translator, node: nodes.math_block) -> None:
    """Write a displayed formula with its number; a wide one scrolls."""
    tex = node.astext().strip()
    # The page numbers its formulas itself, so no environment may number its lines.
    tex = re.sub(r"\\(begin|end)\{(align|gather|equation|alignat)\}", r"\\\1{\2*}", tex)
    bare = re.sub(r"\\begin\{(\w+\*?)\}.*?\\end\{\1\}", "", tex, flags=re.DOTALL)
    if "\\\\" in bare or re.search(r"(?<!\\)&", bare):
        tex = f"\\begin{{aligned}}{tex}\\end{{aligned}}"
    mathml = _rendered(translator, node, tex, True)
    number = get_node_equation_number(translator, node) if node.get("number") else ""
    label = f"Formula {number}".strip()
    translator.body.append(
        translator.starttag(node, "div", CLASS="math notranslate")
        + f'<div class="formula" role="group" tabindex="0" aria-label="{label}">{mathml}</div>'
    )
    if number:
        translator.body.append(f'<span class="eqno">({number})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def prepare(app) -> None:
    """Start collecting the characters of formulas; every build writes all pages."""
    app.env.characters_of_formulas = set()
    app.add_css_file(CSS)


def write_style(app, exception: Exception | None) -> None:
    """Write the style sheet, and the font with the characters that the book's formulas use."""
    if exception or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    (static / CSS).write_text(STYLE, "utf-8")
    source = next(file for file in files("ziamath") if file.name == "STIXTwoMath-Regular.ttf")
    (static / FONT).parent.mkdir(exist_ok=True)
    characters = {ord(char) for char in app.env.characters_of_formulas}
    cut_font(source.locate(), static / FONT, characters.union(IMPLIED))


def setup(app) -> dict:
    """Register the renderer ``mathml``."""
    app.add_html_math_renderer("mathml", (inline, None), (displayed, None))
    app.connect("builder-inited", prepare)
    app.connect("build-finished", write_style)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
