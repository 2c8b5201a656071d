"""The hooks of chapter 1 see what passes, change what they say, and leave nothing behind."""

import contextlib
import dataclasses
import gc
import warnings
import weakref
from collections import OrderedDict, namedtuple

import pytest
import torch
from refusals import refuses
from torch import nn

from glassbox.autograd import hooks

CONTEXTS = {
    "capture": lambda model: hooks.capture(model, ["conv", ""]),
    "gradients": lambda model: hooks.gradients(model, ["conv", "head"]),
    "scale_gradients": lambda model: hooks.scale_gradients(model, ["conv"], 0.5),
    "clip_gradients": lambda model: hooks.clip_gradients(model, 1e-3),
    "mask_outputs": lambda model: hooks.mask_outputs(model, {"conv": torch.ones(4, 1, 1)}),
}


class Net(nn.Module):
    """A convolution with an in-place ReLU behind it, and a layer that is used twice."""

    def __init__(self, inplace=True):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.relu = nn.ReLU(inplace=inplace)
        self.mix = nn.Linear(16, 16)
        self.head = nn.Linear(16, 3)

    def forward(self, images):
        hidden = self.relu(self.conv(images)).flatten(1)
        return self.head(self.mix(self.mix(hidden).tanh()))


@pytest.fixture(params=[torch.float32, torch.float64, torch.bfloat16], ids=str)
def dtype(request):
    return request.param


@pytest.fixture
def model(dtype):
    torch.manual_seed(0)
    return Net().to(dtype)


@pytest.fixture(params=[1, 5])
def images(request, dtype):
    return torch.randn(request.param, 1, 4, 4, generator=torch.Generator().manual_seed(1)).to(dtype)


def count_hooks(model):
    places = [*model.modules()]
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    layers = sum(len(getattr(place, kind)) for place in places for kind in kinds)
    return layers + sum(len(parameter._backward_hooks or ()) for parameter in model.parameters())


def live_bytes():
    """Count the bytes of all tensors made since ``gc.freeze``."""
    tensors = (thing for thing in gc.get_objects() if issubclass(type(thing), torch.Tensor))
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors}
    return sum(storages.values())


def reference(model, images):
    """The outputs and their gradients, by hand, without hooks and without in-place layers."""
    conv = model.conv(images)
    mix_one = model.mix(conv.relu().flatten(1))
    mix_two = model.mix(mix_one.tanh())
    logits = model.head(mix_two)
    outputs = [conv, mix_one, mix_two, logits]
    return outputs, torch.autograd.grad(logits.square().sum(), outputs)


def test_capture_gives_each_call_its_output_in_front_of_an_in_place_layer(model, images):
    (conv, mix_one, mix_two, logits), _ = reference(model, images)
    with hooks.capture(model, ["conv", "mix", ""]) as seen:
        returned = model(images)
    assert torch.equal(returned, logits)
    assert [len(calls) for calls in seen.values()] == [1, 2, 1]
    pairs = zip(
        [*seen["conv"], *seen["mix"], *seen[""]], [conv, mix_one, mix_two, logits], strict=True
    )
    for ours, theirs in pairs:
        assert torch.equal(ours, theirs) and not ours.requires_grad
    assert (seen["conv"][0] < 0).any()


def test_gradients_are_those_of_the_outputs_in_the_order_of_the_forward_pass(model, images):
    _, expected = reference(model, images)
    with hooks.gradients(model, ["conv", "mix", "head"]) as seen:
        logits = model(images)
        assert seen == {"conv": [None], "mix": [None, None], "head": [None]}
        logits.square().sum().backward()
    for ours, theirs in zip([*seen["conv"], *seen["mix"], *seen["head"]], expected, strict=True):
        assert torch.equal(ours, theirs)


def test_a_recorded_gradient_is_a_copy_without_a_graph():
    model = Net()
    with hooks.gradients(model, ["conv"]) as seen:
        logits = model(torch.randn(2, 1, 4, 4))
        (gradient,) = torch.autograd.grad(logits.square().sum(), model.conv.bias, create_graph=True)
    assert gradient.requires_grad and not seen["conv"][0].requires_grad
    with hooks.gradients(model, [""]) as seen:
        logits = model(torch.randn(2, 1, 4, 4))
        logits.register_hook(lambda gradient: gradient.mul_(0))  # in place, afterwards
        (3 * logits).sum().backward()
    assert (seen[""][0] == 3).all()


def test_no_gradient_is_recorded_as_none():
    model, images = Net(), torch.randn(2, 1, 4, 4)
    model.conv.requires_grad_(False)
    with hooks.gradients(model, ["conv", "head"]) as seen:
        model(images).sum().backward()
        with torch.no_grad():
            model(images)
    assert seen["conv"] == [None, None]
    assert seen["head"][0].shape == (2, 3) and seen["head"][1] is None


class Packing(nn.Module):
    def forward(self, x):
        return {"twice": 2 * x, "rest": [x + 1, "text"]}


def test_structured_outputs_keep_their_structure():
    lstm, x = nn.LSTM(3, 4), torch.randn(5, 2, 3)
    model = nn.ModuleDict({"lstm": lstm, "packing": Packing()})
    x.requires_grad_()
    names = ["lstm", "packing"]
    with (
        hooks.capture(model, names) as seen,
        hooks.gradients(model, names) as arrived,
        hooks.scale_gradients(model, names, 10),
    ):
        output, (hidden, cell) = model["lstm"](x)
        packed = model["packing"](x)
        (2 * hidden.sum() + packed["twice"].sum() + 3 * packed["rest"][0].sum()).backward()
    stored, (stored_hidden, stored_cell) = seen["lstm"][0]
    assert torch.equal(stored, output) and torch.equal(stored_cell, cell)
    assert torch.equal(stored_hidden, hidden)
    assert seen["packing"][0]["rest"][1] == "text"
    assert arrived["lstm"][0][0] is None and arrived["lstm"][0][1][1] is None
    assert (arrived["lstm"][0][1][0] == 2).all()
    assert (arrived["packing"][0]["rest"][0] == 3).all()
    assert (arrived["packing"][0]["twice"] == 1).all()


Pair = namedtuple("Pair", "first second")


@dataclasses.dataclass(frozen=True)
class Result:
    logits: torch.Tensor
    loss: torch.Tensor | None = None


class ModelOutput(OrderedDict):
    """As the models of transformers give it: what is set by key can be read as an attribute."""

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        super().__setattr__(key, value)


STRUCTURES = {
    "dataclass": (lambda x: Result(2 * x), lambda out: out.logits, lambda seen: seen["logits"]),
    "named tuple": (lambda x: Pair(x + 1, 2 * x), lambda out: out.second, lambda seen: seen[1]),
    "result of max": (lambda x: (2 * x).max(1), lambda out: out.values, lambda seen: seen[0]),
    "model output": (
        lambda x: ModelOutput(logits=2 * x), lambda out: out.logits, lambda seen: seen["logits"]
    ),
    "padded": (
        lambda x: nn.utils.rnn.pack_padded_sequence(2 * x, torch.tensor([2, 1]), True),
        lambda out: out.data, lambda seen: seen[0],
    ),
}  # fmt: skip


class Applied(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


@pytest.mark.parametrize("name", STRUCTURES)
def test_structures_are_watched_scaled_and_handed_on_as_they_are(name):
    make, read, read_gradient = STRUCTURES[name]
    model, x = nn.Sequential(Applied(make)), torch.ones(2, 3, 1, requires_grad=True)
    expected = read(make(x)).detach()
    with (
        hooks.capture(model, ["0"]) as seen,
        hooks.gradients(model, ["0"]) as arrived,
        hooks.scale_gradients(model, ["0"], 10),
    ):
        output = model(x)
        read(output).sum().backward()
    assert type(output) is type(seen["0"][0]) is type(make(x))
    assert torch.equal(read(output), expected)
    assert torch.equal(read(seen["0"][0]), expected) and not read(seen["0"][0]).requires_grad
    assert (read_gradient(arrived["0"][0]) == 1).all()
    assert x.grad.sum() == 20 * expected.numel()


def with_views():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(inplace=True), nn.Linear(4, 1))


def test_a_view_before_a_layer_in_place_keeps_its_hooks():
    model, x = with_views(), torch.randn(2, 5, 3)
    hidden = model[0](x)
    assert hidden._is_view()
    (expected,) = torch.autograd.grad(model[2](hidden.relu()).sum(), hidden)
    with (
        hooks.gradients(model, ["0", "1"]) as seen,
        hooks.scale_gradients(model, ["0"], 0.0),
        hooks.capture(model, ["0"]) as outputs,
    ):
        model(x).sum().backward()
    assert torch.equal(seen["0"][0], expected)
    assert torch.equal(seen["1"][0], model[2].weight.expand(2, 5, 4))
    assert torch.equal(outputs["0"][0], hidden)
    assert (model[0].weight.grad == 0).all()


class Branch(nn.Module):
    """A layer that gives its own input, which has another use."""

    def __init__(self):
        super().__init__()
        self.same = nn.Identity()

    def forward(self, x):
        return 3 * self.same(x) + 4 * x


@pytest.mark.parametrize("by_keyword", [False, True])
def test_other_uses_of_what_a_layer_passes_through_do_not_concern_it(by_keyword):
    model, x = Branch(), torch.ones(2, requires_grad=True)
    if by_keyword:
        model.same = Applied(lambda x: x)
        model.forward = lambda x: 3 * model.same(x=x) + 4 * x
    with hooks.gradients(model, ["same"]) as seen, hooks.scale_gradients(model, ["same"], 10):
        model(1 * x).sum().backward()
    assert seen["same"][0].tolist() == [3, 3] and x.grad.tolist() == [34, 34]


@pytest.fixture
def compiled():
    """A compiled model that has run, so that its code knows of no hooks; and as it was written."""
    torch._dynamo.reset()
    torch.manual_seed(0)
    written = Net()
    model = torch.compile(written, backend="aot_eager")
    model(torch.randn(2, 1, 4, 4))
    yield model, written
    torch._dynamo.reset()


@pytest.mark.parametrize("name", ["conv", "_orig_mod.conv"])
def test_a_compiled_model_is_seen_and_changed(compiled, name):
    model, written = compiled
    images = torch.randn(2, 1, 4, 4)
    outputs, expected = reference(written, images)
    with hooks.capture(model, [name]) as seen, hooks.gradients(model, [name]) as arrived:
        model(images).square().sum().backward()
    assert torch.equal(seen[name][0], outputs[0]) and torch.equal(arrived[name][0], expected[0])
    model.zero_grad()
    with hooks.mask_outputs(model, {name: torch.zeros(1)}), hooks.capture(model, ["relu"]) as seen:
        model(images)
    assert (seen["relu"][0] == 0).all()
    with hooks.scale_gradients(model, [name], 0):
        model(images).sum().backward()
    assert (written.conv.weight.grad == 0).all() and written.head.weight.grad.any()
    with hooks.clip_gradients(model, 1e-3):
        model.zero_grad()
        model(images).sum().backward()
    assert written.head.weight.grad.norm() < 1.001e-3
    assert count_hooks(written) == 0


def test_a_layer_is_found_by_itself_and_by_its_name(compiled):
    for model, written in ((Net(), None), compiled):
        layer = (written or model).conv
        masks = {layer: [[[1.0]], [[0.0]], [[0.0]], [[0.0]]]}
        with hooks.mask_outputs(model, masks), hooks.capture(model, [layer, "mix"]) as seen:
            model(torch.randn(2, 1, 4, 4))
        assert list(seen) == ["conv", "mix"] and (seen["conv"][0][:, 1:] == 0).all()


def test_a_change_that_was_not_made_is_an_error():
    model = nn.MultiheadAttention(4, 2)  # it uses the weight of its last layer and not the layer
    x = torch.ones(3, 1, 4)
    for change in (
        hooks.scale_gradients(model, ["out_proj"], 0),
        hooks.mask_outputs(model, {"out_proj": torch.zeros(1)}),
    ):
        with pytest.raises(RuntimeError, match="'out_proj' never ran in the block"), change:
            model(x, x, x)
    with hooks.scale_gradients(model, ["out_proj"], 0):
        pass  # the model did not run either
    assert count_hooks(model) == 0


@pytest.mark.parametrize("factor", [0.5, 0.0, -1.0])
def test_scaling_reaches_the_layer_and_all_before_it_and_nothing_after(factor):
    torch.manual_seed(0)
    model, images = Net().double(), torch.randn(3, 1, 4, 4, dtype=torch.float64)

    def parameter_gradients():
        model.zero_grad()
        model(images).square().sum().backward()
        return {name: parameter.grad.clone() for name, parameter in model.named_parameters()}

    plain = parameter_gradients()
    with hooks.scale_gradients(model, ["conv"], factor):
        scaled = parameter_gradients()
        with hooks.scale_gradients(model, ["", "conv"], 2.0):
            nested = parameter_gradients()
    for name, gradient in plain.items():
        own = factor if name.startswith("conv") else 1.0
        outer = 4.0 if name.startswith("conv") else 2.0
        torch.testing.assert_close(scaled[name], own * gradient)
        torch.testing.assert_close(nested[name], own * outer * gradient)
    for name, gradient in parameter_gradients().items():
        assert torch.equal(gradient, plain[name])


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64], ids=str)
def test_clipping_bounds_each_parameter_and_keeps_its_direction(dtype):
    model = nn.Linear(8, 4, dtype=dtype)
    small, large = torch.full((4, 8), 1e-3, dtype=dtype), torch.full((4,), 6e4, dtype=dtype)
    with hooks.clip_gradients(model, 1.0):
        ((model.weight * small).sum() + (model.bias * large).sum()).backward()
    torch.testing.assert_close(model.weight.grad, small)  # below the limit: not touched
    torch.testing.assert_close(model.bias.grad, torch.full((4,), 0.5, dtype=dtype))


def test_clipping_leaves_a_zero_gradient_and_a_frozen_parameter_alone():
    model = nn.Linear(2, 2)
    model.weight.requires_grad_(False)
    with hooks.clip_gradients(model, 1.0):
        (0 * model(torch.ones(1, 2))).sum().backward()
    assert model.weight.grad is None and (model.bias.grad == 0).all()


def test_a_mask_removes_channels_and_their_gradient(model, images):
    mask = torch.tensor([1.0, 0.0, 1.0, 0.0])[:, None, None]
    with hooks.mask_outputs(model, {"conv": mask}), hooks.capture(model, ["relu"]) as seen:
        model(images).sum().backward()
    kept = seen["relu"][0]
    assert torch.equal(kept, model.conv(images).relu() * mask.to(kept.dtype))
    assert (model.conv.weight.grad[[1, 3]] == 0).all()
    assert kept.dtype == images.dtype


@pytest.mark.parametrize("name", ["gradients", "scale_gradients"])
def test_tensor_hooks_on_outputs_go_as_well(name):
    model, images = Net(inplace=False), torch.randn(2, 1, 4, 4)
    model(images).sum().backward()
    plain = model.conv.weight.grad.clone()
    model.zero_grad()
    with CONTEXTS[name](model) as seen:
        loss = model(images).sum()
    loss.backward()
    assert torch.equal(model.conv.weight.grad, plain)
    assert seen is None or seen["conv"] == [None]


@pytest.mark.parametrize("name", CONTEXTS)
def test_the_outer_block_outlives_the_inner_one(name):
    model = Net()
    with CONTEXTS[name](model):
        outer = count_hooks(model)
        for other in CONTEXTS:
            with contextlib.suppress(KeyError), CONTEXTS[other](model):
                assert count_hooks(model) > outer
                raise KeyError
        assert count_hooks(model) == outer
    assert count_hooks(model) == 0


@pytest.mark.parametrize("name", CONTEXTS)
def test_nothing_is_kept_alive_after_the_block(name):
    def use():
        model = Net()
        with CONTEXTS[name](model) as seen:
            logits = model(torch.randn(64, 1, 4, 4))
            logits.sum().backward()
        weak = [weakref.ref(logits), weakref.ref(model)]
        if seen:
            stored = seen["conv"][0]
            weak.append(weakref.ref(stored))
        return weak

    use()
    gc.freeze()
    try:
        kept = torch.zeros(1000)
        weak = use()
        assert all(reference() is None for reference in weak)  # without a garbage collection
        assert live_bytes() == kept.nbytes
    finally:
        gc.unfreeze()


def test_what_is_captured_keeps_no_graph_alive():
    class Saved:
        def __init__(self, tensor):
            self.tensor = tensor

    saved = weakref.WeakSet()

    def pack(tensor):
        packed = Saved(tensor)
        saved.add(packed)
        return packed

    model = Net()
    with (
        torch.autograd.graph.saved_tensors_hooks(pack, lambda packed: packed.tensor),
        hooks.capture(model, ["conv", ""]) as seen,
        hooks.gradients(model, ["conv"]) as arrived,
    ):
        logits = model(torch.randn(2, 1, 4, 4))
        assert len(saved) > 0
        logits.sum().backward()
    del logits
    assert len(saved) == 0
    assert seen["conv"][0].shape == arrived["conv"][0].shape


def test_one_module_under_two_names_is_found_by_both():
    shared = nn.Linear(2, 2)
    model = nn.Sequential(shared, nn.Tanh(), shared)
    with hooks.capture(model, ["0", "2"]) as seen:
        model(torch.ones(1, 2))
    assert len(seen["0"]) == len(seen["2"]) == 2


NAN = float("nan")


def scripted():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated
        return torch.jit.script(nn.Sequential(nn.Linear(2, 2)))


def enter(make):
    with make():
        raise AssertionError("entered")


test_a_wrong_argument_is_named_with_its_value = refuses(
    (lambda: hooks.capture(Net(), ["head", "con"]), r"layers has 'con', .* such as \['conv'"),
    (lambda: hooks.gradients(Net(), ["head", "con"]), r"layers has 'con', .* such as \['conv'"),
    (lambda: hooks.capture(Net(), "conv"), TypeError, r"expected a list .* such as \['conv'\]"),
    (lambda: hooks.scale_gradients(Net(), ["zzzz"], 1), "such as ..conv', 'relu'"),
    (lambda: hooks.capture(Net(), Net().conv), TypeError, r"layers is a Conv2d, expected a list"),
    (lambda: hooks.capture(Net(), [Net().conv]), "layers has a Conv2d, expected names"),
    (lambda: hooks.capture(Net(), [0]), "layers has 0, expected names"),
    (
        lambda: hooks.capture(torch.relu, ["0"]),
        TypeError,
        "model is <built-in .*, expected a torch",
    ),
    (lambda: hooks.capture(scripted(), ["0"]), "'0', a scripted module, which runs no hooks"),
    (lambda: hooks.capture(scripted(), [""]), "'', a scripted module, which runs no hooks"),
    (lambda: hooks.scale_gradients(Net(), ["conv"], NAN), "factor is nan, expected a finite"),
    (lambda: hooks.mask_outputs(Net(), {"conv": torch.tensor([NAN])}), "masks has 1 .* nan"),
    (lambda: hooks.clip_gradients(Net(), NAN), "max_norm is nan, expected above 0"),
    (lambda: hooks.clip_gradients(Net(), 0), "max_norm is 0, expected above 0"),
    (lambda: hooks.mask_outputs(Net(), {"x": torch.ones(1)}), "has 'x'"),
    by=enter,
)


@pytest.mark.parametrize("shape", [(5,), (4, 1, 1, 1), (1, 2, 4, 1, 1)])
def test_a_mask_that_does_not_fit_or_would_add_outputs_is_refused(shape):
    model = Net()
    refused = pytest.raises(ValueError, match=r"masks has .*fits \(2, 4, 2, 2\), .* 'conv'")
    with hooks.mask_outputs(model, {"conv": torch.ones(shape)}), refused:
        model(torch.ones(2, 1, 4, 4))


@pytest.mark.parametrize("name", ["capture", "gradients", "scale_gradients"])
def test_an_output_that_may_hide_tensors_is_refused(name):
    model = nn.ModuleDict({"conv": Applied(torch.distributions.Poisson), "head": nn.Identity()})
    made = CONTEXTS[name] if name != "capture" else lambda model: hooks.capture(model, ["conv"])
    with made(model), pytest.raises(TypeError, match=r"layer 'conv' holds a Poisson, .* inside"):
        model["conv"](torch.ones(2))


def test_a_mask_on_a_layer_without_a_tensor_output_is_refused():
    model = nn.ModuleDict({"lstm": nn.LSTM(2, 2)})
    refused = pytest.raises(TypeError, match="output of layer 'lstm' is a tuple")
    with hooks.mask_outputs(model, {"lstm": torch.ones(2)}), refused:
        model["lstm"](torch.ones(1, 2))
    assert count_hooks(model) == 0
