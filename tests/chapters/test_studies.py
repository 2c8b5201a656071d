"""Studies go on where they were interrupted, overwrite nothing unasked, and say what made them."""

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from importlib import import_module
from statistics import fmean

import pytest
import torch
from scipy.stats import spearmanr

from glassbox.chapters.studies import Runs, Study, run_study
from glassbox.training import RunTable

TINY = {  # less than `smoke`
    "gan": {"length": 0.005, "rates": (3e-3,)},
    "gradcam": {"train": 60, "test": 60, "judged": 6, "reader_steps": 2, "hands": 1},
    "long_tails": {"length": 0.01},
    "pretraining": {"labels": (1,), "scenes": 60, "updates": 2, "frozen": 1, "rates": (1e-2,)},
    "residual": {"depths": (20,), "rates": (0.1,), "cut": 4, "sliced": 4},
}
STUDIES = {chapter: import_module(f"glassbox.chapters.{chapter}.study") for chapter in TINY}
RATES = [chapter for chapter, study in STUDIES.items() if "rates" in study.PARTS]


def tiny(chapter):
    return replace(STUDIES[chapter].SIZES["smoke"], **TINY[chapter])


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
        table = RunTable(tmp_path / "squares.csv", {"seed": int}, ["square"])
        part = [Runs(table, lambda size: [(seed,) for seed in size.seeds], run)]
        run_study("none", {"smoke": Size(), "cpu": Size((0, 1, 2))}, {"square": part}, arguments)

    return call


def test_a_study_is_interrupted_and_goes_on(call, tmp_path, capsys):
    folder = tmp_path / "studies" / "none" / "cpu"
    with pytest.raises(KeyboardInterrupt):
        call("--size", "cpu", fails_at=2)
    assert (folder / "squares.csv").read_text() == "seed,square\n0,0\n1,1\n"
    assert capsys.readouterr().out == "0 0\n1 1\n"
    call("--size", "cpu")
    assert capsys.readouterr().out.startswith("2 4\nsquare: all runs of size cpu are in studies")
    assert (folder / "squares.csv").read_text().endswith("\n2,4\n")
    record = json.loads((folder / "square.json").read_text())
    assert record["size"] == {"seeds": [0, 1, 2]} and len(record["sessions"]) == 2
    for session in record["sessions"]:
        assert session["versions"].keys() > {"python", "torch"}
        assert session["device"].startswith("cpu") and session["seconds"] >= 0


def test_what_is_there_stays_unless_a_restart_is_asked_for(call, tmp_path, capsys):
    here, path = ("--folder", str(tmp_path / "here")), tmp_path / "here" / "squares.csv"
    call("--size", "smoke", *here)
    path.write_text("seed,square\n0,7\n1,8\n")
    call("--size", "smoke", *here)
    with pytest.raises(SystemExit):
        call("--size", "cpu", *here)
    assert "expected {'seeds': [0, 1]}" in capsys.readouterr().err
    assert path.read_text() == "seed,square\n0,7\n1,8\n"
    call("--size", "cpu", "--restart", *here)
    assert path.read_text() == "seed,square\n0,0\n1,1\n2,4\n"


@pytest.mark.parametrize("chapter", STUDIES)
def test_a_study_killed_in_the_middle_of_a_line_goes_on_and_repeats_itself(
    chapter, tmp_path, monkeypatch
):
    written, add = [], RunTable.add

    def noted(table, key, values):
        add(table, key, values)
        written.append((table.path, table.path.read_bytes()))

    def train(noise):
        for value in vars(STUDIES[chapter]).values():
            getattr(value, "cache_clear", lambda: None)()
        torch.manual_seed(noise)
        before = torch.get_rng_state()
        Study("compare", runs, tiny(chapter), tmp_path).train()
        assert torch.equal(torch.get_rng_state(), before)
        return {path.name: path.read_bytes() for path in tmp_path.glob("*.csv")}

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

    arguments = "digit-reader", STUDIES["gradcam"].PARTS["digit-reader"], tiny("gradcam"), tmp_path
    Study(*arguments).train()
    DigitReader().load_state_dict(unpack(json.loads((tmp_path / "digit_reader.json").read_text())))
    Study(*arguments).train()
    (tmp_path / "digit_reader.csv").unlink()
    with pytest.raises(FileExistsError, match=r"digit_reader\.json is there, expected"):
        Study(*arguments).train()


@pytest.mark.parametrize("chapter", STUDIES)
def test_what_is_stored_lacks_no_run_and_is_read(chapter):
    study = STUDIES[chapter]
    size, stored = study.SIZES["cpu"], {path.name for path in study.STORED.glob("*.csv")}
    for part, runs in study.PARTS.items():
        for one in runs if part in ("compare", "stems") else ():
            assert set(one.table.rows()) == set(one.of(size))
            for table in (one.table, *one.beside):
                seeds = {key[list(table.keys).index("seed")] for key in table.rows()}
                assert seeds == ({0} if table.path.name == "slices.csv" else set(size.seeds))
                stored.remove(table.path.name)
                assert getattr(study, f"load_{table.path.stem}")()
    assert not stored


@pytest.mark.parametrize("chapter", RATES)
def test_rates_are_compared_on_other_seeds(chapter, tmp_path):
    (one,), size = STUDIES[chapter].PARTS["rates"], STUDIES[chapter].SIZES["cpu"]
    at, runs = list(one.table.keys).index("seed"), [*one.of(tiny(chapter))]
    assert not {key[at] for key in [*runs, *one.of(size)]} & set(size.seeds)
    first = replace(one, of=lambda size: runs[:1])
    Study("rates", [first], tiny(chapter), tmp_path).train()
    assert list(one.table.rows(tmp_path)) == runs[:1]


@pytest.mark.parametrize(
    ("chapter", "key", "tolerance"),
    [
        ("residual", ("residual", 8, 10, 0), 0.02),
        ("pretraining", ("scratch", "digits", 10, 0), 0.03),
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
    assert found.returncode == 2 and "'smoke', 'cpu'" in found.stderr
