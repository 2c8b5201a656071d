"""What a page would load in vain: markup without a color, pictures far below, unused icons."""

import re
from pathlib import Path

from fontTools import subset

# Tokens that the style sheet shows in the color of plain text.
PLAIN = re.compile(r'<span class="(?:n|nn|nx|o|p|w)">([^<]*)</span>')
PICTURE = re.compile(r"<img (?![^>]*\bloading=)")
ICON_NAME = re.compile(r"\bfa-[a-z0-9-]+")
ICON_RULE = re.compile(
    r"(?<=})((?:\.fa-[a-z0-9-]+(?:::?before)?,?)+)\{(?:--fa|content):\"\\([0-9a-f]+) ?\"[^}]*\}"
)
ICON_CODE = re.compile(r"\\([ef][0-9a-f]{3})\b")
THEME = "styles/pydata-sphinx-theme.css"
ICONS = "vendor/fontawesome/webfonts/fa-solid-900.woff2"
OWN_STYLES = ("book.css", "styles/sphinx-book-theme.css", "togglebutton.css")


def cut_font(source: Path, target: Path, characters: set[int]) -> None:
    """Write a font with only the given characters, in the format of the target's suffix."""
    options = subset.Options(flavor=target.suffix[1:], layout_features=["*"], hinting=False)
    font = subset.load_font(source, options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=characters)
    cutter.subset(font)
    subset.save_font(font, target, options)


def lighten(app, pagename, templatename, context, doctree) -> None:
    """Drop the markup of tokens without a color, and load pictures as they come into view."""
    if body := context.get("body"):
        context["body"] = PICTURE.sub('<img loading="lazy" ', PLAIN.sub(r"\1", body))


def cut_icons(app, exception: Exception | None) -> None:
    """Reduce the icons, font and rules, to those that a page or a style of the book names."""
    static = Path(app.outdir) / "_static"
    font_file, theme_file = static / ICONS, static / THEME
    if exception or app.builder.format != "html" or not font_file.exists():
        return
    pages = "".join(page.read_text("utf-8") for page in Path(app.outdir).rglob("*.html"))
    scripts = "".join(file.read_text("utf-8") for file in static.rglob("*.js"))
    named = set(ICON_NAME.findall(pages + scripts))
    codes = set()

    def cut(rule: re.Match) -> str:
        if named.isdisjoint(ICON_NAME.findall(rule[1])):
            return ""
        codes.add(rule[2])
        return rule[0]

    theme_file.write_text(ICON_RULE.sub(cut, theme_file.read_text("utf-8")), "utf-8")
    for style in OWN_STYLES:
        codes.update(ICON_CODE.findall((static / style).read_text("utf-8")))
    cut_font(font_file.with_suffix(".ttf"), font_file, {int(code, 16) for code in codes})


def setup(app) -> dict:
    """Register what is done to each page, and to the finished build."""
    app.connect("html-page-context", lighten, priority=800)
    app.connect("build-finished", cut_icons)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
