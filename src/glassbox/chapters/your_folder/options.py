"""What can be chosen: a flag of the command line each, with its default and its range."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from glassbox.support.tables import Table

LOSSES = ("ldam-drw", "logit-adjusted", "cross-entropy")
MIXERS = ("ours", "timm", "none")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")
# What may be another when a training goes on: it decides where and how fast, not what comes out.
_ANY_TIME = ("data", "out", "device", "threads", "memory")


@dataclass(frozen=True)
class Options:
    """All that decides a training; each is the flag of the same name, see :func:`parse`."""

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

    def decisive(self) -> dict[str, Any]:
        """Give those that have to stay when a training goes on, as JSON has them."""
        return {name: value for name, value in asdict(self).items() if name not in _ANY_TIME}


def _number(
    kind: Callable[[str], Any], low: float, high: float = float("inf"), *, above: bool = False
) -> Callable[[str], Any]:
    """Make a type of argparse: numbers from ``low``, or above it, to ``high``."""

    def read(text: str) -> Any:
        value = kind(text)
        if not low <= value <= high or (above and value == low) or value == float("inf"):
            start = f"above {low:g}" if above else f"at least {low:g}"
            end = "" if high == float("inf") else f" and at most {high:g}"
            raise argparse.ArgumentTypeError(f"is {text}, expected {start}{end}")
        return value

    read.__name__ = "whole number" if kind is int else "number"
    return read


_WHOLE, _FROM_0 = _number(int, 1), _number(int, 0)
_POSITIVE, _AT_LEAST_0 = _number(float, 0, above=True), _number(float, 0)
_FRACTION, _BELOW_1 = _number(float, 0, 1), _number(float, 0, 1 - 1e-9)

_NO_WARM_UP = "give the average its full decay from the first step on"

# Title of a group, and its flags: name, how it is read (a type or choices), and what it does.
_GROUPS: dict[str, list[tuple[str, Any, str]]] = {
    "the pictures": [
        ("unreadable", ("refuse", "skip"), "what to do with files that cannot be decoded"),
        ("validation", _number(float, 0, 0.5, above=True), "part of train/ to validate on"),
        ("size", _number(int, 16), "pixels a side that the network sees"),
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
    options = Options(**vars(made.parse_args(arguments)))
    if options.mixer != "none" and options.mixup == options.cutmix == 0:
        made.error("argument --mixup: is 0, expected above 0 where --cutmix is 0 too")
    return options


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
