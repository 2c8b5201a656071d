"""Tables of runs lose at most the run that was interrupted, and believe no torn line."""

import pytest

from glassbox.training import RunTable, read_runs
from glassbox.training.run_tables import read_rows, split_keys

KEYS, MEASURES = {"arm": str, "depth": int, "seed": int}, ("loss", "accuracy")
RUNS = {
    ("plain, deep", 8, 1): (0.25, 0.5),
    ("plain, deep", 8, 0): (1234567.0, 0.75),
    ("residual", 20, 1): (2e-5, 1.0),
    ("residual", 20, 0): (3.0, 0.25),
}


def fill(path, **options):
    """Add the runs that are missing, and name them."""
    table = RunTable(path, KEYS, MEASURES, **options)
    missing = [run for run in RUNS if run not in table]
    for run in missing:
        table.add(run, RUNS[run])
    return missing


def test_runs_come_back_with_their_types_in_the_order_of_their_seeds(tmp_path):
    path = tmp_path / "t.csv"
    fill(path)
    rows = read_rows(path, KEYS, MEASURES)
    assert list(rows) == list(RUNS)
    assert rows["plain, deep", 8, 0] == (1234600.0, 0.75)
    found = read_runs(path, KEYS, MEASURES)
    assert list(found) == [("plain, deep", 8), ("residual", 20)]
    loss = found["residual", 20]["loss"]
    assert (loss.seeds, loss.values) == ((0, 1), (3.0, 2e-5))


def test_a_key_of_one_part_stands_for_itself(tmp_path):
    (tmp_path / "t.csv").write_text("seed,arm,loss\n0,a,1\n1,a,2\n")
    found = read_runs(tmp_path / "t.csv", {"seed": int, "arm": str}, ["loss"])
    assert found["a"]["loss"].values == (1, 2)
    assert split_keys({("a", 1, "x"): 5, ("a", 1, "y"): 6}, 2) == {("a", 1): {"x": 5, "y": 6}}


def test_wherever_a_write_is_cut_off_only_that_run_is_made_again(tmp_path):
    path = tmp_path / "t.csv"
    assert fill(path) == list(RUNS)
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        complete = whole[:cut].count(b"\n")
        assert fill(path) == list(RUNS)[max(complete - 1, 0) :]
        assert path.read_bytes() == whole
    path.write_bytes(whole[:-2])
    with pytest.raises(ValueError, match=r"t\.csv has a torn line"):
        read_rows(path, KEYS, MEASURES)


def test_what_is_there_is_kept_unless_a_new_beginning_is_asked_for(tmp_path):
    path = tmp_path / "t.csv"
    fill(path)
    before = path.read_bytes()
    assert fill(path) == [] and path.read_bytes() == before
    with pytest.raises(ValueError, match=r"key is \('residual', '20', '0'\), expected a run that"):
        RunTable(path, KEYS, MEASURES).add(("residual", 20, 0), (9, 9))
    assert path.read_bytes() == before
    assert fill(path, restart=True) == list(RUNS)


@pytest.mark.parametrize(
    "text", ["arm,seed,loss\na,0,1\na,1,", "no table", "arm,depth,seed,loss\n"]
)
def test_a_file_with_other_columns_is_refused_and_left_alone(text, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"t\.csv has the columns \('.*\), expected \('arm', 'dep"):
        RunTable(path, KEYS, MEASURES)
    with pytest.raises(ValueError, match="has the columns"):
        read_runs(path, KEYS, MEASURES)
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("x,0,1\nx,1,2\ny,0,1\ny,2,1\n", r"has the seeds \(0, 2\) for 'y', expected \(0, 1\)"),
        ("x,0,1\n", "expected at least two"),
        ("x,0,1\nx,0,2\nx,1,2\n", "has 1 runs more than once"),
        ("x,0,1\nx,1,2,3\n", "has a torn line, expected 3 columns"),
        ("x,0,1\nx,1,nan\n", "value of seed 1 is nan"),
    ],
)
def test_runs_that_cannot_be_compared_are_refused(rows, message, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(f"arm,seed,loss\n{rows}")
    with pytest.raises(ValueError, match=message):
        read_runs(path, {"arm": str, "seed": int}, ["loss"])


def test_a_run_of_another_length_is_not_written(tmp_path):
    table = RunTable(tmp_path / "t.csv", KEYS, MEASURES)
    for key, values in ((("a", 8), (1, 2)), (("a", 8, 0), (1,))):
        with pytest.raises(ValueError, match="expected 3 and 2"):
            table.add(key, values)
    assert read_rows(table.path, KEYS, MEASURES) == {}
