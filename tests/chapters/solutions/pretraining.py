"""Answers to the exercises on pretraining."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def gray_kernels(weight):
    return weight.sum(1, keepdim=True)


def load_body(model, saved):
    own = model.state_dict()
    saved = {name.removeprefix("module."): value for name, value in saved.items()}
    fitting = {name: w for name, w in saved.items() if own[name].shape == w.shape}
    return model.load_state_dict(fitting, strict=False).missing_keys


def load_body_in_place(model, saved):
    left = set()
    for name, value in model.state_dict().items():
        other = saved.get(name, saved.get(f"module.{name}"))
        if other is None or other.shape != value.shape:
            left.add(name)
        else:
            value.copy_(other)
    return left


def layer_rates(parts, lr, decay):
    last = len(parts) - 1
    return [
        {"params": part.parameters(), "lr": lr * decay ** (last - i)}
        for i, part in enumerate(parts)
    ]


def load_all(model, saved):
    model.load_state_dict(saved)
    return []


def load_what_has_a_known_name(model, saved):
    return model.load_state_dict(saved, strict=False).missing_keys


def load_with_the_prefix(model, saved):
    own = model.state_dict()
    fitting = {n: w for n, w in saved.items() if n in own and own[n].shape == w.shape}
    return model.load_state_dict(fitting, strict=False).missing_keys


def load_with_lstrip(model, saved):
    return load_body(model, {name.lstrip("module."): w for name, w in saved.items()})


def load_never_a_head(model, saved):
    return load_body(model, {n: w for n, w in saved.items() if "fc" not in n})


def load_parameters(model, saved):
    own = dict(model.named_parameters())
    for name, w in saved.items():
        name = name.removeprefix("module.")
        if name in own and own[name].shape == w.shape:
            own[name].data.copy_(w)
    plain = {name.removeprefix("module."): w.shape for name, w in saved.items()}
    return [name for name in own if own[name].shape != plain[name]]


def only_name_what_fits(model, saved):
    own = model.state_dict()
    names = ((name.removeprefix("module."), w) for name, w in saved.items())
    return [name for name, w in names if own[name].shape != w.shape]


def reversed_rates(parts, lr, decay):
    return [{"params": p.parameters(), "lr": lr * decay**i} for i, p in enumerate(parts)]


def weights_alone(parts, lr, decay):
    groups = layer_rates(parts, lr, decay)
    return [{**group, "params": [next(iter(group["params"]))]} for group in groups]


def load_body_using_up_what_is_given(model, saved):
    for name in list(saved):
        saved[name.removeprefix("module.")] = saved.pop(name)
    shapes = {name: w.shape for name, w in model.state_dict().items()}
    left = {name for name in shapes if saved[name].shape != shapes[name]}
    model.load_state_dict({n: saved.pop(n) for n in shapes if n not in left}, strict=False)
    return left


def rates_from_the_end(parts, lr, decay):
    groups = []
    for part in reversed(parts):
        groups.append({"lr": lr, "params": list(part.parameters())})
        lr *= decay
    return groups


def a_group_for_each_parameter(parts, lr, decay):
    rates = lr * np.power(decay, np.arange(len(parts))[::-1])
    return (
        {"params": [parameter], "lr": float(rate)}
        for part, rate in zip(parts, rates, strict=True)
        for parameter in part.parameters()
    )


def train_probe(backbone, head, images, labels, lr, steps):
    backbone.eval()
    with torch.no_grad():
        features = backbone(images)
    optimizer, losses = torch.optim.SGD(head.parameters(), lr=lr), []
    for _ in range(steps):
        loss = F.cross_entropy(head(features), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def train_probe_frozen(backbone, head, images, labels, lr, steps):
    backbone.requires_grad_(False).eval()
    model = nn.Sequential(backbone, head)
    optimizer, losses = torch.optim.SGD(model.parameters(), lr=lr), []
    for _ in range(steps):
        optimizer.zero_grad()
        losses.append(nn.CrossEntropyLoss()(model(images), labels))
        losses[-1].backward()
        optimizer.step()
    return torch.stack(losses)


def train_probe_by_hand(backbone, head, images, labels, lr, steps):
    features, losses = backbone.eval()(images).detach(), np.zeros(steps)
    for step in range(steps):
        loss = F.cross_entropy(head(features), labels)
        losses[step] = loss.item()
        gradients = torch.autograd.grad(loss, [head.weight, head.bias])
        with torch.no_grad():
            head.weight -= lr * gradients[0]
            head.bias -= lr * gradients[1]
    return losses


def train_everything(backbone, head, images, labels, lr, steps):
    optimizer = torch.optim.SGD([*backbone.parameters(), *head.parameters()], lr)
    return [descend(backbone, head, images, labels, optimizer) for _ in range(steps)]


def train_probe_in_train_mode(backbone, head, images, labels, lr, steps):
    optimizer = torch.optim.SGD(head.parameters(), lr)
    return [descend(backbone, head, images, labels, optimizer) for _ in range(steps)]


def descend(backbone, head, images, labels, optimizer):
    loss = F.cross_entropy(head(backbone(images)), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def train_thawed(backbone, head, images, labels, lr, frozen, thawed):
    optimizer = torch.optim.SGD(head.parameters(), lr=lr)
    backbone.eval()
    losses = [descend(backbone, head, images, labels, optimizer) for _ in range(frozen)]
    backbone.train()
    optimizer.add_param_group({"params": backbone.parameters(), "lr": lr / 10})
    return losses + [descend(backbone, head, images, labels, optimizer) for _ in range(thawed)]


def train_thawed_with_two_optimizers(backbone, head, images, labels, lr, frozen, thawed):
    losses = []
    for phase, steps in enumerate((frozen, thawed)):
        backbone.train(phase == 1)
        groups = [{"params": head.parameters(), "lr": lr}]
        if phase:
            groups.append({"params": backbone.parameters(), "lr": 0.1 * lr})
        optimizer = torch.optim.SGD(groups)
        losses += [descend(backbone, head, images, labels, optimizer) for _ in range(steps)]
    return np.array(losses)


def train_thawed_by_rates(backbone, head, images, labels, lr, frozen, thawed):
    groups = [{"params": head.parameters()}, {"params": backbone.parameters(), "lr": 0.0}]
    optimizer, losses = torch.optim.SGD(groups, lr), []
    for step in range(frozen + thawed):
        if step == frozen:
            optimizer.param_groups[1]["lr"] = lr / 10
        backbone.train(step >= frozen)
        losses.append(descend(backbone, head, images, labels, optimizer))
    return losses


def train_never_thawed(backbone, head, images, labels, lr, frozen, thawed):
    optimizer = torch.optim.SGD(head.parameters(), lr=lr)
    backbone.eval()
    losses = [descend(backbone, head, images, labels, optimizer) for _ in range(frozen)]
    backbone.train()
    return losses + [descend(backbone, head, images, labels, optimizer) for _ in range(thawed)]


def train_thawed_at_one_rate(backbone, head, images, labels, lr, frozen, thawed):
    optimizer = torch.optim.SGD(head.parameters(), lr=lr)
    backbone.eval()
    losses = [descend(backbone, head, images, labels, optimizer) for _ in range(frozen)]
    backbone.train()
    optimizer.add_param_group({"params": backbone.parameters()})
    return losses + [descend(backbone, head, images, labels, optimizer) for _ in range(thawed)]


ANSWERS = {
    "gray_kernels": {
        "right": [
            gray_kernels,
            lambda weight: weight[:, :1] + weight[:, 1:2] + weight[:, 2:],
            lambda weight: np.expand_dims(weight.numpy().sum(1), 1),
        ],
        "wrong": {
            "take the sum over": lambda w: w.mean(1, keepdim=True),
            "the kernels of one channel": lambda w: w[:, 0:1],
            "with keepdim=True": lambda w: w.sum(1),
            "of shape (1, 3, 1, 1), expected": lambda w: w,
            "The places are summed": lambda w: w.sum((1, 2, 3), keepdim=True),
        },
    },
    "load_body": {
        "right": [load_body, load_body_in_place, load_body_using_up_what_is_given],
        "wrong": {
            "leave out what does not, and use strict=False": load_all,
            "forgives missing names, not other shapes": load_what_has_a_known_name,
            "KeyError: 'ayer.weight'": load_with_lstrip,
            "Names with module. in front": load_with_the_prefix,
            "compare shapes, not names": load_never_a_head,
            "Running statistics are entries too": load_parameters,
            "nothing was loaded": only_name_what_fits,
        },
    },
    "layer_rates": {
        "right": [layer_rates, rates_from_the_end, a_group_for_each_parameter],
        "wrong": {
            "The rates fall toward the output": reversed_rates,
            "The biases are in no group": weights_alone,
            "expected [0.1, 0.1]": lambda parts, lr, decay: [{"params": []}],
            "ValueError: optimizer got an empty parameter list": lambda parts, lr, decay: [],
            "All parts learn at lr": lambda parts, lr, decay: [
                {"params": nn.Sequential(*parts).parameters(), "lr": lr}
            ],
        },
    },
    "train_probe": {
        "right": [train_probe, train_probe_frozen, train_probe_by_hand],
        "wrong": {
            "Batch normalization used and counted this batch": train_probe_in_train_mode,
            "Nothing is frozen yet": train_everything,
            "of shape (2,), expected": lambda *given: train_probe(*given)[:1] * 2,
            "takes (model)": lambda model: [],
        },
    },
    "train_thawed": {
        "right": [train_thawed, train_thawed_with_two_optimizers, train_thawed_by_rates],
        "wrong": {
            "The backbone never learns": train_never_thawed,
            "learn at one rate after the thaw": train_thawed_at_one_rate,
            "learns from the first step on": lambda b, h, x, y, lr, frozen, thawed: train_thawed(
                b, h, x, y, lr, 0, frozen + thawed
            ),
        },
    },
}
