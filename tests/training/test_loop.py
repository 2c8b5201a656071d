import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from glassbox.data import Batches
from glassbox.losses import CrossEntropy
from glassbox.support import seed_everything
from glassbox.training import ExponentialAverage, History, evaluate, fit, steps


def make_data(n=40, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(n, 2, 6, 6, generator=generator, dtype=dtype)
    return images, (images.mean((1, 2, 3)) > 0).long()


def make_model(dtype=torch.float32):
    torch.manual_seed(0)
    layers = nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.2), nn.Flatten(), nn.Linear(64, 2)
    return nn.Sequential(*layers).to(dtype)


def make_plain_model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(72, 2))


def sgd(model, lr=0.1):
    return torch.optim.SGD(model.parameters(), lr=lr)


def batches_of(data, **options):
    return Batches(*data, 8, **options)


def trained(model, data, epochs=2, **options):
    """Fit a model the plainest way."""
    return fit(model, batches_of(data), sgd(model), epochs=epochs, **options)


def weights_of(model):
    return torch.cat([value.flatten().double() for value in model.state_dict().values()])


def test_small_integers_of_numpy_count_as_many_epochs_as_they_say():
    data = make_data(8)
    assert len(trained(make_plain_model(), data, epochs=np.int8(127))) == 127


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("clip_norm", [None, 0.5])
def test_it_is_the_loop_of_the_text_bit_for_bit(dtype, clip_norm):
    data = make_data(dtype=dtype)
    expected = make_model(dtype)
    optimizer = torch.optim.Adam(expected.parameters(), 0.01)
    seed_everything(1)
    losses, right, batches = [], 0, batches_of(data)
    for _ in range(2):
        for images, labels in batches:
            logits = expected(images)
            loss = F.cross_entropy(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            if clip_norm:
                nn.utils.clip_grad_norm_(expected.parameters(), clip_norm)
            optimizer.step()
            losses.append(loss.item())
            right += (logits.argmax(1) == labels).sum().item()

    model = make_model(dtype)
    seed_everything(1)
    history = fit(
        model,
        batches_of(data),
        torch.optim.Adam(model.parameters(), 0.01),
        epochs=2,
        clip_norm=clip_norm,
    )
    assert torch.equal(weights_of(model), weights_of(expected))
    assert history.train_loss == pytest.approx([sum(losses[:5]) / 5, sum(losses[5:]) / 5])
    assert sum(history.train_accuracy) * 40 == pytest.approx(right)


def test_the_history_has_one_entry_an_epoch():
    data, model = make_data(), make_model()
    history = trained(model, data, epochs=3, validation=data)
    assert history.epoch == [1, 2, 3] and len(history) == 3
    assert history.lr == [0.1] * 3
    assert all(seconds > 0 for seconds in history.seconds)
    assert history.validation_loss[-1] == evaluate(model, *data).loss
    assert history.validation_accuracy[-1] == evaluate(model, *data).accuracy
    assert history.train_loss[-1] < history.train_loss[0]
    assert not history.stopped


def test_nothing_is_measured_without_validation():
    data, model = make_data(), make_model()
    history = trained(model, data)
    assert history.validation_loss == history.validation_accuracy == [None, None]


def test_histories_are_equal_whatever_time_they_took():
    assert History(epoch=[1], seconds=[0.1]) == History(epoch=[1], seconds=[0.2])
    assert "seconds" not in repr(History(epoch=[1], seconds=[0.1]))
    assert History(epoch=[1]) != History(epoch=[2])


def test_a_saved_history_does_not_grow_with_the_one_it_came_from():
    history, loaded = History(), History()
    names = [name for name, value in vars(history).items() if isinstance(value, list)]
    history.append(**dict.fromkeys(names, 1))
    loaded.load_state_dict(saved := history.state_dict())
    history.append(**dict.fromkeys(names, 2))
    loaded.append(**dict.fromkeys(names, 3))
    assert (history.epoch, saved["epoch"], loaded.epoch) == ([1, 2], [1], [1, 3])


def test_a_history_of_a_release_that_measured_less_still_loads():
    history = History()
    saved = {name: [0.5, 0.25] for name in vars(history) if name not in NEW}
    history.load_state_dict({**saved, "stopped": False})
    assert history.train_loss == [0.5, 0.25] and history.skipped_steps == [None, None]
    assert history.metrics == {} and history.best_epoch is None


NEW = ("skipped_steps", "metrics", "best_epoch", "stopped")


def test_the_mean_loss_counts_images_and_not_batches():
    data = make_data(9)
    model = make_plain_model()
    history = fit(model, batches_of(data, shuffle=False), sgd(model, lr=0.0), epochs=1)
    assert history.train_loss[0] == pytest.approx(evaluate(model, *data).loss, rel=1e-6)
    assert history.train_accuracy[0] == pytest.approx(evaluate(model, *data).accuracy)


def test_validation_changes_nothing_in_the_training():
    data = make_data()
    with_it, without = make_model(), make_model()
    torch.manual_seed(1)
    trained(with_it, data, epochs=3, validation=data)
    torch.manual_seed(1)
    trained(without, data, epochs=3)
    assert torch.equal(weights_of(with_it), weights_of(without))
    assert with_it[1].num_batches_tracked == 15


def test_a_frozen_batch_norm_stays_frozen():
    data, model = make_data(), make_model()
    model[1].eval()
    statistics = model[1].running_mean.clone()
    trained(model, data, validation=data)
    assert not model[1].training and model[2].training
    assert torch.equal(model[1].running_mean, statistics)


def test_modes_are_restored_after_a_callback_that_changes_them_and_raises():
    def meddle(state):
        state.model.eval()
        raise KeyError("from the callback")

    data, model = make_data(), make_model()
    model[1].eval()
    with pytest.raises(KeyError, match="from the callback"):
        trained(model, data, validation=data, callbacks=[meddle])
    assert [module.training for module in model] == [True, False, True, True, True]


def test_a_callback_that_leaves_eval_behind_does_not_spoil_the_next_epoch():
    data, model = make_data(), make_model()
    trained(model, data, callbacks=[lambda state: state.model.eval() and None])
    assert model[1].num_batches_tracked == 10


def test_callbacks_see_the_state_after_each_epoch_in_turn():
    seen = []

    def first(state):
        assert state.model is model and state.optimizer is optimizer
        seen.append(("first", state.history.epoch[-1], state.history.validation_loss[-1]))

    data, model = make_data(), make_model()
    optimizer = sgd(model)
    history = fit(
        model,
        batches_of(data),
        optimizer,
        epochs=2,
        validation=data,
        callbacks=[first, lambda state: seen.append("second")],
    )
    losses = history.validation_loss
    assert seen == [("first", 1, losses[0]), "second", ("first", 2, losses[1]), "second"]


def test_a_callback_ends_the_training_and_the_others_are_still_called():
    seen = []
    data, model = make_data(), make_model()
    history = trained(
        model,
        data,
        epochs=9,
        callbacks=[lambda state: len(state.history) == 2, lambda state: seen.append(1)],
    )
    assert len(history) == len(seen) == 2
    assert history.stopped


def test_a_callback_must_say_clearly_whether_to_stop():
    data, model = make_data(), make_model()
    with pytest.raises(TypeError, match="returned 1, expected True, False or None"):
        trained(model, data, epochs=1, callbacks=[lambda state: 1])


def test_soft_labels_train_and_have_no_accuracy():
    images, labels = make_data()
    hard, soft = make_model(), make_model()
    torch.manual_seed(1)
    expected = trained(hard, (images, labels))
    torch.manual_seed(1)
    one_hot = F.one_hot(labels, 2).float()
    validation = images, one_hot
    history = trained(soft, (images, one_hot), validation=validation)
    assert history.train_loss == pytest.approx(expected.train_loss, rel=1e-5)
    assert history.train_accuracy == history.validation_accuracy == [None, None]


def test_accuracy_counts_only_batches_with_classes():
    class Mixed:
        def __len__(self):
            return 2

        def __iter__(self):
            yield images, labels
            yield images, F.one_hot(1 - labels, 2).float()

    images, labels = make_data()
    model = make_plain_model()
    history = fit(model, Mixed(), sgd(model, lr=0.0), epochs=1)
    assert history.train_accuracy == [evaluate(model, images, labels).accuracy]


def test_targets_may_be_images():
    images, _ = make_data()
    model = nn.Conv2d(2, 2, 1)
    history = trained(model, (images, images), loss_fn=F.mse_loss, validation=(images, images))
    assert history.train_loss[1] < history.train_loss[0]
    assert history.train_accuracy == [None, None]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_data_loader_is_as_good_as_batches(workers):
    data = make_data()
    expected, model = make_plain_model(), make_plain_model()
    fit(expected, batches_of(data, shuffle=False), sgd(expected), epochs=2)
    loader = DataLoader(TensorDataset(*data), 8, num_workers=workers)
    fit(model, loader, sgd(model), epochs=2)
    assert torch.equal(weights_of(model), weights_of(expected))


def test_channels_last_gives_the_same_training():
    data = make_data()
    expected, model = make_plain_conv(), make_plain_conv().to(memory_format=torch.channels_last)
    seen = []
    model[0].register_forward_hook(lambda module, args, output: seen.append((args[0], output)))
    trained(expected, data, validation=data)
    fit(model, batches_of(data, channels_last=True), sgd(model), epochs=2, validation=data)
    torch.testing.assert_close(weights_of(model), weights_of(expected), rtol=1e-4, atol=1e-5)
    assert seen[0][0].is_contiguous(memory_format=torch.channels_last)
    assert seen[0][1].is_contiguous(memory_format=torch.channels_last)


def make_plain_conv():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_computes_in_half_precision_and_keeps_float32_weights(dtype):
    data, model = make_data(), make_plain_conv()
    seen = []
    model[0].register_forward_hook(lambda module, args, output: seen.append(output.dtype))
    scaler = torch.amp.GradScaler("cpu") if dtype is torch.float16 else None
    history = trained(model, data, epochs=5, validation=data, autocast=dtype, scaler=scaler)
    assert set(seen) == {dtype}
    assert weights_of(model).isfinite().all()
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert history.train_loss[-1] < history.train_loss[0]
    assert not torch.is_autocast_enabled("cpu")


def test_clipping_comes_after_unscaling():
    images, labels = make_data(8)
    data = 100 * images, labels
    plain, scaled = make_plain_model(), make_plain_model()
    fit(plain, batches_of(data, shuffle=False), sgd(plain), epochs=1, clip_norm=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    fit(
        scaled,
        batches_of(data, shuffle=False),
        sgd(scaled),
        epochs=1,
        clip_norm=0.1,
        scaler=scaler,
    )
    torch.testing.assert_close(weights_of(scaled), weights_of(plain), rtol=1e-5, atol=1e-7)
    moved = weights_of(plain) - weights_of(make_plain_model())
    assert moved.norm().item() == pytest.approx(0.1 * 0.1, rel=1e-3)


def test_an_overflow_skips_the_step_its_scheduler_and_the_average():
    data, model = make_data(8), make_plain_model()
    before = weights_of(model)
    optimizer = sgd(model)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    average = ExponentialAverage(model)
    scaler = torch.amp.GradScaler("cpu", init_scale=3e38)
    fit(
        model,
        batches_of((1e4 * data[0], data[1])),
        optimizer,
        epochs=1,
        step_scheduler=scheduler,
        scaler=scaler,
        average=average,
    )
    assert torch.equal(weights_of(model), before)
    assert scaler.get_scale() == pytest.approx(1.5e38)
    assert scheduler.last_epoch == 0 and average.updates == 0


def test_schedulers_step_once_an_epoch_or_once_a_step():
    data, model = make_data(), make_model()
    optimizer = sgd(model)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    history = fit(model, batches_of(data), optimizer, epochs=3, scheduler=scheduler)
    assert history.lr == [0.1, 0.05, 0.025]

    optimizer = sgd(model)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=15)
    history = fit(model, batches_of(data), optimizer, epochs=3, step_scheduler=scheduler)
    assert scheduler.last_epoch == 15
    assert history.lr[1] > history.lr[2] > history.lr[0]


@pytest.mark.parametrize("with_validation", [True, False])
@pytest.mark.parametrize(("mode", "name"), [("min", "loss"), ("max", "accuracy")])
def test_a_plateau_is_that_of_the_validation_or_else_of_the_training(with_validation, mode, name):
    seen = []

    class Plateau(torch.optim.lr_scheduler.ReduceLROnPlateau):
        def step(self, metrics):
            seen.append(metrics)
            super().step(metrics)

    data, model = make_data(), make_model()
    optimizer = sgd(model)
    history = fit(
        model,
        batches_of(data),
        optimizer,
        epochs=3,
        validation=data if with_validation else None,
        scheduler=Plateau(optimizer, mode, patience=0, threshold=10.0, threshold_mode="abs"),
    )
    kind = "validation" if with_validation else "train"
    assert seen == getattr(history, f"{kind}_{name}")
    assert history.lr[-1] < 0.1


def test_the_averaged_weights_are_those_that_are_validated():
    data, model = make_data(), make_model()
    average = ExponentialAverage(model, decay=0.9)
    history = trained(model, data, validation=data, average=average)
    assert average.updates == 10
    assert history.validation_loss[-1] == evaluate(average.model, *data).loss
    assert history.validation_loss[-1] != evaluate(model, *data).loss


def test_a_loss_that_refuses_logits_names_epoch_and_step_too():
    def poisoned(module, inputs, logits):
        calls.append(inputs)
        return logits * math.nan if len(calls) == 8 else logits

    model, calls = make_plain_model(), []
    model.register_forward_hook(poisoned)
    message = "not finite in step 3 of epoch 2: logits has .* nan"
    with pytest.raises(FloatingPointError, match=message):
        trained(model, make_data(), loss_fn=CrossEntropy())


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_names_epoch_and_step_and_leaves_the_weights(value):
    def poisoned(logits, labels):
        calls.append(weights_of(model))
        return F.cross_entropy(logits, labels) * (value if len(calls) == 8 else 1.0)

    calls = []
    data, model = make_data(), make_plain_model()
    message = f"the loss is {value} in step 3 of epoch 2; likely causes .* rate .*it is 0.1.* of 0"
    with pytest.raises(FloatingPointError, match=message):
        trained(model, data, epochs=3, loss_fn=poisoned)
    assert torch.equal(weights_of(model), calls[-1])


@pytest.mark.parametrize("clip_norm", [None, 1.0])
def test_a_gradient_that_is_not_finite_stops_before_it_reaches_the_weights(clip_norm):
    def with_root(logits, labels):  # 0, with a gradient of 0 / 0 in the second step
        calls.append(weights_of(model))
        root = (logits * (len(calls) != 2)).square().sum().sqrt()
        return F.cross_entropy(logits, labels) + 0 * root

    calls = []
    data, model = make_data(), make_plain_model()
    message = "the norm of the gradient is nan in step 2 of epoch 1; likely .* a root of 0"
    with pytest.raises(FloatingPointError, match=message):
        trained(model, data, loss_fn=with_root, clip_norm=clip_norm)
    assert torch.equal(weights_of(model), calls[-1])


@pytest.mark.parametrize("clip_norm", [None, 1.0])
def test_a_step_reads_from_its_device_once(clip_norm):
    class Reads(TorchDispatchMode):
        """Count reads of single numbers, for each of which a GPU would be waited for."""

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            read = str(function) in ("aten._local_scalar_dense.default", "aten.is_nonzero.default")
            numbers.append(1) if read else None
            return function(*args, **(kwargs or {}))

    numbers, (data, model) = [], (make_data(), make_plain_model())
    with Reads(), pytest.MonkeyPatch.context() as patch:
        together = steps.numbers_of
        patch.setattr(steps, "numbers_of", lambda *all: lists.append(1) or together(*all))
        lists = []
        trained(model, data, clip_norm=clip_norm)
    assert len(lists) == 2 * 5 and len(numbers) <= 2  # and the accuracy once an epoch


def test_what_can_be_seen_of_the_cause_is_said():
    (images, labels), model = make_data(8), make_plain_model()
    with pytest.raises(FloatingPointError, match="images of this batch are not finite themselves"):
        trained(model, (images / 0, labels))
    with pytest.raises(FloatingPointError, match="the loss ignores all labels of this batch"):
        trained(model, (images, labels * 0 - 100))
    with pytest.raises(FloatingPointError, match="65,504, where float16 ends"):
        scaler = torch.amp.GradScaler("cpu")
        trained(model, (1e6 * images, labels), autocast=torch.float16, scaler=scaler)


def test_a_sparse_gradient_is_left_out_of_the_check():
    model = nn.Sequential(nn.Embedding(9, 2, sparse=True), nn.Flatten())
    history = fit(model, [(torch.arange(9)[:, None], torch.arange(9) % 2)], sgd(model), epochs=2)
    assert history.train_loss[1] < history.train_loss[0]


def test_a_loss_that_is_not_one_number_is_named():
    for loss_fn, error, message in [
        (nn.CrossEntropyLoss(reduction="none"), ValueError, r"loss_fn gave shape \(8,\)"),
        (lambda logits, labels: 0.5, TypeError, "loss_fn gave a float, expected a tensor"),
    ]:
        with pytest.raises(error, match=message):
            trained(make_plain_model(), make_data(), loss_fn=loss_fn)


def test_skipped_steps_are_counted_and_shown():
    shown = []
    data, model = make_data(), make_plain_model()
    scaler = torch.amp.GradScaler("cpu", init_scale=3e38)
    data = 1e3 * data[0], data[1]
    with pytest.MonkeyPatch.context() as patch:
        watch_progress(patch, shown)
        history = trained(model, data, scaler=scaler)
    skipped = round(math.log2(3e38 / scaler.get_scale()))
    assert sum(history.skipped_steps) == skipped > 0
    assert f"  {history.skipped_steps[0]} steps skipped" in shown[4]
    assert trained(make_plain_model(), data).skipped_steps == [0, 0]


def test_a_scaler_that_skips_every_step_ends_in_a_sentence():
    def never_finite(logits, labels):
        return logits.sum() * 0 + (logits * 0).square().sum().sqrt()

    scaler = torch.amp.GradScaler("cpu", init_scale=1e-40)
    with pytest.raises(FloatingPointError, match=r"scale of the scaler is 0 in step \d"):
        trained(make_plain_model(), make_data(), epochs=9, loss_fn=never_finite, scaler=scaler)


def test_one_logit_is_of_two_classes():
    images, labels = make_data()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(72, 1))

    def binary(logits, labels):
        return F.binary_cross_entropy_with_logits(logits[:, 0], labels.float())

    history = trained(model, (images, labels), loss_fn=binary, validation=(images, labels))
    right = ((model(images)[:, 0] > 0) == labels).float().mean().item()
    assert history.validation_accuracy[-1] == pytest.approx(right)
    assert 0.5 < history.train_accuracy[-1] <= 1


def test_labels_that_the_loss_ignores_do_not_count():
    images, labels = make_data()
    marked = torch.where(torch.arange(40) % 3 == 0, -100, labels)
    model = make_plain_model()
    few = images[marked >= 0], labels[marked >= 0]
    batches = Batches(images, marked, 8, shuffle=False)
    history = fit(model, batches, sgd(model, lr=0.0), epochs=1, validation=(images, marked))
    expected = evaluate(model, *few)
    assert history.train_accuracy[0] == history.validation_accuracy[0] == expected.accuracy
    assert history.train_loss[0] == pytest.approx(expected.loss)
    assert history.validation_loss[0] == pytest.approx(expected.loss)


def test_a_scheduler_of_another_optimizer_is_refused():
    model = make_plain_model()
    other = torch.optim.lr_scheduler.StepLR(sgd(model), 1)
    for name in ("scheduler", "step_scheduler"):
        with pytest.raises(ValueError, match=f"^{name} is of another optimizer"):
            trained(model, make_data(), **{name: other})


def test_bad_arguments_are_found_before_any_step():
    def refused(message, error=ValueError, **changes):
        arguments = {"model": model, "batches": batches_of(data), "optimizer": sgd(model)}
        with pytest.raises(error, match=message):
            fit(**{**arguments, "epochs": 1, **changes})

    data, model = make_data(), make_model()
    before = weights_of(model)
    for epochs in (0, -1, 1.5, True, None):
        refused("epochs is", epochs=epochs)
    refused("batches is empty", batches=DataLoader(TensorDataset(*make_data(0)), 8))
    refused("batches is empty", batches=[])
    refused("has no len", TypeError, batches=iter([data]))
    refused("has no len", TypeError, batches=DataLoader(Stream()))
    refused("model is in eval mode", model=make_model().eval())
    refused("optimizer is without parameters of model", optimizer=sgd(make_model()))
    for clip_norm in (0, -1.0, math.nan):
        refused("clip_norm is", clip_norm=clip_norm)
    refused("autocast is torch.float32", autocast=torch.float32)
    refused("expected a scaler", autocast=torch.float16)
    refused("validation has 3 parts", validation=(*data, data[0]))
    refused("validation has 40 images and 39 labels", validation=(data[0], data[1][1:]))
    refused("validation has 0 images", validation=(data[0][:0], data[1][:0]))
    assert torch.equal(weights_of(model), before)


def test_batches_that_run_dry_are_named():
    class Once(list):
        def __iter__(self):
            while self.fresh:
                yield self.fresh.pop()

    batches, model = Once([None]), make_model()
    batches.fresh = [make_data()]
    with pytest.raises(ValueError, match="batches is empty in epoch 2"):
        fit(model, batches, sgd(model), epochs=2)


class Stream(IterableDataset):
    def __iter__(self):
        yield torch.zeros(1)


def watch_progress(patch, shown):
    from glassbox.support import progress

    patch.setattr(progress._Lines, "interval", 0.0)
    patch.setattr(progress._Lines, "draw", lambda self, fraction, text: shown.append(text))


def test_progress_shows_the_epoch_and_the_mean_loss(monkeypatch):
    shown = []
    watch_progress(monkeypatch, shown)
    data, model = make_data(), make_model()
    trained(model, data)
    assert len(shown) == 10
    assert shown[-1].startswith("epoch 2  loss 0.") and "100%" in shown[-1]
    trained(model, data, progress=False)
    assert len(shown) == 10
