"""Exercises of the chapter on convolutional networks."""

import copy
import random
from collections.abc import Iterable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.chapters.checking import Answer, Case, Exercise
from glassbox.chapters.traces import Operations
from glassbox.networks.convolution import receptive_field
from glassbox.training.calibration import calibration_error


def _layer_side(size: int, kernel: int, stride: int, padding: int) -> int:
    layer = nn.Conv2d(1, 1, kernel, stride, padding)
    return layer(torch.zeros(1, 1, size, size)).shape[-1]


check_output_size = Exercise(
    "output_size",
    reference=_layer_side,
    cases=[
        *((32, 5, 1, 0), (28, 3, 1, 1), (28, 2, 2, 0)),
        *((227, 11, 4, 0), (7, 3, 2, 1), (8, 3, 2, 1)),
    ],
    drawn=lambda: (*map(random.randint, (20, 1, 1, 0), (60, 6, 4, 3)),),
    mistakes={
        "This ignores padding and stride: the window moves over size + 2 * padding numbers, "
        "stride at a time.": lambda size, kernel, stride, padding: size - kernel + 1,
        "This counts the padding once: it is added at both ends.": (
            lambda size, kernel, stride, padding: (size + padding - kernel) // stride + 1
        ),
        "This ignores the padding: it is added at both ends.": (
            lambda size, kernel, stride, padding: (size - kernel) // stride + 1
        ),
        "This counts the moves: the first position of the window counts as well.": (
            lambda size, kernel, stride, padding: (size + 2 * padding - kernel) // stride
        ),
        "The window makes whole moves only: divide with // in place of /.": (
            lambda size, kernel, stride, padding: (size + 2 * padding - kernel) / stride + 1
        ),
        "The window does not move beyond the end: round down, with //.": (
            lambda size, kernel, stride, padding: -((kernel - size - 2 * padding) // stride) + 1
        ),
    },
)


def _needed(layers: Iterable[tuple[int, int]], less: int = 1) -> int:
    needed = 1
    for kernel, stride in layers:
        needed = (needed - less) * stride + kernel
    return needed


check_receptive_field = Exercise(
    "receptive_field",
    reference=lambda layers: receptive_field(layers).size,
    cases=[
        ([(3, 1)],),
        ([(3, 1), (3, 1)],),
        ([(5, 1), (2, 2), (5, 1), (2, 2)],),
        ([(3, 1), (2, 2)] * 3,),
        ([(7, 2), (3, 2), (3, 1), (3, 1)],),
    ],
    drawn=lambda: (
        [(random.randint(1, 7), random.randint(1, 3)) for _ in range(random.randint(2, 6))],
    ),
    mistakes={
        "This adds up the kernels: neighboring windows overlap, so a layer adds kernel - 1.": (
            lambda layers: sum(kernel for kernel, _ in layers)
        ),
        "This ignores the strides: behind a stride of 2, a step is 2 inputs long.": (
            lambda layers: 1 + sum(kernel - 1 for kernel, _ in layers)
        ),
        "This begins with the first layer: go backwards, with reversed(layers).": _needed,
        "n units need (n - 1) * stride + kernel units of the layer before: look at the - 1.": (
            lambda layers: _needed(reversed(layers), less=0)
        ),
    },
)


def _pooled(answer: Answer, images: Tensor, side: int) -> dict[str, Any]:
    with Operations() as operations:
        result = answer(images, side)
    return {"": result, "the number of convolutions": operations.names.count("convolution")}


def _convolved(images: Tensor, side: int, value: float, stride: int) -> Tensor:
    channels = images.shape[1]
    kernel = torch.full((channels, 1, side, side), value)
    return F.conv2d(images, kernel, stride=stride, groups=channels)


check_average_pool = Exercise(
    "average_pool",
    reference=lambda images, side: _convolved(images, side, 1 / side**2, side),
    observe=_pooled,
    cases=lambda: [
        (torch.randn(2, channels, size, size), side)
        for channels, side, size in [(1, 2, 8), (3, 2, 8), (4, 3, 12), (2, 5, 17)]
    ],
    drawn=lambda: (torch.randn(3, random.randint(2, 5), 12, 12), random.randint(2, 6)),
    mistakes={
        "The values are right, but the exercise asks for a single call of F.conv2d: "
        "find the kernel that computes a mean.": F.avg_pool2d,
        "This takes one pixel of each square: a mean needs all of them.": (
            lambda images, side: images[..., ::side, ::side]
        ),
        "This is the sum over each square: a kernel for a mean has entries of 1 / side**2.": (
            lambda images, side: _convolved(images, side, 1.0, side)
        ),
        "A square has side**2 pixels: look at the entries of the kernel.": (
            lambda images, side: _convolved(images, side, 1 / side, side)
        ),
        "The windows overlap: give F.conv2d a stride of side.": (
            lambda images, side: _convolved(images, side, 1 / side**2, 1)
        ),
        "Each output adds up all channels: groups=channels keeps them apart.": (
            lambda images, side: F.conv2d(
                images, torch.full((images.shape[1],) * 2 + (side, side), 1 / side**2), stride=side
            )
        ),
    },
)


def _epochs_by_hand(
    model: nn.Module, images: Tensor, labels: Tensor, lr: float, epochs: int, batch: int
) -> list[float]:
    """Train without an optimizer, on gradients that are not kept."""
    weights, means = list(model.parameters()), []
    for _ in range(epochs):
        total = 0.0
        for start in range(0, len(images), batch):
            some = slice(start, start + batch)
            loss = F.cross_entropy(model(images[some]), labels[some])
            total += loss.item() * len(labels[some])
            with torch.no_grad():
                for one, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
                    one -= lr * gradient
        means.append(total / len(images))
    return means


def _epochs_with(
    *, zero: bool = True, softmax: bool = False, drop: bool = False, even: bool = False, up: int = 1
) -> Answer:
    """Make an answer that trains as most would write it, with a mistake or none."""

    def answer(
        model: nn.Module, images: Tensor, labels: Tensor, lr: float, epochs: int, batch: int
    ) -> list[float]:
        optimizer, means = torch.optim.SGD(model.parameters(), lr, maximize=up < 0), []
        for _ in range(epochs):
            losses, counts = [], []
            for some, known in zip(images.split(batch), labels.split(batch), strict=True):
                if drop and len(known) < batch:
                    continue
                logits = model(some)
                loss = F.cross_entropy(logits.softmax(1) if softmax else logits, known)
                if zero:
                    optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
                counts.append(1 if even else len(known))
            pairs = zip(losses, counts, strict=True)
            means.append(sum(loss * count for loss, count in pairs) / sum(counts))
        return means

    return answer


def _trained(answer: Answer, model: nn.Module, *given: Any) -> dict[str, Any]:
    """Compare what was returned, and all that may have moved."""
    returned = answer(model, *given)
    found = {
        f"the vector of {kind}": [
            one.detach().flatten()
            for name, one in model.state_dict().items()
            if ("running" in name) == (kind == "statistics") and one.is_floating_point()
        ]
        for kind in ("weights", "statistics")
    }
    return {"": returned} | {name: torch.cat(parts) for name, parts in found.items() if parts}


def _to_train(lr: float, epochs: int, batch: int, count: int = 20) -> tuple[Any, ...]:
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 3))
    return model, torch.randn(count, 3, 2, 2), torch.arange(count) % 3, lr, epochs, batch


check_train_epochs = Exercise(
    "train_epochs",
    reference=_epochs_by_hand,
    observe=_trained,
    cases=lambda: [
        Case(f"train_epochs(…, {lr}, {epochs}, {batch})", _to_train(lr, epochs, batch))
        for lr, epochs, batch in [(0.5, 1, 20), (0.5, 2, 8), (0.1, 3, 6)]
    ],
    drawn=lambda: _to_train(random.uniform(0.1, 0.5), random.randint(2, 3), random.randint(6, 9)),
    changes=("model",),
    mistakes={
        "Gradients add up from step to step: call optimizer.zero_grad() in each.": (
            _epochs_with(zero=False)
        ),
        "F.cross_entropy does its own softmax: give it the logits.": _epochs_with(softmax=True),
        "The last, smaller batch is left out: all images are to be seen.": _epochs_with(drop=True),
        "This is the mean over batches: the last one has fewer images, so weigh each loss by "
        "their number.": _epochs_with(even=True),
        "These steps go uphill: move each weight against its gradient.": _epochs_with(up=-1),
        "This trains for one epoch only: loop over them.": (
            lambda model, images, labels, lr, epochs, batch: _epochs_with()(
                model, images, labels, lr, 1, batch
            )
        ),
    },
)

_Part = tuple[Tensor, Tensor]


def _keep_best_with(
    *,
    copied: bool = True,
    train_once: bool = False,
    eval_mode: bool = True,
    on: str = "validation",
    first: int = 1,
) -> Answer:
    """Make an answer that keeps the best epoch as most would write it, with a mistake or none."""

    def answer(model: nn.Module, train: _Part, validation: _Part, lr: float, epochs: int) -> int:
        optimizer = torch.optim.SGD(model.parameters(), lr)
        best, kept, number = float("inf"), model.state_dict(), first
        model.train()
        for epoch in range(epochs):
            if not train_once:
                model.train()
            loss = F.cross_entropy(model(train[0]), train[1])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if eval_mode:
                model.eval()
            asked = validation if on == "validation" else train
            with torch.no_grad():
                found = F.cross_entropy(model(asked[0]), asked[1]).item()
            if found < best:
                state = model.state_dict()
                kept = copy.deepcopy(state) if copied else state
                best, number = found, epoch + first
        model.load_state_dict(kept)
        return number

    return answer


def _keep_best_by_all(
    model: nn.Module, train: _Part, validation: _Part, lr: float, epochs: int
) -> int:
    """Keep the state of every epoch, and choose at the end."""
    weights, states, losses = list(model.parameters()), [], []
    for _ in range(epochs):
        loss = F.cross_entropy(model.train()(train[0]), train[1])
        with torch.no_grad():
            for one, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
                one -= lr * gradient
            losses.append(F.cross_entropy(model.eval()(validation[0]), validation[1]).item())
        states.append({name: one.clone() for name, one in model.state_dict().items()})
    number = losses.index(min(losses))
    model.load_state_dict(states[number])
    return number + 1


def _to_stop(lr: float, epochs: int) -> tuple[Any, ...]:
    """Make few images with noisy labels, which a network soon learns by heart."""
    layers = nn.Linear(12, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3)
    images = torch.randn(60, 3, 2, 2)
    labels = images.flatten(1)[:, :3].argmax(dim=1)
    noisy = torch.where(torch.rand(60) < 0.3, torch.randint(3, (60,)), labels)
    parts = (images[:20], noisy[:20]), (images[20:], noisy[20:])
    return nn.Sequential(nn.Flatten(), *layers), *parts, lr, epochs


check_keep_best = Exercise(
    "keep_best",
    reference=_keep_best_by_all,
    observe=_trained,
    cases=lambda: [
        Case(f"keep_best(…, {lr}, {epochs})", _to_stop(lr, epochs))
        for lr, epochs in [(0.5, 12), (0.2, 20), (1.0, 8)]
    ],
    drawn=lambda: _to_stop(random.uniform(0.3, 1), random.randint(10, 20)),
    changes=("model",),
    mistakes={
        "The model has its last weights: load those of the best epoch, kept as copies, for "
        "state_dict() gives the weights themselves, which move on.": (
            _keep_best_with(copied=False)
        ),
        "From the second epoch on the model trains in eval mode: call model.train() in each.": (
            _keep_best_with(train_once=True)
        ),
        "Batch normalization sees the validation images in train mode: call model.eval() before "
        "you measure.": _keep_best_with(eval_mode=False),
        "This chooses by the training images: measure the validation images.": (
            _keep_best_with(on="train")
        ),
        "Epochs count from 1: this number is one less.": _keep_best_with(first=0),
    },
)


def _gaps(confidences: Tensor, right: Tensor, bins: int) -> Tensor:
    """Return the gap between mean confidence and accuracy of each bin that is not empty."""
    index = (confidences * bins).long().clamp(max=bins - 1)
    sums = torch.zeros(bins).index_add(0, index, right.float() - confidences)
    sizes = index.bincount(minlength=bins)
    return (sums / sizes)[sizes > 0].abs()


def _without_clamp(confidences: Tensor, right: Tensor, bins: int) -> Tensor:
    index = (confidences * bins).long()
    sums = torch.zeros(bins).index_add(0, index, right.float() - confidences)
    return sums.abs().sum() / len(index)


def _worked_out() -> Iterator[Case]:
    for text, confidences, right, bins in (
        ("two answers at 0.95 with one of them right", [0.95] * 2, [1, 0], 10),
        ("confidences that are exactly right", [0.5] * 2, [1, 0], 10),
        ("two bins too sure by 0.3 and too timid by 0.4",
         [0.8] * 4 + [0.35] * 4, [1, 1, 0, 0, 1, 1, 1, 0], 4),
        ("answers that are certain", [1.0, 1.0, 0.3], [1, 0, 0], 5),
    ):  # fmt: skip
        given = torch.tensor(confidences), torch.tensor(right, dtype=torch.bool), bins
        yield Case(f"calibration_error of {text}", given)


check_calibration_error = Exercise(
    "calibration_error",
    reference=calibration_error,
    cases=_worked_out,
    drawn=lambda: (torch.rand(60), torch.rand(60) < 0.6, random.randint(4, 12)),
    mistakes={
        "A confidence of exactly 1 falls behind the last bin: clamp the index to "
        "bins - 1.": _without_clamp,
        "Gaps of opposite signs cancel, as if all answers were in one bin: take the absolute value "
        "in each bin, before the sum.": (
            lambda confidences, right, bins: (confidences.mean() - right.float().mean()).abs()
        ),
        "Every bin counts the same here: weigh its gap by the number of its answers.": (
            lambda *given: _gaps(*given).mean()
        ),
        "This is the largest gap: the mean of all is wanted, weighted by the answers.": (
            lambda *given: _gaps(*given).amax()
        ),
    },
)
