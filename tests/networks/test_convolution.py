"""The convolution of chapter 3 against torch, over random shapes."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from devices import gives_the_same_in_every_layout, gives_the_same_on_every_device, needs_no_values
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses
from torch import nn

from glassbox.networks import max_pool2d, output_size, receptive_field
from glassbox.networks.convolution import Window, conv2d

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
convolutions = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**31),
        "batch": st.integers(1, 3),
        "in_group": st.integers(1, 3),
        "out_group": st.integers(1, 3),
        "groups": st.integers(1, 3),
        "kernel": pairs,
        "stride": st.one_of(st.integers(1, 3), pairs),
        "padding": st.one_of(st.integers(0, 3), st.tuples(st.integers(0, 3), st.integers(0, 3))),
        "dilation": st.one_of(st.integers(1, 2), st.tuples(st.integers(1, 2), st.integers(1, 2))),
        "size": st.tuples(st.integers(5, 11), st.integers(5, 11)),
        "bias": st.booleans(),
        "dtype": st.sampled_from([torch.float32, torch.float64]),
    }
)


def random_operands(case):
    generator = torch.Generator().manual_seed(case["seed"])

    def draw(*shape):
        return torch.randn(shape, generator=generator, dtype=case["dtype"])

    images = draw(case["batch"], case["in_group"] * case["groups"], *case["size"])
    kernels = case["out_group"] * case["groups"]
    weight = draw(kernels, case["in_group"], *case["kernel"])
    return images, weight, draw(kernels) if case["bias"] else None


@settings(max_examples=150, deadline=None)
@given(convolutions)
def test_conv2d_and_its_gradients_equal_torch(case):
    options = {name: case[name] for name in ("stride", "padding", "dilation", "groups")}
    results = []
    for function in (conv2d, F.conv2d):
        operands = [
            None if tensor is None else tensor.requires_grad_() for tensor in random_operands(case)
        ]
        maps = function(*operands, **options)
        gradients = torch.autograd.grad(maps.square().sum(), [t for t in operands if t is not None])
        results.append((maps, *gradients))
    tolerance = {"atol": 1e-3, "rtol": 1e-4} if case["dtype"] == torch.float32 else {}
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, **tolerance)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 4), st.none() | st.integers(1, 4), st.integers(4, 12))
def test_max_pool2d_equals_torch(seed, kernel, stride, size):
    images = torch.randn(2, 3, size, size + 1, generator=torch.Generator().manual_seed(seed))
    assert torch.equal(
        max_pool2d(images, kernel, stride=stride), F.max_pool2d(images, kernel, stride)
    )


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 60), st.integers(1, 7), st.integers(1, 4), st.integers(0, 3), st.integers(1, 3)
)
def test_output_size_is_the_size_torch_gives_or_both_refuse(
    size, kernel, stride, padding, dilation
):
    layer = nn.Conv1d(1, 1, kernel, stride, padding, dilation)
    try:
        expected = layer(torch.zeros(1, 1, size)).shape[-1]
    except RuntimeError:
        with pytest.raises(ValueError, match=f"size is {size}"):
            output_size(size, kernel, stride, padding, dilation)
    else:
        assert output_size(size, kernel, stride, padding, dilation) == expected


windows = st.builds(
    Window, st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.integers(1, 2)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(windows, min_size=1, max_size=4))
def test_receptive_field_spans_the_pixels_whose_gradient_is_not_zero(stack):
    pixels = torch.ones(1, 1, 1000, dtype=torch.float64, requires_grad=True)
    signal = pixels
    for window in stack:
        weight = torch.ones(1, 1, window.kernel, dtype=torch.float64)
        signal = F.conv1d(signal, weight, None, window.stride, window.padding, window.dilation)
    unit = signal.shape[-1] // 2  # far from the padding
    (gradient,) = torch.autograd.grad(signal[0, 0, unit], pixels)
    seen = gradient[0, 0].nonzero()[:, 0]
    assert receptive_field(stack).interval(unit) == (seen[0], seen[-1] + 1)


def test_receptive_field_accepts_bare_tuples():
    assert receptive_field([(5,), (2, 2), (5,), (2, 2)]) == (16, 4, 0)


def drawn(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


COMPUTED = [
    ("conv2d", partial(conv2d, stride=[2, 1], padding=1), drawn(2, 4, 7, 6), drawn(3, 4, 3, 3)),
    ("max_pool2d", lambda images: max_pool2d(images, 2), drawn(2, 4, 7, 6)),
]
test_maps_are_the_same_on_every_device = gives_the_same_on_every_device(*COMPUTED)
test_maps_are_the_same_in_every_layout = gives_the_same_in_every_layout(*COMPUTED)
test_maps_need_no_values = needs_no_values(*COMPUTED)


def test_pairs_may_be_lists():
    pair = {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 2)}
    lists = {name: list(value) for name, value in pair.items()}
    images, weight = drawn(2, 4, 7, 6), drawn(3, 4, 3, 2)
    assert torch.equal(conv2d(images, weight, **lists), conv2d(images, weight, **pair))


test_a_wrong_argument_is_named_with_its_value = refuses(
    (lambda: output_size(float("nan"), 3), "size is nan, expected an integer"),
    (lambda: output_size(7.5, 3), "size is 7.5, expected an integer"),
    (
        lambda: conv2d(drawn(1, 1, 4, 4), drawn(1, 1, 3, 3), stride=[1]),
        r"stride is \[1\], expected",
    ),
    (lambda: conv2d(drawn(1, 1, 4, 4), drawn(1, 1, 3, 3), groups=1.5), "groups is 1.5"),
    (lambda: conv2d(drawn(1, 1, 4, 4).half(), drawn(1, 1, 3, 3)), "weight has .*float32, expected"),
    (lambda: conv2d(drawn(1, 1, 4, 4), [[1.0]]), TypeError, "weight is a list"),
    (lambda: max_pool2d([[1.0]], 2), TypeError, "images is a list"),
    (lambda: output_size(5, 0), "kernel is 0, expected an integer of at least 1"),
    (lambda: output_size(5, 3, stride=0), "stride is 0"),
    (lambda: output_size(5, 3, padding=-1), "padding is -1, expected an integer of at least 0"),
    (lambda: output_size(5, 3, dilation=1.5), "dilation is 1.5"),
    (lambda: conv2d(torch.zeros(3, 8, 8), torch.zeros(1, 3, 3, 3)), r"images has shape \(3, 8"),
    (
        lambda: conv2d(torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 3, 3)),
        r"weight has shape \(1, 1, 3, 3\) .* expected \(K, 3, h, w\)",
    ),
    (
        lambda: conv2d(torch.zeros(1, 1, 8, 8), torch.zeros(2, 1, 3, 3), torch.zeros(3)),
        r"bias has shape \(3,\) .* expected \(2,\)",
    ),
    (
        lambda: conv2d(torch.zeros(1, 3, 8, 8), torch.zeros(2, 3, 3, 3), groups=2),
        "groups is 2, expected a divisor",
    ),
    (lambda: max_pool2d(torch.zeros(1, 1, 3, 3), 4), r"images has shape \(1, 1, 3, 3\) .* 4 x 4"),
    (lambda: receptive_field([(3, 0)]), "stride is 0"),
)
