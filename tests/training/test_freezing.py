"""What is frozen stays as it is to the last bit, and what thaws learns at the right time."""

import copy
import math
import re
from collections import OrderedDict

import pytest
import torch
import torch.nn.functional as F
from devices import gives_the_same_on_every_device
from torch import nn

from glassbox.data import Batches
from glassbox.training import (
    UnfreezeAfter,
    assert_frozen,
    check_optimizer,
    fit,
    freeze,
    halve_on_plateau,
    parameter_groups,
    train_keeping_frozen,
    unfreeze,
)

OPTIMIZERS = {
    "SGD": lambda parameters: torch.optim.SGD(parameters, 0.1, momentum=0.9, weight_decay=0.1),
    "Adam": lambda parameters: torch.optim.Adam(parameters, 0.01, weight_decay=0.1),
    "AdamW": lambda parameters: torch.optim.AdamW(parameters, 0.01, weight_decay=0.1),
}


def make_data(n=24):
    images = torch.randn(n, 2, 6, 6, generator=torch.Generator().manual_seed(0)) + 1
    return images, torch.arange(n) % 3


def make_model(seed=0):
    torch.manual_seed(seed)
    backbone = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5))
    return nn.Sequential(
        OrderedDict(backbone=backbone, flatten=nn.Flatten(), head=nn.Linear(64, 3))
    )


def batches():
    return Batches(*make_data(), 8)


def snapshot(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def equal(first, second):
    return all(torch.equal(value, second[name]) for name, value in first.items())


def learn(model, optimizer, *, set_to_none=True):
    """Take one step the ordinary way."""
    loss = F.cross_entropy(model(make_data()[0]), make_data()[1])
    optimizer.zero_grad(set_to_none=set_to_none)
    loss.backward()
    optimizer.step()


def used(make_optimizer):
    """Give a model and an optimizer of all its parameters, with gradients and state left over."""
    model = make_model()
    optimizer = make_optimizer(model.parameters())
    learn(model, optimizer)
    return model, optimizer


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("made", ["before", "after", "head alone"])
def test_a_frozen_backbone_stays_while_the_head_learns(name, made):
    model = make_model()
    if made != "before":
        freeze(model.backbone)
    part = model.head if made == "head alone" else model
    optimizer = OPTIMIZERS[name](part.parameters())
    freeze(model.backbone)
    before = snapshot(model)
    with assert_frozen(model.backbone, optimizer=optimizer):
        fit(model, batches(), optimizer, epochs=2, validation=make_data(), progress=False)
    after = snapshot(model)
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert changed == {"head.weight", "head.bias"}
    assert after["backbone.1.num_batches_tracked"] == 0
    assert set(optimizer.state) == set(model.head.parameters())


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("set_to_none", [True, False])
def test_gradients_and_momentum_left_over_do_not_move_what_is_frozen(name, set_to_none):
    for by_hand in (True, False):
        model, optimizer = used(OPTIMIZERS[name])
        if by_hand:  # what many a forum advises
            model.backbone.eval().requires_grad_(False)
        else:
            freeze(model.backbone)
        before = snapshot(model.backbone)
        state = copy.deepcopy([optimizer.state[p] for p in model.backbone.parameters()])
        learn(model, optimizer, set_to_none=set_to_none)
        stays = equal(before, snapshot(model.backbone))
        assert stays == (set_to_none or not by_hand)
        now = [optimizer.state[p] for p in model.backbone.parameters()]
        assert stays == all(equal_states(*pair) for pair in zip(state, now, strict=True))


def equal_states(first, second):
    return all(torch.equal(torch.as_tensor(first[k]), torch.as_tensor(second[k])) for k in first)


def test_freezing_and_thawing_reach_everything_inside():
    model = make_model()
    model(make_data()[0]).sum().backward()
    freeze(model.backbone)
    assert not any(p.requires_grad or p.grad is not None for p in model.backbone.parameters())
    assert not any(module.training for module in model.backbone.modules())
    assert all(p.requires_grad and p.grad is not None for p in model.head.parameters())
    unfreeze(model.backbone)
    assert all(p.requires_grad for p in model.parameters())
    assert all(module.training for module in model.modules())


def test_train_undoes_the_modes_and_train_keeping_frozen_keeps_them():
    model = make_model()
    freeze(model.backbone)
    model.train()
    assert model.backbone[1].training
    train_keeping_frozen(model)
    assert model.training and model.head.training and model.flatten.training
    assert not any(module.training for module in model.backbone.modules())  # also the dropout
    unfreeze(model.backbone[0])
    train_keeping_frozen(model)
    assert model.backbone.training and not model.backbone[1].training


def test_statistics_without_weights_stay_frozen_until_they_thaw():
    norms = nn.BatchNorm2d(4, affine=False), nn.BatchNorm2d(4, affine=False)
    model = nn.Sequential(nn.Conv2d(2, 4, 3), *norms, nn.Flatten(), nn.LazyLinear(3))
    model(make_data()[0])
    freeze(norms[0])
    model.eval()  # for a measurement
    train_keeping_frozen(model)
    with assert_frozen(norms[0]):
        model(make_data()[0])
    assert norms[1].training and not norms[0].training
    train_keeping_frozen(copied := copy.deepcopy(model))
    assert not copied[1].training
    unfreeze(model)
    train_keeping_frozen(model)
    assert norms[0].training


def test_statistics_move_without_gradients_and_are_named():
    model = make_model()
    model.requires_grad_(False)
    with pytest.raises(AssertionError) as caught, assert_frozen(model):
        mean = model.backbone[0](make_data()[0]).mean((0, 2, 3))
        model(make_data()[0])
    names = re.findall(r"backbone\S+", str(caught.value))
    assert sorted(names) == [
        f"backbone.1.{name}" for name in ("num_batches_tracked", "running_mean", "running_var")
    ]
    assert f"running_mean by {0.1 * mean.abs().max():.2g};" in str(caught.value)
    torch.testing.assert_close(model.backbone[1].running_mean, 0.1 * mean)


class Meddled(nn.Module):
    """Has one tensor of each kind."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(2, 2)
        self.register_buffer("kept", torch.zeros(2))
        self.register_buffer("hidden", torch.zeros(2), persistent=False)
        self.register_buffer("holes", torch.tensor([math.nan, math.inf, 1.0]))
        self.register_buffer("mask", torch.tensor([True, False]))


def swap_mask(m):
    m.mask.logical_not_()


MEDDLING = {
    "inner.weight by 0.5": lambda m: m.inner.weight.data.add_(0.5),
    "inner.bias by 1e-30": lambda m: m.inner.bias.data.copy_(torch.tensor([1e-30, 0])),
    "kept by 2": lambda m: m.kept.sub_(2),
    "hidden by 3": lambda m: m.hidden.fill_(3),
    "kept is gone": lambda m: delattr(m, "kept"),
    "fresh is new": lambda m: m.register_buffer("fresh", torch.zeros(1)),
    r"kept has shape \(3,\), before \(2,\)": lambda m: setattr(m, "kept", torch.zeros(3)),
    "kept by nan": lambda m: m.kept.fill_(math.nan),
    "holes by nan": lambda m: m.holes.fill_(1.0),
    "mask by 1": swap_mask,
}


@pytest.mark.parametrize("message", MEDDLING)
def test_every_change_is_found_and_named(message):
    model = Meddled()
    model.inner.bias.data.zero_()
    with pytest.raises(AssertionError, match=f"^not frozen: {message}$"), assert_frozen(model):
        MEDDLING[message](model)


def what_moved(before, after):
    module = nn.Module()
    module.register_buffer("kept", before)
    with pytest.raises(AssertionError) as caught, assert_frozen(module):
        module.kept = after
    return torch.tensor(float(str(caught.value).rpartition(" ")[2]), device="cpu")


test_what_moved_is_told_on_every_device = gives_the_same_on_every_device(
    ("assert_frozen", what_moved, torch.zeros(3), torch.ones(3)),
)


def test_what_does_not_change_is_no_alarm_and_other_errors_pass():
    model = Meddled()
    with assert_frozen(model, model.inner):
        model.inner(torch.ones(1, 2)).sum().backward()
    with pytest.raises(KeyError), assert_frozen(model):
        model.kept.fill_(1)
        raise KeyError


def test_all_modules_are_watched_and_all_changes_told():
    first, second = nn.Linear(1, 1), nn.Linear(1, 1)
    message = "not frozen: bias by 1; weight by 2$"
    with pytest.raises(AssertionError, match=message), assert_frozen(first, second):
        first.bias.data.add_(1)
        second.weight.data.sub_(2)


def test_new_optimizer_state_is_found_though_nothing_moved():
    model = make_model()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.0)
    model.backbone[1].eval()
    message = "not frozen: optimizer state of 0.weight; optimizer state of 0.bias; "
    with (
        pytest.raises(AssertionError, match=message),
        assert_frozen(model.backbone, optimizer=optimizer),
    ):
        learn(model, optimizer)
    with assert_frozen(model.backbone, optimizer=optimizer):  # no new one comes up now
        learn(model, optimizer)


def ids(parameters):
    return [id(parameter) for parameter in parameters]


@pytest.mark.parametrize("beside", [False, True])
def test_groups_are_disjoint_and_complete_and_have_their_rates(beside):
    model = make_model()
    groups = parameter_groups(model.head, model.backbone if beside else model, 0.2, 0.05)
    head, rest = (ids(group["params"]) for group in groups)
    assert head == ids(model.head.parameters()) and rest == ids(model.backbone.parameters())
    optimizer = torch.optim.SGD(groups, lr=9.0)
    model(make_data()[0]).sum().backward()
    expected = {
        name: p - (0.2 if name.startswith("head") else 0.05) * p.grad
        for name, p in model.named_parameters()
    }
    optimizer.step()
    torch.testing.assert_close(dict(model.named_parameters()), expected)
    assert [group["name"] for group in optimizer.param_groups] == ["head", "backbone"]


def test_a_parameter_that_head_and_backbone_share_is_in_one_group():
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    head, rest = (ids(g["params"]) for g in parameter_groups(model[1], model, 1.0, 1.0))
    assert head == ids([model[1].weight, model[1].bias]) and rest == ids([model[0].bias])


def test_an_optimizer_that_lacks_a_parameter_is_refused():
    model = make_model()
    optimizer = torch.optim.SGD(model.backbone[0].parameters(), 0.1)
    names = "backbone.1.weight, backbone.1.bias, head.weight, head.bias"
    with pytest.raises(ValueError, match=f"^optimizer lacks {names}, expected all that can learn"):
        check_optimizer(model, optimizer)
    freeze(model.backbone[1])
    with pytest.raises(ValueError, match=r"lacks head.weight, head.bias,"):
        check_optimizer(model, optimizer)
    optimizer.add_param_group({"params": model.head.parameters()})
    check_optimizer(model, optimizer)
    model.head = nn.Linear(64, 3)  # a new head, made after the optimizer
    with pytest.raises(ValueError, match=r"lacks head.weight, head.bias,"):
        check_optimizer(model, optimizer)


@pytest.mark.parametrize("part", ["head", "all"])
def test_it_is_the_same_as_two_trainings_by_hand(part):
    def begin():
        model = make_model()
        return model, torch.optim.Adam((model.head if part == "head" else model).parameters(), 0.01)

    expected, optimizer = begin()
    freeze(expected.backbone)
    data = batches()
    torch.manual_seed(1)
    fit(expected, data, optimizer, epochs=2, progress=False)
    unfreeze(expected.backbone)
    optimizer.param_groups[0]["lr"] = 0.004
    if part == "head":
        optimizer.add_param_group({"params": expected.backbone.parameters(), "lr": 0.004})
    fit(expected, data, optimizer, epochs=2, progress=False)

    model, optimizer = begin()
    thawing = UnfreezeAfter([model.backbone], epochs=2, lr=0.004)
    torch.manual_seed(1)
    fit(model, batches(), optimizer, epochs=4, callbacks=[thawing], progress=False)
    assert equal(expected.state_dict(), model.state_dict())


def test_after_the_thaw_the_model_is_free_of_hooks_and_can_be_frozen_again():
    model = make_model()
    thawing = UnfreezeAfter(list(model.backbone), epochs=1, lr=0.1)
    optimizer = torch.optim.SGD(model.head.parameters(), 0.1)
    fit(model, batches(), optimizer, epochs=1, callbacks=[thawing], progress=False)
    model.eval()(make_data()[0])
    assert not any(module.training for module in model.modules())
    model.train()
    freeze(model.backbone)
    with assert_frozen(model.backbone):
        model(make_data()[0])
    assert not model._forward_pre_hooks


def test_a_copy_taken_at_the_thaw_leaves_the_model_alone():
    model, copies = make_model(), []
    thawing = UnfreezeAfter([model.backbone], epochs=1, lr=0.1)
    optimizer = torch.optim.SGD(model.head.parameters(), 0.1)
    keep = [thawing, lambda state: copies.append(copy.deepcopy(state.model))]
    fit(model, batches(), optimizer, epochs=1, callbacks=keep, progress=False)
    copies[0](make_data()[0])
    assert copies[0].backbone[1].training and not model.backbone[1].training
    assert not copies[0]._forward_pre_hooks and len(model._forward_pre_hooks) == 1


def trained(path, *, epochs, stops_at):
    model = make_model()
    thawing = UnfreezeAfter([model.backbone], epochs=2, lr=0.004)
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    data = batches()
    for until in (stops_at, epochs):
        torch.manual_seed(1)
        options = {"callbacks": [thawing], "checkpoint": path, "progress": False}
        fit(model, data, optimizer, epochs=until, **options)
        if until != epochs:  # another process would begin anew
            model, data = make_model(), batches()
            optimizer = torch.optim.Adam(model.parameters(), 0.01)
            thawing = UnfreezeAfter([model.backbone], epochs=2, lr=0.004)
    return model


def test_a_training_resumes_before_the_thaw_and_refuses_to_after_it(tmp_path):
    whole = trained(tmp_path / "whole", epochs=4, stops_at=4)
    resumed = trained(tmp_path / "before", epochs=4, stops_at=1)
    assert equal(whole.state_dict(), resumed.state_dict())
    with pytest.raises(ValueError, match=r"model.backbone.training is True, expected False"):
        trained(tmp_path / "after", epochs=4, stops_at=3)


def test_a_layer_that_the_thaw_does_not_reach_is_refused():
    model = make_model()
    optimizer = torch.optim.SGD(model.head.parameters(), 0.1)
    thawing = UnfreezeAfter([model.backbone[0]], epochs=1, lr=0.1)
    with pytest.raises(ValueError, match=r"lacks backbone.1.weight, backbone.1.bias"):
        fit(model, batches(), optimizer, epochs=2, callbacks=[thawing], progress=False)


def test_the_plateau_halves_all_rates_after_three_epochs_without_progress():
    model = make_model()
    optimizer = torch.optim.SGD(model.head.parameters(), 0.8)
    scheduler, rates = halve_on_plateau(optimizer), []
    for epoch, loss in enumerate([1.0, 0.5, 0.6, 0.5, 0.7, 0.4, 0.4, 0.4, 0.4, *[0.4] * 80]):
        if epoch == 5:
            optimizer.add_param_group({"params": model.backbone.parameters(), "lr": 0.1})
        scheduler.step(loss)
        rates.append([group["lr"] for group in optimizer.param_groups])
    assert [rate[0] for rate in rates[:9]] == [0.8] * 4 + [0.4] * 4 + [0.2]
    assert [rate[1] for rate in rates[5:9]] == [0.1] * 3 + [0.05]
    assert rates[-1] == [1e-6, 1e-6]


def test_the_plateau_and_the_thaw_work_together():
    model = make_model()
    thawing = UnfreezeAfter([model.backbone], epochs=1, lr=0.5)
    optimizer = torch.optim.SGD(model.head.parameters(), 0.25)
    flat = lambda logits, labels: 0 * logits.sum() + 1  # noqa: E731
    options = {"scheduler": halve_on_plateau(optimizer), "callbacks": [thawing], "progress": False}
    history = fit(model, batches(), optimizer, epochs=5, loss_fn=flat, **options)
    assert history.lr == [0.25, 0.5, 0.5, 0.5, 0.25]
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.25]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda m: UnfreezeAfter([m], epochs=0, lr=0.1), "epochs is 0, expected at least 1"),
        (lambda m: UnfreezeAfter([m], epochs=1, lr=0.0), "lr is 0.0, expected above 0"),
        (lambda m: UnfreezeAfter([m], epochs=1, lr=math.nan), "lr is nan, expected above 0"),
        (lambda m: UnfreezeAfter([], epochs=1, lr=0.1), "backbone is empty"),
        (lambda m: parameter_groups(m.head, m, -1.0, 1.0), "^lr is -1.0, expected above 0"),
        (lambda m: parameter_groups(m.head, m, 1.0, 0), "^backbone_lr is 0, expected above 0"),
        (lambda m: parameter_groups(m.flatten, m, 1.0, 1.0), "^head is without parameters"),
        (lambda m: parameter_groups(m, m.head, 1.0, 1.0), "^backbone is without parameters"),
    ],
)
def test_wrong_arguments_are_named_before_anything_is_frozen(make, message):
    model = make_model()
    with pytest.raises(ValueError, match=message):
        make(model)
    assert all(p.requires_grad for p in model.parameters()) and model.backbone.training
