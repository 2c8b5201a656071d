"""Models of the score of a wine: the networks and their rivals, each searched in every fold."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from glassbox.chapters.cnn.wine import (
    Guess,
    Rows,
    read_above,
    strata,
    train_wine_network,
    wine_folds,
)
from glassbox.data.splits import stratified_split

_MIDDLE = (5, 6)  # scores that most wines have


@dataclass(frozen=True)
class Model:
    """A network or one of its rivals.

    Args:
        settings: Values of its one setting that are tried in each fold; one if there is no choice.
        guess: Takes rows, measurements to guess the scores of, a setting and a seed.
    """

    settings: tuple[float, ...]
    guess: Callable[[Rows, Tensor, float, int], Guess]


def _network(goal: str) -> Model:
    def guess(train: Rows, test: Tensor, lr: float, seed: int) -> Guess:
        return train_wine_network(goal, train, test, lr, seed)

    return Model((1e-3, 3e-3, 1e-2, 3e-2, 1e-1), guess)


def _regressor(make: Callable[[float], Any]) -> Callable[[Rows, Tensor, float, int], Guess]:
    def guess(train: Rows, test: Tensor, setting: float, seed: int) -> Guess:
        fitted = _piped(make(setting)).fit(train.features.numpy(), train.scores.numpy())
        value = torch.from_numpy(fitted.predict(test.numpy()))
        low, high = int(train.scores.min()), int(train.scores.max())
        return Guess(value, value.round().clamp(low, high).long())

    return guess


def _classifier(make: Callable[[float], Any]) -> Callable[[Rows, Tensor, float, int], Guess]:
    def guess(train: Rows, test: Tensor, setting: float, seed: int) -> Guess:
        fitted = _piped(make(setting)).fit(train.features.numpy(), train.scores.numpy())
        known = torch.from_numpy(fitted.classes_)
        chances = torch.from_numpy(fitted.predict_proba(test.numpy()))
        return Guess(chances @ known.to(chances.dtype), known[chances.argmax(dim=1)])

    return guess


def _ordinal(make: Callable[[float], Any]) -> Callable[[Rows, Tensor, float, int], Guess]:
    """Fit a classifier for each question: whether it is more than this score.

    Frank and Hall (2001), "A Simple Approach to Ordinal Classification".
    """

    def guess(train: Rows, test: Tensor, setting: float, seed: int) -> Guess:
        lowest, highest = int(train.scores.min()), int(train.scores.max())
        chances = []
        for score in range(lowest, highest):
            above = (train.scores > score).numpy()
            fitted = _piped(make(setting)).fit(train.features.numpy(), above)
            chances.append(torch.from_numpy(fitted.predict_proba(test.numpy())[:, 1]))
        expected, found = read_above(torch.stack(chances, dim=1))
        return Guess(expected + lowest, found + lowest)

    return guess


def _piped(estimator: Any) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), estimator)


def _mean(setting: float) -> Any:
    from sklearn.dummy import DummyRegressor

    return DummyRegressor()


def _commonest(setting: float) -> Any:
    from sklearn.dummy import DummyClassifier

    return DummyClassifier()


def _ridge(penalty: float) -> Any:
    from sklearn.linear_model import Ridge

    return Ridge(penalty)


def _ridge_on_squares(penalty: float) -> Any:
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    squares = PolynomialFeatures(2, include_bias=False)
    return make_pipeline(squares, StandardScaler(), Ridge(penalty))


def _logistic(penalty: float) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=penalty, max_iter=2000)


def _forest(leaf: float) -> Any:
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(60, min_samples_leaf=int(leaf), max_features=0.4, random_state=0)


def _forest_of_classes(leaf: float) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(60, min_samples_leaf=int(leaf), random_state=0)


_PENALTIES = (0.1, 1.0, 10.0, 100.0, 1000.0, 10000.0)
_STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)
_LEAVES = (1, 2, 4, 8, 16)
MODELS = {
    ("regression", "mean"): Model((0.0,), _regressor(_mean)),
    ("regression", "ridge"): Model(_PENALTIES, _regressor(_ridge)),
    ("regression", "ridge on squares"): Model(_PENALTIES, _regressor(_ridge_on_squares)),
    ("regression", "forest"): Model(_LEAVES, _regressor(_forest)),
    ("regression", "network"): _network("regression"),
    ("classification", "commonest"): Model((0.0,), _classifier(_commonest)),
    ("classification", "logistic"): Model(_STRENGTHS, _classifier(_logistic)),
    ("classification", "forest"): Model(_LEAVES, _classifier(_forest_of_classes)),
    ("classification", "network"): _network("classification"),
    ("ordinal", "logistic"): Model(_STRENGTHS, _ordinal(_logistic)),
    ("ordinal", "network"): _network("ordinal"),
}


def choose_setting(model: Model, train: Rows, seed: int) -> float:
    """Choose the setting with the least mean absolute error on a fifth of the training rows."""
    if len(model.settings) == 1:
        return model.settings[0]
    kept, chosen = stratified_split(strata(train.scores), (0.8, 0.2), seed=seed)
    known, asked = train.take(kept), train.take(chosen)
    errors = {
        setting: _error(model.guess(known, asked.features, setting, seed).score, asked.scores)
        for setting in model.settings
    }
    return min(errors, key=errors.get)


def _error(found: Tensor, scores: Tensor) -> float:
    return float((found - scores).abs().double().mean())


def measure_model(name: tuple[str, str], rows: Rows, split: int, fold: int) -> list[float]:
    """Fit a model of :data:`MODELS` on nine folds, and measure it on the tenth.

    Its setting is chosen within the nine.

    Returns:
        The setting; the root of the mean squared error of the expected score; the mean absolute
        error of the one score; how often that is right, from 0 to 1; and how often for wines whose
        score is not 5 or 6.
    """
    kept, held_out = wine_folds(rows.scores, split)[fold]
    train, test = rows.take(kept), rows.take(held_out)
    setting = choose_setting(MODELS[name], train, fold)
    guess = MODELS[name].guess(train, test.features, setting, fold)
    right = (guess.score == test.scores).double()
    others = ~torch.isin(test.scores, torch.tensor(_MIDDLE))
    rmse = float((guess.expected - test.scores).double().square().mean().sqrt())
    shares = float(right.mean()), float(right[others].mean())
    return [setting, rmse, _error(guess.score, test.scores), *shares]


def measure_copies(rows: Rows, split: int, fold: int, *, kept: bool) -> float:
    """Measure how often the nearest wine has the same score, from 0 to 1.

    Args:
        rows: Copies included.
        split: Of the folds.
        fold: Which is tested.
        kept: Whether wines to learn from may be copies of wines to test with.
    """
    from sklearn.neighbors import KNeighborsClassifier

    learned, held_out = wine_folds(rows.scores, split)[fold]
    if not kept:
        both = torch.cat([rows.features, rows.scores[:, None].double()], dim=1).numpy()
        _, group = np.unique(both, axis=0, return_inverse=True)
        group = torch.from_numpy(group.reshape(-1))
        learned = learned[~torch.isin(group[learned], group[held_out])]
    train, test = rows.take(learned), rows.take(held_out)
    fitted = _piped(KNeighborsClassifier(1)).fit(train.features.numpy(), train.scores.numpy())
    return float(fitted.score(test.features.numpy(), test.scores.numpy()))
