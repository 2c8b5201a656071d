"""Exercises that know their usual wrong answers, and tell the reader which of them this is."""

import copy
import inspect
import random
import re
import secrets
import sysconfig
import textwrap
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from glassbox.chapters.answers import agrees, difference, hint, read, show
from glassbox.chapters.traces import Code, Surroundings, left_behind, traces_in
from glassbox.support.seeds import isolated_seed, seed_everything

Answer = Callable[..., Any]
_WIDTH = 82  # of a page's column, in characters
_DRAWS = 5
_NOT_THE_READERS = tuple(
    str(path)
    for path in (
        Path(__file__).parents[1],
        Path(torch.__file__).parents[1],
        *map(sysconfig.get_path, ("stdlib", "purelib", "platlib")),
        "<frozen",
    )
)


class Case(NamedTuple):
    """The arguments of one call, with words for it in place of the call itself."""

    text: str
    args: tuple[Any, ...]


class _Trial(NamedTuple):
    """A case with its words and the seed it is tried with."""

    text: str
    args: tuple[Any, ...]
    seed: int


class _Outcome(NamedTuple):
    """What came of one call: what was observed, what it returned, an error, what it left behind."""

    observed: dict[str, Any]
    returned: list[Any]
    error: BaseException | None
    left: list[str]

    def is_none(self) -> bool:
        """Say whether the answer returned, and returned nothing."""
        return bool(self.returned) and self.returned[-1] is None


@dataclass(frozen=True)
class Exercise:
    """An exercise, called with the reader's answer to print one verdict on it.

    The answer is called as ``reference`` is, on each of the ``cases`` and then on cases ``drawn``
    anew with every check, which no list of results can hold. It is ``Solved`` if all results agree
    and nothing is left behind. Else the verdict is ``Not yet``, with the first call that goes
    wrong, and with the mistake that this looks like: the one of ``mistakes`` that does what the
    answer does in all of the cases, or one that any exercise may have, such as a sign. The cases
    are made from seed 0; the random states, and the settings of torch, are left alone.

    Args:
        name: The call that the verdict names.
        reference: A right answer, if possible found in another way than the reader's will be.
        cases: The arguments of each call, or a function that makes them. A tuple is shown as the
            call; a :class:`Case` has words of its own.
        drawn: Makes the arguments of a random case, with any global random numbers.
        mistakes: Wrong answers by the sentence or two that each deserves, which end in where to
            look. Each has to be wrong in one of the ``cases``.
        observe: Makes what is compared of the answer and the arguments, where it is not just what
            the call returns: values by what the verdict calls them, "" for the result.
        changes: Names of arguments that an answer may change.
        tolerance: The relative difference that is allowed; see :func:`~.answers.agrees`.
    """

    name: str
    _: KW_ONLY
    reference: Answer
    cases: Sequence[Any] | Callable[[], Iterable[Any]]
    drawn: Callable[[], tuple[Any, ...]]
    mistakes: Mapping[str, Answer]
    observe: Callable[..., dict[str, Any]] | None = None
    changes: tuple[str, ...] = ()
    tolerance: float = 1e-4

    def __call__(self, answer: Answer) -> None:
        """Print the verdict on the reader's function."""
        print(textwrap.fill(self.verdict(answer), _WIDTH, break_on_hyphens=False))

    def verdict(self, answer: Answer, seed: int | None = None) -> str:
        """Return the verdict; ``seed`` repeats the drawn cases of another check."""
        if not callable(answer):
            what = show(read(answer))
            return f"Not yet: the check takes the function itself, without a call, and got {what}."
        seed = secrets.randbits(32) if seed is None else seed
        with isolated_seed(seed, deterministic=False), torch.enable_grad():
            fixed, drawn = self.trials(seed)
            if misfit := self._misfit(answer, fixed[0].args):
                return f"Not yet: {misfit}"
            for number, trial in enumerate((*fixed, *drawn)):
                right, given = (self._outcome(one, trial) for one in (self.reference, answer))
                if right.error:
                    raise right.error
                if fact := self._fact(trial, given, right):
                    why = self._why(answer, fixed, trial, given, right)
                    among = f"right in {len(fixed)} cases, but not in one drawn at random: "
                    return f"Not yet: {among * (number >= len(fixed))}{fact} {why}".rstrip()
        return f"Solved: all {len(fixed)} cases agree, and {len(drawn)} drawn at random."

    def trials(self, seed: int) -> tuple[list[_Trial], list[_Trial]]:
        """Make the fixed cases, the same in every check, and those that are drawn with a seed.

        The random states are those of the drawing afterwards.
        """
        seed_everything(0, deterministic=False)
        cases = list(self.cases() if callable(self.cases) else self.cases)
        fixed = [self._trial(case) for case in cases]
        seed_everything(seed, deterministic=False)
        cases = [self.drawn() for _ in range(_DRAWS)]
        return fixed, [self._trial(case) for case in cases]

    def _trial(self, case: Any) -> _Trial:
        if isinstance(case, Case):
            return _Trial(*case, random.getrandbits(32))
        shown = map(_shown, self._names(), case)
        return _Trial(f"{self.name}({', '.join(shown)})", case, random.getrandbits(32))

    def _names(self) -> list[str]:
        """Name the arguments of a case."""
        names = list(inspect.signature(self.observe or self.reference).parameters)
        return names[1:] if self.observe else names

    def _misfit(self, answer: Answer, args: tuple[Any, ...]) -> str:
        """Say how the function has to be called, if it does not take these arguments."""
        try:
            taken = inspect.signature(answer)
        except (TypeError, ValueError):  # built in
            return ""
        needed = inspect.signature(self.reference).parameters
        if self.observe:
            args = tuple(name for name, one in needed.items() if one.default is one.empty)
        try:
            taken.bind(*args)
        except TypeError:
            return f"it is called with ({', '.join(needed)}), and your function takes {taken}."
        return ""

    def _outcome(self, answer: Answer, trial: _Trial) -> _Outcome:
        """Call an answer on copies of the arguments, and look at everything around it."""
        args = copy.deepcopy(trial.args)
        returned: list[Any] = []

        def watched(*given: Any, **named: Any) -> Any:
            returned.append(answer(*given, **named))
            return returned[-1]

        seed_everything(trial.seed, deterministic=False)
        with _traces(self._names(), args, self.changes) as left:
            try:
                seen = self.observe(watched, *args) if self.observe else {"": watched(*args)}
                observed, error = {name: read(one) for name, one in seen.items()}, None
            except (Exception, SystemExit) as caught:
                observed, error = {}, caught
        return _Outcome(observed, returned, error, left)

    def _fact(self, trial: _Trial, given: _Outcome, right: _Outcome) -> str:
        """Say what is wrong with one outcome, or ""."""
        text = trial.text
        if given.error and (not given.returned or _line(given.error)):
            return f"{text} raises {_said(given.error)}{_line(given.error)}."
        if given.is_none() and right.returned and not right.is_none():
            wanted = show(read(right.returned[-1]))
            return f"{text} gives None, expected {wanted}: end the function with `return`."
        if given.error:
            what = show(read(given.returned[-1]))
            return f"{text} gives {what}, which cannot be used: {_said(given.error)}."
        for name, value, wanted in self._wrong(given, right):
            what = f": {name} is" if name else " gives"
            return f"{text}{what} {difference(value, wanted)}."
        return f"{text} is right, but {given.left[0]}." if given.left else ""

    def _wrong(self, given: _Outcome, right: _Outcome) -> Iterator[tuple[str, Any, Any]]:
        """Yield the names of what was observed and differs, with what it is and should be."""
        for name, wanted in right.observed.items():
            value = given.observed.get(name, ...)
            if not agrees(value, wanted, self.tolerance):
                yield name, value, wanted

    def _why(
        self, answer: Answer, fixed: list[_Trial], trial: _Trial, given: _Outcome, right: _Outcome
    ) -> str:
        """Say what mistake this looks like, or ""."""
        mine = [(one, self._outcome(answer, one)) for one in (trial, *fixed)]
        for message, mistake in self.mistakes.items():
            if all(self._same(self._outcome(mistake, one), outcome) for one, outcome in mine):
                return message
        wrong = [] if given.error else self._wrong(given, right)
        return next((hint(*pair, self._sizes(trial)) for _, *pair in wrong), "")

    def _same(self, one: _Outcome, other: _Outcome) -> bool:
        """Say whether two answers did the same; what an error leaves behind is no part of it."""
        if one.error or other.error:
            return _kind(one.error) == _kind(other.error)
        same = one.left == other.left and one.observed.keys() == other.observed.keys()
        return same and not any(self._wrong(other, one))

    def _sizes(self, trial: _Trial) -> list[tuple[str, int]]:
        pairs = zip(self._names(), trial.args, strict=False)
        return [(name, n) for name, one in pairs if isinstance(one, Tensor) for n in one.shape]


@contextmanager
def _traces(
    names: list[str], args: tuple[Any, ...], changes: tuple[str, ...]
) -> Iterator[list[str]]:
    """Yield a list that holds, after the block, what was left behind; the settings are restored."""
    kept = [pair for pair in zip(names, args, strict=False) if pair[0] not in changes]

    def all_of(settings: Surroundings) -> dict[tuple[str, str], Any]:
        found = settings.traces()
        for name, value in kept:
            found |= traces_in(name, value)
        return found

    settings, code, left = Surroundings(), Code(), []
    before = all_of(settings)
    try:
        yield left
    finally:
        left += code.restore()
        left += left_behind(before, all_of(Surroundings()))
        settings.restore()


def _shown(name: str, value: Any) -> str:
    """Show an argument in a call: numbers as they are, tensors by shape, other things by name."""
    if isinstance(value, Tensor | np.ndarray):
        few = value.ndim and value.size < 7 if isinstance(value, np.ndarray) else value.numel() < 7
        return show(read(value)) if few else f"{name} {tuple(value.shape)}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return repr(value) if isinstance(value, int | str | list | tuple) else name


def _said(error: BaseException) -> str:
    """Say what an error says; of long messages two lines stay."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()][:2]
    return f"{type(error).__name__}: {' '.join(lines)}".rstrip(".: ")


def _kind(error: BaseException | None) -> tuple[type, str]:
    """Tell errors apart: by what they say but for numbers, where the type alone says little."""
    text = "" if isinstance(error, LookupError) else re.sub(r"\d+", "", str(error))
    return type(error), text


def _line(error: BaseException) -> str:
    """Name the reader's line that raised an error: not one of the check's, nor of a library."""
    frames = traceback.extract_tb(error.__traceback__)
    mine = [frame for frame in frames if not frame.filename.startswith(_NOT_THE_READERS)]
    if not mine:
        return ""
    line = f": `{textwrap.shorten(mine[-1].line, 60)}`" if mine[-1].line else ""
    return f" in line {mine[-1].lineno}{line}"
