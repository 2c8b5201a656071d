"""The page of run times shows what the benchmark measured, and what it says of it holds."""

import csv

import pytest
from chapters import BOOK
from pages import speeds

with (BOOK / "speeds.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))


def ratio(what, way):
    found = [float(row["ratio"]) for row in ROWS if what in row["what"] and row["way"] == way]
    assert len(found) == 1, f"{what}, {way}: {len(found)} rows"
    return found[0]


def test_each_comparison_is_a_table_with_its_bars():
    tables = speeds().split("\n\n")
    assert len(tables) == len({row["what"] for row in ROWS})
    for row in ROWS:
        assert sum(f"| {row['way']} |" in t and row["what"] in t for t in tables) == 1
    assert speeds().count('class="gbx-bar"') == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['what']}, {row['way']}")
def test_a_ratio_is_that_of_the_medians_and_a_median_lies_between_its_ends(row):
    first = next(other for other in ROWS if other["what"] == row["what"])
    expected = float(first["seconds"]) / float(row["seconds"])
    assert float(row["ratio"]) == pytest.approx(expected, rel=0.02)
    assert float(row["shortest"]) <= float(row["seconds"]) <= float(row["longest"])
