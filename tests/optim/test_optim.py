"""The optimizers beside PyTorch's, bit for bit, and beside the paper."""

import copy
import functools
import itertools
import math

import pytest
import torch
from devices import gives_the_same_on_every_device
from hypothesis import given, settings
from hypothesis import strategies as st

from glassbox import optim

SHAPES = [(), (1,), (7,), (3, 5), (2, 3, 4, 2)]
DTYPES = [torch.float32, torch.float64]
ADAMS = {
    "plain": (optim.Adam, torch.optim.Adam, {}),
    "decay": (optim.Adam, torch.optim.Adam, {"weight_decay": 0.1}),
    "amsgrad": (optim.Adam, torch.optim.Adam, {"amsgrad": True, "weight_decay": 0.01}),
    "maximize": (optim.Adam, torch.optim.Adam, {"maximize": True, "weight_decay": 0.1}),
    "decoupled": (optim.Adam, torch.optim.Adam, {"decoupled_weight_decay": True,
                                                 "weight_decay": 0.1}),
    "betas": (optim.Adam, torch.optim.Adam, {"betas": (0.0, 0.5), "eps": 0.0, "lr": 0.1}),
    "AdamW": (optim.AdamW, torch.optim.AdamW, {}),
    "AdamW amsgrad": (optim.AdamW, torch.optim.AdamW, {"amsgrad": True, "maximize": True}),
}  # fmt: skip
OTHERS = {
    "SGD": (optim.SGD, torch.optim.SGD, {"lr": 0.1}),
    "momentum": (optim.SGD, torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.1}),
    "dampening": (optim.SGD, torch.optim.SGD, {"momentum": 0.9, "dampening": 0.5}),
    "Nesterov": (optim.SGD, torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    "SGD up": (optim.SGD, torch.optim.SGD, {"momentum": 0.5, "maximize": True}),
    "RMSprop": (optim.RMSprop, torch.optim.RMSprop, {}),
    "RMSprop all": (optim.RMSprop, torch.optim.RMSprop, {"momentum": 0.9, "centered": True,
                                                         "weight_decay": 0.1, "maximize": True}),
    "centered": (optim.RMSprop, torch.optim.RMSprop, {"centered": True, "alpha": 0.9}),
}  # fmt: skip
ALL = ADAMS | OTHERS
each = pytest.mark.parametrize("ours, theirs, options", ALL.values(), ids=ALL)


def parameters(dtype, shapes=SHAPES, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(s, generator=generator, dtype=dtype).requires_grad_() for s in shapes]


@functools.cache
def drawn(step, kinds, absent):
    """Draw gradients over six decades; now and then one is missing."""
    generator, gradients = torch.Generator().manual_seed(step), []
    for shape, dtype in kinds:
        decade = 10.0 ** torch.randint(-3, 4, (), generator=generator)
        gradient = decade * torch.randn(shape, generator=generator, dtype=dtype)
        missing = torch.rand((), generator=generator) < absent
        gradients.append(None if missing else gradient.to(dtype))
    return gradients


def set_gradients(lists, step, absent=0.1):
    """Give the parameters of all lists the same gradients, each its own copy."""
    kinds = tuple((param.shape, param.dtype) for param in lists[0])
    for params in lists:
        for param, gradient in zip(params, drawn(step, kinds, absent), strict=True):
            param.grad = None if gradient is None else gradient.clone()


def step_both(optimizer, expected, params, steps, **options):
    for step in steps:
        set_gradients(params, step, **options)
        optimizer.step()
        expected.step()


def assert_bitwise(ones, others):
    for one, other in zip(ones, others, strict=True):
        assert one.dtype == other.dtype
        assert torch.equal(one.detach(), other.detach())


@pytest.mark.parametrize("dtype", DTYPES)
@each
def test_many_steps_are_torchs_bit_for_bit(ours, theirs, options, dtype):
    """A thousand with the defaults, by when Adam's correction for its start has worn off."""
    mine, reference = parameters(dtype), parameters(dtype)
    optimizer, expected = ours(mine, **options), theirs(reference, **options, foreach=False)
    step_both(optimizer, expected, [mine, reference], range(200 if options else 1000))
    assert_bitwise(mine, reference)
    assert not torch.equal(mine[0], parameters(dtype)[0])
    assert_same_states(optimizer.state_dict(), expected.state_dict())


def assert_same_states(mine, theirs):
    """Torch's plain SGD keeps nothing of a parameter, ours an empty dict."""
    assert {i for i, state in mine["state"].items() if state} == theirs["state"].keys()
    for index, state in theirs["state"].items():
        present = {name: value for name, value in state.items() if value is not None}
        assert present.keys() == mine["state"][index].keys()
        for name, value in present.items():
            assert torch.equal(mine["state"][index][name], value), name
    for group, expected in zip(mine["param_groups"], theirs["param_groups"], strict=True):
        assert group.keys() == expected.keys()


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0, 1), st.floats(0, 0.999), st.floats(0, 0.9999), st.floats(0, 0.1),
    st.floats(0, 1), st.booleans(), st.booleans(), st.booleans(), st.sampled_from(DTYPES),
    st.integers(0, 10**6),
)  # fmt: skip
def test_adam_is_torchs_for_any_setting(
    lr, beta1, beta2, eps, decay, amsgrad, maximize, decoupled, dtype, seed
):
    options = {
        "lr": lr, "betas": (beta1, beta2), "eps": eps, "weight_decay": decay, "amsgrad": amsgrad,
        "maximize": maximize, "decoupled_weight_decay": decoupled,
    }  # fmt: skip
    mine, reference = parameters(dtype, seed=seed), parameters(dtype, seed=seed)
    optimizer = optim.Adam(mine, **options)
    expected = torch.optim.Adam(reference, **options, foreach=False)
    step_both(optimizer, expected, [mine, reference], range(seed, seed + 20))
    for one, other in zip(mine, reference, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.complex64])
@pytest.mark.parametrize("name", ["amsgrad", "AdamW", "RMSprop all", "momentum"])
def test_other_numbers_too(name, dtype):
    ours, theirs, options = ALL[name]
    mine, reference = parameters(dtype), parameters(dtype)
    optimizer, expected = ours(mine, **options), theirs(reference, **options, foreach=False)
    step_both(optimizer, expected, [mine, reference], range(50))
    for one, other in zip(mine, reference, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)


@each
def test_groups_schedules_tensor_rates_and_names(ours, theirs, options):
    def made(kind, params, **more):
        groups = [
            {"params": [("first", params[0]), ("second", params[1])], "lr": torch.tensor([0.05])},
            {"params": list(zip("abc", params[2:], strict=True)), "weight_decay": 0.2},
        ]
        optimizer = kind(groups, **options, **more)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        return optimizer, schedule

    mine, reference = parameters(torch.float32), parameters(torch.float32)
    pairs = [made(ours, mine), made(theirs, reference, foreach=False)]
    for step in range(60):
        set_gradients([mine, reference], step)
        for optimizer, schedule in pairs:
            optimizer.step()
            if step % 10 == 9:
                schedule.step()
    assert_bitwise(mine, reference)
    names = [group["param_names"] for group in pairs[0][0].param_groups]
    assert names == [["first", "second"], ["a", "b", "c"]]


@each
@pytest.mark.parametrize("to_torch", [True, False])
def test_a_training_goes_on_on_the_other_side(ours, theirs, options, to_torch):
    first, second = (ours, theirs) if to_torch else (theirs, ours)
    reference, handed = parameters(torch.float32), parameters(torch.float32)
    whole, begun = theirs(reference, **options, foreach=False), first(handed, **options)
    for step in range(40):
        set_gradients([reference, handed], step)
        whole.step()
        if step == 20:
            state = copy.deepcopy(begun.state_dict())
            begun = second(handed, lr=123.0)
            begun.load_state_dict(state)
        begun.step()
    assert_bitwise(handed, reference)


NEWER_THAN_SOME_STATE = {
    "SGD": ["nesterov", "maximize", "foreach", "differentiable", "fused"],
    "RMSprop": ["momentum", "centered", "foreach", "maximize", "differentiable", "capturable"],
    "Adam": ["amsgrad", "maximize", "foreach", "capturable", "differentiable", "fused",
             "decoupled_weight_decay"],
}  # fmt: skip
NEWER_THAN_SOME_STATE["AdamW"] = NEWER_THAN_SOME_STATE["Adam"]


@each
def test_states_of_old_releases_load(ours, theirs, options):
    """They have no amsgrad, maximize and so on, and count steps in plain numbers."""
    newer = NEWER_THAN_SOME_STATE[theirs.__name__]
    plain = {name: value for name, value in options.items() if name not in newer}
    mine, reference = parameters(torch.float32), parameters(torch.float32)
    optimizer, expected = ours(mine, **plain), theirs(reference, **plain, foreach=False)
    step_both(optimizer, expected, [mine, reference], range(10), absent=0)
    state = copy.deepcopy(optimizer.state_dict())
    for group in state["param_groups"]:
        for name in newer:
            del group[name]
    for remembered in state["state"].values():
        if "step" in remembered:
            remembered["step"] = int(remembered["step"])
    optimizer = ours(mine, lr=9.0)
    optimizer.load_state_dict(state)
    step_both(optimizer, expected, [mine, reference], range(10, 20), absent=0)
    assert_bitwise(mine, reference)


@each
def test_gradients_stay_as_they_are(ours, theirs, options):
    """Readers who zero or gather gradients in place hand the same tensor to every step."""
    mine, reference = parameters(torch.float32), parameters(torch.float32)
    optimizer, expected = ours(mine, **options), theirs(reference, **options, foreach=False)
    set_gradients([mine, reference], 0, absent=0)
    given = [param.grad.clone() for param in mine]
    for _ in range(5):
        optimizer.step()
        expected.step()
    assert_bitwise([param.grad for param in mine], given)
    assert_bitwise(mine, reference)


def test_a_closure_is_called_once_and_its_loss_returned():
    for kind in (optim.SGD, optim.RMSprop, optim.Adam, optim.AdamW, optim.VectorizedAdam):
        x, calls = torch.tensor(3.0, requires_grad=True), []

        def closure(x=x, calls=calls, optimizer=None):
            calls.append(1)
            x.grad = None
            loss = x**2
            loss.backward()
            return loss

        loss = kind([x], lr=0.1).step(closure)
        assert loss.item() == 9 and calls == [1] and x.item() < 3


@pytest.mark.parametrize("amsgrad", [False, True])
def test_a_step_is_the_papers_formula(amsgrad):
    """Algorithm 1 of Kingma and Ba in plain numbers, with torch's place of the maximum."""
    x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    optimizer = optim.Adam([x], lr=0.1, betas=(0.8, 0.9), eps=1e-3, amsgrad=amsgrad)
    value, m, v, largest = 1.0, 0.0, 0.0, 0.0
    for t, gradient in enumerate([10.0, 1.0, -2.0, 0.5, 0.0, 3.0], start=1):
        x.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
        m, v = 0.8 * m + 0.2 * gradient, 0.9 * v + 0.1 * gradient**2
        largest = max(largest, v)
        v_hat = (largest if amsgrad else v) / (1 - 0.9**t)
        value -= 0.1 * m / (1 - 0.8**t) / (math.sqrt(v_hat) + 1e-3)
        assert x.item() == pytest.approx(value, rel=1e-14)


def vectorized(decoupled):
    return {"decoupled_weight_decay": decoupled, "weight_decay": 0.1}


@pytest.mark.parametrize(
    "options",
    [{"eps": 0.01}, {"amsgrad": True}, {"maximize": True, **vectorized(False)}, vectorized(True)],
    ids=str,
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_vectorized_form_is_the_readable_one(options, dtype):
    mixed = parameters(dtype) + parameters(torch.complex64, shapes=[(3,)])
    readable = [param.detach().clone().requires_grad_() for param in mixed]

    def made(kind, params):
        rate = torch.tensor([0.002])
        return kind([{"params": params[:3], "lr": rate}, {"params": params[3:]}], **options)

    pair = made(optim.VectorizedAdam, mixed), made(optim.Adam, readable)
    for step in range(300):
        set_gradients([mixed, readable], step)
        for optimizer in pair:
            optimizer.step()
        if step == 150:
            states = [copy.deepcopy(optimizer.state_dict()) for optimizer in pair]
            for optimizer, state in zip(pair, reversed(states), strict=True):
                optimizer.load_state_dict(state)
    for one, other in zip(mixed, readable, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("options", [{}, {"amsgrad": True, "weight_decay": 0.1}], ids=str)
def test_the_vectorized_form_in_half_precision_is_torchs_own(options, dtype):
    mine, theirs = parameters(dtype), parameters(dtype)
    optimizer = optim.VectorizedAdam(mine, **options)
    expected = torch.optim.Adam(theirs, **options, foreach=True)
    step_both(optimizer, expected, [mine, theirs], range(50))
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)


def stepped(kind, param, gradient):
    param = param.detach().clone().requires_grad_()
    param.grad = gradient
    optimizer = kind([param], lr=0.1, weight_decay=0.1)
    for _ in range(3):
        optimizer.step()
    return param


test_steps_need_no_float64_and_no_other_device = gives_the_same_on_every_device(
    *(
        (kind.__name__, functools.partial(stepped, kind), torch.rand(3, 2), torch.rand(3, 2))
        for kind in (optim.SGD, optim.RMSprop, optim.Adam, optim.AdamW, optim.VectorizedAdam)
    )
)


def sparse_parameter():
    embedding = torch.nn.Embedding(5, 2, sparse=True)
    embedding(torch.tensor([1, 3])).sum().backward()
    return embedding.weight


@pytest.mark.parametrize("kind", [optim.RMSprop, optim.Adam, optim.AdamW, optim.VectorizedAdam])
@pytest.mark.parametrize("groups", [1, 2])
def test_sparse_gradients_are_refused_and_nothing_moves(kind, groups):
    weight, dense = sparse_parameter(), torch.ones(3, requires_grad=True)
    dense.grad, before = torch.ones(3), weight.detach().clone()
    params = [dense, weight] if groups == 1 else [{"params": [dense]}, {"params": [weight]}]
    with pytest.raises(RuntimeError, match=r"shape \(5, 2\) is sparse"):
        kind(params).step()
    assert torch.equal(weight, before) and torch.equal(dense, torch.ones(3))


def test_sgd_takes_sparse_gradients_as_torch_does():
    mine, theirs = sparse_parameter(), None
    theirs = mine.detach().clone().requires_grad_()
    theirs.grad = mine.grad.clone()
    optim.SGD([mine], lr=0.1, momentum=0.9).step()
    torch.optim.SGD([theirs], lr=0.1, momentum=0.9).step()
    assert torch.equal(mine, theirs)


NAN = float("nan")
AS_TORCH = [
    *itertools.product(
        ["SGD", "RMSprop", "Adam", "AdamW"],
        [{"lr": -1.0}, {"lr": torch.tensor([0.1, 0.2])}, {"lr": torch.tensor(-0.5)},
         {"weight_decay": -1}],
    ),
    *itertools.product(["RMSprop", "Adam", "AdamW"], [{"lr": NAN}, {"eps": -1e-8}, {"eps": NAN}]),
    *itertools.product(
        ["Adam", "AdamW"],
        [{"betas": (1.0, 0.9)}, {"betas": (0.9, 1.0)}, {"betas": (-0.1, 0.9)},
         {"betas": (NAN, 0.9)}],
    ),
    ("SGD", {"momentum": -0.9}), ("SGD", {"nesterov": True}), ("RMSprop", {"momentum": NAN}),
    ("RMSprop", {"alpha": -1}),
]  # fmt: skip


@pytest.mark.parametrize("name, options", AS_TORCH, ids=str)
def test_a_setting_that_torch_refuses_is_refused_and_named(name, options):
    param = torch.zeros(2, requires_grad=True)
    with pytest.raises(ValueError):
        getattr(torch.optim, name)([param], **options)
    with pytest.raises(ValueError, match=f"^{next(iter(options))}.* (is|has) .*, expected"):
        getattr(optim, name)([param], **options)


@pytest.mark.parametrize(
    "name, options, message",
    [
        ("SGD", {"lr": NAN}, "lr is nan"),
        ("Adam", {"betas": (0, 0)}, r"betas is \(0, 0\), expected two floats"),
        ("VectorizedAdam", {"betas": (0.9,)}, "betas is .*, expected two floats"),
        ("SGD", {"foreach": True}, "foreach is True, .* torch.optim.SGD"),
        ("RMSprop", {"capturable": True}, "capturable is True"),
        ("Adam", {"fused": True}, "fused is True"),
        ("AdamW", {"differentiable": True}, "differentiable is True"),
    ],
)
def test_what_torch_would_let_pass_or_has_another_way(name, options, message):
    with pytest.raises(ValueError, match=message):
        getattr(optim, name)([torch.zeros(2, requires_grad=True)], **options)


IN_A_GROUP = [
    (optim.SGD, {"differentiable": True}, "differentiable is True, expected None or False"),
    (optim.SGD, {"nesterov": True}, "nesterov is True with momentum 0"),
    (optim.RMSprop, {"capturable": True}, "capturable is True"),
    (optim.RMSprop, {"alpha": NAN}, "alpha is nan"),
    (optim.Adam, {"fused": True}, "fused is True"),
    (optim.Adam, {"betas": (0.9, 1.0)}, r"betas\[1\] is 1.0, expected"),
    (optim.AdamW, {"foreach": True}, "foreach is True, .* torch.optim.AdamW"),
    (optim.VectorizedAdam, {"lr": torch.tensor([-1.0])}, "lr is -1.0, expected at least 0"),
]


@pytest.mark.parametrize("kind, option, message", IN_A_GROUP)
def test_what_is_refused_as_an_argument_is_refused_in_a_group_and_in_a_loaded_state(
    kind, option, message
):
    first, second = parameters(torch.float32)[:2]
    with pytest.raises(ValueError, match=message):
        kind([{"params": [first]}, {"params": [second], **option}])
    optimizer = kind([first], lr=0.5)
    with pytest.raises(ValueError, match=message):
        optimizer.add_param_group({"params": [second], **option})
    state = kind([first], lr=0.25).state_dict()
    state["param_groups"][0] |= option
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(state)
    assert [group["lr"] for group in optimizer.param_groups] == [0.5]


@pytest.mark.parametrize("kind", [optim.SGD, optim.RMSprop, optim.Adam, optim.AdamW])
def test_bad_parameters_are_refused(kind):
    param = torch.zeros(2, requires_grad=True)
    for params, error in [
        ([], ValueError), (param, TypeError), (["weight"], TypeError), ([param * 2], ValueError),
        ([{"params": [param]}, {"params": [param]}], ValueError),
    ]:  # fmt: skip
        with pytest.raises(error):
            kind(params)
