"""Solutions of the exercises on Grad-CAM, and mistakes."""

import torch


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


SOLUTIONS = [
    ("weighted_maps", weighted_maps),
    ("probability_slope", probability_slope),
    ("logit_from_map", logit_from_map),
    ("average_drop", average_drop),
    ("occlusion_map", occlusion_map),
]
MISTAKES = [
    ("weighted_maps", lambda a, g: (a * g).sum(1).relu(), "3 images"),
    ("weighted_maps", lambda a, g: (g.mean((2, 3), keepdim=True) * a).sum(1), "gradients of -1"),
    ("weighted_maps", lambda a, g: (g.sum((2, 3), keepdim=True) * a).sum(1).relu(), "ones gives"),
    ("weighted_maps", lambda a, g: (g.amax((2, 3), keepdim=True) * a).sum(1).relu(), "3 images"),
    ("probability_slope", lambda p, label: -p[label] * p, "label 0 gives"),
    ("probability_slope", lambda p, label: p * (1 - p), "label 0 gives"),
    ("logit_from_map", lambda m, bias: m.mean(), "1 x 1 gives"),
    ("logit_from_map", lambda m, bias: m.sum() + bias, "8 x 8 gives"),
    ("average_drop", lambda whole, masked: 100 * (whole - masked).clamp(min=0).mean(), "half"),
    ("average_drop", lambda whole, masked: 100 * ((whole - masked) / whole).mean(), "one gained"),
    ("average_drop", lambda whole, masked: ((whole - masked).clamp(min=0) / whole).mean(), "half"),
    ("occlusion_map", lambda model, *rest: -occlusion_map(model, *rest), "8 x 8"),
    ("occlusion_map", lambda *given: occlusion_map(*given[:4], 0), "another fill"),
    ("occlusion_map", lambda m, i, label, *rest: occlusion_map(m, i, 0, *rest), "4 x 4"),
]
