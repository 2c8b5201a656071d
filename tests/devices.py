"""One table a module of what has to give the same on every device, or in every layout of images.

No accelerator is needed: a tensor that refuses float64 stands for devices that have none, such as
Apple's GPUs, and with the ``meta`` device as the default, whatever is made without saying where
does not fit to the data.
"""

from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map_only


class WithoutFloat64(Tensor):
    """A tensor as if on a device without float64; ``.cpu()`` and ``.to("cpu")`` bring it back.

    Its ``device`` is the CPU in truth, so that it says nothing about tensors on other devices.
    """

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func in (Tensor.numpy, Tensor.__array__):
            raise TypeError("can't convert a tensor on a device to numpy, use Tensor.cpu() first")
        to_cpu = func is Tensor.to and any(
            isinstance(given, str) and given == "cpu" for given in (*args, *kwargs.values())
        )
        if func is Tensor.cpu or to_cpu:
            return func(args[0].as_subclass(Tensor), *args[1:], **kwargs)
        result = super().__torch_function__(func, types, args, kwargs)
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor) and leaf.dtype in (torch.float64, torch.complex128):
                raise TypeError(
                    f"{func.__name__} gives {leaf.dtype}, which the device doesn't have"
                )
        return result


def without_float64(given):
    """Give a tensor, or a module with its parameters and buffers, as on a device without float64.

    A module is changed.
    """
    if isinstance(given, Tensor):
        return given.as_subclass(WithoutFloat64)
    for module in given.modules():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                there = without_float64(parameter.detach())
                module._parameters[name] = nn.Parameter(there, parameter.requires_grad)
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = without_float64(buffer)
    return given


def gpu():
    """Give the device of a GPU, or skip the test."""
    if not torch.cuda.is_available():
        pytest.skip("no GPU")
    return torch.device("cuda")


def _without_float64(call, given):
    return call(*tree_map_only(Tensor, without_float64, given))


def _default_device_meta(call, given):
    with torch.device("meta"):
        return call(*given)


def _gpu(call, given):
    device = gpu()
    return call(*tree_map_only(Tensor, lambda tensor: tensor.to(device), given))


def gives_the_same_on_every_device(*cases):
    """Make a test of which each case has a name, a function and its arguments.

    The function gets its tensors on each kind of device in turn; what it gives has to equal what it
    gives on the CPU. A module among the arguments would not be moved: make it in the function.
    """

    @_each(cases)
    @pytest.mark.parametrize("place", [_without_float64, _default_device_meta, _gpu])
    def test(place, call, given):
        expected, got = call(*given), place(call, given)
        assert not any(leaf.is_meta for leaf in tree_leaves(got) if isinstance(leaf, Tensor))
        back = tree_map_only(Tensor, lambda tensor: tensor.detach().cpu().as_subclass(Tensor), got)
        torch.testing.assert_close(back, expected, equal_nan=True)

    return test


def needs_no_values(*cases):
    """Make a test of which each case has a name, a function that gives tensors, and its arguments.

    On the ``meta`` device, where tensors have a shape and no values, it has to give the same shapes
    and types.
    """

    @_each(cases)
    def test(call, given):
        there = partial(Tensor.to, device="meta")
        expected = tree_map_only(Tensor, there, call(*given))
        got = call(*tree_map_only(Tensor, there, given))
        for mine, wanted in zip(tree_leaves(got), tree_leaves(expected), strict=True):
            assert mine.is_meta
            assert (mine.shape, mine.dtype) == (wanted.shape, wanted.dtype)

    return test


def _permuted_arrays(images):
    """Lay images out as arrays (N, H, W, C) are, and look at them as (N, C, H, W)."""
    return images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)


def _every_other_column(images):
    return images.repeat_interleave(2, dim=-1)[..., ::2]


LAYOUTS = {
    "channels last": partial(Tensor.contiguous, memory_format=torch.channels_last),
    "permuted arrays": _permuted_arrays,
    "every other column": _every_other_column,
}


def gives_the_same_in_every_layout(*cases, half=True):
    """Make a test of which each case has a name, a function and its arguments.

    Arguments of four dimensions are images: the function gets them in each layout, and unless
    ``half`` is false also in half types, where it has to be as close as these are.
    """
    kinds = [*LAYOUTS, *([torch.float16, torch.bfloat16] if half else [])]

    def given_as(kind, value):
        if value.ndim != 4:
            return value
        if kind in LAYOUTS:
            return LAYOUTS[kind](value)
        return value.to(kind) if value.is_floating_point() else value

    @_each(cases)
    @pytest.mark.parametrize("kind", kinds, ids=str)
    def test(kind, call, given):
        got = call(*tree_map_only(Tensor, partial(given_as, kind), given))
        if kind in LAYOUTS:
            torch.testing.assert_close(got, call(*given))
            return
        # The images as the half type rounds them, in float32, say what is right.
        rounded = tree_map_only(Tensor, lambda one: given_as(kind, one).to(one.dtype), given)
        bits = torch.finfo(kind).eps
        torch.testing.assert_close(
            got, call(*rounded), rtol=4 * bits, atol=4 * bits, check_dtype=False
        )

    return test


def _each(cases):
    rows = [(call, given) for _, call, *given in cases]
    return pytest.mark.parametrize(("call", "given"), rows, ids=[name for name, *_ in cases])
