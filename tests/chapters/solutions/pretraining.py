"""Solutions of the exercises on pretraining, and mistakes."""

from torch import nn


def gray_kernels(weight):
    return weight.sum(1, keepdim=True)


def load_body(model, saved):
    own = model.state_dict()
    saved = {name.removeprefix("module."): value for name, value in saved.items()}
    fitting = {name: w for name, w in saved.items() if own[name].shape == w.shape}
    return model.load_state_dict(fitting, strict=False).missing_keys


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
    return [name for name in own if own[name].shape != saved.get(name, own[name]).shape]


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


SOLUTIONS = [
    ("gray_kernels", gray_kernels),
    ("load_body", load_body),
    ("load_body", load_body_using_up_what_is_given),
    ("layer_rates", layer_rates),
]
MISTAKES = [
    ("gray_kernels", lambda w: w.mean(1, keepdim=True), "(1, 3, 1, 1)"),
    ("gray_kernels", lambda w: w[:, :1], "(1, 3, 1, 1)"),
    ("gray_kernels", lambda w: w, "RuntimeError"),
    ("gray_kernels", lambda w: w.sum(1), "weight of shape"),
    ("gray_kernels", lambda w: w.sum((1, 2, 3), keepdim=True), "(4, 3, 3, 3)"),
    ("load_body", load_all, "7 classes raises RuntimeError"),
    ("load_body", load_what_has_a_known_name, "7 classes raises RuntimeError"),
    ("load_body", load_with_lstrip, "KeyError: 'ayer.weight'"),
    ("load_body", load_with_the_prefix, "4 classes, names with 'module.' gives ['fc.bias'"),
    ("load_body", load_never_a_head, "of a head for 4 classes gives ['fc.bias', 'fc.weight']"),
    ("load_body", load_parameters, "not loaded of a head for 4 classes gives ['norm.num_bat"),
    ("load_body", only_name_what_fits, "what was not loaded of a head for 4 classes gives"),
    ("layer_rates", reversed_rates, "rates of layer_rates(3 parts, 0.1, 0.5)"),
    ("layer_rates", weights_alone, "rates of layer_rates(1 parts, 0.1, 0.5)"),
    ("layer_rates", lambda parts, lr, decay: [{"params": []}], "gives tensor([0., 0.])"),
    ("layer_rates", lambda parts, lr, decay: [], "raises ValueError"),
    (
        "layer_rates",
        lambda parts, lr, decay: [{"params": nn.Sequential(*parts).parameters(), "lr": lr}],
        "3 parts",
    ),
]
