"""What can be chosen: a flag of the command line each, with its default and its range."""

import argparse
import math
import numbers
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from glassbox.support.arguments import as_path, check_choice, check_types
from glassbox.support.tables import Table

LOSSES = ("ldam-drw", "logit-adjusted", "cross-entropy")
MIXERS = ("ours", "timm", "none")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")
# What may be another when a training goes on: it decides where and how fast, not what comes out. A
# folder may lie elsewhere, too; its pictures are compared by their names and sizes.
_ANY_TIME = ("data", "out", "device", "threads", "memory")


@dataclass(frozen=True)
class Options:
    """All that decides a training; each is the flag of the same name, see :func:`parse`.

    Raises:
        ValueError: If a value is none of the choices, or out of range.
        TypeError: If a name or a path is no text, or a switch neither true nor false.
    """

    data: Path
    out: Path
    unreadable: str = "refuse"
    validation: float = 0.2
    size: int = 224
    backbone: str = "efficientnet_lite0"
    from_scratch: bool = False
    batch_norm: str = "frozen"
    scale: float = 30.0
    epochs: int = 30
    batch_size: int = 16
    lr: float = 3e-3
    backbone_lr: float = 3e-4
    warm_up: float = 1.0
    weight_decay: float = 0.01
    clip: float = 5.0
    loss: str = "ldam-drw"
    max_margin: float = 0.5
    drw_start: float = 0.8
    mixer: str = "ours"
    mixup: float = 0.8
    cutmix: float = 1.0
    mix_prob: float = 0.1
    switch_prob: float = 0.5
    smoothing: float = 0.1
    precision: str = "auto"
    ema: float = 0.9998
    ema_warm_up: bool = True
    seed: int = 0
    device: str | None = None
    threads: int | None = None
    memory: float = 2.0

    def __post_init__(self) -> None:
        """Check all values as the command line does."""
        for name in ("data", "out"):
            object.__setattr__(self, name, as_path(**{name: getattr(self, name)}))
        check_types(bool, ema_warm_up=self.ema_warm_up)
        for flags in _GROUPS.values():
            for flag, kind, _ in flags:
                name = flag.replace("-", "_")
                object.__setattr__(self, name, _checked(name, kind, getattr(self, name)))
        if self.mixer != "none" and self.mixup == self.cutmix == 0:
            raise ValueError("mixup is 0, expected above 0 where cutmix is 0 too")

    def decisive(self) -> dict[str, Any]:
        """Give those that have to stay when a training goes on, as JSON has them."""
        return {name: value for name, value in asdict(self).items() if name not in _ANY_TIME}


def _checked(name: str, kind: Any, value: Any) -> Any:
    """Check one value with what reads its flag; what is None unless given may be None."""
    if value is None and getattr(Options, name) is None:
        return None
    if isinstance(kind, _Number):
        return kind.checked(name, value)
    if isinstance(kind, tuple):
        check_choice(kind, **{name: value})
    else:
        check_types(kind, **{name: value})
    return value


@dataclass(frozen=True)
class _Number:
    """A type of argparse: numbers from ``low``, or above it, to ``high``."""

    kind: type
    low: float
    high: float = math.inf
    above: bool = False

    @property
    def __name__(self) -> str:
        """What argparse calls it."""
        return "whole number" if self.kind is int else "number"

    def __call__(self, text: str) -> Any:
        """Read a number of the command line."""
        value = self.kind(text)
        if not self._fits(value):
            raise argparse.ArgumentTypeError(f"is {text}, expected {self._range()}")
        return value

    def checked(self, name: str, value: Any) -> Any:
        """Give a number that was given by its name, or refuse it."""
        wanted = numbers.Integral if self.kind is int else numbers.Real
        if isinstance(value, bool) or not isinstance(value, wanted) or not self._fits(value):
            raise ValueError(f"{name} is {value!r}, expected a {self.__name__} {self._range()}")
        return self.kind(value)

    def _fits(self, value: float) -> bool:
        inside = self.low <= value <= self.high and value != math.inf
        return inside and not (self.above and value == self.low)

    def _range(self) -> str:
        start = f"above {self.low:g}" if self.above else f"at least {self.low:g}"
        end = "" if self.high == math.inf else f" and at most {self.high:g}"
        return f"{start}{end}"


_WHOLE, _FROM_0 = _Number(int, 1), _Number(int, 0)
_POSITIVE, _AT_LEAST_0 = _Number(float, 0, above=True), _Number(float, 0)
_FRACTION, _BELOW_1 = _Number(float, 0, 1), _Number(float, 0, 1 - 1e-9)

_NO_WARM_UP = "give the average its full decay from the first step on"

# Title of a group, and its flags: name, how it is read (a type or choices), and what it does.
_GROUPS: dict[str, list[tuple[str, Any, str]]] = {
    "the pictures": [
        ("unreadable", ("refuse", "skip"), "what to do with files that cannot be decoded"),
        ("validation", _Number(float, 0, 0.5, above=True), "part of train/ to validate on"),
        ("size", _Number(int, 16), "pixels a side that the network sees"),
        ("memory", _AT_LEAST_0, "gigabytes of decoded pictures to keep"),
        ("threads", _WHOLE, "pictures decoded at once; one a core, at most 8, unless given"),
    ],
    "the network": [
        ("backbone", str, "efficientnet_lite0, whose weights need no network connection; a name of "
         "torchvision; or one of timm, if need be with timm/ before it"),
        ("from-scratch", bool, "begin with random weights in place of those of ImageNet"),
        ("batch-norm", ("frozen", "train"), "keep the pretrained statistics, or measure new ones"),
        ("scale", _POSITIVE, "what the cosines of the head are multiplied by"),
    ],
    "the training": [
        ("epochs", _WHOLE, "passes over the training pictures"),
        ("batch-size", _WHOLE, "pictures a step, of all processes together"),
        ("lr", _POSITIVE, "highest learning rate of the head, which is new"),
        ("backbone-lr", _POSITIVE, "highest learning rate of all else, which is pretrained"),
        ("warm-up", _AT_LEAST_0, "epochs in which the rates rise; after that they fall to 0"),
        ("weight-decay", _AT_LEAST_0, "of AdamW"),
        ("clip", _POSITIVE, "largest norm of the gradient"),
        ("precision", PRECISIONS, "of the forward pass; auto is bfloat16 on a GPU, else float32"),
        ("seed", _FROM_0, "decides the split, the new weights, the order and all draws"),
        ("device", str, "cpu or cuda; a GPU where there is one, unless given"),
    ],
    "the long tail": [
        ("loss", LOSSES, "margins and late weights, a head start by frequency, or neither"),
        ("max-margin", _AT_LEAST_0, "margin of the rarest class, as a cosine"),
        ("drw-start", _BELOW_1, "part of the epochs before class weights begin"),
    ],
    "mixing and averaging": [
        ("mixer", MIXERS, "whose Mixup and CutMix"),
        ("mixup", _AT_LEAST_0, "alpha of Mixup"),
        ("cutmix", _AT_LEAST_0, "alpha of CutMix"),
        ("mix-prob", _FRACTION, "how many batches are mixed"),
        ("switch-prob", _FRACTION, "how many of these by CutMix"),
        ("smoothing", _FRACTION, "part of each label that is spread over all classes"),
        ("ema", _BELOW_1, "decay of the average of the weights; 0 for none"),
    ],
}  # fmt: skip


def parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="python -m glassbox.chapters.your_folder",
        description="Train a network on a folder of pictures, DIR/train/CLASS/*.jpg, and measure "
        "it once on DIR/test/CLASS/*.jpg. The same command again goes on where it stopped.",
        epilog="On several GPUs: torchrun --nproc-per-node 2 -m glassbox.chapters.your_folder ...",
    )
    made.add_argument("--data", type=Path, required=True, metavar="DIR", help="the folder")
    made.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="for checkpoint, weights and report"
    )
    defaults = {one.name: one.default for one in fields(Options)}
    for title, flags in _GROUPS.items():
        group = made.add_argument_group(title)
        for name, kind, text in flags:
            _add(group, name, kind, text, defaults[name.replace("-", "_")])
    group.add_argument(
        "--no-ema-warm-up",
        dest="ema_warm_up",
        action="store_false",
        help=_NO_WARM_UP,
    )
    return made


def _add(group: Any, name: str, kind: Any, text: str, default: Any) -> None:
    shown = "" if default is None or kind is bool else f" ({default})"
    if kind is bool:
        how: dict[str, Any] = {"action": "store_true"}
    elif isinstance(kind, tuple):
        how = {"choices": kind}
    else:
        how = {"type": kind, "metavar": "NAME" if kind is str else "N"}
    group.add_argument(f"--{name}", default=default, help=f"{text}{shown}", **how)


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Read a command line, the one of this process unless given.

    Raises:
        SystemExit: After a sentence on what is wrong with it, or after the help.
    """
    made = parser()
    given = vars(made.parse_args(arguments))
    try:
        return Options(**given)
    except ValueError as error:  # of flags that do not fit each other
        made.error(str(error))


def flag_table() -> Table:
    """List the flags with their defaults."""
    defaults = {one.name: one.default for one in fields(Options)}
    rows = []
    for flags in _GROUPS.values():
        for name, kind, text in flags:
            default = defaults[name.replace("-", "_")]
            known = "" if default is None or kind is bool else str(default)
            shown = f"{default:g}" if isinstance(default, float) else known
            choices = f": {', '.join(kind)}" if isinstance(kind, tuple) else ""
            rows.append((f"`--{name}`", shown, f"{text}{choices}"))
    rows.append(("`--no-ema-warm-up`", "", _NO_WARM_UP))
    return Table(("flag", "default", "what it decides"), tuple(rows))
