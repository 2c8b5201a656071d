"""Solutions of the exercises on convolutional networks, and mistakes."""

import torch
import torch.nn.functional as F

from glassbox.networks import convolution
from glassbox.training import calibration_error


def accuracy(model, images, labels, restore=True):
    training = model.training
    model.eval()
    with torch.no_grad():
        right = (model(images).argmax(1) == labels).float().mean()
    if restore:
        model.train(training)
    return right


SOLUTIONS = [
    ("output_size", lambda size, kernel, stride, pad: (size + 2 * pad - kernel) // stride + 1),
    ("receptive_field", lambda layers: convolution.receptive_field(layers).size),
    ("average_pool", F.avg_pool2d),
    ("accuracy", accuracy),
    ("calibration_error", calibration_error),
]
MISTAKES = [
    ("output_size", lambda size, kernel, stride, pad: size - kernel + 1, "(28, 3, 1, 1) gives 26"),
    ("receptive_field", lambda layers: sum(kernel for kernel, _ in layers), "gives 6, expected 5"),
    ("average_pool", lambda images, side: images[..., ::side, ::side], "(2, 1, 8, 8), 2) gives"),
    ("accuracy", lambda *given: accuracy(*given, restore=False), "model.training after"),
    (
        "calibration_error",
        lambda c, right, bins: (c.mean() - right.float().mean()).abs(),
        "two bins",
    ),
]
