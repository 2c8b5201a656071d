"""Two tables of wines: the quality of Portuguese ones from UCI, and scikit-learn's small one."""

from os import PathLike

import numpy as np
import torch
from torch import Tensor

from glassbox.data.downloads import DownloadError, OfficialFile, data_folder, obtain
from glassbox.data.tabular import TabularDataset
from glassbox.support.arguments import check_choice

_PAGE = "https://archive.ics.uci.edu/ml/machine-learning-databases/wine-quality/"
_SHA256 = {
    "red": "4a402cf041b025d4566d954c3b9ba8635a3a8a01e039005d97d6a710278cf05e",
    "white": "76c3f809815c17c07212622f776311faeb31e87610d52c26d87d6e361b169836",
}
_FILES = {
    color: OfficialFile(
        f"wine/winequality-{color}.csv", f"sha256:{sha256}", (f"{_PAGE}winequality-{color}.csv",)
    )
    for color, sha256 in _SHA256.items()
}
_FEATURES = (
    "fixed acidity", "volatile acidity", "citric acid", "residual sugar", "chlorides",
    "free sulfur dioxide", "total sulfur dioxide", "density", "pH", "sulphates", "alcohol",
)  # fmt: skip


def read_wine_quality(
    color: str = "red", root: str | PathLike[str] | None = None
) -> TabularDataset:
    """Read UCI's wine quality: eleven measurements of a wine, and the score that tasters gave it.

    Scores are from 0 (very bad) to 10 (excellent); 3 to 9 occur, and 5 and 6 are most of them.
    Rows recur: 240 of the red ones and 937 of the white ones are copies of an earlier row, score
    included. What tests on a copy of a row that it trained on has seen the answer.

    Args:
        color: ``"red"`` (1,599 wines), ``"white"`` (4,898), or ``"both"``, the red ones first; then
            a twelfth feature, ``"white"``, is 1 where the wine is white and 0 where it is red.
        root: Folder of the official files, as for :func:`glassbox.data.downloads.data_folder`.

    Raises:
        ValueError: If ``color`` is unknown.
        glassbox.data.downloads.DownloadError: If a file is missing and cannot be had.

    Reference:
        Cortez et al. (2009), Modeling wine preferences by data mining from physicochemical
        properties, https://doi.org/10.24432/C56S3T; CC BY 4.0.
    """
    check_choice((*_FILES, "both"), color=color)
    colors = tuple(_FILES) if color == "both" else (color,)
    rows = [_read(_FILES[one], root) for one in colors]
    features = torch.cat([one[:, :-1] for one in rows])
    names = _FEATURES
    if color == "both":
        white = torch.arange(len(features), device="cpu") >= len(rows[0])
        features, names = torch.cat([features, white[:, None]], dim=1), (*names, "white")
    scores = torch.cat([one[:, -1] for one in rows]).to(torch.int64)
    return TabularDataset("wine_quality", features, scores, names, "quality")


def read_wine() -> TabularDataset:
    """Read the table of 178 wines that ships with scikit-learn: 13 measurements, 3 cultivars."""
    from sklearn.datasets import load_wine

    bunch = load_wine()
    return TabularDataset(
        "wine",
        torch.from_numpy(bunch.data).to(torch.float32),
        torch.from_numpy(bunch.target).to(torch.int64),
        tuple(bunch.feature_names),
        "cultivar",
        tuple(str(name) for name in bunch.target_names),
    )


def _read(file: OfficialFile, root: str | PathLike[str] | None) -> Tensor:
    try:
        path = obtain(file, data_folder(root))
    except DownloadError as error:
        raise DownloadError(
            f'{error}\nload("wine"), a smaller table that ships with scikit-learn, needs no network'
        ) from error
    return torch.from_numpy(np.loadtxt(path, np.float32, delimiter=";", skiprows=1, ndmin=2))
