"""Tables of runs lose at most the run that was interrupted, and believe no torn line."""

import pytest

from glassbox.training import RunTable
from glassbox.training.run_tables import split_keys

RUNS = {
    ("plain, deep", 8, 1): (0.25, 0.5),
    ("plain, deep", 8, 0): (1234567.0, 0.75),
    ("residual", 20, 1): (2e-5, 1.0),
    ("residual", 20, 0): (3.0, 0.25),
}


def table(folder, text=None):
    path = folder / "t.csv"
    if text is not None:
        path.write_text(text)
    return RunTable(path, {"arm": str, "depth": int, "seed": int}, ("loss", "accuracy"))


def fill(folder, content=None):
    """Add the runs that are missing, and name them."""
    found = table(folder, content)
    missing = [run for run in RUNS if run not in found]
    for run in missing:
        found.add(run, RUNS[run])
    return missing


def test_runs_come_back_with_their_types_in_the_order_of_their_seeds(tmp_path):
    fill(tmp_path)
    rows, runs = table(tmp_path).rows(), table(tmp_path / "elsewhere").runs(tmp_path)
    assert list(rows) == list(RUNS) and rows["plain, deep", 8, 0] == (1234600.0, 0.75)
    assert list(runs) == [("plain, deep", 8), ("residual", 20)]
    loss = runs["residual", 20]["loss"]
    assert (loss.seeds, loss.values) == ((0, 1), (3.0, 2e-5))
    assert split_keys({("a", 1, "x"): 5, ("a", 1, "y"): 6}, 2) == {("a", 1): {"x": 5, "y": 6}}


def test_wherever_a_write_is_cut_off_only_that_run_is_made_again(tmp_path):
    assert fill(tmp_path) == list(RUNS) and fill(tmp_path) == []
    whole = (tmp_path / "t.csv").read_text()
    for cut in range(len(whole)):
        complete = whole[:cut].count("\n")
        assert fill(tmp_path, whole[:cut]) == list(RUNS)[max(complete - 1, 0) :]
        assert (tmp_path / "t.csv").read_text() == whole
    torn = table(tmp_path, whole[:-2])
    with pytest.raises(ValueError, match=r"t\.csv has a torn line"):
        torn.rows()
    torn.mend()
    assert list(torn.rows()) == list(RUNS)[:-1]
    table(tmp_path / "elsewhere").mend()
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("arm,seed,loss\na,0,1\na,1,", "no column 'depth', 'accuracy'$"),
        ("no table", "no column 'arm', .* and 'no table', expected no such column$"),
        ("arm,depth,seed,loss,accuracy,lr\n", "'lr', expected no such column$"),
        (
            "arm,seed,depth,loss,accuracy\n",
            r"the columns \('arm', 'seed', .*, expected \('arm', 'd",
        ),
    ],
)
def test_a_file_with_other_columns_is_refused_by_their_names_and_left_alone(text, told, tmp_path):
    found = table(tmp_path, text)
    for use in (found.runs, found.mend, lambda: ("a", 8, 0) in found):
        with pytest.raises(ValueError, match=rf"t\.csv has {told}"):
            use()
    assert (tmp_path / "t.csv").read_text() == text


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("x,0,1\nx,1,2\ny,0,1\ny,2,1\n", r"has the seeds \(0, 2\) for 'y', expected \(0, 1\)"),
        ("x,0,1\n", "expected at least two"),
        ("x,0,1\nx,0,2\nx,1,2\n", "has 1 runs more than once"),
        ("x,0,1\nx,1,2,3\n", "has a torn line, expected 3 columns"),
        ("x,0,1\nx,1,nan\n", "values at seed 1 is nan"),
        ("x,0,1\nx,1,many\n", "has 'many' in the column 'loss', expected float"),
        ("x,0,1\nx,one,1\n", "has 'one' in the column 'seed', expected int"),
    ],
)
def test_runs_that_cannot_be_compared_are_refused(rows, message, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(f"arm,seed,loss\n{rows}")
    with pytest.raises(ValueError, match=message):
        RunTable(path, {"arm": str, "seed": int}, ["loss"]).runs()


def test_how_a_run_was_made_stands_behind_its_numbers(tmp_path):
    made = RunTable(tmp_path / "t.csv", {"seed": int}, ["loss"], ["device", "commit"])
    made.add([0], [0.5], ["cpu", "abc"])
    made.add([1], [0.25], ["cpu", ""])
    assert made.path.read_text() == "seed,loss,device,commit\n0,0.5,cpu,abc\n1,0.25,cpu,\n"
    assert made.records() == {
        (0,): {"device": "cpu", "commit": "abc"},
        (1,): {"device": "cpu", "commit": ""},
    }
    assert made.rows() == {(0,): (0.5,), (1,): (0.25,)} and made.runs()[()]["loss"].mean == 0.375
    with pytest.raises(ValueError, match=r"record is \('cpu',\), expected one of each of"):
        made.add([2], [1.0], ["cpu"])
    with pytest.raises(ValueError, match=r"t\.csv has 'device', 'commit', expected no such column"):
        RunTable(made.path, {"seed": int}, ["loss"]).rows()


def test_two_that_add_runs_take_turns_and_a_question_writes_nothing(tmp_path):
    first, second = table(tmp_path), table(tmp_path)
    runs = list(RUNS)
    assert runs[0] not in first and not first.path.exists()
    for one, run in zip((first, second, first), runs, strict=False):
        one.add(run, RUNS[run])
        assert run in first and run in second
    with pytest.raises(ValueError, match="expected a run that"):
        second.add(runs[2], RUNS[runs[2]])
    assert list(first.rows()) == runs[:3]


@pytest.mark.parametrize(
    ("key", "values", "message"),
    [
        (
            ("a", 8),
            (1, 2),
            r"key is \('a', '8'\), expected one of each of \['arm', 'depth', 'seed'\]",
        ),
        (("a", 8, 0), (1,), r"values is \[1\], expected one of each of \['loss', 'accuracy'\]"),
        (("a", 8, 0), (1, float("nan")), "values is nan, expected a finite number"),
        (("residual", 20, 0), (9, 9), r"key is \('residual', '20', '0'\), expected a run that"),
    ],
)
def test_a_run_of_another_length_or_for_the_second_time_is_not_written(
    key, values, message, tmp_path
):
    fill(tmp_path)
    before = (tmp_path / "t.csv").read_bytes()
    with pytest.raises(ValueError, match=message):
        table(tmp_path).add(key, values)
    assert (tmp_path / "t.csv").read_bytes() == before
