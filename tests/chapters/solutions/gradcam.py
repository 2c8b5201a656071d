"""Answers to the exercises on Grad-CAM."""

import numpy as np
import torch
import torch.nn.functional as F


def weighted_maps(activations, gradients):
    weights = gradients.mean(dim=(2, 3), keepdim=True)
    return (weights * activations).sum(dim=1).relu()


def weighted_maps_by_product(activations, gradients):
    weights = F.adaptive_avg_pool2d(gradients, 1).flatten(1)
    return F.relu(torch.bmm(weights[:, None], activations.flatten(2))).view(
        len(weights), *activations.shape[2:]
    )


def weighted_maps_one_by_one(activations, gradients):
    maps = []
    for image, slopes in zip(activations.numpy(), gradients.numpy(), strict=True):
        total = sum(one * slope.mean() for one, slope in zip(image, slopes, strict=True))
        maps.append(np.maximum(total, 0))
    return maps


def probability_slope(probabilities, label):
    one_hot = torch.zeros_like(probabilities)
    one_hot[label] = 1
    return probabilities[label] * (one_hot - probabilities)


def probability_slope_by_one_hot(probabilities, label):
    one_hot = F.one_hot(torch.tensor(label), len(probabilities))
    return probabilities[label].double() * (one_hot - probabilities.double())


def probability_slope_of_numbers(probabilities, label):
    p = probabilities.tolist()
    return [p[label] * ((i == label) - p[i]) for i in range(len(p))]


def probability_slope_in_place(probabilities, label):
    """Spoil the probabilities of the caller."""
    slope = probabilities
    slope *= -probabilities[label].clone()
    slope[label] += (-slope[label]).sqrt()
    return slope


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


def occlusion_map_as_a_batch(model, image, label, side, fill):
    cells = image.shape[-1] // side
    mask = torch.eye(cells**2).view(-1, 1, cells, cells)
    mask = mask.repeat_interleave(side, 2).repeat_interleave(side, 3).bool()
    logits = model(torch.where(mask, fill, image))[:, label]
    return (model(image[None])[0, label] - logits).view(cells, cells)


def occlusion_map_as_a_list(model, image, label, side, fill):
    size = image.shape[-1]
    whole = float(model(image.unsqueeze(0))[0][label])
    rows = []
    for top in range(0, size, side):
        rows.append([])
        for left in range(0, size, side):
            covered = image.numpy().copy()
            covered[:, top : top + side, left : left + side] = fill
            rows[-1].append(whole - model(torch.from_numpy(covered)[None])[0, label].item())
    return rows


def occlusion_map_in_place(model, image, label, side, fill):
    """Cover the image of the caller, and uncover it again but for the last patch."""
    drops = occlusion_map(model, image, label, side, fill)
    image[:, -side:, -side:] = fill
    return drops


def occlusion_map_without_clone(model, image, label, side, fill):
    cells = image.shape[-1] // side
    drops, covered = torch.zeros(cells, cells), image.clone()
    for row in range(cells):
        for column in range(cells):
            covered[:, row * side :, column * side :][:, :side, :side] = fill
            drops[row, column] = (model(image[None]) - model(covered[None])).detach()[0, label]
    return drops


ANSWERS = {
    "weighted_maps": {
        "right": [weighted_maps, weighted_maps_by_product, weighted_maps_one_by_one],
        "wrong": {
            "a weight of its own": lambda a, g: (a * g).sum(1).clamp(min=0),
            "a ReLU follows": lambda a, g: (g.mean((2, 3), keepdim=True) * a).sum(1),
            "sums of the gradients": (lambda a, g: (g.sum((2, 3), keepdim=True) * a).sum(1).relu()),
            "look at keepdim": lambda a, g: weighted_maps(a, g)[:, None],
        },
    },
    "probability_slope": {
        "right": [
            probability_slope,
            probability_slope_by_one_hot,
            probability_slope_of_numbers,
        ],
        "wrong": {
            "by its own logit": lambda p, label: p - p**2,
            "The 1 at the label is missing": lambda p, label: -p * p[label],
            "changes probabilities, which belongs to the caller": probability_slope_in_place,
        },
    },
    "logit_from_map": {
        "right": [
            lambda class_map, bias: class_map.mean() + bias,
            lambda class_map, bias: bias + class_map.sum().item() / class_map.numel(),
            lambda class_map, bias: np.add(class_map.numpy().mean(axis=(0, 1)), bias),
        ],
        "wrong": {
            "The bias is missing": lambda class_map, bias: np.mean(class_map.numpy()),
            "in place of the sum": lambda class_map, bias: bias + class_map.sum(),
            "expected": lambda class_map, bias: class_map + bias,
        },
    },
    "average_drop": {
        "right": [
            lambda whole, masked: 100 * ((whole - masked).clamp(min=0) / whole).mean(),
            lambda whole, masked: 100 * np.maximum(0, 1 - masked.numpy() / whole.numpy()).mean(),
            lambda whole, masked: (1 - masked / whole).relu().mean(0, keepdim=True) * 100,
        ],
        "wrong": {
            "divide it by the probability": lambda y, o: 100 * (y - o).relu().mean(),
            "A gain cancels a drop": lambda y, o: 100 * (1 - o / y).mean(),
            "multiply by 100": lambda y, o: (1 - o / y).relu().mean(),
        },
    },
    "occlusion_map": {
        "right": [occlusion_map, occlusion_map_as_a_batch, occlusion_map_as_a_list],
        "wrong": {
            "large where covering hurts": lambda *given: -occlusion_map(*given),
            "use fill": lambda *given: occlusion_map(*given[:4], 0),
            "the logit of label": lambda m, i, label, *rest: occlusion_map(m, i, 0, *rest),
            "clone the image anew": occlusion_map_without_clone,
            "changes image, which belongs to the caller": occlusion_map_in_place,
            "leave out the softmax": (
                lambda model, *rest: occlusion_map(lambda x: model(x).softmax(1), *rest)
            ),
            "leaves a gradient": lambda model, *rest: (
                occlusion_map_as_a_batch(model, *rest).sum().backward(),
                occlusion_map(model, *rest),
            )[1],
        },
    },
}
