"""Channels-last and compiled steps train as plain ones do, and leave the same things behind."""

import copy
import sys
from functools import partial

import pytest
import torch
from torch import nn

from glassbox.data import Batches
from glassbox.support.seeds import random_states
from glassbox.training import ExponentialAverage, UnfreezeAfter, acceleration, fit, load_checkpoint


def make_data(count=16):
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(count, 2, 8, 8, generator=generator)
    return images, (images.mean((1, 2, 3)) > 0).long()


def make_model():
    torch.manual_seed(0)
    layers = nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2)
    return nn.Sequential(*layers)


def trained(epochs=2, *, model=None, **options):
    model = model or make_model()
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    batches = Batches(*make_data(), 8)
    history = fit(model, batches, optimizer, epochs=epochs, validation=make_data(7), **options)
    return model, optimizer, history


def assert_same(found, expected, tolerance=1e-4):
    """Compare weights, state of the optimizer and history, names included."""
    options = {"rtol": tolerance, "atol": tolerance}
    torch.testing.assert_close(found[0].state_dict(), expected[0].state_dict(), **options)
    torch.testing.assert_close(found[1].state_dict(), expected[1].state_dict(), **options)
    for name in ("train_loss", "validation_loss", "train_accuracy", "validation_accuracy"):
        column = getattr(found[2], name)
        assert column == pytest.approx(getattr(expected[2], name), rel=tolerance)


def test_channels_last_is_one_argument():
    seen, model = [], make_model()
    model[0].register_forward_hook(lambda module, args, output: seen.append((*args, output)))
    average = ExponentialAverage(model)
    found = trained(model=model, channels_last=True, average=average)
    plain = make_model()
    assert_same(found, trained(model=plain, average=ExponentialAverage(plain)))
    last = {"memory_format": torch.channels_last}
    assert all(one.is_contiguous(**last) for one in seen[0])
    assert model[0].weight.is_contiguous(**last)
    assert average.model[0].weight.is_contiguous(**last)


def test_a_training_in_channels_last_resumes_bit_for_bit(tmp_path):
    options = {"channels_last": True, "checkpoint": tmp_path / "run.pt"}
    trained(1, **options)
    assert_same(trained(3, **options), trained(3, channels_last=True), tolerance=0)
    with pytest.raises(ValueError, match="channels_last is True, expected none"):
        trained(4, checkpoint=tmp_path / "run.pt")


def compiles():
    """Say whether something can be compiled here; where not, a sentence has to tell why."""
    try:
        acceleration.CompiledForward(make_model())
    except ValueError as error:
        assert "compile is True, expected a system where torch.compile works" in str(error)
        return False
    return True


def test_compiled_steps_give_the_same_training_and_leave_the_model_as_it_was(tmp_path):
    if not compiles():
        return
    states, names = random_states(), [name for name, _ in make_model().named_modules()]
    torch.manual_seed(5)
    expected = trained(checkpoint=tmp_path / "plain.pt")
    drawn = torch.rand(3)
    torch.manual_seed(5)
    found = trained(compile=True, checkpoint=tmp_path / "compiled.pt")
    assert torch.equal(torch.rand(3), drawn)
    assert_same(found, expected)
    model, saved = found[0], load_checkpoint(tmp_path / "compiled.pt")
    assert [name for name, _ in model.named_modules()] == names
    assert "forward" not in vars(model) and type(copy.deepcopy(model)) is nn.Sequential
    plain = load_checkpoint(tmp_path / "plain.pt")
    assert saved.keys() == plain.keys() and saved["model"].keys() == plain["model"].keys()
    assert states.keys() == random_states().keys()


def test_the_steps_are_compiled_and_nothing_else(monkeypatch):
    def compile_noting(forward):
        def noting(images):
            calls.append(("compiled", torch.is_grad_enabled()))
            return forward(images)

        return noting

    calls = []
    monkeypatch.setattr(torch, "compile", compile_noting)
    monkeypatch.setattr(acceleration, "_check_compiler", lambda device: None)
    seen = []
    model = trained(
        compile=True, callbacks=[lambda state: seen.append("forward" in vars(state.model))]
    )[0]
    assert calls == [("compiled", True)] * 4
    assert seen == [False, False] and "forward" not in vars(model)


def test_the_forward_of_a_model_comes_back_also_after_an_error(monkeypatch):
    monkeypatch.setattr(acceleration, "_check_compiler", lambda device: None)
    monkeypatch.setattr(torch, "compile", lambda forward: lambda images: 1 / 0)
    model = make_model()
    own = model.forward = lambda images: nn.Sequential.forward(model, images)
    with pytest.raises(ZeroDivisionError):
        trained(model=model, compile=True)
    assert model.forward is own


@pytest.fixture
def traced(monkeypatch):
    """Let what is compiled be traced as ever, and then run as it is: that takes no compiler."""
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))


def test_hooks_that_come_during_the_training_run_in_compiled_steps_too(traced):
    def hook_in(state):
        if len(state.history) == 1:
            state.model[2].register_forward_hook(lambda *_: seen.append(1))

    seen = []
    trained(3, compile=True, callbacks=[hook_in])
    assert len(seen) == 2 * 2 + 2  # and the validations


def test_a_backbone_that_unfreezes_learns_in_compiled_steps_too(traced):
    def run(**options):
        model = make_model()
        thaw = UnfreezeAfter([model[:2]], epochs=1, lr=0.05)
        return trained(3, model=model, callbacks=[thaw], **options)

    assert_same(run(compile=True), run())


def test_a_system_that_cannot_compile_gets_a_sentence_before_any_step(monkeypatch):
    def missing(numbers):
        raise RuntimeError("No working C++ compiler found\nand a long story")

    acceleration._check_compiler.cache_clear()
    monkeypatch.setattr(torch, "compile", lambda function: missing)
    model = make_model()
    before = copy.deepcopy(model.state_dict())
    message = r"compile is True, expected .* C\+\+ compiler: No working C\+\+ compiler found$"
    with pytest.raises(ValueError, match=message):
        trained(model=model, compile=True)
    torch.testing.assert_close(model.state_dict(), before)


@pytest.mark.skipif(sys.platform == "win32", reason="the compiler is not found by a name there")
def test_a_compiler_that_is_not_there_is_that_sentence(monkeypatch):
    from torch._inductor import config, cpp_builder

    acceleration._check_compiler.cache_clear()
    with config.patch({"cpp.cxx": ("no-such-compiler",)}):
        getattr(cpp_builder.get_cpp_compiler, "cache_clear", lambda: None)()
        with pytest.raises(ValueError, match="compile is True, expected a system where"):
            trained(compile=True)
    acceleration._check_compiler.cache_clear()


def test_a_model_that_was_compiled_by_hand_is_saved_by_its_own_names(tmp_path):
    model = make_model()
    trained(1, model=torch.compile(model, backend="eager"), checkpoint=tmp_path / "run.pt")
    assert load_checkpoint(tmp_path / "run.pt")["model"].keys() == model.state_dict().keys()
