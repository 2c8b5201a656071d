import hashlib
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from refusals import refuses
from sklearn.datasets import load_wine

from glassbox.data import DownloadError, TabularDataset, load, wine

REAL = Path(os.environ.get("GLASSBOX_DATA", "/nonexistent"))

HEAD = ";".join(f'"{name}"' for name in (*wine._FEATURES, "quality"))
ROWS = {
    "red": "7.4;0.7;0;1.9;0.076;11;34;0.9978;3.51;0.56;9.4;5\n8;1;0;2;0.1;25;67;1;3.2;0.68;9;3\n",
    "white": "7;0.27;0.36;20.7;0.045;45;170;1.001;3;0.45;8.8;6\n",
}


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A folder of small files in the form of the official ones, which have no address."""
    for color, rows in ROWS.items():
        content = f"{HEAD}\n{rows}".encode()
        checksum = f"sha256:{hashlib.sha256(content).hexdigest()}"
        file = replace(wine._FILES[color], checksum=checksum, urls=())
        monkeypatch.setitem(wine._FILES, color, file)
        path = tmp_path / file.path
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return tmp_path


@pytest.mark.parametrize(
    ("color", "scores"), [("red", [5, 3]), ("white", [6]), ("both", [5, 3, 6])]
)
def test_the_wines_of_a_color_are_read_with_their_scores(small, color, scores, no_network):
    table = load("wine_quality", root=small, color=color)
    assert table.targets.tolist() == scores and table.target_name == "quality"
    assert table.feature_names[:11] == wine._FEATURES
    torch.testing.assert_close(table.feature("pH")[0].item(), 3.51 if color != "white" else 3.0)
    assert no_network == []


def test_both_colors_are_told_apart_by_a_twelfth_feature(small):
    assert load("wine_quality", root=small).features.shape == (2, 11)
    both = load("wine_quality", root=small, color="both")
    assert both.feature("white").tolist() == [0, 0, 1]


def test_without_the_files_and_a_network_the_stand_in_is_named(tmp_path, no_network):
    with pytest.raises(DownloadError, match=r'(?s)winequality-red.csv.*load\("wine"\)'):
        load("wine_quality", root=tmp_path)
    assert no_network


def test_a_damaged_table_is_named_and_never_read(small):
    path = small / "wine/winequality-red.csv"
    path.write_bytes(path.read_bytes().replace(b"7.4", b"7.5"))
    with (
        pytest.warns(UserWarning, match=r"winequality-red\.csv is broken"),
        pytest.raises(DownloadError, match=r"winequality-red\.csv"),
    ):
        load("wine_quality", root=small)


@pytest.mark.skipif(not (REAL / "wine").is_dir(), reason="GLASSBOX_DATA holds no wines")
@pytest.mark.parametrize(("color", "count", "copies"), [("red", 1599, 240), ("white", 4898, 937)])
def test_the_official_tables_are_as_published_and_as_described(color, count, copies):
    table = load("wine_quality", color=color)
    assert table.features.shape == (count, 11) and table.feature_names == wine._FEATURES
    assert set(table.targets.tolist()) == set(range(3, 9 if color == "red" else 10))
    assert len(table.features.unique(dim=0)) == count - copies
    whole = torch.cat([table.features, table.targets[:, None].float()], dim=1)
    assert len(whole.unique(dim=0)) == count - copies


def test_the_stand_in_is_scikit_learns():
    table, theirs = load("wine"), load_wine()
    np.testing.assert_array_equal(table.features, theirs.data.astype(np.float32))
    assert table.targets.tolist() == theirs.target.tolist()
    assert table.feature_names == tuple(theirs.feature_names) and len(table.class_names) == 3


def test_a_part_of_a_table_keeps_rows_together_and_a_table_describes_itself():
    table = load("wine")
    for chosen in (
        [3, 1],
        torch.tensor([3, 1]),
        slice(2, 9, 3),
        table.targets == 1,
        [],
        np.array([4]),
    ):
        part = table[chosen]
        rows = torch.arange(178)[chosen]
        assert torch.equal(part.features, table.features[rows])
        assert torch.equal(part.targets, table.targets[rows]) and len(part) == len(rows)
    assert repr(table) == "TabularDataset(wine: 178 rows of 13 features, target cultivar)"


test_what_is_no_table_or_not_in_it_is_refused = refuses(
    (
        lambda: load("wine_quality", color="rose"),
        "color is 'rose', expected one of red, white, both",
    ),
    (
        lambda: load("wine_quality", colour="red"),
        "options is colour, expected color for wine_quality",
    ),
    (lambda: load("wine", color="red"), "options is color, expected none for wine"),
    (lambda: load("wine", split="test"), "split is 'test'.*wine has no official split"),
    (lambda: load("wine_quality", split="test"), "split is 'test'.*wine_quality has no official"),
    (lambda: load("wine").feature("taste"), "name is 'taste', expected one of alcohol, malic_acid"),
    (lambda: load("wine")[3], TypeError, "indices is 3"),
    (lambda: load("wine")[[0.5]], r"indices has shape \(1,\) and type torch.float32"),
    (lambda: load("wine")[[True]], r"indices has shape \(1,\) and type torch.bool"),
    (lambda: load("wine")[[178]], IndexError, "indices is between 178 and 178, expected below 178"),
)

PARTS = {
    "name": "tiny",
    "features": torch.zeros(4, 2),
    "targets": torch.arange(4),
    "feature_names": ("a", "b"),
    "target_name": "c",
}

test_parts_that_do_not_fit_together_are_refused = refuses(
    ({"features": torch.zeros(4, 2).double()}, "features has .*float64, expected float32 .N, F."),
    ({"features": torch.zeros(4)}, "features has shape .4,."),
    ({"features": torch.full((4, 2), torch.nan)}, "features has 8 entries that are nan"),
    ({"targets": torch.zeros(4)}, "targets has .*float32, expected int64 .4,."),
    ({"targets": torch.arange(3)}, "targets has shape .3,."),
    ({"features": [[1.0, 2.0]]}, TypeError, "features is .*, expected Tensor"),
    ({"targets": None}, TypeError, "targets is None, expected Tensor"),
    ({"feature_names": "ab"}, TypeError, "feature_names is .*, expected tuple"),
    ({"class_names": "ab"}, TypeError, "class_names is .*, expected tuple"),
    ({"feature_names": ("a",)}, "feature_names is .'a',., expected 2 names"),
    ({"feature_names": ("a", "a")}, "feature_names is .'a', 'a'., expected 2 names"),
    ({"class_names": ("x", "y")}, "targets has .*expected values from 0 to 1"),
    by=lambda change: TabularDataset(**(PARTS | change)),
)
