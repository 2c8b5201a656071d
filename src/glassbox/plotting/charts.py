"""The book's charts: each returns its figure, with an alt sentence computed from what it shows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glassbox.plotting.colors import ERRORS, GRID, INK, MUTED, PALETTE, RIGHT
from glassbox.plotting.figures import LEFT, Axes, Figure, drawing, figure, page_width
from glassbox.plotting.images import check_texts, finite_numbers, real_numbers, to_array


def _label_inches(labels: Sequence[str]) -> float:
    """Estimate the width of the longest label at tick size."""
    return 0.085 * max(map(len, labels), default=0)


def interval(runs: Any) -> tuple[np.ndarray, np.ndarray]:
    """Compute mean and half-width of the 95% interval, ``(N,)`` each, over runs ``(R, N)``.

    The half-width, by Student's t, is 0 for a single run.
    """
    # Imported here, for it imports torch, which takes a second and which other charts do not need.
    from glassbox.training.seed_statistics import half_width

    values = np.atleast_2d(to_array(runs)).astype(float)
    count = len(values)
    if count == 1:
        return values[0], np.zeros(values.shape[1])
    return values.mean(axis=0), half_width(values.std(axis=0, ddof=1), count)


@drawing
def curves(
    series: Mapping[str, Any],
    *,
    x: Any = None,
    xlabel: str = "epoch",
    ylabel: str = "",
    title: str = "",
    yscale: str = "linear",
) -> Figure:
    """Draw a line for each series, named at its end, with a band where the series has several runs.

    Args:
        series: Name to ``(N,)`` finite numbers, or to ``(R, N)`` for R runs: drawn as their mean
            and its 95% confidence interval by Student's t. At most six series.
        x: ``(N,)`` finite positions; 1 to N unless given.
        xlabel: Name and unit of ``x``.
        ylabel: Name and unit of the numbers.
        title: Title of the plot.
        yscale: ``linear`` or ``log``.

    Raises:
        TypeError: ``series`` is no mapping to numbers, or ``x`` are no numbers.
        ValueError: There are no series or more than six, one differs in length from ``x``, a number
            is nan or infinite, ``yscale`` is unknown, or nothing is above 0 for a log scale.
    """
    if not isinstance(series, Mapping):
        raise TypeError(f"series is a {type(series).__name__}, expected names with numbers")
    if not 1 <= len(series) <= len(PALETTE):
        raise ValueError(f"series must be 1 to {len(PALETTE)}, got {len(series)}")
    if yscale not in ("linear", "log"):
        raise ValueError(f"yscale is {yscale!r}, expected linear or log")
    lines = {name: interval(_runs(name, values, yscale)) for name, values in series.items()}
    steps = len(next(iter(lines.values()))[0])
    x = np.arange(1, steps + 1) if x is None else finite_numbers(x=x)
    if x.ndim != 1:
        raise ValueError(f"x has shape {x.shape}, expected (N,)")
    for name, (mean, _) in lines.items():
        if mean.shape != x.shape:
            raise ValueError(f"series {name!r} must have {len(x)} numbers, got {mean.size}")
    fig, ax = figure()
    for color, (mean, half) in zip(PALETTE, lines.values(), strict=False):
        ax.plot(x, mean, color=color)
        if half.any():
            ax.fill_between(x, mean - half, mean + half, color=color, alpha=0.18, linewidth=0)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    if yscale != "linear":  # setting the scale that an axis has would reset its ticks
        ax.set_yscale(yscale)
    _name_lines(ax, x, {name: mean[-1] for name, (mean, _) in lines.items()})
    fig.describe(_curves_sentence(x, lines, xlabel, ylabel))
    return fig


def _runs(name: str, values: Any, yscale: str) -> np.ndarray:
    """Check the numbers of one series, ``(N,)`` or ``(R, N)``."""
    argument = f"series {name!r}"
    runs = finite_numbers(**{argument: values})
    if runs.ndim not in (1, 2) or not runs.size:
        raise ValueError(f"{argument} has shape {runs.shape}, expected (N,) or (R, N)")
    if yscale == "log" and not (runs > 0).any():
        raise ValueError(f"{argument} has nothing above 0, expected numbers for a log scale")
    return runs


def _name_lines(ax: Axes, x: np.ndarray, ends: Mapping[str, float]) -> None:
    """Name each line at its last point, and move names apart that would overlap."""
    low, high = float(x.min()), float(x.max())
    span = (high - low) or 1.0
    inches = ax.bbox.width / ax.figure.dpi
    room = min(0.6, (_label_inches(list(ends)) + 0.2) / inches)  # fraction of the axes for names
    ticks = [tick for tick in ax.get_xticks() if low <= tick <= high]
    ax.set_xlim(low - 0.02 * span, high + span * room / (1 - room))
    ax.set_xticks(ticks)
    ax.spines.bottom.set_bounds(low, high)
    place = ax.transData.transform
    heights = np.array([place((high, end))[1] for end in ends.values()])
    spots = _spread(heights, 0.17 * ax.figure.dpi)
    for (name, color), spot in zip(zip(ends, PALETTE, strict=False), spots, strict=True):
        _, y = ax.transData.inverted().transform((0, spot))
        ax.text(
            high + 0.09 * span * room, y, name, color=color, size=9.5, weight="bold", va="center"
        )


def _spread(spots: np.ndarray, step: float) -> np.ndarray:
    """Move numbers apart until neighbors differ by ``step``; a group keeps its mean."""
    order = np.argsort(spots, kind="stable")
    groups = [[i] for i in order]
    middles = [float(spots[i]) for i in order]
    k = 0
    while k < len(groups) - 1:
        reach = step * (len(groups[k]) + len(groups[k + 1])) / 2
        if middles[k + 1] - middles[k] >= reach:
            k += 1
            continue
        groups[k] += groups.pop(k + 1)
        middles.pop(k + 1)
        middles[k] = float(spots[groups[k]].mean())
        k = max(k - 1, 0)
    moved = np.empty(len(spots))
    for group, middle in zip(groups, middles, strict=True):
        moved[group] = middle + step * (np.arange(len(group)) - (len(group) - 1) / 2)
    return moved


def _curves_sentence(
    x: np.ndarray, lines: Mapping[str, tuple[np.ndarray, np.ndarray]], xlabel: str, ylabel: str
) -> str:
    parts = []
    for name, (mean, half) in lines.items():
        spread = f" ± {half[-1]:.2g}" if half.any() else ""
        parts.append(f"{name} goes from {mean[0]:.3g} to {mean[-1]:.3g}{spread}")
    what = f"{ylabel} over {xlabel}" if ylabel else f"Curves over {xlabel}"
    return f"{what} from {x[0]:.4g} to {x[-1]:.4g}: {'; '.join(parts)}."


@drawing
def confusion_matrix(counts: Any, class_names: Sequence[str] | None = None) -> Figure:
    """Draw a confusion matrix in which the errors stand out and the diagonal stays quiet.

    Args:
        counts: ``(K, K)`` whole numbers: how many images of the row's class were predicted to be
            of the column's, as ``sklearn.metrics.confusion_matrix`` counts them.
        class_names: Names of the classes; 0 to K - 1 unless given.

    Raises:
        TypeError: ``counts`` are no real numbers or ``class_names`` no texts.
        ValueError: ``counts`` is not a square matrix of whole numbers from 0 to below 2**53, or
            ``class_names`` differs in length.
    """
    matrix = real_numbers(counts=counts)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ValueError(f"counts must be (K, K), got {matrix.shape}")
    if not ((matrix >= 0) & (matrix < 2**53) & (matrix == np.round(matrix))).all():
        raise ValueError("counts must be whole numbers from 0 to below 2**53")
    matrix = matrix.astype(int)
    count = len(matrix)
    check_texts(count, "classes", class_names=class_names)
    names = list(class_names) if class_names is not None else [str(i) for i in range(count)]
    ax = _square(names)
    errors = matrix * (1 - np.eye(count, dtype=int))
    ax.imshow(np.where(np.eye(count), 1, np.nan), cmap=RIGHT)
    ax.imshow(np.ma.masked_equal(errors, 0), cmap=ERRORS, vmin=0, vmax=max(errors.max(), 1))
    edges = np.arange(count + 1) - 0.5
    ax.hlines(edges, -0.5, count - 0.5, color=GRID, linewidth=0.8)
    ax.vlines(edges, -0.5, count - 0.5, color=GRID, linewidth=0.8)
    _write_cells(ax, matrix, errors)
    longest = max(map(len, names))
    ax.set_xticks(range(count), names, rotation=90 if longest > 3 else 0)
    ax.set_yticks(range(count), names)
    ax.set(xlabel="predicted class", ylabel="true class")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.figure.describe(_confusion_sentence(matrix, errors, names))
    return ax.figure


def _square(names: Sequence[str]) -> Axes:
    """Make square axes with room for the class names to the left and below."""
    label = _label_inches(names)
    left, bottom = LEFT - 0.25 + label, 0.45 + (label if max(map(len, names)) > 3 else 0.15)
    side = min(0.46 * len(names), 4.6, page_width() - left - 0.65)
    right = page_width() - left - side
    _, ax = figure(height=0.75 + side + bottom, left=left, right=right, top=0.75, bottom=bottom)
    ax.set_anchor("NW")
    return ax


def _write_cells(ax: Axes, matrix: np.ndarray, errors: np.ndarray) -> None:
    """Write each count in its cell, those on the diagonal in gray, and each class's recall."""
    darkest = max(errors.max(), 1)
    for (row, col), number in np.ndenumerate(matrix):
        right = row == col
        color = MUTED if right else "white" if number > 0.6 * darkest else INK
        style = {"ha": "center", "va": "center", "size": 9, "color": color}
        if number:
            ax.text(col, row, str(number), weight="normal" if right else "bold", **style)
    style = {"va": "center", "size": 9, "color": MUTED}
    ax.text(len(matrix) - 0.25, -0.75, "recall", **style)
    for row, numbers in enumerate(matrix):
        if numbers.sum():
            fraction = f"{100 * numbers[row] / numbers.sum():.0f}%"
            ax.text(len(matrix) - 0.25, row, fraction, **style)


def _confusion_sentence(matrix: np.ndarray, errors: np.ndarray, names: Sequence[str]) -> str:
    total, right = int(matrix.sum()), int(np.trace(matrix))
    fraction = f" ({100 * right / total:.1f}%)" if total else ""
    sentence = f"Confusion matrix of {len(names)} classes: {right} of {total} right{fraction}"
    if not errors.any():
        return sentence + ", no errors."
    row, col = np.unravel_index(errors.argmax(), errors.shape)
    worst = f"{names[row]} taken for {names[col]}, {errors[row, col]} times"
    return f"{sentence}; the most frequent error is {worst}."
