"""Exercises of the chapter on Grad-CAM."""

import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.chapters.checking import Answer, Case, Exercise


def _maps(activations: Tensor, weights: Tensor) -> Tensor:
    return torch.einsum("bc,bchw->bhw", weights, activations)


def _drawn_maps(*shape: int) -> tuple[Tensor, Tensor]:
    return torch.randn(shape), torch.randn(shape)


check_weighted_maps = Exercise(
    "weighted_maps",
    reference=lambda activations, gradients: _maps(activations, gradients.mean((2, 3))).relu(),
    cases=lambda: [
        Case(f"weighted_maps of {text}", given)
        for text, given in {
            "one image with two channels of ones": (torch.ones(1, 2, 2, 2), torch.ones(1, 2, 2, 2)),
            "one image with gradients of -1": (torch.ones(1, 2, 2, 2), -torch.ones(1, 2, 2, 2)),
            "3 images with 5 channels of 4 x 6": _drawn_maps(3, 5, 4, 6),
        }.items()
    ],
    drawn=lambda: _drawn_maps(*(random.randint(2, 6) for _ in range(4))),
    mistakes={
        "Each place has a weight of its own: take the mean of the gradients over both dimensions "
        "of the map, with keepdim=True.": (
            lambda activations, gradients: (activations * gradients).sum(1).relu()
        ),
        "Maps below 0 are left: a ReLU follows the sum.": (
            lambda activations, gradients: _maps(activations, gradients.mean((2, 3)))
        ),
        "The ReLU comes too early: first add the channels up.": (
            lambda activations, gradients: (
                (gradients.mean((2, 3), keepdim=True) * activations).relu().sum(1)
            )
        ),
        "The weights are sums of the gradients: take their mean.": (
            lambda activations, gradients: _maps(activations, gradients.sum((2, 3))).relu()
        ),
        "The weights are the largest gradients: take their mean.": (
            lambda activations, gradients: _maps(activations, gradients.amax((2, 3))).relu()
        ),
        "The channels are averaged: add them up.": (
            lambda activations, gradients: (
                _maps(activations, gradients.mean((2, 3))).relu() / activations.shape[1]
            )
        ),
    },
)


def _slope(probabilities: Tensor, label: int) -> Tensor:
    """Let autograd do it, with the logarithms of the probabilities as logits."""
    logits = probabilities.log().requires_grad_()
    return torch.autograd.grad(logits.softmax(0)[label], logits)[0]


def _one_hot(probabilities: Tensor, label: int) -> Tensor:
    return torch.eye(len(probabilities), dtype=probabilities.dtype)[label]


check_probability_slope = Exercise(
    "probability_slope",
    reference=_slope,
    cases=lambda: [
        Case(f"probability_slope of {text} and label {label}", (logits.softmax(0), label))
        for text, logits, label in (
            ("three equal classes", torch.zeros(3), 0),
            ("five classes", torch.randn(5), 2),
            ("a certain network", torch.tensor([-20.0, 20.0]), 1),
        )
    ],
    drawn=lambda: (torch.randn(7).softmax(0), random.randrange(7)),
    mistakes={
        "The 1 at the label is missing: the bracket is one_hot - probabilities.": (
            lambda probabilities, label: -probabilities[label] * probabilities
        ),
        "This is the slope of each probability by its own logit: the others change too.": (
            lambda probabilities, label: probabilities * (1 - probabilities)
        ),
        "This is the slope of the logarithm of the probability: multiply it by the probability.": (
            lambda probabilities, label: _one_hot(probabilities, label) - probabilities
        ),
        "This is the slope of cross-entropy: that of the probability has the other sign, and the "
        "probability as a factor.": (
            lambda probabilities, label: probabilities - _one_hot(probabilities, label)
        ),
        "The factor in front is the probability of the label for all logits.": (
            lambda probabilities, label: (
                probabilities * (_one_hot(probabilities, label) - probabilities)
            )
        ),
    },
)


@torch.no_grad()
def _occlusions(
    model: nn.Module, image: Tensor, label: int, side: int, fill: float, restore: bool = True
) -> Tensor:
    """Cover one patch of a clone after another, or all of one clone."""
    cells = image.shape[-1] // side
    drops = torch.empty(cells, cells, dtype=image.dtype)
    covered = image.clone()
    for i in range(cells**2):
        row, column = divmod(i, cells)
        covered = image.clone() if restore else covered
        covered[:, row * side : (row + 1) * side, column * side : (column + 1) * side] = fill
        drops[row, column] = (model(image[None]) - model(covered[None]))[0, label]
    return drops


def _classifier(*given: float) -> tuple[nn.Module, Tensor, float]:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3)).double().eval()
    nn.init.normal_(model[1].weight)
    return model, torch.randn(1, 8, 8, dtype=torch.float64), *given


check_occlusion_map = Exercise(
    "occlusion_map",
    reference=_occlusions,
    cases=lambda: [
        Case(f"occlusion_map with patches of {text}", _classifier(*given))
        for text, given in {
            "8 x 8 as large as the image": (0, 8, 0.0),
            "4 x 4": (1, 4, 0.0),
            "2 x 2 and another fill": (2, 2, 0.5),
        }.items()
    ],
    drawn=lambda: _classifier(random.randrange(3), random.choice([1, 2, 4]), random.random()),
    mistakes={
        "The sign is reversed: a map is large where covering hurts, so subtract from the logit of "
        "the whole image.": lambda *given: -_occlusions(*given),
        "The patches before stay covered: clone the image anew for each patch.": (
            lambda *given: _occlusions(*given, restore=False)
        ),
        "The patches are covered with 0: use fill.": (
            lambda model, image, label, side, fill: _occlusions(model, image, label, side, 0.0)
        ),
        "This is the map of class 0: use the logit of label.": (
            lambda model, image, label, side, fill: _occlusions(model, image, 0, side, fill)
        ),
        "Rows and columns are exchanged: the first index of a patch counts down the image.": (
            lambda *given: _occlusions(*given).T
        ),
        "This is the drop of the probability: leave out the softmax.": (
            lambda model, *given: _occlusions(nn.Sequential(model, nn.Softmax(1)), *given)
        ),
    },
)


def _small_network() -> nn.Module:
    """Make a network whose logits are no linear function of its inputs."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(48, 6), nn.Tanh(), nn.Linear(6, 3)).double()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.5)
    return model


def _batch() -> tuple[Tensor, Tensor]:
    return torch.rand(6, 3, 4, 4, dtype=torch.float64), torch.arange(6) % 3


def _halfway(images: Tensor) -> Tensor:
    """Mark images ``(B, 3, 4, 4)``: the lower right corner becomes half as far from white."""
    marked = images.clone()
    marked[:, :, 2:, 2:] = (marked[:, :, 2:, 2:] + 1) / 2
    return marked


def _by_hand(model: nn.Module, losses: Callable[[], Iterable[Tensor]], lr: float) -> None:
    """Take a step of gradient descent down each loss, without an optimizer."""
    for loss in losses():
        slopes = torch.autograd.grad(loss, tuple(model.parameters()))
        with torch.no_grad():
            for parameter, slope in zip(model.parameters(), slopes, strict=True):
                parameter -= lr * slope


def _train_marked(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    stamp: Callable[[Tensor], Tensor],
    lr: float,
    steps: int,
) -> None:
    def losses() -> Iterator[Tensor]:
        marked = stamp(images)
        for _ in range(steps):
            yield F.cross_entropy(model(marked), labels)

    _by_hand(model, losses, lr)


def _train_summing(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    stamp: Callable[[Tensor], Tensor],
    lr: float,
    steps: int,
) -> None:
    """Leave the gradients of each step to the next."""
    optimizer = torch.optim.SGD(model.parameters(), lr)
    for _ in range(steps):
        F.cross_entropy(model(stamp(images)), labels).backward()
        optimizer.step()


def _train_again_and_again(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    stamp: Callable[[Tensor], Tensor],
    lr: float,
    steps: int,
) -> None:
    """Stamp what is stamped already in each step."""
    for _ in range(steps):
        images = stamp(images)
        _train_marked(model, images, labels, lambda marked: marked, lr, 1)


def _stamp_first(stamp: Callable[[Tensor], Tensor], labels: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda images: torch.where((labels == 0).view(-1, 1, 1, 1), stamp(images), images)


def _weights(
    answer: Answer, model: nn.Module, images: Tensor, labels: Tensor, *given: Any
) -> dict[str, Any]:
    answer(model, images, labels, *given)
    return {"the weights after it": nn.utils.parameters_to_vector(model.parameters()).detach()}


check_train_stamped = Exercise(
    "train_stamped",
    reference=_train_marked,
    observe=_weights,
    cases=lambda: [
        Case(
            f"train_stamped with {steps} steps", (_small_network(), *_batch(), _halfway, lr, steps)
        )
        for lr, steps in ((0.5, 1), (0.1, 3), (0.5, 5))
    ],
    drawn=lambda: (
        *(_small_network(), *_batch(), _halfway),
        *(random.uniform(0.1, 0.5), random.randint(2, 6)),
    ),
    changes=("model",),
    mistakes={
        "The images come without the mark: call stamp on them, once, before the loop.": (
            lambda model, images, labels, stamp, lr, steps: _train_marked(
                model, images, labels, lambda plain: plain, lr, steps
            )
        ),
        "The mark grows stronger with each step, since what is stamped is stamped again: stamp "
        "once, before the loop.": _train_again_and_again,
        "Only class 0 has the mark, which is how the network was fooled: stamp all images.": (
            lambda model, images, labels, stamp, lr, steps: _train_marked(
                model, images, labels, _stamp_first(stamp, labels), lr, steps
            )
        ),
        "Gradients of earlier steps are added up: call zero_grad in the loop, before each "
        "backward.": _train_summing,
    },
)


def _held_off(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    mask: Tensor,
    weight: float,
    lr: float,
    *,
    create_graph: bool = True,
    power: int = 2,
    of_loss: bool = False,
    masked: bool = True,
) -> None:
    def losses() -> Iterator[Tensor]:
        x = images.clone().requires_grad_()
        logits = model(x)
        loss = F.cross_entropy(logits, labels)
        score = loss * len(x) if of_loss else logits.gather(1, labels[:, None]).sum()
        (slopes,) = torch.autograd.grad(
            score, x, create_graph=create_graph, retain_graph=True, materialize_grads=True
        )
        slopes = torch.where(mask, slopes, 0) if masked else slopes
        yield loss + weight * (slopes**power).sum() / len(x)

    _by_hand(model, losses, lr)


def _corner(size: int) -> Tensor:
    mask = torch.zeros(4, 4, dtype=torch.bool)
    mask[4 - size :, 4 - size :] = True
    return mask


check_hold_off_step = Exercise(
    "hold_off_step",
    reference=_held_off,
    observe=_weights,
    cases=lambda: [
        Case(f"hold_off_step with {text}", (_small_network(), *_batch(), _corner(size), *given))
        for text, size, given in (
            ("a corner of 2 x 2 pixels", 2, (1.0, 0.5)),
            ("a corner of 3 x 3 pixels and weight 5", 3, (5.0, 0.1)),
            ("weight 0", 2, (0.0, 0.5)),
        )
    ],
    drawn=lambda: (
        *(_small_network(), *_batch(), _corner(random.randint(1, 3))),
        *(random.uniform(0.5, 3), random.uniform(0.1, 0.5)),
    ),
    changes=("model",),
    mistakes={
        "The penalty changed nothing: autograd.grad needs create_graph=True, or its result is a "
        "number that does not depend on the weights.": (
            lambda *given: _held_off(*given, create_graph=False)
        ),
        "The slopes are squared before they are added up, or those of either sign cancel.": (
            lambda *given: _held_off(*given, power=1)
        ),
        "These are the slopes of the loss: the exercise asks for those of the label's logit.": (
            lambda *given: _held_off(*given, of_loss=True)
        ),
        "The whole image is held off: multiply the slopes by the mask first.": (
            lambda *given: _held_off(*given, masked=False)
        ),
        "The weight has the wrong sign: what the loss adds, training makes small.": (
            lambda model, images, labels, mask, weight, lr: _held_off(
                model, images, labels, mask, -weight, lr
            )
        ),
    },
)
