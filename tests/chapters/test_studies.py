"""Studies go on where they were interrupted, overwrite nothing unasked, and say what made them."""

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from importlib import import_module

import pytest

from glassbox.chapters.studies import Study, run_study
from glassbox.training import RunTable

CHAPTERS = ("gan", "gradcam", "long_tails", "pretraining", "residual")
TINY = {  # less than `smoke`
    "gan": {"length": 0.005, "rates": (3e-3,)},
    "gradcam": {"train": 60, "test": 60, "judged": 6, "reader_steps": 2, "hands": 1},
    "long_tails": {"length": 0.01},
    "pretraining": {"labels": (1,), "scenes": 60, "updates": 2, "frozen": 1, "rates": (1e-2,)},
    "residual": {"depths": (20,), "rates": (0.1,), "cut": 4, "sliced": 4},
}


@dataclass(frozen=True)
class Size:
    seeds: tuple[int, ...] = (0, 1)


SIZES = {"smoke": Size(), "cpu": Size((0, 1, 2))}


def square(study):
    study.fill(study.table("squares", ["seed"], ["square"]), [(s,) for s in study.size.seeds], run)


def run(seed):
    if seed == FAILS.get("at"):
        raise KeyboardInterrupt
    return [seed**2]


FAILS = {}


def call(*arguments):
    run_study("none", SIZES, {"square": square, "other": square}, [*arguments])


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    FAILS.clear()


def test_a_study_is_interrupted_and_goes_on(tmp_path, capsys):
    folder, FAILS["at"] = tmp_path / "studies" / "none" / "cpu", 2
    with pytest.raises(KeyboardInterrupt):
        call("--size", "cpu")
    assert (folder / "squares.csv").read_text() == "seed,square\n0,0\n1,1\n"
    assert capsys.readouterr().out == "0 0\n1 1\n"
    FAILS.clear()
    call("--size", "cpu")
    assert capsys.readouterr().out.startswith("2 4\nsquare: all runs of size cpu are in studies")
    assert (folder / "squares.csv").read_text().endswith("\n2,4\n")
    record = json.loads((folder / "square.json").read_text())
    assert record["size"] == {"seeds": [0, 1, 2]} and len(record["sessions"]) == 2
    for session in record["sessions"]:
        assert session["versions"].keys() > {"python", "torch"}
        assert session["device"].startswith("cpu") and session["seconds"] >= 0


def test_what_is_there_stays_unless_a_restart_is_asked_for(tmp_path, capsys):
    here = ("--size", "smoke", "--folder", str(tmp_path / "here"))
    call(*here)
    path = tmp_path / "here" / "squares.csv"
    path.write_text("seed,square\n0,7\n1,8\n")
    call(*here)
    assert path.read_text() == "seed,square\n0,7\n1,8\n"
    with pytest.raises(SystemExit):
        call("--size", "cpu", *here[2:])
    assert "expected {'seeds': [0, 1]}" in capsys.readouterr().err
    assert path.read_text() == "seed,square\n0,7\n1,8\n"
    call("--size", "cpu", "--restart", *here[2:])
    assert path.read_text() == "seed,square\n0,0\n1,1\n2,4\n"


def tables(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.csv")}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_study_is_read_and_goes_on_after_a_kill_in_the_middle_of_a_line(
    chapter, tmp_path, monkeypatch
):
    written, add = [], RunTable.add

    def noted(table, key, values):
        add(table, key, values)
        written.append((table.path.name, table.path.read_bytes()))

    monkeypatch.setattr(RunTable, "add", noted)
    module = import_module(f"glassbox.chapters.{chapter}.study")
    size = replace(module.SIZES["smoke"], **TINY[chapter])
    module.compare(Study("compare", size, tmp_path))
    made = tables(tmp_path)
    assert made.keys() <= {path.name for path in module.STORED.glob("*.csv")}
    for name in made:
        getattr(module, f"load_{name.removesuffix('.csv')}")(tmp_path)
    # Where a run writes into several tables, it is killed while it writes into the first ones.
    others = [i for i, (name, _) in enumerate(written) if name != written[-1][0]]
    killed = others[-1] if others else len(written) - 1
    for name in made:
        (tmp_path / name).unlink()
    for name, content in written[:killed]:
        (tmp_path / name).write_bytes(content)
    name, content = written[killed]
    (tmp_path / name).write_bytes(content[:-3])
    module.compare(Study("compare", size, tmp_path))
    assert tables(tmp_path) == made


@pytest.mark.parametrize("chapter", ["gan", "long_tails", "pretraining", "residual"])
def test_rates_are_compared_on_other_seeds(chapter, tmp_path):
    module = import_module(f"glassbox.chapters.{chapter}.study")
    size = replace(module.SIZES["smoke"], **TINY[chapter])
    module.rates(Study("rates", size, tmp_path))
    head, *rows = (line.split(",") for line in (tmp_path / "rates.csv").read_text().splitlines())
    seeds = {row[len(row) - len(head) + head.index("seed")] for row in rows}
    assert seeds and not seeds & {str(seed) for seed in module.SIZES["cpu"].seeds}


def test_the_digit_reader_is_trained_and_not_overwritten(tmp_path):
    from glassbox.chapters.gradcam.digit_reader import DigitReader
    from glassbox.chapters.gradcam.study import SIZES, train_reader
    from glassbox.explorables.tiny_network import unpack

    size = replace(SIZES["smoke"], **TINY["gradcam"])
    train_reader(Study("digit-reader", size, tmp_path))
    DigitReader().load_state_dict(unpack(json.loads((tmp_path / "digit_reader.json").read_text())))
    with pytest.raises(FileExistsError, match=r"digit_reader\.json is there, expected"):
        train_reader(Study("digit-reader", size, tmp_path))


def test_the_command_line_names_its_sizes_and_parts():
    command = [sys.executable, "-m", "glassbox.chapters.gradcam.study", "--size", "large"]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 2 and "'smoke', 'cpu'" in found.stderr
