"""A folder as readers have them, from its names to a report, stopped and started again.

This file is also what processes run: ``test_your_folder.py train_in_two FOLDER``.
"""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from timm.data import Mixup
from torchvision.datasets import ImageFolder

from glassbox.chapters.more_than_one_machine.launching import torchrun
from glassbox.chapters.your_folder import pictures, recipe, report, run, watch
from glassbox.chapters.your_folder.__main__ import main
from glassbox.chapters.your_folder.example import CLASSES, make_folder
from glassbox.chapters.your_folder.network import find_backbone, make_network
from glassbox.chapters.your_folder.options import Options, flag_table, parse, parser
from glassbox.data import DownloadError, photo_patches
from glassbox.losses import LDAMLoss
from glassbox.training import ExponentialAverage, History, load_checkpoint

# A network of timm's own tests: residual blocks with batch normalization, a second an epoch.
SMALL = {"backbone": "test_resnet", "from_scratch": True, "size": 32, "threads": 1}
QUICK = SMALL | {"epochs": 4, "batch_size": 8, "device": "cpu"}
GOOD = ("a rose", "gänse blümchen", "moss")


def picture(path, color, mode="RGB", side=40, **options):
    noise = np.random.default_rng(len(str(path.name))).integers(-40, 40, (side, side, 3))
    pixels = (np.array(color) + noise).clip(0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).convert(mode).save(path, **options)


@pytest.fixture
def garden(tmp_path):
    """Make a folder that has everything that folders have."""
    root = tmp_path / "my gärden"
    colors = dict(zip(GOOD, [(200, 40, 40), (230, 230, 230), (40, 160, 40)], strict=True))
    for part, counts in (("train", (12, 6, 3)), ("test", (4, 4, 4))):
        for (name, color), count in zip(colors.items(), counts, strict=True):
            for number in range(count):
                picture(root / part / name / f"{number:02} é.png", color)
    train = root / "train"
    picture(train / "a rose" / "gray.png", (90, 90, 90), "L")
    picture(train / "a rose" / "LOUD.JPG", (200, 40, 40), quality=90)
    picture(train / "moss" / "clear.png", (40, 160, 40), "RGBA")
    picture(train / "one of a kind" / "only.png", (40, 40, 200))
    picture(train / ".ipynb_checkpoints" / "copy.png", (1, 1, 1))
    picture(train / "lost.png", (1, 1, 1))
    (train / "moss" / "broken pictüre.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    (train / "moss" / "notes.txt").write_text("watered on Monday")
    return root


@pytest.fixture
def options(garden, tmp_path):
    return Options(garden, tmp_path / "out", unreadable="skip", **QUICK)


@pytest.fixture(scope="module")
def squares(tmp_path_factory):
    root = tmp_path_factory.mktemp("squares")
    make_folder(root, largest=14, imbalance=7, test=3, side=64)
    return root


def weights_of(out):
    return load_checkpoint(out / "model.pt")["weights"]


def log_of(out):
    return (out / "log.txt").read_text("utf-8")


def test_a_run_on_a_folder_with_everything(options):
    result = run.run(options)
    assert result["classes"] == [*GOOD, "one of a kind"]
    assert result["counts"]["train"] == [11, 5, 3, 1]
    assert np.array(result["validation"]["confusion"]).sum(1).tolist() == [3, 1, 1, 0]
    assert np.array(result["test"]["confusion"]).sum(1).tolist() == [4, 4, 4, 0]
    log = log_of(options.out)
    for told in (
        "one of a kind: 1 train, 0 validation, 0 test",
        "1 files of .*train are no pictures by their names: 'moss/notes.txt'",
        "1 pictures of .*train are in no class folder: 'lost.png'",
        "1 pictures .* cannot be read: 'moss/broken pictüre.jpg .*left out",
        "no picture of 'one of a kind' is validated on",
        r"epoch 4/4  loss .* balanced +\d+% (best| {4}) 0:00 left",
        r"test, epoch \d: \d+ of 12 right",
    ):
        assert re.search(told, log), told
    assert "copy.png" not in log
    network, saved = run.load_network(options.out / "model.pt")
    assert saved["classes"] == result["classes"] and not network.training
    shown = pictures.fixed_view(32, saved["mean"], saved["std"])
    folder = pictures.read_folder(options.data / "test", saved["classes"])
    files = pictures.decode(folder, pictures.side_of(32))[1]
    with torch.no_grad():
        found = network(shown(files[torch.arange(12)])).argmax(1)
    pairs = torch.zeros(4, 4, dtype=torch.int64)
    pairs.index_put_((folder.targets, found), torch.tensor(1), accumulate=True)
    assert pairs.tolist() == result["test"]["confusion"]


def test_a_broken_picture_is_refused_unless_it_is_to_be_skipped(options, capsys):
    with pytest.raises(ValueError, match=r"1 pictures .*'moss/broken pictüre\.jpg \(.*--unreada"):
        run.run(replace(options, unreadable="refuse"))
    assert not (options.out / "checkpoint.pt").exists()


def test_a_class_of_which_nothing_can_be_read_is_refused(options):
    (options.data / "train" / "one of a kind" / "only.png").write_bytes(b"")
    with pytest.raises(ValueError, match="has no picture of 'one of a kind', expected at least"):
        run.run(options)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"precision": "bfloat16", "mixer": "timm", "mix_prob": 1.0},
        {"precision": "float16", "loss": "logit-adjusted", "mix_prob": 1.0},
        {"ema": 0.0, "loss": "cross-entropy", "mixer": "none", "memory": 0.0},
    ],
    ids=lambda changed: ", ".join(map(str, changed.values())) or "default",
)
def test_a_stopped_run_goes_on_bit_for_bit(options, changed, monkeypatch):
    options = replace(options, **changed)
    whole = replace(options, out=options.out.with_name("whole"))
    run.run(whole)

    def stop(history, epochs):
        if len(history) == 3:
            raise KeyboardInterrupt
        return f"{len(history)}/{epochs}"

    with monkeypatch.context() as patch:
        patch.setattr(watch, "epoch_line", stop)
        with pytest.raises(KeyboardInterrupt):
            run.run(options)
    assert load_checkpoint(options.out / "checkpoint.pt")["history"]["epoch"] == [1, 2]
    result = run.run(options)
    ended = [load_checkpoint(one.out / "checkpoint.pt") for one in (options, whole)]
    for one in ended:
        one["history"].pop("seconds")
    assert repr(ended[0]["history"]) == repr(ended[1]["history"])  # equal nan
    for name, weight in weights_of(whole.out).items():
        assert torch.equal(weights_of(options.out)[name], weight), name
    assert {**result, "seconds": 0} == {**run.run(whole), "seconds": 0}


def test_a_killed_run_goes_on_bit_for_bit_where_it_was(options, tmp_path):
    whole = replace(options, out=tmp_path / "whole", epochs=6)
    run.run(whole)
    flags = ["--data", options.data, "--out", options.out, "--epochs", "6", "--size", "32"]
    flags += ["--unreadable", "skip", "--backbone", "test_resnet", "--from-scratch"]
    flags += ["--batch-size", "8", "--threads", "1", "--device", "cpu"]
    command = [sys.executable, "-m", "glassbox.chapters.your_folder", *map(str, flags)]
    for _ in range(3):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        lines = iter(process.stdout.readline, "")
        reached = [line for line in lines if line.startswith("epoch")][:0]
        for line in lines:
            if line.startswith("epoch"):
                reached.append(line)
            if len(reached) == 2:
                process.send_signal(signal.SIGKILL)
                break
        process.wait()
        process.stdout.close()
        if process.returncode == 0:
            break
    run.run(replace(options, epochs=6))
    for name, weight in weights_of(whole.out).items():
        assert torch.equal(weights_of(options.out)[name], weight), name


def test_the_test_folder_is_measured_once_and_after_the_training(options, monkeypatch, capsys):
    order = []
    in_order, fit = pictures.in_order, run.fit
    monkeypatch.setattr(
        pictures,
        "in_order",
        lambda files, *rest: order.append(len(files)) or in_order(files, *rest),
    )
    monkeypatch.setattr(
        run, "fit", lambda *given, **more: order.append("fit") or fit(*given, **more)
    )
    result = run.run(options)
    assert order == [5, "fit", 12]
    assert run.run(options) == result and order == [5, "fit", 12]
    assert "has ended, and its test folder was measured" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"--epochs is 8, expected 4, with which the .* began"):
        run.run(replace(options, epochs=8))
    with pytest.raises(ValueError, match=r"--lr is 0\.1, expected 0\.003"):
        run.run(replace(options, lr=0.1))
    assert run.run(replace(options, threads=2, memory=1.0)) == result


def test_another_picture_is_noticed_when_a_run_goes_on(options, monkeypatch):
    monkeypatch.setattr(run, "_finish", lambda *given: {})
    run.run(options)
    here = options.data / "train" / "moss"
    (here / "00 é.png").rename(here / "new.png")
    with pytest.raises(ValueError, match=r"is of another training: .*images\.names is \["):
        run.run(options)


def test_without_a_test_folder_the_validation_is_reported_and_said_to_flatter(garden, options):
    result = run.run(replace(options, data=garden / "train", epochs=1))
    assert "test" not in result
    assert "there is no test folder: the validation, which picks the epoch" in log_of(options.out)
    assert "flatters it" in (options.out / "report.html").read_text("utf-8")


# The folder


def test_counts_come_from_names_and_are_those_of_image_folder(squares):
    folder = pictures.read_folder(squares / "train")
    theirs = ImageFolder(str(squares / "train"))
    assert list(folder.classes) == theirs.classes == sorted(CLASSES)
    assert folder.targets.tolist() == theirs.targets
    assert folder.counts == tuple(np.bincount(theirs.targets))
    assert [str(folder.root / name) for name in folder.names] == [
        path for path, _ in theirs.samples
    ]


def test_a_test_folder_without_a_class_keeps_the_numbers_of_the_training(garden):
    folder = pictures.read_folder(garden / "test", ["a hen", *GOOD])
    assert folder.targets.tolist() == [1] * 4 + [2] * 4 + [3] * 4
    assert ImageFolder(str(garden / "test")).targets[0] == 0  # the fault


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: None, "data is .*, expected a folder with a folder for each class"),
        (lambda root: root.mkdir(), "has the classes none, expected two folders or more"),
        (lambda root: picture(root / "a" / "1.png", (1, 1, 1)), "classes 'a', expected two"),
        (
            lambda root: [picture(root / "a" / "1.png", (1, 1, 1)), (root / "b").mkdir()],
            "has no picture of 'b', expected at least one in each class folder: fill or remove",
        ),
    ],
)
def test_what_is_no_folder_of_classes_is_refused(tmp_path, make, message):
    make(tmp_path / "train")
    with pytest.raises(ValueError, match=message):
        pictures.read_folder(tmp_path / "train")


def test_an_unknown_class_in_the_test_folder_is_refused(garden):
    with pytest.raises(ValueError, match="has the classes 'moss', expected only those to train on"):
        pictures.read_folder(garden / "test", GOOD[:2])


@pytest.mark.parametrize("fraction", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_split_has_each_class_with_two_pictures_in_both_parts(fraction, seed):
    targets = torch.tensor([0] * 40 + [1] * 7 + [2] * 2 + [3] + [5] * 3)
    train, validation = pictures.split(targets, fraction, seed=seed)
    assert sorted(torch.cat([train, validation]).tolist()) == list(range(len(targets)))
    of_train, of_validation = (targets[part].bincount(minlength=6) for part in (train, validation))
    assert of_train.tolist()[3:5] == [1, 0] and of_validation[3] == 0
    for label in (0, 1, 2, 5):
        share = (targets == label).sum() * fraction
        assert of_train[label] >= 1 and of_validation[label] >= 1
        assert of_validation[label] <= max(int(share) + 1, 1)


def test_single_pictures_alone_cannot_be_split():
    with pytest.raises(ValueError, match="each class has one picture, expected two or more in one"):
        pictures.split(torch.arange(4), 0.2, seed=0)


def test_a_random_view_is_a_square_of_the_picture():
    images = torch.arange(3 * 18 * 18, dtype=torch.int64).remainder(251).to(torch.uint8)
    images = images.view(1, 3, 18, 18)
    view = pictures.training_view(16, (0.0,) * 3, (1.0,) * 3)
    windows = images.unfold(2, 16, 1).unfold(3, 16, 1)[0].permute(1, 2, 0, 3, 4).flatten(0, 1) / 255
    squares = torch.cat([windows, windows.flip(-1)])
    assert pictures.side_of(16) == 18
    seen = set()
    for seed in range(200):
        found = view(images, torch.Generator().manual_seed(seed))
        same = [k for k, one in enumerate(squares) if torch.allclose(found[0], one)]
        assert len(same) == 1
        seen |= {*same}
    assert len(seen) == 18


def test_the_halves_of_the_example_never_overlap(squares):
    counts = pictures.read_folder(squares / "train").counts
    assert dict(zip(sorted(CLASSES), counts, strict=True))["china"] == 14
    assert sorted(counts, reverse=True)[-1] == 2
    task = photo_patches(*CLASSES, size=64, train_count=14, test_count=3)
    for part, data in (("train", task.train), ("test", task.test)):
        with Image.open(squares / part / "coffee" / "001.jpg") as file:
            found = torch.from_numpy(np.array(file)).permute(2, 0, 1)
        difference = (found.float() - data.images[data.labels == 1][1].float()).abs().mean()
        assert difference < 6  # a JPEG of it
    with pytest.raises(FileExistsError):
        make_folder(squares)


# The network


@pytest.mark.parametrize("name", ["efficientnet_lite0", "mobilenet_v3_small", "timm/test_vit"])
def test_a_network_has_a_cosine_head_at_its_end(name):
    size = 160 if "vit" in name else 64
    found, head = make_network(name, 5, size=size, scale=30.0, pretrained=False)
    assert head in [*found.model.modules()] and len(found.mean) == len(found.std) == 3
    with torch.no_grad():
        logits = found.model(torch.rand(3, 3, size, size))
    assert logits.shape == (3, 5) and logits.abs().max() <= 30.001


def test_frozen_statistics_stay_and_scales_learn():
    found, _ = make_network("test_resnet", 3, size=32, pretrained=False)
    buffers = {name: one.clone() for name, one in found.model.named_buffers()}
    found.model(torch.rand(4, 3, 32, 32)).sum().backward()
    for name, one in found.model.named_buffers():
        assert torch.equal(one, buffers[name]), name
    assert all(one.grad is not None for one in found.model.parameters())
    trained = make_network("test_resnet", 3, size=32, pretrained=False, frozen_statistics=False)
    before = {name: one.clone() for name, one in trained[0].model.named_buffers()}
    assert not any("num_batches" in name and one for name, one in before.items())  # of the trial
    trained[0].model(torch.rand(4, 3, 32, 32))
    assert any(not torch.equal(one, before[n]) for n, one in trained[0].model.named_buffers())


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("efficientnet_light0", 64, "'efficientnet_light0', expected .* did you mean .*lite0"),
        ("test_vit", 96, "size is 96, expected one that test_vit takes: .*96.*160"),
        ("squeezenet1_0", 64, "without a linear layer, expected one at its end"),
        ("inception_v3", 299, "'inception_v3', which gives InceptionOutputs"),
    ],
)
def test_a_network_that_does_not_fit_is_refused(name, size, message):
    with pytest.raises(ValueError, match=message):
        make_network(name, 4, size=size, pretrained=False)


@pytest.mark.parametrize("name", ["resnet18", "timm/resnet18", "test_resnet"])
def test_weights_that_cannot_be_had_are_told_in_one_sentence(
    name, no_network, tmp_path, monkeypatch
):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between attempts
    with pytest.raises(DownloadError, match=r"could not be had .* take --backbone efficientnet_l"):
        find_backbone(name)


def test_the_embedded_network_trains_on_the_example(squares, tmp_path, no_network):
    options = Options(squares, tmp_path, size=32, epochs=1, batch_size=16, threads=1, device="cpu")
    result = run.run(options)
    assert sum(result["counts"]["train"]) == 31 and 0 <= result["test"][watch.BEST] <= 1


# The recipe


@pytest.mark.parametrize("loss", ["ldam-drw", "logit-adjusted", "cross-entropy"])
def test_losses_take_logits_that_are_multiplied_already(loss):
    counts = (400, 100, 25)
    cosines, labels = 2 * torch.rand(8, 3) - 1, torch.arange(8) % 3
    made = recipe.make_loss(Options(Path(), Path(), loss=loss), counts)
    plain = torch.nn.functional.cross_entropy(30 * cosines, labels)
    found = made(30 * cosines, labels)
    if loss == "ldam-drw":
        torch.testing.assert_close(found, LDAMLoss(counts, 0.5, 30.0)(cosines, labels))
    assert torch.isclose(found, plain) == (loss == "cross-entropy")


@pytest.mark.parametrize(("epochs", "start", "first"), [(30, 0.8, 25), (1, 0.8, 1), (4, 0.99, 4)])
def test_late_weights_do_begin(epochs, start, first):
    options = Options(Path(), Path(), epochs=epochs, drw_start=start)
    assert recipe.first_weighted_epoch(options) == first <= epochs
    loss = recipe.make_loss(options, (100, 10))
    before = loss.loss.weight.clone()
    loss.set_epoch(epochs)
    assert loss.loss.weight[1] > loss.loss.weight[0]
    assert first == 1 or torch.equal(before, torch.ones(2))


@pytest.mark.parametrize("count", [1, 2, 7, 8])
def test_a_batch_of_any_length_is_mixed_as_timm_does(count):
    images, labels = torch.rand(count, 3, 6, 6), torch.arange(count) % 4
    mixer = Mixup(0.8, 1.0, prob=1.0, label_smoothing=0.1, num_classes=4)
    even = count - count % 2
    np.random.seed(3)
    found, soft = recipe.EvenMixer(mixer)(images.clone(), labels)
    assert found.shape == images.shape and soft.shape == (count, 4)
    torch.testing.assert_close(soft.sum(1), torch.ones(count))
    if even:
        np.random.seed(3)
        theirs, targets = mixer(images[:even].clone(), labels[:even])
        assert torch.equal(found[:even], theirs) and torch.equal(soft[:even], targets)
    if count % 2:
        assert torch.equal(found[-1], images[-1])
        torch.testing.assert_close(soft[-1, labels[-1]], torch.tensor(0.925))


def test_rates_rise_to_their_highest_and_fall_to_zero():
    factor = recipe.WarmUpCosine(10, 50)
    factors = [factor(step) for step in range(51)]
    assert factors[0] == 0.1 and factors[9] == factors[10] == 1 and factors[50] == 0
    assert factors[:10] == sorted(factors[:10]) and factors[10:] == sorted(factors[10:])[::-1]
    assert [recipe.WarmUpCosine(0, 2)(step) for step in (0, 1)] == [1, 0.5]
    assert recipe.WarmUpCosine(80, 2).rising == 2


def test_head_and_backbone_have_their_rates():
    found, head = make_network("test_resnet", 3, size=32, pretrained=False)
    options = Options(Path(), Path(), lr=0.5, backbone_lr=0.25)
    groups = recipe.make_optimizer(found.model, head, options).param_groups
    assert [group["lr"] for group in groups] == [0.5, 0.25]
    assert groups[0]["params"] == [*head.parameters()]
    assert sum(len(g["params"]) for g in groups) == len([*found.model.parameters()])


# What is said


def test_a_rate_that_is_too_high_stops_with_the_cause(options):
    high = replace(options, lr=1e30, backbone_lr=1e30, warm_up=0.0)
    with pytest.raises(
        FloatingPointError, match=r"^the .* step \d+ of epoch 1; likely causes are a"
    ):
        run.run(high)


def test_steps_that_are_skipped_are_told_and_too_many_stop():
    def history(*skipped):
        return History(epoch=[*range(1, len(skipped) + 1)], skipped_steps=[*skipped])

    assert [*watch.skipped_notes(history(9), 10)] == []  # the scaler looks for its scale
    assert [*watch.skipped_notes(history(0, 1), 10)] == []
    (note,) = watch.skipped_notes(history(0, 2), 10)
    assert note.startswith("2 of 10 steps were skipped in epoch 2: their gradients were not")
    with pytest.raises(FloatingPointError, match=r"^6 of 10 steps were skipped in epoch 2"):
        [*watch.skipped_notes(history(0, 6), 10)]


@pytest.mark.parametrize("warm_up", [True, False])
def test_what_is_left_of_the_start_is_what_an_average_keeps(warm_up):
    model = torch.nn.Linear(1, 1, bias=False).double()
    torch.nn.init.ones_(model.weight)
    average = ExponentialAverage(model, 0.9, warm_up=warm_up)
    torch.nn.init.zeros_(model.weight)
    for _ in range(7):
        average.update(model)
    left = watch.start_left(0.9, warm_up, 7)
    assert average.model.weight.item() == pytest.approx(left)
    assert (watch.average_note(0.9, warm_up, 7) is None) == (left <= 0.05)


def test_an_average_that_stays_behind_is_told_before_and_after(squares, tmp_path):
    options = Options(
        squares, tmp_path, **(QUICK | {"epochs": 8}), ema_warm_up=False, ema=0.9999, lr=0.01,
        backbone_lr=0.003,
    )  # fmt: skip
    run.run(options)
    log = log_of(tmp_path)
    assert "Note: after all 40 steps 100% of the average will still be the untrained start" in log
    assert re.search(
        r"Note: the average .* is behind the weights: .* of 0\.9999 and 40 updates", log
    )


def test_looking_at_the_weights_does_not_change_the_course(options, monkeypatch):
    run.run(options)
    other = replace(options, out=options.out.with_name("other"))
    monkeypatch.setattr(watch.EpochLine, "_behind", lambda self, state: iter(()))
    run.run(other)
    for name, weight in weights_of(options.out).items():
        assert torch.equal(weights_of(other.out)[name], weight), name


class Page(HTMLParser):
    """What a report holds: the tags with their attributes, and the texts of its cells."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.cells, self._in_cell = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._in_cell = tag == "td"

    def handle_data(self, data):
        if self._in_cell:
            self.cells.append(data)


def test_a_report_needs_nothing_else_and_has_every_class(options):
    (options.data / "train" / "moss").rename(options.data / "train" / "<b>moss & co")
    (options.data / "test" / "moss").rename(options.data / "test" / "<b>moss & co")
    run.run(replace(options, epochs=2))
    text = (options.out / "report.html").read_text("utf-8")
    page = Page(text)
    assert "<b>" not in text and "<b>moss & co" in page.cells and "one of a kind" in page.cells
    links = [
        value for _, given in page.tags for key, value in given.items() if key in ("src", "href")
    ]
    assert links and all(link.startswith("data:image/") for link in links)
    images = [given for tag, given in page.tags if tag == "img"]
    assert len(images) == 8 and all(len(given["alt"]) > 20 for given in images)
    assert "script" not in {tag for tag, _ in page.tags}
    assert re.search(r"<strong>\d+ of 12</strong> pictures of the test are right", text)


def test_many_classes_are_told_in_a_table_of_confusions():
    names = [f"class {number}" for number in range(40)]
    matrix = 5 * np.eye(40, dtype=int)
    matrix[3, 7] = 4
    assert Page(report._confusion(names, matrix)).cells == ["class 3", "class 7", "4"]


# The command line


def test_every_option_is_a_flag_with_its_default(tmp_path):
    options = parse(["--data", str(tmp_path), "--out", "b"])
    assert options == Options(tmp_path, Path("b"))
    flags = {action.dest for action in parser()._actions} - {"help"}
    assert flags == {one.name for one in fields(Options)}
    told = " ".join(parser().format_help().split())
    for one in fields(Options)[2:]:
        assert f"--{'no-' * (one.name == 'ema_warm_up')}{one.name.replace('_', '-')}" in told
    rows = {row[0]: row[1] for row in flag_table().rows}
    assert rows["--ema"] == "0.9998" and rows["--clip"] == "5" and len(rows) == len(flags) - 2


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--validation 0.7", "argument --validation: is 0.7, expected above 0 and at most 0.5"),
        ("--epochs 0", "argument --epochs: is 0, expected at least 1"),
        ("--epochs many", "argument --epochs: invalid whole number value: 'many'"),
        ("--lr nan", "argument --lr: is nan, expected above 0"),
        ("--lr inf", "argument --lr: is inf, expected above 0"),
        ("--loss hinge", "argument --loss: invalid choice: 'hinge'"),
        ("--mixup 0 --cutmix 0", "--mixup: is 0, expected above 0 where --cutmix is 0 too"),
    ],
)
def test_a_flag_that_makes_no_sense_is_told(flags, message, capsys):
    with pytest.raises(SystemExit):
        parse(["--data", "a", "--out", "b", *flags.split()])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--data nowhere", "Stopped: data is nowhere, expected a folder with a folder for each"),
        ("--device cuda:99", "Stopped: device is cuda:99, expected a GPU for each process"),
    ],
)
def test_what_does_not_fit_ends_with_one_sentence(flags, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=message):
        main(["--data", "nowhere", "--out", "out", *flags.split()])


# Two processes


def last_gradients(options):
    """Run, and give the gradients of the last step, of an uneven batch, and the history."""
    kept, make = [], recipe.make_optimizer
    recipe.make_optimizer = lambda model, *rest: kept.append(model) or make(model, *rest)
    try:
        result = run.run(options)
    finally:
        recipe.make_optimizer = make
    gradients = {name: one.grad.clone() for name, one in kept[0].named_parameters()}
    return {"gradients": gradients, "counts": list(result["counts"]["train"])}


def options_of_two(folder, out):
    """Steps are too small to matter, so that rounding does not grow from step to step."""
    flags = QUICK | {"epochs": 2, "from_scratch": False, "backbone": "efficientnet_lite0"}
    steps = {"lr": 1e-7, "backbone_lr": 1e-7, "mixer": "none"}
    return Options(folder / "squares", folder / out, **(flags | steps))


def train_in_two(folder):
    out = last_gradients(options_of_two(folder, "two"))
    torch.save(out, folder / f"{os.environ['RANK']}.pt")


def test_two_processes_have_the_counts_and_the_gradients_of_one(tmp_path):
    make_folder(tmp_path / "squares", largest=10, imbalance=5, test=2, side=48)
    alone = last_gradients(options_of_two(tmp_path, "one"))
    assert sum(alone["counts"]) % 8 % 2 == 1  # uneven
    done = torchrun(2, __file__, "train_in_two", tmp_path)
    assert done.returncode == 0, done.stderr
    for rank in range(2):
        found = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        assert found["counts"] == alone["counts"]
        for name, gradient in alone["gradients"].items():
            torch.testing.assert_close(found["gradients"][name], gradient, rtol=1e-3, atol=1e-5)
    results = [json.loads((tmp_path / out / "result.json").read_text()) for out in ("one", "two")]
    for part in ("validation", "test"):
        assert results[0][part] == pytest.approx(results[1][part], abs=1e-3)
    assert log_of(tmp_path / "two").count("epoch 2/2") == 1
    assert log_of(tmp_path / "two").count("process(es)") == 1


def test_an_error_in_two_processes_is_told_once_and_ends_both(tmp_path):
    flags = ["--data", tmp_path / "nowhere", "--out", tmp_path / "out"]
    done = torchrun(2, "-m", "glassbox.chapters.your_folder", *flags)
    assert done.returncode != 0
    assert "Stopped: data is" in done.stderr


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]))
