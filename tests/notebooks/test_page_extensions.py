"""The extensions that turn formulas and players into pages."""

import base64
import hashlib
import re
import sys
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import docutils_namespace

EXTENSIONS = Path(__file__).resolve().parents[2] / "book" / "_ext"
sys.path.insert(0, str(EXTENSIONS))

import formulas  # noqa: E402
import navigation  # noqa: E402
import players  # noqa: E402
import policy  # noqa: E402


@pytest.mark.parametrize(
    ("tex", "letters"),
    [
        (r"\mathbb{E}\mathbb{R}\mathbb{1}", "𝔼ℝ𝟙"),
        (r"\mathcal{L}\mathcal{N}\mathscr{B}", "ℒ𝒩ℬ"),
        (r"\mathbf{x}\mathbf{W}\mathbf{\Sigma}\boldsymbol{w}", "𝐱𝐖𝚺𝒘"),
        (r"\mathfrak{R}\mathfrak{g}\mathsf{q}\mathtt{a1}", "ℜ𝔤𝗊𝚊𝟷"),
    ],
)
def test_alphabets_are_spelled_in_their_own_letters(tex, letters):
    mathml = re.sub(r"<annotation.*", "", formulas.to_mathml(tex, False))
    assert re.sub(r"<[^>]*>", "", mathml) == letters
    assert "mathvariant" not in mathml.replace('mathvariant="normal"', "")


def test_a_function_keeps_its_distance_but_not_from_a_bracket():
    assert "mspace" in formulas.to_mathml(r"\log x", False)
    assert "mspace" not in formulas.to_mathml(r"\log(x)", False)


def test_operators_in_scripts_are_set_close():
    assert re.search(r'<mo lspace="0em" rspace="0em">=</mo>', formulas.to_mathml(r"x_{i=1}", False))
    assert "lspace" not in formulas.to_mathml("x=1", False)


def test_a_mistake_in_tex_is_an_error_that_names_it():
    with pytest.raises(ValueError, match=r"KaTeX parse error.*\\fraq"):
        formulas.to_mathml(r"\fraq{1}{2}", False)


def build(folder: Path, text: str) -> tuple[str, str]:
    """Build a page with Sphinx; return its HTML and the warnings."""
    (folder / "index.rst").write_text(f"Title\n=====\n\n{text}\n")
    warnings = StringIO()
    settings = {"extensions": ["formulas"], "html_math_renderer": "mathml", "numfig": True}
    out = folder / "out"
    with docutils_namespace():
        app = Sphinx(
            folder, None, out, out / ".doctrees", "html", settings, status=None, warning=warnings
        )
        app.build()
    return (out / "index.html").read_text(), warnings.getvalue()


def test_a_page_with_formulas_needs_no_script_for_them(tmp_path):
    html, warnings = build(
        tmp_path, ".. math::\n   :label: one\n\n   a &= \\sqrt{b} \\\\ c &= d\n\nSee :eq:`one`."
    )
    assert warnings == ""
    assert '<div class="formula" role="group" tabindex="0" aria-label="Formula 1"><math' in html
    assert html.count("<mtr>") == 2
    assert "mathjax" not in html.lower()
    font = (tmp_path / "out" / "_static" / "fonts" / "formulas.woff2").read_bytes()
    assert font[:4] == b"wOF2" and len(font) < 100_000


def test_a_mistake_in_a_formula_is_a_warning_of_the_build(tmp_path):
    html, warnings = build(tmp_path, r"Wrong: :math:`\frac{1`.")
    assert "KaTeX parse error" in warnings and "index.rst" in warnings
    assert "\\frac{1" in html


def player(frame: bytes) -> str:
    url = f"data:image/png;base64,{base64.b64encode(frame).decode()}"
    data = f'<script type="application/json">{{"frames":["{url}"]}}</script>'
    return (
        f'<style data-shared>s</style><gb-player data-frames><img src="{url}">{data}</gb-player>'
        "<script data-shared>j</script>"
    )


def test_frames_become_files_and_a_page_holds_the_script_once(tmp_path):
    body = player(b"first") + "<p>between</p>" + player(b"second") + player(b"first")
    context = {"body": body, "pathto": lambda path, _: f"../{path}"}
    players.split(SimpleNamespace(outdir=tmp_path), "page", "", context, None)
    made = context["body"]
    assert "data:image" not in made
    assert made.count("<style") == made.count(">j</script>") == 1
    assert made.count("<gb-player") == 3 and made.count("<p>between</p>") == 1
    frames = {path.name: path.read_bytes() for path in tmp_path.rglob("*.png")}
    assert sorted(frames.values()) == [b"first", b"second"]
    assert set(re.findall(r"\.\./_images/frames/([\w.]+)", made)) == set(frames)


def test_a_script_that_loads_later_becomes_a_file(tmp_path):
    url = f"data:text/javascript;base64,{base64.b64encode(b'run()').decode()}"
    data = f'<script type="application/json">{{"file":"{url}"}}</script>'
    context = {"body": f"<div data-frames>{data}</div>", "pathto": lambda path, _: f"../{path}"}
    players.split(SimpleNamespace(outdir=tmp_path), "page", "", context, None)
    (file,) = tmp_path.rglob("*.js")
    assert file.read_bytes() == b"run()"
    assert f'{{"file":"../_images/frames/{file.name}"}}' in context["body"]


def rewritten(body):
    return players.rewrite(body, lambda match: f"file.{players.ENDINGS[match[1]]}")


def test_what_only_looks_like_a_player_is_left_alone():
    url = "data:image/png;base64,AAAA"
    code = f"<code>&lt;gb-player data-frames&gt; {url}</code>"
    body = f'<p title="data-frames">é\n{code}<img src="{url}"></p>'
    assert rewritten(body) == body
    for text in ("<script>'<b data-frames>'</script>", "<!-- <b data-shared> -->"):
        assert rewritten(2 * f"{text}<i>{url}</i>") == 2 * f"{text}<i>{url}</i>"


def test_elements_inside_of_a_player_do_not_end_it():
    url = "data:image/webp;base64,AA=="
    inside = f'<div><div>{url}</div></div><script>"</div>{url}"</script><img src="{url}">'
    body = f"{url}" + "\n" * 40 + f"<div class='x'\n data-frames>{inside}</div><div>{url}</div>"
    expected = body.replace(inside, inside.replace(url, "file.webp"))
    assert rewritten(body) == expected


def test_only_the_same_style_or_script_is_dropped():
    first, second = ("<style data-shared>a > b {}</style>", "<style data-shared>c {}</style>")
    own = "<style>a {}</style>"
    assert rewritten(first + second + own + first + own) == first + second + own + own


def test_a_page_without_players_is_left_alone(tmp_path):
    context = {"body": "<p>data:image/png;base64,AAAA</p>"}
    players.split(SimpleNamespace(outdir=tmp_path), "page", "", context, None)
    assert context["body"] == "<p>data:image/png;base64,AAAA</p>" and not list(tmp_path.iterdir())


PAGE = """<!doctype html><html><head><meta charset="utf-8" />
<script src="a.js"></script><script>run("1 < 2 &amp;")</script></head><body>
<script type="application/json">{"a": "run()"}</script><script type="module">run("2")</script>
<p>&lt;script&gt;run("3")&lt;/script&gt; onclick="run()"</p>%s</body></html>"""


def scripts_of(page: str) -> set[str]:
    return set(re.search(r"script-src 'self' file: 'unsafe-hashes' (.*?);", page)[1].split())


def hash_of(code: str) -> str:
    digest = hashlib.sha256(code.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def test_a_page_may_run_what_it_was_written_with_and_no_more():
    pages = {"one": PAGE % "", "two": PAGE % '<button onclick="a(&quot;b&quot;)">'}
    first, second = policy.protected(pages).values()
    own = {hash_of(code) for code in ('run("1 < 2 &amp;")', 'run("2")', 'a("b")')}
    assert scripts_of(first) == scripts_of(second) == own
    assert first.index("Content-Security-Policy") < first.index("<script")
    assert re.sub(r"\n *<meta http-equiv[^>]*>", "", first) == PAGE % ""


def test_only_a_page_whose_own_script_starts_a_worker_may():
    worker, assembly = "new Worker(a)", "WebAssembly.validate(b)"
    codes = worker + assembly, worker, assembly
    pages = {code: PAGE % f"<script>{code}</script>" for code in codes}
    pages["told"] = PAGE % f"<p>{worker} {assembly}</p>"
    found = [page.partition("; style-src")[0] for page in policy.protected(pages).values()]
    assert found[0].endswith("' 'wasm-unsafe-eval'; worker-src blob:")
    assert found[1].endswith("'; worker-src blob:") and "unsafe-eval" not in found[1]
    assert found[2].endswith("' 'wasm-unsafe-eval'")
    assert "worker-src" not in found[3] and "unsafe-eval" not in found[3]


def test_a_page_keeps_the_policy_it_has():
    once = policy.protected({"a": PAGE % "<p>Content-Security-Policy</p>"})
    assert policy.protected(once) == once
    assert once["a"].count("http-equiv") == 1


@pytest.mark.parametrize("encoding", ["", '<meta charset="latin-1">', "<meta content='utf-8'>"])
def test_a_page_that_would_have_no_policy_is_an_error(encoding):
    page = (PAGE % "").replace('<meta charset="utf-8" />', encoding)
    with pytest.raises(ExtensionError, match=r"book/a\.html has no <meta charset"):
        policy.protected({"book/b.html": PAGE % "", "book/a.html": page})


def test_the_address_of_the_book_leads_to_its_first_page_and_has_a_policy(tmp_path):
    config = SimpleNamespace(root_doc="book/first", html_title="A <title>")
    builder = SimpleNamespace(format="html", get_target_uri="{}.html".format)
    app = SimpleNamespace(outdir=tmp_path, config=config, builder=builder)
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / "macros.html").write_text("{% a template %}")
    navigation.lead_in(app, None)
    policy.protect(app, None)
    page = (tmp_path / "index.html").read_text()
    assert '<meta http-equiv="refresh" content="0; url=book/first.html" />' in page
    assert '<a href="book/first.html">A &lt;title&gt;</a>' in page
    assert "Content-Security-Policy" in page


def test_a_first_page_at_the_address_of_the_book_stays(tmp_path):
    config = SimpleNamespace(root_doc="index", html_title="A book")
    builder = SimpleNamespace(format="html", get_target_uri="{}.html".format)
    navigation.lead_in(SimpleNamespace(outdir=tmp_path, config=config, builder=builder), None)
    assert list(tmp_path.iterdir()) == []
