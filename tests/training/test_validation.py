"""Validation on tensors and on batches, metrics, and what they decide."""

import math
import weakref
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from refusals import refuses
from sklearn.metrics import balanced_accuracy_score
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset
from torch.utils.data.distributed import DistributedSampler

from glassbox.data import Batches
from glassbox.training import ExponentialAverage, balanced_accuracy, evaluate, fit

BALANCED = {"balanced_accuracy": balanced_accuracy}


def make_data(count=30, seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(count, 1, 4, 4, generator=generator)
    return images, (images.mean((1, 2, 3)) > 0.1).long()


def make_model(outputs=2):
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.Dropout(), nn.Linear(8, outputs))


def trained(model=None, epochs=3, lr=0.5, **options):
    model = model or make_model()
    options.setdefault("optimizer", torch.optim.SGD(model.parameters(), lr))
    torch.manual_seed(1)
    batches = options.pop("batches", Batches(*make_data(), 8))
    return fit(model, batches, epochs=epochs, **options)


def loader_of(data, batch_size=8, **options):
    return DataLoader(TensorDataset(*data), batch_size, **options)


def weights_of(model):
    return [tensor.clone() for tensor in model.state_dict().values()]


def assert_equal(ones, others):
    torch.testing.assert_close(ones, others, rtol=0, atol=0)


# What is measured


@pytest.mark.parametrize("batch_size", [1, 7, 30, 64])
def test_batches_are_measured_as_tensors_are(batch_size):
    model, data = make_model().double(), make_data()
    expected = evaluate(model, *data, metrics=BALANCED)
    for batches in (
        loader_of(data, batch_size),
        loader_of(data, batch_size, shuffle=True, num_workers=1),
        list(loader_of(data, batch_size)),
        (pair for pair in loader_of(data, batch_size)),
        Batches(*data, batch_size),
    ):
        found = evaluate(model, batches, metrics=BALANCED)
        assert found.loss == pytest.approx(expected.loss, rel=1e-9)
        assert found.accuracy == pytest.approx(expected.accuracy)
        assert found.metrics == pytest.approx(expected.metrics)
        assert found.logits is None


def test_a_metric_is_that_of_sklearn():
    (images, labels), model = make_data(), make_model()
    found = evaluate(model, loader_of((images, labels)), metrics=BALANCED).metrics
    said = model.eval()(images).argmax(1)
    assert found == {"balanced_accuracy": pytest.approx(balanced_accuracy_score(labels, said))}


def test_no_more_than_a_batch_of_images_is_held():
    class Counted(IterableDataset):
        def __iter__(self):
            for _ in range(20):
                image = torch.zeros(1, 4, 4)
                alive.add(image)
                most.append(len(alive))
                yield image, 0

    alive, most = weakref.WeakSet(), []
    batches = DataLoader(Counted(), batch_size=2)
    history = trained(validation=batches, metrics=BALANCED, epochs=1)
    assert len(most) == 20 and max(most) <= 4
    assert history.validation_loss[0] > 0


def test_outputs_that_are_no_tensor_can_be_measured_in_batches():
    class Two(nn.Linear):
        def forward(self, images):
            return super().forward(images.flatten(1)), images

    def loss_fn(outputs, labels):
        return F.cross_entropy(outputs[0], labels)

    model, (images, labels) = Two(16, 2), make_data()
    found = evaluate(model, loader_of((images, labels)), loss_fn=loss_fn)
    assert found.loss == pytest.approx(loss_fn(model(images), labels).item(), rel=1e-5)
    assert found.accuracy is None
    with pytest.raises(TypeError, match="metrics get a tuple, expected logits in a tensor"):
        evaluate(model, loader_of((images, labels)), loss_fn=loss_fn, metrics=BALANCED)


def test_the_loss_of_a_half_typed_model_is_not_rounded():
    (images, labels), model = make_data(400), make_model().to(torch.bfloat16).eval()
    logits = model(images.bfloat16())
    expected = F.cross_entropy(logits.float(), labels).item()
    for given in ((images, labels), (loader_of((images, labels)),)):
        assert evaluate(model, *given).loss == pytest.approx(expected, rel=1e-6)
    assert F.cross_entropy(logits, labels).item() != pytest.approx(expected, rel=1e-6)
    weight = torch.tensor([1.0, 2], dtype=torch.bfloat16)
    for weighted in (nn.CrossEntropyLoss(weight), partial(F.cross_entropy, weight=weight)):
        assert evaluate(model, images, labels, loss_fn=weighted).loss > 0


def test_ignored_labels_count_nowhere():
    (images, labels), model = make_data(), make_model()
    marked = torch.where(torch.arange(30) < 9, -100, labels)
    expected = evaluate(model, images[9:], labels[9:], metrics=BALANCED)
    other = nn.CrossEntropyLoss(ignore_index=7)
    sevens = torch.where(marked < 0, 7, marked)
    for labels, loss_fn in ((marked, F.cross_entropy), (sevens, other)):
        for given in ((images, labels), (loader_of((images, labels), 4),)):
            found = evaluate(model, *given, loss_fn=loss_fn, metrics=BALANCED)
            assert found.loss == pytest.approx(expected.loss, rel=1e-6)
            assert found.accuracy == pytest.approx(expected.accuracy)
            assert found.metrics == pytest.approx(expected.metrics)
    nothing = evaluate(model, images, labels * 0 - 100)
    assert math.isnan(nothing.loss) and nothing.accuracy is None


def test_one_logit_counts_for_class_1_above_0():
    def binary(logits, labels):
        return F.binary_cross_entropy_with_logits(logits[:, 0], labels.float())

    logits, labels = torch.tensor([[2.0], [-1], [0.5], [-3]]), torch.tensor([1, 0, 0, 1])
    for given in ((logits, labels), ([(logits, labels)],)):
        assert evaluate(nn.Identity(), *given, loss_fn=binary).accuracy == 0.5
    with pytest.raises(ValueError, match="labels is between 0 and 2, expected 0 to 1"):
        evaluate(nn.Identity(), logits, labels * 2, loss_fn=binary)


def test_logits_that_are_not_finite_show_in_batches_too():
    batches = [(torch.tensor([[0.0, math.nan]]), torch.tensor([0]))]
    found = evaluate(nn.Identity(), batches)
    assert math.isnan(found.loss) and math.isnan(found.accuracy)


def test_a_metric_may_be_of_any_library_and_on_any_device():
    def of_numpy(logits, labels):
        return np.float32((logits.numpy().argmax(1) == labels.numpy()).mean())

    def of_torch(logits, labels):
        return (logits.argmax(1) == labels).float().mean().to(device)

    device = "cuda" if torch.cuda.is_available() else "cpu"
    (images, labels), model = make_data(), make_model().to(torch.bfloat16)
    found = evaluate(model, images, labels, metrics={"numpy": of_numpy, "torch": of_torch})
    assert found.metrics["numpy"] == pytest.approx(found.accuracy)
    assert found.metrics["torch"] == pytest.approx(found.accuracy)


def test_a_metric_computes_in_float32_on_numbers_of_its_own():
    def spoiling(logits, labels):
        types.append((logits @ logits.T).dtype)
        return logits.mul_(0).sum() + labels.mul_(0).sum()

    types, (data, model) = [], (make_data(), make_model())
    metrics = {"spoiling": spoiling, **BALANCED}
    with torch.autocast("cpu", torch.bfloat16):
        for given in (data, (loader_of(data),)):
            found = evaluate(model, *given, metrics=metrics)
            expected = evaluate(model, *given, metrics=BALANCED).metrics["balanced_accuracy"]
            assert found.metrics == {"spoiling": 0.0, "balanced_accuracy": expected}
    assert set(types) == {torch.float32}


# In a training


def test_validation_in_batches_gives_the_history_of_tensors():
    data = make_data(21, seed=1)
    expected = trained(validation=data, metrics=BALANCED)
    found = trained(validation=loader_of(data, 4), metrics=BALANCED)
    assert found.validation_loss == pytest.approx(expected.validation_loss, rel=1e-5)
    assert found.validation_accuracy == pytest.approx(expected.validation_accuracy)
    (values,) = found.metrics.values()
    assert values == pytest.approx(expected.metrics["balanced_accuracy"])
    assert len(values) == 3


def test_validation_in_batches_changes_nothing_in_the_training():
    class Noisy(Dataset):
        def __len__(self):
            return 9

        def __getitem__(self, number):
            return torch.randn(1, 4, 4) + np.random.rand(), number % 2

    generator = torch.Generator().manual_seed(3)
    before, plain, model = generator.get_state(), make_model(), make_model()
    expected = trained(plain)
    noisy = DataLoader(Noisy(), 4, shuffle=True, generator=generator)
    found = trained(model, validation=noisy)
    assert found.train_loss == expected.train_loss
    assert_equal(weights_of(model), weights_of(plain))
    assert torch.equal(generator.get_state(), before)


def test_the_training_batches_can_be_those_of_the_validation():
    def batches():
        return loader_of(make_data(), shuffle=True, generator=torch.Generator().manual_seed(1))

    both, plain = batches(), make_model()
    trained(plain, batches=batches())
    model = make_model()
    trained(model, batches=both, validation=both)
    assert_equal(weights_of(model), weights_of(plain))


def test_the_average_is_validated_in_batches_under_autocast():
    model, data = make_model(), make_data(9, seed=1)
    average = ExponentialAverage(model, 0.5)
    history = trained(
        model, validation=loader_of(data, 4), average=average, autocast=torch.bfloat16
    )
    with torch.autocast("cpu", torch.bfloat16):
        expected = evaluate(average.model, loader_of(data, 4)).loss
    assert history.validation_loss[-1] == expected


class Scripted:
    """A metric whose values are given."""

    def __init__(self, *values):
        self.values, self.calls = values, 0

    def __call__(self, logits, labels):
        self.calls += 1
        return self.values[self.calls - 1]


def weights_after_each_epoch(**options):
    model, seen = make_model(), []
    trained(model, callbacks=[lambda state: seen.append(weights_of(state.model))], **options)
    return seen


@pytest.mark.parametrize(
    ("values", "best"),
    [
        ((0.1, 0.3, 0.2), 2),
        ((0.3, 0.2, 0.1), 1),
        ((0.1, 0.2, 0.3), 3),
        ((0.2, 0.3, 0.3), 2),
        ((math.nan, 0.1, math.nan), 2),
        ((math.inf, 0.1, -math.inf), 2),
        ((-0.3, -0.1, -0.2), 2),
    ],
)
def test_the_best_epoch_is_kept(values, best):
    seen = weights_after_each_epoch()
    model = make_model()
    metrics = {"score": Scripted(*values)}
    history = trained(model, validation=make_data(9), metrics=metrics, best="score")
    assert history.best_epoch == best
    assert_equal(weights_of(model), seen[best - 1])
    assert history.metrics["score"] == pytest.approx(list(values), nan_ok=True)


@pytest.mark.parametrize("name", ["train_loss", "validation_loss", "validation_accuracy"])
def test_a_loss_is_best_where_it_is_smallest_and_an_accuracy_where_it_is_largest(name):
    data = make_data(40, seed=1)
    history = trained(epochs=8, lr=3.0, validation=data, best=name)
    values = getattr(history, name)
    chosen = min(values) if name.endswith("loss") else max(values)
    assert history.best_epoch == 1 + values.index(chosen)


def test_the_average_of_the_best_epoch_is_kept_with_it():
    def run(**options):
        model = make_model()
        average, seen = ExponentialAverage(model, 0.9), []
        keep = [lambda state: seen.append(weights_of(average.model))]
        trained(model, average=average, validation=make_data(9), callbacks=keep, **options)
        return average, seen

    _, seen = run()
    average, _ = run(metrics={"score": Scripted(1, 2, 0)}, best="score")
    assert_equal(weights_of(average.model), seen[1])
    assert average.updates == 2 * 4


def test_where_no_epoch_has_a_number_the_last_weights_stay_with_a_warning():
    last, model = weights_after_each_epoch()[-1], make_model()
    metrics = {"score": Scripted(*[math.nan] * 3)}
    with pytest.warns(UserWarning, match="best is 'score', which was finite in no epoch"):
        history = trained(model, validation=make_data(9), metrics=metrics, best="score")
    assert history.best_epoch is None
    assert_equal(weights_of(model), last)


@pytest.mark.parametrize("stop", range(1, 6))
def test_the_best_weights_survive_an_interruption(tmp_path, stop):
    def run(epochs, path):
        model = make_model()
        options = {"validation": make_data(12, seed=1), "metrics": BALANCED, "lr": 2.0}
        history = trained(model, epochs, checkpoint=path, best="balanced_accuracy", **options)
        return history, weights_of(model)

    expected = run(5, None)
    run(stop, tmp_path / "run.pt")
    history, weights = run(5, tmp_path / "run.pt")
    assert history == expected[0]
    assert_equal(weights, expected[1])


def test_what_is_measured_anew_is_another_training(tmp_path):
    path, data = tmp_path / "run.pt", make_data(9)
    trained(epochs=1, validation=data, checkpoint=path)
    with pytest.raises(ValueError, match="another training: metrics is missing, expected dict"):
        trained(validation=data, metrics=BALANCED, checkpoint=path)
    with pytest.raises(ValueError, match="another training: best is missing, expected 'train_loss"):
        trained(validation=data, best="train_loss", checkpoint=path)
    assert len(trained(validation=data, checkpoint=path)) == 3


@pytest.mark.parametrize(
    ("monitor", "mode"), [("score", "max"), ("train_loss", "min"), ("validation_accuracy", "max")]
)
def test_a_plateau_follows_what_it_is_told_to(monitor, mode):
    followed = []

    class Plateau(torch.optim.lr_scheduler.ReduceLROnPlateau):
        def step(self, metrics):
            followed.append(metrics)
            super().step(metrics)

    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    history = trained(
        model,
        optimizer=optimizer,
        scheduler=Plateau(optimizer, mode),
        validation=make_data(9),
        metrics={"score": Scripted(3, 1, 2)},
        monitor=monitor,
    )
    columns = {**vars(history), **history.metrics}
    assert followed == columns[monitor]


def test_a_validation_that_runs_dry_is_named_with_its_epoch():
    class Once(list):
        def __iter__(self):
            while self:
                yield self.pop()

    with pytest.raises(ValueError, match="validation fails after epoch 2: images is empty"):
        trained(validation=Once([make_data(9)]))


def soft(count):
    return torch.rand(count, 1, 4, 4), torch.rand(count, 2)


def plateau(mode="min"):
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode)
    return {"model": model, "optimizer": optimizer, "scheduler": scheduler}


def broken(logits, labels):
    raise KeyError("no such class")


def as_dicts():
    return DataLoader([{"image": image, "label": 0} for image in make_data(4)[0]], 2)


DATA = make_data(9)
test_what_cannot_be_validated_is_named = refuses(
    ({"validation": iter([DATA])}, TypeError, "validation is a list_iterator, which can be read"),
    ({"validation": (pair for pair in [DATA])}, TypeError, "validation is a generator, which"),
    ({"validation": []}, "validation has 0 parts"),
    ({"validation": DATA[0]}, TypeError, "validation is a Tensor, expected images and labels"),
    ({"validation": TensorDataset(*DATA)}, TypeError, "validation is a TensorDataset, expected"),
    ({"validation": "path"}, TypeError, "validation is a str, expected images and labels, or"),
    ({"validation": loader_of(make_data(0))}, "validation fails after epoch 1: images is empty"),
    ({"validation": as_dicts()}, TypeError, "images has a dict with 'image', 'label', expected"),
    ({"validation": [[DATA[0], [1]]]}, "validation has 1 parts"),
    ({"validation": loader_of((DATA[0], DATA[1] + 9))}, "labels is between 9 and 10, expected 0"),
    (
        {"validation": loader_of(DATA, sampler=DistributedSampler(TensorDataset(*DATA), 2, 0))},
        "validation has 2 parts, expected 1",
    ),
    ({"validation": Batches(*DATA, 4, world_size=2)}, "validation has world_size 2, and its parts"),
    ({"metrics": BALANCED}, "metrics has balanced_accuracy, expected a validation"),
    ({"validation": DATA, "metrics": [broken]}, TypeError, "metrics is .*, expected Mapping"),
    ({"validation": DATA, "metrics": {"lr": broken}}, "metrics has 'lr', expected a name that"),
    ({"validation": DATA, "metrics": {7: broken}}, TypeError, "metrics has 7, expected names"),
    ({"validation": DATA, "metrics": {"x": 7}}, TypeError, r"metrics\['x'\] is 7, expected a fun"),
    (
        {"validation": DATA, "metrics": {"x": broken}},
        r"after epoch 1: metrics\['x'\] raised KeyError: 'no such class'",
    ),
    (
        {"validation": DATA, "metrics": {"x": lambda logits, labels: logits}},
        TypeError,
        r"metrics\['x'\] is .*, expected a number",
    ),
    (
        {"best": "validation_loss"},
        "best is 'validation_loss', expected one of train_loss, train_acc",
    ),
    ({"validation": DATA, "best": "accuracy"}, "best is 'accuracy', .*, validation_accuracy$"),
    ({"best": "train_accuracy", "batches": [soft(4)]}, "best follows train_accuracy, which has no"),
    ({"monitor": "train_loss"}, "monitor is 'train_loss', expected a ReduceLROnPlateau"),
    ({**plateau(), "monitor": "train_accuracy"}, "scheduler has mode 'min', expected 'max': more"),
    ({**plateau("max"), "monitor": "train_loss"}, "scheduler has mode 'max', expected 'min': less"),
    ({**plateau("max"), "batches": [soft(4)]}, "scheduler follows train_accuracy, which has no"),
    by=lambda options: trained(**options),
)
test_what_cannot_be_evaluated_is_named = refuses(
    (lambda: evaluate(make_model(), DATA[0]), TypeError, "labels is None, expected those of"),
    (lambda: evaluate(make_model(), 7), TypeError, "images is 7"),
    (lambda: evaluate(make_model(), DATA), TypeError, "images has a Tensor, expected pairs"),
    (lambda: evaluate(make_model(), []), "images is empty, expected at least one batch"),
)
