"""The checks of the page on tracebacks: right solutions pass, wrong ones get a line that helps."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from glassbox.chapters.tracebacks.average_figure import average_fractions, show_weight_average
from glassbox.chapters.tracebacks.exercises import check_accumulate, check_half_life
from glassbox.training import ExponentialAverage


def accumulate(model, parts, loss_fn, optimizer, scaler, max_norm, *, clip_each=False, divide=True):
    optimizer.zero_grad()
    for images, labels in parts:
        scaler.scale(loss_fn(model(images), labels) / (len(parts) if divide else 1)).backward()
        if clip_each:
            nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    scaler.unscale_(optimizer)
    norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    scaler.step(optimizer)
    scaler.update()
    return norm


def without_clearing(model, parts, loss_fn, optimizer, scaler, max_norm):
    optimizer.zero_grad = lambda: None
    return accumulate(model, parts, loss_fn, optimizer, scaler, max_norm)


def test_solutions_pass(capsys):
    check_half_life(lambda decay: math.ceil(math.log(0.5) / math.log(decay)))
    check_accumulate(accumulate)
    assert [line[:6] for line in capsys.readouterr().out.splitlines()] == ["Solved"] * 2


@pytest.mark.parametrize(
    "check, wrong, line",
    [
        (check_half_life, lambda decay: ..., "half_life(0.5) gives Ellipsis, expected 1"),
        (check_half_life, lambda decay: round(1 / (1 - decay)), "half_life(0.5) gives 2"),
        (check_half_life, lambda decay: math.log(0.5) / math.log(decay), "gives 1.0, expected 1"),
        (check_accumulate, lambda *_: None, "the norm for 1 parts"),
        (check_accumulate, lambda *a: accumulate(*a, divide=False), "the norm for 3 parts"),
        (check_accumulate, lambda *a: accumulate(*a, clip_each=True), "the norm for 1 parts"),
        (check_accumulate, without_clearing, "the weights after 1 parts"),
    ],
)
def test_wrong_solutions_are_told_what_differs(check, wrong, line, capsys):
    check(wrong)
    said = capsys.readouterr().out
    assert said.startswith("Not yet: ") and line in said


@pytest.mark.parametrize("decay, steps, warm_up", [(0.9, 7, False), (0.99, 40, True)])
def test_the_fractions_are_those_of_the_average(decay, steps, warm_up):
    model = nn.Linear(1, 1, bias=False).double()
    values = torch.randn(steps + 1, dtype=torch.float64)
    model.weight.data.fill_(values[0])
    average = ExponentialAverage(model, decay, warm_up=warm_up)
    for value in values[1:]:
        model.weight.data.fill_(value)
        average.update(model)
    fractions = average_fractions(decay, steps, warm_up)
    assert fractions.sum() == pytest.approx(1)
    assert average.model.weight.item() == pytest.approx(np.dot(fractions, values), rel=1e-12)


def test_the_drawing_says_what_it_shows():
    assert (
        "82 percent of the average is the untrained start"
        in show_weight_average(0.9998, 1000, False).alt
    )
