"""A folder as readers have them, from its names to a report, stopped and started again."""

import math
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from gardens import GOOD, make_garden, picture

from glassbox.chapters.your_folder import pictures, report, run, watch
from glassbox.chapters.your_folder.__main__ import main
from glassbox.chapters.your_folder.copies import copy_notes
from glassbox.chapters.your_folder.example import make_folder
from glassbox.chapters.your_folder.options import Options, flag_table, parse, parser
from glassbox.training import ExponentialAverage, History, load_checkpoint

# A network of timm's own tests: residual blocks with batch normalization, a second an epoch.
SMALL = {"backbone": "test_resnet", "from_scratch": True, "size": 32, "threads": 1}
QUICK = SMALL | {"epochs": 4, "batch_size": 8, "device": "cpu"}


@pytest.fixture
def garden(tmp_path):
    make_garden(tmp_path / "my gärden")
    return tmp_path / "my gärden"


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
        "left out, as no pictures by their names: 1 file of .*train, 'moss/notes.txt'",
        "left out, as in no class folder: 1 picture of .*train, 'lost.png'",
        "left out: 1 picture of .* cannot be read: 'moss/broken pictüre.jpg",
        "no picture of 'one of a kind' is validated on",
        "12 pictures of .*test also in .*train, so that the test flatters",
        r"epoch 4/4  loss .* balanced +\d+% (best| {4})  0:00 left",
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
    with pytest.raises(ValueError, match=r"1 picture .*'moss/broken pictüre\.jpg \(.*--unreada"):
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


def test_what_was_refused_before_the_training_can_be_given_with_other_flags(options):
    for refused in ({"data": options.data / "nowhere"}, {"unreadable": "refuse"}):
        with pytest.raises(ValueError, match=r"^data is|cannot be read"):
            run.run(replace(options, **refused, seed=3))
        assert not (options.out / "options.json").exists()
    assert run.run(replace(options, epochs=1))["best_epoch"] == 1


def test_a_result_is_of_its_pictures_wherever_they_lie(options, tmp_path):
    options = replace(options, epochs=1)
    result = run.run(options)
    moved = replace(options, data=options.data.rename(tmp_path / "moved"))
    assert run.run(moved) == result
    for part in ("train", "test"):
        added = moved.data / part / "moss" / "new.png"
        picture(added, (40, 160, 40))
        with pytest.raises(ValueError, match=r"--data is .*moved, expected the pictures of the"):
            run.run(moved)
        added.unlink()
    assert run.run(moved) == result


@pytest.mark.parametrize("flat", [False, True])
def test_results_among_the_classes_are_refused(options, flat):
    data = options.data / "train" if flat else options.data
    parts = [data] if flat else [data / "train", data / "test"]
    for part in parts:
        with pytest.raises(ValueError, match=r"--out is .*, whose folders are classes, expected"):
            run.run(replace(options, data=data, out=part / "a" / "run"))
        assert not (part / "a").exists()


@pytest.mark.parametrize("name", ["options.json", "result.json"])
@pytest.mark.parametrize("text", ["{", "[]", "\N{LATIN SMALL LETTER E WITH ACUTE}"])
def test_a_damaged_file_of_a_run_is_named(options, name, text):
    options.out.mkdir()
    (options.out / "checkpoint.pt").touch()
    (options.out / name).write_text(text, "latin-1")
    with pytest.raises(ValueError, match=rf"{re.escape(name)} is damaged, expected what a tr"):
        run.run(options)


def test_ctrl_c_is_told_in_one_sentence(options, monkeypatch, capsys):
    def interrupted(*given, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "fit", interrupted)
    with pytest.raises(SystemExit) as stopped:
        main(["--data", str(options.data / "test"), "--out", str(options.out), "--size", "32"])
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "Stopped; the same command goes on.\n"


def test_copies_are_told(tmp_path):
    make_folder(tmp_path, largest=4, imbalance=2, test=2, side=32)
    train = pictures.read_folder(tmp_path / "train")
    test = pictures.read_folder(tmp_path / "test", train.classes)
    assert [*copy_notes(train, test)] == [*copy_notes(train, None)] == []
    (same,) = copy_notes(train, replace(train, root=test.root.parent / "train"))
    assert f"{len(train.names)} pictures of" in same and "the test flatters" in same
    shutil.copy(tmp_path / "train/cat/000.jpg", tmp_path / "train/china/copy.jpg")
    shutil.copy(tmp_path / "train/cat/001.jpg", tmp_path / "test/cat/copy.jpg")
    train = pictures.read_folder(tmp_path / "train")
    test = pictures.read_folder(tmp_path / "test", train.classes)
    classes, both = copy_notes(train, test)
    assert re.search(r"^2 pictures of .*train in two classes .*: 'cat/000.*china/copy", classes)
    assert re.search(r"^1 picture of .*test also in .*train, .*: 'cat/copy.jpg'$", both)


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


# What is said


def test_a_rate_that_is_too_high_stops_with_the_cause(options):
    high = replace(options, lr=1e30, backbone_lr=1e30, warm_up=0.0)
    with pytest.raises(
        FloatingPointError, match=r"^the .* step \d+ of epoch 1: .*; likely causes are a lea"
    ):
        run.run(high)


def test_steps_that_are_skipped_are_told_and_too_many_stop():
    def history(*skipped):
        return History(epoch=[*range(1, len(skipped) + 1)], skipped_steps=[*skipped])

    assert [*watch.skipped_notes(history(9, 9), 10)] == []  # the scaler looks for its scale
    assert [*watch.skipped_notes(history(0, 0, 1), 10)] == []
    (note,) = watch.skipped_notes(history(0, 0, 2), 10)
    assert note.startswith("2 of 10 steps were skipped in epoch 3: their gradients were not")
    with pytest.raises(FloatingPointError, match=r"^6 of 10 steps were skipped in epoch 3"):
        [*watch.skipped_notes(history(0, 0, 6), 10)]


def test_one_name_for_everything_is_told():
    def history(**accuracies):
        return History(metrics={f"accuracy of {k}": [0.5, v] for k, v in accuracies.items()})

    (note,) = watch.one_class_notes(history(rose=0.0, moss=1.0, fern=math.nan))
    assert note.startswith("everything is called 'moss'")
    for fine in ({"rose": 0.1, "moss": 1.0}, {"rose": 0.0, "moss": 0.9}, {"moss": 1.0}):
        assert [*watch.one_class_notes(history(**fine))] == []


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
    flags = {"size": 32, "epochs": 5, "batch_size": 8, "threads": 1, "device": "cpu"}
    options = Options(squares, tmp_path, ema_warm_up=False, ema=0.9999, **flags)
    run.run(options)
    log = log_of(tmp_path)
    assert "Note: after all 20 steps 100% of the average will still be the untrained start" in log
    assert re.search(
        r"Note: the average .* is behind the weights: .* of 0\.9999 and 20 updates", log
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
    rows = {row[0].strip("`"): row[1] for row in flag_table().rows}
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
        ("--mixup 0 --cutmix 0", "error: mixup is 0, expected above 0 where cutmix is 0 too"),
    ],
)
def test_a_flag_that_makes_no_sense_is_told(flags, message, capsys):
    with pytest.raises(SystemExit):
        parse(["--data", "a", "--out", "b", *flags.split()])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"loss": "cross_entropy"}, "loss is 'cross_entropy', expected one of ldam-drw, logit-adj"),
        ({"mixer": "typo"}, "mixer is 'typo', expected one of ours, timm, none"),
        ({"batch_norm": "typo"}, "batch_norm is 'typo', expected one of frozen, train"),
        ({"unreadable": "maybe"}, "unreadable is 'maybe', expected one of refuse, skip"),
        ({"precision": "bf16"}, "precision is 'bf16', expected one of auto, float32, bfloat16"),
        ({"validation": 0.0}, "validation is 0.0, expected a number above 0 and at most 0.5"),
        ({"epochs": -1}, "epochs is -1, expected a whole number at least 1"),
        ({"epochs": 2.5}, "epochs is 2.5, expected a whole number at least 1"),
        ({"epochs": True}, "epochs is True, expected a whole number at least 1"),
        ({"lr": math.nan}, "lr is nan, expected a number above 0"),
        ({"lr": None}, "lr is None, expected a number above 0"),
        ({"threads": 0}, "threads is 0, expected a whole number at least 1"),
        ({"from_scratch": "no"}, "from_scratch is 'no', expected bool"),
        ({"ema_warm_up": "no"}, "ema_warm_up is 'no', expected bool"),
        ({"device": 0}, "device is 0, expected str"),
        ({"mixup": 0, "cutmix": 0}, "mixup is 0, expected above 0 where cutmix is 0 too"),
    ],
)
def test_an_option_is_checked_as_its_flag_is(given, message):
    with pytest.raises((ValueError, TypeError), match=f"^{re.escape(message)}"):
        Options("data", "out", **given)
    assert Options("data", "out", lr=np.float32(1), epochs=np.int64(2)).decisive()["epochs"] == 2


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--out file", "Stopped: --out is file, expected a folder to write into: File exists"),
        ("--data nowhere", "Stopped: data is nowhere, expected a folder with a folder for each"),
        ("--device cuda:99", "Stopped: device is cuda:99, expected a GPU for each process"),
    ],
)
def test_what_does_not_fit_ends_with_one_sentence(flags, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    with pytest.raises(SystemExit, match=message):
        main(["--data", "nowhere", "--out", "out", *flags.split()])
