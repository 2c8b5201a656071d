"""Studies go on where they were interrupted, overwrite nothing unasked, and say what made them."""

import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from statistics import fmean

import pytest
import torch
from scipy.stats import spearmanr

from glassbox.chapters import studies
from glassbox.chapters.more_than_one_machine.launching import torchrun
from glassbox.chapters.residual.arms import ARMS
from glassbox.chapters.studies import RECORD, Runs, Study, run_study, study_table
from glassbox.data import Dataset
from glassbox.training import RunTable

FOLDER = Path(studies.__file__).parent
CHAPTERS = sorted(path.parent.name for path in FOLDER.glob("*/study.py"))
STUDIES = {chapter: import_module(f"glassbox.chapters.{chapter}.study") for chapter in CHAPTERS}
SEEDS = {  # of tables that have not those of their study's size
    "residual/slices.csv": (0,),
    "pretraining/longer.csv": (0,),
    "residual/trained.csv": (0, 1),
    "residual/blocks.csv": (0, 1),
    "gradcam/cifar.csv": (0,),
}
RATES = [
    (chapter, part) for chapter, study in STUDIES.items() for part in study.PARTS if "rates" in part
]


def smoke(chapter):
    return STUDIES[chapter].SIZES["smoke"]


def without_record(text):
    """Cut off how runs were made, which differs from session to session."""
    return [line.split(",")[: -len(RECORD)] for line in text.splitlines()]


@dataclass(frozen=True)
class Size:
    seeds: tuple[int, ...] = (0, 1)


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Run a study that squares its seeds, and is interrupted before one of them."""
    monkeypatch.chdir(tmp_path)

    def run(study, seed):
        if seed == call.fails_at:
            raise KeyboardInterrupt
        return [seed**2]

    def call(*arguments, fails_at=None):
        call.fails_at = fails_at
        table = study_table(tmp_path / "squares.csv", {"seed": int}, ["square"])
        part = [Runs(table, lambda size: [(seed,) for seed in size.seeds], run)]
        run_study("none", {"smoke": Size(), "cpu": Size((0, 1, 2))}, {"square": part}, arguments)

    return call


def test_a_study_is_interrupted_and_goes_on(call, tmp_path, capsys):
    folder = tmp_path / "studies" / "none" / "cpu"
    with pytest.raises(KeyboardInterrupt):
        call("--size", "cpu", fails_at=2)
    first = (folder / "squares.csv").read_text()
    assert without_record(first)[1:] == [["0", "0"], ["1", "1"]]
    assert capsys.readouterr().out == "square: 3 runs to make\n0 0\n1 1\n"
    call("--size", "cpu", "--part", "all")
    printed = capsys.readouterr().out
    assert printed.startswith("square: 1 runs to make\n2 4\nsquare: all runs of size cpu are in ")
    whole = (folder / "squares.csv").read_text()
    assert whole.startswith(first) and without_record(whole)[3:] == [["2", "4"]]
    made = study_table(folder / "squares.csv", {"seed": int}, ["square"]).records()
    for record in made.values():
        assert record["size"] == "cpu" and float(record["seconds"]) >= 0
        assert re.fullmatch(r"(cpu|cuda) .*; 1 process", record["device"])
        assert re.fullmatch(r"python 3\.\S+; torch 2.*; numpy .*", record["versions"])
        assert re.fullmatch(r"[0-9a-f]{12}(-dirty)?|release .*|.+-g[0-9a-f]+.*", record["commit"])


def test_what_is_there_stays_unless_a_restart_is_asked_for(call, tmp_path, capsys):
    here, path = ("--folder", str(tmp_path / "here")), tmp_path / "here" / "squares.csv"
    call("--size", "smoke", *here)
    changed = path.read_text().replace("\n1,1,", "\n1,8,")
    path.write_text(changed)
    call("--size", "smoke", *here)
    for expected in ("expected {'seeds': [0, 1]}", "size is cpu, expected smoke as"):
        with pytest.raises(SystemExit):
            call("--size", "cpu", *here)
        assert expected in capsys.readouterr().err
        (tmp_path / "here" / "square.json").unlink(missing_ok=True)
    assert path.read_text() == changed
    call("--size", "cpu", "--restart", *here)
    assert without_record(path.read_text())[1:] == [["0", "0"], ["1", "1"], ["2", "4"]]


@pytest.mark.parametrize("chapter", STUDIES)
def test_a_study_killed_in_the_middle_of_a_line_goes_on_and_repeats_itself(
    chapter, tmp_path, monkeypatch
):
    written, add = [], RunTable.add

    def noted(table, *row):
        add(table, *row)
        written.append((table.path, table.path.read_bytes()))

    def train(noise):
        for value in vars(STUDIES[chapter]).values():
            getattr(value, "cache_clear", lambda: None)()
        torch.manual_seed(noise)
        before = torch.get_rng_state()
        Study("compare", runs, smoke(chapter), tmp_path, called="smoke").train()
        assert torch.equal(torch.get_rng_state(), before)
        return {path.name: without_record(path.read_text()) for path in tmp_path.glob("*.csv")}

    monkeypatch.setattr(RunTable, "add", noted)
    runs = STUDIES[chapter].PARTS["compare"]
    made = train(noise=1)
    for name in made:
        assert getattr(STUDIES[chapter], f"load_{name.removesuffix('.csv')}")(tmp_path)
    for one in runs:
        rows, at = one.table.rows(tmp_path), list(one.table.keys).index("seed")
        seeds = {key[at] for key in rows}
        of_seeds = [[row for key, row in rows.items() if key[at] == seed] for seed in seeds]
        assert len({tuple(row) for row in of_seeds}) == len(seeds)
    # Where a run writes into several tables, it is killed while it writes into the first ones.
    beside = [i for i, (path, _) in enumerate(written) if path != written[-1][0]]
    killed = (beside or range(len(written)))[-(len(beside or written) // 3) - 1]
    for path, content in [*((path, b"") for path, _ in written), *written[:killed]]:
        path.write_bytes(content)
    path, content = written[killed]
    path.write_bytes(content[:-3])
    assert train(noise=2) == made


def test_the_digit_reader_is_trained_and_not_overwritten(tmp_path):
    from glassbox.chapters.gradcam.digit_reader import DigitReader
    from glassbox.explorables.tiny_network import unpack

    arguments = "digit-reader", STUDIES["gradcam"].PARTS["digit-reader"], smoke("gradcam"), tmp_path
    Study(*arguments).train()
    path = tmp_path / "digit_reader.json"
    DigitReader().load_state_dict(unpack(json.loads(path.read_text())))
    (tmp_path / "digit_reader.csv").unlink()  # as where it was killed between the two
    Study(*arguments).train()
    path.write_text("somebody else's")
    (tmp_path / "digit_reader.csv").unlink()
    with pytest.raises(FileExistsError, match=r"digit_reader\.json is there, expected"):
        Study(*arguments).train()


@pytest.mark.parametrize("chapter", STUDIES)
def test_what_is_stored_lacks_no_run_and_is_read(chapter):
    study = STUDIES[chapter]
    size, stored = study.SIZES["cpu"], {path.name for path in study.STORED.glob("*.csv")}
    for part, runs in study.PARTS.items():
        for one in runs:
            if part not in ("compare", "stems") and not one.table.path.exists():
                continue
            assert set(one.table.rows()) == set(one.of(size))
            for table in (one.table, *one.beside):
                for record in table.records().values():
                    assert record["size"] == "cpu" and tuple(record) == RECORD
                    empty = [name for name, text in record.items() if not text]
                    assert empty in ([], ["seconds"])  # which nobody noted at first
                keys = [dict(zip(table.keys, key, strict=True)) for key in table.rows()]
                seeds = {key["seed"] for key in keys if "seed" in key}
                if "rates" in part:
                    assert seeds.isdisjoint(size.seeds)
                elif seeds:
                    name = f"{chapter}/{table.path.name}"
                    assert seeds == set(SEEDS.get(name, size.seeds))
                stored.remove(table.path.name)
                assert getattr(study, f"load_{table.path.stem}")()
    assert not stored


@pytest.mark.parametrize(("chapter", "part"), RATES)
def test_rates_are_compared_on_other_seeds(chapter, part, tmp_path):
    (one,), sizes = STUDIES[chapter].PARTS[part], STUDIES[chapter].SIZES
    at, runs = list(one.table.keys).index("seed"), [*one.of(smoke(chapter))]
    for size in sizes.values():
        assert not {key[at] for key in one.of(size)} & set(size.seeds)
    Study(part, [one], smoke(chapter), tmp_path).train()
    assert list(one.table.rows(tmp_path)) == runs


@pytest.mark.parametrize("chapter", STUDIES)
def test_a_study_has_three_sizes_of_which_each_is_larger(chapter):
    study = STUDIES[chapter]
    assert list(study.SIZES) == ["smoke", "cpu", "gpu"]
    for part, runs in study.PARTS.items():
        for one in runs:
            counts = [len(list(one.of(size))) for size in study.SIZES.values()]
            assert counts[0] <= counts[1] and counts[2] >= 1, part
            for size in study.SIZES.values():
                keys = [tuple(map(str, key)) for key in one.of(size)]
                assert len(set(keys)) == len(keys)


def wait_until(condition, process, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_study_that_is_killed_loses_one_training_at_most(tmp_path):
    def start(folder):
        command = [sys.executable, "-m", "glassbox.chapters.long_tails.study", "--size", "smoke"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([*command, "--folder", str(folder)], **pipes)

    def rows(folder):
        path = folder / "accuracies.csv"
        return without_record(path.read_text())[1:] if path.exists() else []

    whole = start(tmp_path / "whole")
    killed, kept = tmp_path / "killed", 0
    for _ in range(2):
        process = start(killed)
        wait_until(lambda more=kept + 3: len(rows(killed)) >= more, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = rows(killed)
        kept = len(before)
        assert kept < 18 and process.returncode == -signal.SIGKILL
    last = start(killed)
    printed, errors = last.communicate()
    assert last.returncode == 0, errors
    assert printed.startswith(f"compare: {18 - kept} runs to make\n")
    assert whole.wait() == 0, whole.stderr.read()
    assert rows(killed)[:kept] == before and rows(killed) == rows(tmp_path / "whole")


@pytest.mark.parametrize(
    ("chapter", "key", "tolerance"),
    [
        ("residual", ("residual", 8, 10, 0), 0.02),
        ("long_tails", ("digits", "exponential", 100, 0, "cross-entropy"), 0.08),
        ("long_tails", ("digits", "exponential", 100, 0, "LDAM-DRW, Mixup"), 0.08),
    ],
)
def test_a_stored_run_comes_out_again(chapter, key, tolerance, tmp_path):
    (one,), size = STUDIES[chapter].PARTS["compare"], STUDIES[chapter].SIZES["cpu"]
    Study("compare", [replace(one, of=lambda size: [key])], size, tmp_path).train()
    pairs = zip(one.table.rows(tmp_path)[key], one.table.rows()[key], strict=True)
    assert fmean(abs(made - stored) for made, stored in pairs) < tolerance
    for table in one.beside:
        if table.within(tmp_path).path.exists():
            made, stored = table.rows(tmp_path), table.rows()
            values = [[value for key in made for value in rows[key]] for rows in (made, stored)]
            assert spearmanr(*values).statistic > 0.9


def test_the_command_line_names_its_sizes_and_parts():
    command = [sys.executable, "-m", "glassbox.chapters.gradcam.study", "--size", "large"]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 2 and re.search("'?smoke'?, '?cpu'?, '?gpu'?", found.stderr)


def test_two_processes_make_a_study_together(tmp_path):
    """Without batch normalization, which looks at the images of one process, they do it as one."""
    table, two = STUDIES["residual"].RATES, tmp_path / "two"
    options = ["--size", "smoke", "--part", "rates", "--device", "cpu", "--folder", two]
    run = torchrun(2, "-m", "glassbox.chapters.residual.study", *options)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("rates: all runs of size smoke are in") == 1
    for record in table.records(two).values():
        assert record["device"].endswith("; 2 processes")
    Study("rates", STUDIES["residual"].PARTS["rates"], smoke("residual"), tmp_path).train()
    one, both = table.rows(tmp_path), table.rows(two)
    assert list(one) == list(both)
    for key, (loss, *_) in one.items():
        if not ARMS[key[0]].norm:
            assert both[key][0] == pytest.approx(loss, rel=1e-4)


def stand_in(name, split=None):
    """Images of the shape of an official data set, which has to be downloaded."""
    generator = torch.Generator().manual_seed(0)
    shape = (300, 3, 32, 32) if name == "cifar10" else (300, 1, 28, 28)
    images = torch.randint(256, shape, dtype=torch.uint8, generator=generator)
    return Dataset(name, images, torch.arange(300) % 10, tuple("0123456789"))


@pytest.mark.parametrize(
    ("chapter", "count", "changes"),
    [
        ("gan", 6, {"length": 5e-4, "seeds": (0, 1)}),
        ("long_tails", 3, {"length": 1e-5, "imbalances": (10,), "seeds": (0,)}),
        ("residual", 2, {"epochs": 1, "depths": (20,), "seeds": (0,), "cut": 4, "sliced": 4}),
    ],
)
def test_the_arms_fit_the_data_of_the_sources(chapter, count, changes, tmp_path, monkeypatch):
    study, arms = STUDIES[chapter], import_module(f"glassbox.chapters.{chapter}.arms")
    monkeypatch.setattr(arms, "load", stand_in)
    if chapter == "long_tails":
        monkeypatch.setitem(arms.LARGEST, "cifar10", 30)
    one, size = study.PARTS["compare"][0], replace(study.SIZES["gpu"], **changes)
    few = replace(one, of=lambda size: list(one.of(size))[:: len(size.seeds)][:count])
    Study("compare", [few], size, tmp_path).train()
    assert len(one.table.rows(tmp_path)) == count
