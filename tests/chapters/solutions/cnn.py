"""Answers to the exercises on convolutional networks."""

import functools

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from glassbox.networks import convolution
from glassbox.training import calibration_error


def output_size(size, kernel, stride, padding):
    return (size + 2 * padding - kernel) // stride + 1


def receptive_field(layers):
    return functools.reduce(lambda n, layer: (n - 1) * layer[1] + layer[0], reversed(layers), 1)


def receptive_field_of_ranges(layers):
    """Keep the first and the last input that is needed."""
    first = last = 0
    for kernel, stride in reversed(layers):
        first, last = first * stride, last * stride + kernel - 1
    return np.int64(last - first + 1)


def receptive_field_using_up_its_input(layers):
    needed = 1
    while layers:
        kernel, stride = layers.pop()
        needed = (needed - 1) * stride + kernel
    return needed


def average_pool(images, side):
    channels = images.shape[1]
    kernel = images.new_full((channels, 1, side, side), 1 / side**2)
    return F.conv2d(images, kernel, stride=side, groups=channels)


def average_pool_by_a_layer(images, side):
    channels = images.shape[1]
    layer = nn.Conv2d(channels, channels, side, side, groups=channels, bias=False)
    nn.init.constant_(layer.weight, side**-2)
    return layer(images)


def average_pool_of_one_channel(images, side):
    folded = images.flatten(0, 1)[:, None]
    pooled = F.conv2d(folded, torch.ones(1, 1, side, side) / side / side, stride=side)
    return pooled.reshape(*images.shape[:2], *pooled.shape[-2:]).numpy()


def accuracy(model, images, labels, restore=True):
    training = model.training
    model.eval()
    with torch.no_grad():
        right = (model(images).argmax(1) == labels).float().mean()
    if restore:
        model.train(training)
    return right


@torch.inference_mode()
def accuracy_by_layers(model, images, labels):
    modes = {layer: layer.training for layer in model.modules()}
    logits = model.eval()(images).numpy()
    for layer, training in modes.items():
        layer.training = training
    return np.mean(logits.argmax(-1) == labels.numpy(), dtype=np.float32)


def accuracy_counted(model, images, labels):
    before = model.training
    try:
        model.train(False)
        with torch.set_grad_enabled(False):
            hits = [int(model(one[None]).argmax()) == int(y) for one, y in zip(images, labels)]  # noqa: B905
        return sum(hits) / len(hits)
    finally:
        model.train(before)


def accuracy_with_gradients_off(model, images, labels):
    torch.set_grad_enabled(False)
    return accuracy(model, images, labels)


def calibration_in_a_loop(confidences, right, bins):
    total = 0.0
    for i in range(bins):
        inside = (confidences >= i / bins) & (confidences < (i + 1) / bins)
        inside |= (confidences == 1) & (i == bins - 1)
        if inside.any():
            gap = confidences[inside].mean() - right[inside].float().mean()
            total += abs(gap) * inside.sum() / len(right)
    return total


def calibration_closed_on_the_right(confidences, right, bins):
    edges = np.linspace(0, 1, bins + 1)[1:-1]
    index = np.digitize(confidences.numpy().astype(np.float64) - 1e-7, edges)
    gaps = np.bincount(index, right.numpy() - confidences.numpy())
    return np.abs(gaps).sum() / len(index)


def calibration_without_clamp(confidences, right, bins):
    index = (confidences * bins).long()
    gaps = torch.zeros(bins)
    for i, gap in zip(index, right.float() - confidences, strict=True):
        gaps[i] += gap
    return gaps.abs().sum() / len(index)


ANSWERS = {
    "output_size": {
        "right": [
            output_size,
            lambda size, kernel, stride, padding: len(
                range(0, size + 2 * padding - kernel + 1, stride)
            ),
            lambda *given: np.floor((given[0] + 2 * given[3] - given[1]) / given[2] + 1),
        ],
        "wrong": {
            "ignores padding and stride": lambda size, kernel, stride, pad: 1 + size - kernel,
            "counts the moves": lambda *given: output_size(*given) - 1,
            "divide with //": lambda *g: 1 + (g[0] + 2 * g[3] - g[1]) / g[2],
            "is called with (size, kernel, stride, padding), and your function takes (size)": (
                lambda size: size
            ),
        },
    },
    "receptive_field": {
        "right": [
            receptive_field,
            receptive_field_of_ranges,
            lambda layers: convolution.receptive_field(layers).size,
        ],
        "wrong": {
            "adds up the kernels": lambda layers: sum(kernel for kernel, _ in layers),
            "go backwards": lambda layers: receptive_field(layers[::-1]),
            "adds to layers or takes away from it": receptive_field_using_up_its_input,
        },
    },
    "average_pool": {
        "right": [average_pool, average_pool_by_a_layer, average_pool_of_one_channel],
        "wrong": {
            "asks for a single call of F.conv2d": lambda images, side: nn.AvgPool2d(side)(images),
            "a mean needs all of them": lambda images, side: images[:, :, ::side, ::side],
            "is the sum over each square": lambda *given: average_pool(*given) * given[1] ** 2,
        },
    },
    "accuracy": {
        "right": [accuracy, accuracy_by_layers, accuracy_counted],
        "wrong": {
            "changes the mode of model": lambda *given: accuracy(*given, restore=False),
            "call model.eval() first": lambda model, images, labels: (
                (model(images).argmax(-1) == labels).double().mean()
            ),
            "leaves the recording of gradients switched": accuracy_with_gradients_off,
        },
    },
    "calibration_error": {
        "right": [calibration_error, calibration_in_a_loop, calibration_closed_on_the_right],
        "wrong": {
            "clamp the index to bins - 1": calibration_without_clamp,
            "take the absolute value in each bin": (
                lambda c, right, bins: abs(c.mean() - right.float().mean())
            ),
        },
    },
}
