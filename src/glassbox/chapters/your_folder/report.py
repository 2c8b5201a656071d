"""The report of a training: one page that needs nothing else, light or dark."""

import html
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from glassbox.chapters.your_folder.options import Options
from glassbox.chapters.your_folder.watch import BEST, clock
from glassbox.data.picture_files import printable
from glassbox.plotting.charts import confusion_matrix, curves
from glassbox.plotting.colors import DARK_INK, DARK_PAPER, INK, MUTED, PAPER
from glassbox.plotting.figures import Figure
from glassbox.plotting.page_pictures import figure_html
from glassbox.training.history import History

_MOST_CLASSES = 16  # of a confusion matrix that can be read
_LONGEST = 16  # characters of a name in it
_CONFUSIONS = 12  # in the table that takes its place

_STYLE = f"""
:root {{ color-scheme: light dark; --paper: {PAPER}; --ink: {INK}; --muted: {MUTED};
  --line: #d9d5ca; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --paper: {DARK_PAPER}; --ink: {DARK_INK}; --muted: #a3a7b3; --line: #3a3e48; }} }}
body {{ margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif; }}
main {{ max-width: 46rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }}
h1 {{ line-height: 1.2; }}
h2 {{ margin-top: 2.2rem; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); text-align: right; }}
td {{ white-space: nowrap; }}
th:first-child, td:first-child {{ text-align: left; white-space: normal; min-width: 6.5rem;
  overflow-wrap: anywhere; }}
@media (max-width: 540px) {{
  th, td {{ padding-right: .5rem; font-size: .875rem; }}
  th:first-child, td:first-child {{ min-width: 5.5rem; }} }}
figure {{ margin: 1rem 0; }}
figcaption, small {{ color: var(--muted); }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; font-size: .85rem; }}
summary {{ cursor: pointer; font-weight: 600; margin-top: 1rem; }}
"""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def page(options: Options, history: History, result: dict[str, Any], log: Path) -> str:
    """Write the page.

    Args:
        options: Of the run.
        history: Of the training.
        result: What was measured with the weights of the best epoch.
        log: The file of the lines that were printed.
    """
    title = f"{options.backbone} on {len(result['classes'])} classes"
    with warnings.catch_warnings():
        # The font of the figures lacks some scripts; the tables have every name.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        body = "\n".join(_parts(title, options, history, result, log))
    return _PAGE.format(title=html.escape(title), style=_STYLE, body=body)


def _parts(
    title: str, options: Options, history: History, result: dict[str, Any], log: Path
) -> Iterator[str]:
    yield f"<h1>{html.escape(title)}</h1>"
    last = "test" if "test" in result else "validation"
    yield f"<p>{_headline(result, last)}</p>"
    yield "<h2>Each class</h2>"
    yield _classes(result)
    yield f"<h2>What is taken for what, {last}</h2>"
    yield _confusion(result["classes"], np.array(result[last]["confusion"]))
    yield "<h2>Epoch by epoch</h2>"
    yield from map(_figure, _charts(history))
    yield "<details><summary>What was printed</summary>"
    yield f'<pre tabindex="0">{_read(log)}</pre></details>'
    yield "<details><summary>All flags</summary>"
    rows = [(f"--{name.replace('_', '-')}", str(v)) for name, v in options.decisive().items()]
    yield _table(("flag", "value"), rows) + "</details>"
    made = f"{result['made_with']}; {clock(result['seconds'])} minutes"
    yield f"<p><small>{html.escape(made)}</small></p>"


def _headline(result: dict[str, Any], last: str) -> str:
    matrix = np.array(result[last]["confusion"])
    right, total = int(np.trace(matrix)), int(matrix.sum())
    balanced = f"{100 * result[last][BEST]:.1f}"
    told = (
        f"<strong>{right} of {total}</strong> pictures of the {last} are right, which is an "
        f"accuracy of {100 * right / total:.1f} percent. Each class counted the same, it is "
        f"<strong>{balanced} percent</strong>: the balanced accuracy. These are the weights of "
        f"epoch {result['best_epoch']}, which had the best balanced accuracy in the validation."
    )
    if last == "validation":
        told += " There was no test folder, and what picked the epoch flatters it."
    return told


def _classes(result: dict[str, Any]) -> str:
    parts = [part for part in ("validation", "test") if part in result]
    rows = []
    for k, name in enumerate(result["classes"]):
        row = [printable(name), str(result["counts"]["train"][k])]
        for part in parts:
            numbers = result[part]["confusion"][k]
            row.append(f"{numbers[k]} of {sum(numbers)}" if sum(numbers) else "none")
        rows.append(row)
    return _table(("class", "trained on", *(f"right, {part}" for part in parts)), rows)


def _confusion(classes: Sequence[str], matrix: np.ndarray) -> str:
    if len(classes) <= _MOST_CLASSES:
        short = [
            n if len(n) <= _LONGEST else f"{n[: _LONGEST - 1]}…" for n in map(printable, classes)
        ]
        return _figure(confusion_matrix(matrix, short))
    wrong = matrix * (1 - np.eye(len(matrix), dtype=int))
    order = np.argsort(-wrong, axis=None, kind="stable")[:_CONFUSIONS]
    pairs = [np.unravel_index(place, wrong.shape) for place in order]
    rows = [
        (printable(classes[row]), printable(classes[column]), str(wrong[row, column]))
        for row, column in pairs
        if wrong[row, column]
    ]
    return _table(("class", "taken for", "times"), rows) if rows else "<p>No errors.</p>"


def _short(name: str) -> str:
    name = printable(name)
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _charts(history: History) -> Iterator[Figure]:
    yield curves({"training": history.train_loss}, ylabel="loss that is trained with")
    yield curves({"validation": history.metrics["cross-entropy"]}, ylabel="cross-entropy")
    percents = {"all pictures": history.validation_accuracy, "balanced": history.metrics[BEST]}
    yield curves(
        {name: 100 * np.array(values) for name, values in percents.items()},
        ylabel="validation accuracy, percent",
    )


def _figure(figure: Figure) -> str:
    return f"<figure>{figure_html(figure)}</figure>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f'<th scope="col">{html.escape(one)}</th>' for one in head)
    lines = ["".join(f"<td>{html.escape(one)}</td>" for one in row) for row in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return (
        f'<div class="wide" tabindex="0"><table><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _read(log: Path) -> str:
    return html.escape(log.read_text("utf-8")) if log.exists() else ""
