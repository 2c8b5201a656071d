"""The checks of the chapter on Grad-CAM: right solutions pass, wrong ones get a useful line."""

import pytest
import torch

from glassbox.chapters.gradcam.exercises import (
    check_average_drop,
    check_logit_from_map,
    check_occlusion_map,
    check_probability_slope,
    check_weighted_maps,
)


def weighted_maps(activations, gradients):
    weights = gradients.mean(dim=(2, 3), keepdim=True)
    return (weights * activations).sum(dim=1).relu()


def probability_slope(probabilities, label):
    one_hot = torch.zeros_like(probabilities)
    one_hot[label] = 1
    return probabilities[label] * (one_hot - probabilities)


def logit_from_map(class_map, bias):
    return class_map.mean() + bias


def average_drop(whole, masked):
    return 100 * ((whole - masked).clamp(min=0) / whole).mean()


@torch.no_grad()
def occlusion_map(model, image, label, side, fill):
    cells = image.shape[-1] // side
    drops = image.new_empty(cells, cells)
    before = model(image[None])[0, label]
    for row in range(cells):
        for column in range(cells):
            hidden = image.clone()
            down, across = (slice(i * side, (i + 1) * side) for i in (row, column))
            hidden[:, down, across] = fill
            drops[row, column] = before - model(hidden[None])[0, label]
    return drops


def test_solutions_pass(capsys):
    check_weighted_maps(weighted_maps)
    check_probability_slope(probability_slope)
    check_logit_from_map(logit_from_map)
    check_average_drop(average_drop)
    check_occlusion_map(occlusion_map)
    assert [line[:6] for line in capsys.readouterr().out.splitlines()] == ["Solved"] * 5


@pytest.mark.parametrize(
    "check, wrong",
    [
        (check_weighted_maps, lambda *_: None),
        (check_weighted_maps, lambda a, g: (a * g).sum(1).relu()),
        (check_weighted_maps, lambda a, g: (g.mean((2, 3), keepdim=True) * a).sum(1)),
        (check_weighted_maps, lambda a, g: (g.sum((2, 3), keepdim=True) * a).sum(1).relu()),
        (check_weighted_maps, lambda a, g: (g.amax((2, 3), keepdim=True) * a).sum(1).relu()),
        (check_probability_slope, lambda *_: None),
        (check_probability_slope, lambda p, label: -p[label] * p),
        (check_probability_slope, lambda p, label: p * (1 - p)),
        (check_logit_from_map, lambda *_: None),
        (check_logit_from_map, lambda m, bias: m.mean()),
        (check_logit_from_map, lambda m, bias: m.sum() + bias),
        (check_average_drop, lambda whole, masked: 100 * (whole - masked).clamp(min=0).mean()),
        (check_average_drop, lambda whole, masked: 100 * ((whole - masked) / whole).mean()),
        (check_average_drop, lambda whole, masked: ((whole - masked).clamp(min=0) / whole).mean()),
        (check_occlusion_map, lambda model, *rest: -occlusion_map(model, *rest)),
        (check_occlusion_map, lambda m, i, label, side, fill: occlusion_map(m, i, label, side, 0)),
        (check_occlusion_map, lambda m, i, label, side, fill: occlusion_map(m, i, 0, side, fill)),
    ],
)
def test_wrong_answers_are_told_what_was_expected(check, wrong, capsys):
    check(wrong)
    said = capsys.readouterr().out
    assert said.startswith("Not yet") and ("expected" in said or "raises" in said)
