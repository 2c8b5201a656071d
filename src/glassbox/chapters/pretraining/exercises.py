"""Exercises of the page on pretraining."""

import random
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.chapters.checking import Answer, Case, Exercise

check_gray_kernels = Exercise(
    "gray_kernels",
    reference=lambda weight: torch.einsum("kchw->khw", weight)[:, None],
    cases=lambda: [
        (torch.randn(channels, 3, side, side),) for channels, side in [(1, 1), (4, 3), (8, 11)]
    ],
    drawn=lambda: (torch.randn(random.randint(1, 9), 3, random.randint(2, 5), 3),),
    mistakes={
        "A convolution adds its channels up, and all three see the same image: take the sum over "
        "the channels, not the mean.": lambda weight: weight.mean(1, keepdim=True),
        "These are the kernels of one channel: the image would be seen by all three.": (
            lambda weight: weight[:, :1]
        ),
        "The dimension of the channels is gone: keep it, of length 1, with keepdim=True.": (
            lambda weight: weight.sum(1)
        ),
        "The places are summed as well: add up the channels alone, dim=1.": (
            lambda weight: weight.sum((1, 2, 3), keepdim=True)
        ),
        "Dimension 0 counts the kernels: the channels are dimension 1.": (
            lambda weight: weight.sum(0, keepdim=True)
        ),
    },
)

_State = dict[str, Tensor]


def _without_prefix(saved: _State) -> _State:
    return {name.removeprefix("module."): value for name, value in saved.items()}


def _load_body(model: nn.Module, saved: _State) -> list[str]:
    """Copy entry by entry what has the shape of its namesake."""
    plain, left = _without_prefix(saved), []
    for name, value in model.state_dict().items():
        if name in plain and plain[name].shape == value.shape:
            value.copy_(plain[name])
        else:
            left.append(name)
    return left


def _load(model: nn.Module, saved: _State) -> list[str]:
    """Let torch load what fits by name and shape."""
    shapes = {name: value.shape for name, value in model.state_dict().items()}
    fitting = {name: one for name, one in saved.items() if shapes.get(name) == one.shape}
    return model.load_state_dict(fitting, strict=False).missing_keys


def _load_parameters(model: nn.Module, saved: _State) -> list[str]:
    buffers = dict(model.named_buffers())
    plain = {name: one for name, one in _without_prefix(saved).items() if name not in buffers}
    return [name for name in _load(model, plain) if name not in buffers]


def _names_alone(model: nn.Module, saved: _State) -> list[str]:
    plain, own = _without_prefix(saved), model.state_dict()
    return [name for name, value in own.items() if plain[name].shape != value.shape]


def _what_was_loaded(answer: Answer, model: nn.Module, saved: _State) -> dict[str, Any]:
    """Compare the names with what the model holds afterwards."""
    wanted = _without_prefix(saved)  # before an answer uses it up
    names = answer(model, saved)
    held = model.state_dict().items()
    return {
        "": names if names is None else sorted(names),
        "what was not loaded": sorted(n for n, one in held if not torch.equal(one, wanted[n])),
    }


def _network(classes: int) -> nn.Module:
    """Make a network whose names begin with letters of ``module``, which ``lstrip`` would eat."""
    network = nn.Sequential()
    network.add_module("layer", nn.Conv2d(1, 2, 3))
    network.add_module("norm", nn.BatchNorm2d(2))
    network.add_module("fc", nn.Linear(2, classes))
    return network


def _saved(prefix: str, classes: int) -> tuple[nn.Module, _State]:
    saved = {prefix + name: one + 1 for name, one in _network(classes).state_dict().items()}
    return _network(4), saved


def _states() -> Iterator[Case]:
    for prefix, classes in [("", 4), ("", 7), ("module.", 4), ("module.", 7)]:
        names = ", names with 'module.'" if prefix else ""
        yield Case(f"load_body with a head for {classes} classes{names}", _saved(prefix, classes))


check_load_body = Exercise(
    "load_body",
    reference=_load_body,
    observe=_what_was_loaded,
    cases=_states,
    drawn=lambda: _saved(random.choice(["", "module."]), random.randint(2, 9)),
    changes=("model", "saved"),
    mistakes={
        "load_state_dict(..., strict=False) forgives missing names, not other shapes: leave out "
        "before the call what does not fit.": (
            lambda model, saved: model.load_state_dict(saved, strict=False).missing_keys
        ),
        "load_state_dict wants all names and shapes to fit: leave out what does not, and use "
        "strict=False.": (lambda model, saved: model.load_state_dict(saved).missing_keys),
        "Names with module. in front were not recognized: take it away, with removeprefix.": _load,
        "lstrip takes away letters, all that stand in its argument, and not a prefix: use "
        "removeprefix.": lambda model, saved: _load(
            model, {name.lstrip("module."): value for name, value in saved.items()}
        ),
        "A head that fits is left out too: compare shapes, not names.": lambda model, saved: _load(
            model, {name: one for name, one in _without_prefix(saved).items() if "fc" not in name}
        ),
        "Running statistics are entries too: named_parameters() does not have them, state_dict() "
        "does.": _load_parameters,
        "The names are right, but nothing was loaded: call load_state_dict.": _names_alone,
        "These are the names that were loaded: return the others.": lambda model, saved: [
            name for name in model.state_dict() if name not in _load_body(model, saved)
        ],
    },
)


def _rate_groups(parts: list[nn.Module], lr: float, decay: float) -> list[dict[str, Any]]:
    rates = [lr]
    while len(rates) < len(parts):
        rates.insert(0, rates[0] * decay)
    return [
        {"params": [*part.parameters()], "lr": rate}
        for part, rate in zip(parts, rates, strict=True)
    ]


def _rates(answer: Answer, parts: list[nn.Module], lr: float, decay: float) -> dict[str, Any]:
    """Look up at which rate an optimizer with these groups trains each parameter."""
    optimizer = torch.optim.SGD(answer(parts, lr, decay), lr=0.0)
    found = {id(one): group["lr"] for group in optimizer.param_groups for one in group["params"]}
    rates = [found.get(id(one), 0.0) for part in parts for one in part.parameters()]
    return {"the list of rates": rates}


def _chain(count: int, *given: float) -> tuple[Any, ...]:
    return [nn.Linear(2, 2) for _ in range(count)], *given


check_layer_rates = Exercise(
    "layer_rates",
    reference=_rate_groups,
    observe=_rates,
    cases=lambda: [
        Case(f"layer_rates({given[0]} parts, {given[1]}, {given[2]})", _chain(*given))
        for given in [(1, 0.1, 0.5), (3, 0.1, 0.5), (4, 1e-3, 0.1)]
    ],
    drawn=lambda: _chain(random.randint(2, 6), random.uniform(0.01, 1), random.uniform(0.2, 0.9)),
    mistakes={
        "The rates fall toward the output: the last part learns at lr, so count from there.": (
            lambda parts, lr, decay: _rate_groups(parts[::-1], lr, decay)
        ),
        "All parts learn at lr: multiply by decay for each part that lies behind.": (
            lambda parts, lr, decay: _rate_groups(parts, lr, 1.0)
        ),
        "The last part already decays: its power of decay is 0.": (
            lambda parts, lr, decay: _rate_groups(parts, lr * decay, decay)
        ),
        "The biases are in no group: part.parameters() has them all.": lambda parts, lr, decay: [
            {**group, "params": group["params"][:1]} for group in _rate_groups(parts, lr, decay)
        ],
        "decay is multiplied by the distance from the output: raise it to that power.": (
            lambda parts, lr, decay: [
                {"params": part.parameters(), "lr": lr * decay * i if i else lr}
                for i, part in enumerate(reversed(parts))
            ]
        ),
    },
    tolerance=1e-6,  # the first of four parts learns at a rate of 1e-6
)


def _step(modules: list[nn.Module], rates: list[float], loss: Tensor) -> None:
    """Take a step of plain gradient descent, at each module's own rate."""
    parameters = [(one, lr) for m, lr in zip(modules, rates, strict=True) for one in m.parameters()]
    gradients = torch.autograd.grad(loss, [one for one, _ in parameters])
    with torch.no_grad():
        for (one, lr), gradient in zip(parameters, gradients, strict=True):
            one -= lr * gradient


def _train_in_phases(
    backbone: nn.Module,
    head: nn.Module,
    images: Tensor,
    labels: Tensor,
    lr: float,
    frozen: int,
    thawed: int,
    *,
    frozen_mode: bool = False,
    thawed_mode: bool = True,
    body: float = 0.1,
) -> list[float]:
    losses = []
    for step in range(frozen + thawed):
        learns = step >= frozen
        backbone.train(thawed_mode if learns else frozen_mode)
        loss = F.cross_entropy(head(backbone(images)), labels)
        losses.append(loss.item())
        _step([head, backbone][: 1 + learns], [lr, lr * body][: 1 + learns], loss)
    return losses


def _what_was_trained(
    answer: Answer,
    backbone: nn.Module,
    head: nn.Module,
    images: Tensor,
    labels: Tensor,
    lr: float,
    *steps: int,
) -> dict[str, Any]:
    """Compare the losses, and all that may have moved."""
    losses = answer(backbone, head, images, labels, lr, *steps)
    states = {"the head": head, "the backbone": backbone}
    found = {
        f"the list of {kind} of {name}": [
            one.detach().flatten().tolist()
            for key, one in module.state_dict().items()
            if ("running" in key) == (kind == "statistics")
        ]
        for name, module in states.items()
        for kind in ("statistics", "weights")
    }
    return {"": losses} | {name: values for name, values in found.items() if values}


def _small_task(*more: Any, images: int = 12) -> tuple[Any, ...]:
    """Make a backbone with batch normalization, a head for three classes, images and labels."""
    backbone = nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.BatchNorm1d(5), nn.ReLU())
    inputs = torch.randn(images, 3, 2, 2)
    return backbone, nn.Linear(5, 3), inputs, torch.arange(images) % 3, *more


check_train_probe = Exercise(
    "train_probe",
    reference=lambda backbone, head, images, labels, lr, steps: _train_in_phases(
        backbone, head, images, labels, lr, steps, 0
    ),
    observe=_what_was_trained,
    cases=lambda: [
        Case(f"train_probe(…, {lr}, {steps})", _small_task(lr, steps))
        for lr, steps in [(0.5, 1), (0.1, 4)]
    ],
    drawn=lambda: _small_task(random.uniform(0.05, 1), random.randint(2, 6)),
    changes=("backbone", "head"),
    mistakes={
        "Batch normalization used and counted this batch: put the backbone into eval mode before "
        "the first forward pass.": lambda backbone, head, *given: _train_in_phases(
            backbone, head, *given, 0, frozen_mode=True
        ),
        "The backbone moved: give the optimizer the parameters of the head alone.": (
            lambda backbone, head, images, labels, lr, steps: _train_in_phases(
                backbone, head, images, labels, lr, 0, steps, thawed_mode=False, body=1.0
            )
        ),
        "Nothing is frozen yet: train the head alone, behind a backbone in eval mode.": (
            lambda backbone, head, images, labels, lr, steps: _train_in_phases(
                backbone, head, images, labels, lr, 0, steps, body=1.0
            )
        ),
        "Gradients add up from step to step: call optimizer.zero_grad() in each.": (
            lambda *given: _with_old_gradients(*given)
        ),
    },
)


def _with_old_gradients(
    backbone: nn.Module, head: nn.Module, images: Tensor, labels: Tensor, lr: float, steps: int
) -> list[float]:
    """Train a probe whose gradients are never set to zero."""
    features, losses = backbone.eval()(images).detach(), []
    optimizer = torch.optim.SGD(head.parameters(), lr)
    for _ in range(steps):
        loss = F.cross_entropy(head(features), labels)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    return losses


check_train_thawed = Exercise(
    "train_thawed",
    reference=lambda backbone, head, images, labels, lr, frozen, thawed: _train_in_phases(
        backbone, head, images, labels, lr, frozen, thawed
    ),
    observe=_what_was_trained,
    cases=lambda: [
        Case(f"train_thawed(…, {lr}, {frozen}, {thawed})", _small_task(lr, frozen, thawed))
        for lr, frozen, thawed in [(0.5, 2, 3), (0.1, 3, 2)]
    ],
    drawn=lambda: _small_task(random.uniform(0.05, 1), random.randint(1, 3), random.randint(2, 4)),
    changes=("backbone", "head"),
    mistakes={
        "The backbone never learns: after the frozen steps, let the optimizer hold its parameters "
        "as well.": lambda backbone, head, images, labels, lr, frozen, thawed: _train_in_phases(
            backbone, head, images, labels, lr, frozen, thawed, body=0.0
        ),
        "Head and backbone learn at one rate after the thaw: the backbone's is a tenth of it.": (
            lambda *given: _train_in_phases(*given, body=1.0)
        ),
        "The backbone learns from the first step on: leave it out of the first steps.": (
            lambda backbone, head, images, labels, lr, frozen, thawed: _train_in_phases(
                backbone, head, images, labels, lr, 0, frozen + thawed
            )
        ),
        "The statistics move while the backbone is frozen: put it into eval mode until the thaw.": (
            lambda *given: _train_in_phases(*given, frozen_mode=True)
        ),
        "The backbone is still in eval mode after the thaw: call backbone.train() before it "
        "learns.": lambda *given: _train_in_phases(*given, thawed_mode=False),
    },
)
