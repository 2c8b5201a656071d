"""One valid value of each argument, by its name: what the sweep calls everything with.

A role is looked up as ``room.Callable.argument`` or ``room.Class.method.argument``, then as
``room.argument``, then as ``argument``; last of all by the annotation.
"""

import copy
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.autograd import Array
from glassbox.data import Dataset
from glassbox.generation import GAN, HEALTHY, non_saturating
from glassbox.losses import CrossEntropy
from glassbox.mixing import CutMix, Mix
from glassbox.networks import VAE, ResidualNetwork, VAEOutput, zoo_entries
from glassbox.optim import SGD, SURFACES, Adam, RMSprop
from glassbox.plotting import Figure, figure
from glassbox.training import ExponentialAverage, History, SeedRuns, TrainingState, save_checkpoint
from hostile.values import (
    Role,
    anything,
    at_least,
    byte_images,
    choice,
    counts,
    floats,
    fraction,
    function,
    images,
    indices,
    integer,
    masks,
    module,
    number,
    positive,
    seed,
    sequence,
    switch,
    text,
)

_FOLDER = tempfile.TemporaryDirectory(prefix="hostile")
_CLASSES = 5


def new_path(name: str) -> Path:
    """Name a file in a folder of its own."""
    return Path(tempfile.mkdtemp(dir=_FOLDER.name), name)


def draw(*shape: int, start: int = 0) -> Tensor:
    """Draw numbers from 0 to 1 without touching the global random state."""
    drawn = torch.Generator().manual_seed(start)
    return torch.rand(*shape, generator=drawn, dtype=torch.float32)


class Net(nn.Module):
    """A small classifier such as a caller brings: what it raises is its own affair."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.conv = nn.Conv2d(3, 4, 3, padding=1)
            self.norm = nn.BatchNorm2d(4)
            self.fc = nn.Linear(4, _CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.norm(self.conv(images)).relu().mean((2, 3)))


def isolated(make: Any, *arguments: Any, **options: Any) -> Any:
    """Make something random from a seed of its own."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return make(*arguments, **options)


def rgb() -> Tensor:
    return draw(4, 3, 8, 8)


def gray() -> Tensor:
    return draw(4, 1, 16, 16)


def rgb_bytes() -> Tensor:
    return draw(4, 3, 16, 16).mul(255).byte()


def labels() -> Tensor:
    return torch.tensor([0, 2, 1, 4])


def dataset() -> Dataset:
    drawn = draw(4, 3, 8, 8).mul(255).byte()
    return Dataset("drawn", drawn, labels(), ("a", "b", "c", "d", "e"))


def vae() -> VAE:
    return isolated(VAE, 16, 8, 3)


def vae_output() -> VAEOutput:
    return VAEOutput(draw(4, 1, 16, 16), draw(4, 3), draw(4, 3) - 0.5)


def residual_network() -> ResidualNetwork:
    return isolated(ResidualNetwork, 8, width=2)


@cache
def _resnet18() -> nn.Module:
    from torchvision.models import resnet18

    return isolated(resnet18)


def resnet18() -> nn.Module:
    return copy.deepcopy(_resnet18())


class _Points(nn.Module):
    noise = 2

    def __init__(self) -> None:
        super().__init__()
        self.layer = isolated(nn.Linear, 2, 2)

    def forward(self, noise: Tensor) -> Tensor:
        return self.layer(noise)


def gan() -> GAN:
    return GAN(_Points(), isolated(nn.Linear, 2, 1))


def optimizer() -> torch.optim.Optimizer:
    return torch.optim.SGD(isolated(nn.Linear, 2, 2).parameters(), lr=0.1)


class Pair:
    """A model and an optimizer of it, for two arguments of one call."""

    def model(self) -> nn.Module:
        self.made = Net()
        return self.made

    def optimizer(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.made.parameters(), lr=0.125)


PAIR = Pair()


def runs(factor: float = 1.0) -> SeedRuns:
    return SeedRuns((0, 1, 2), (0.5 * factor, 0.75, 0.25))


def state() -> TrainingState:
    model = Net()
    steps = torch.optim.SGD(model.parameters(), lr=0.1)
    history = History([1], [0.5], [0.5], [None], [None], [0.1], [1.0])
    return TrainingState(
        model, steps, history, None, None, torch.amp.GradScaler("cpu", enabled=False), None
    )


def mix() -> Mix:
    boxes = torch.tensor([[0, 2, 0, 4]] * 4)
    return Mix(torch.tensor([3, 2, 1, 0]), torch.full((4,), 0.875), boxes, torch.zeros(4) > 0)


def batches() -> list[tuple[Tensor, Tensor]]:
    return [(rgb(), labels()), (rgb(), labels())]


def run_table_file() -> Path:
    path = new_path("runs.csv")
    path.write_text("seed,accuracy\n0,0.5\n1,0.75\n")
    return path


def checkpoint() -> Path:
    path = new_path("checkpoint")
    save_checkpoint(path, numbers=torch.arange(3.0))
    return path


def picture(k: int = 1) -> Figure:
    made, ax = figure(width=2, height=1.5, left=0.1, right=0.1, top=0.1, bottom=0.1, alt="A line.")
    ax.plot([0, k], [0, 1])
    return made


def array(*shape: int) -> Array:
    return Array(draw(*shape).double().numpy())


def task() -> Any:
    from glassbox.optim.sweeps import Task

    class Lines(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(2, 1, 1))

        def forward(self, inputs: Tensor) -> Tensor:
            return self.weight * inputs

    def error(outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs - targets).square().mean((1, 2))

    parts = (draw(2, 6, 1),) * 3
    return Task("lines", (0, 1), parts, parts, lambda seeds: Lines(), error, error, min)


FLATTENED = ("v[..., None]", "v[0]", "v[:, 0]", "v.flatten(1)")  # nn.Flatten takes them all
FLAT_IMAGES = images(gray).but(misfit=(), more_odd=FLATTENED)
LOGITS = floats(lambda: draw(4, _CLASSES) * 4)
LABELS = indices(labels)
MAPS = floats(lambda: draw(4, 8, 8)).but(misfit=("v[0]", "v[:, None]", "v[1:]", "v[:, 1:]"))
MASKS = masks(lambda: draw(4, 8, 8) > 0.5).but(misfit=("v[0]", "v[:, None]", "v[1:]", "v[:, 1:]"))
SCORES = floats(lambda: draw(4, 1)).but(misfit=("v[..., None]", "v.expand(4, 2)"))
CURVES = floats(lambda: draw(4, 6))
FEATURES = floats(lambda: draw(12, 3))
FILL = (
    floats(lambda: draw(3, 1, 1))
    .without("7")
    .but(misfit=("v[1:]", "v[0, 0]", "v[None, None, None]"), odd=("v * 0", "v[:1]", "7", "0.5"))
)
MODEL = module(Net)
SIZE16 = integer(16, 1)
CHANNELS = integer(4, 1)
CALLBACKS = sequence(lambda: [lambda *_: None], "[7]", "'x'", "v[0]")
GENERATOR = Role(
    lambda: torch.Generator().manual_seed(0),
    ("7", "'x'", "object()", "np.random.default_rng(0)", "True"),
)
LAYERS = Role(
    lambda: ["conv", "fc"],
    ("7", "None", "['no such']", "[7]", "[None]", "object()", "['conv', 'nothing']"),
    same=("tuple(v)", "iter(v)", "dict.fromkeys(v)"),
    odd=("'conv'", "[]", "['']", "['conv', 'conv']"),
)
CLASS_NAMES = sequence(lambda: list("abcde"), misfit=("v[1:]", "[*v, 'f']")).but(
    odd=("'abcde'", "list(range(5))")
)
PATHLIKE = ("None", "7", "object()", "['x']", "nan")
PAIR_OF_BETAS = Role(
    lambda: (0.5, 0.75),
    (
        "None",
        "0.5",
        "(0.5,)",
        "(0.5, 0.5, 0.5)",
        "(nan, 0.5)",
        "(0.5, nan)",
        "(1.0, 0.5)",
        "(0.5, 1.0)",
        "(-0.1, 0.5)",
        "('0', 0.5)",
        "(None, 0.5)",
        "'ab'",
    ),
    same=("list(v)", "np.array(v)", "torch.tensor(v)"),
)
LR = positive(0.125)
RATE = number(0.125, "-0.1", "-1", inf=True).but(
    odd=("0", "1", "True", "torch.tensor([v])", "1e-300")
)
DECAY = number(0.25, "-0.1", "-1", inf=True)
ARRAY4 = Role(
    lambda: array(2, 3, 6, 6),
    ("None", "'x'", "{}", "object()"),
    ("v[0]", "v[:, :, :1]", "v.reshape(-1)", "7"),
    odd=("v * 0", "v.value", "v.value.tolist()"),
)
OPERAND = anything(lambda: np.array([[0.5, 1.5], [2.0, 3.0]]))
DIMS = Role(
    lambda: (0, 1),
    ("'x'", "nan", "{}", "object()", "7", "(0, 9)", "0.5", "(0, 0)"),
    same=("np.array(v).tolist()", "(-2, 1)", "(0, -1)"),
    odd=("0", "-1", "None", "()"),
)
PARAMS = Role(
    lambda: [nn.Parameter(draw(2, 3))],
    ("None", "7", "[]", "[7]", "['x']", "object()", "v[0]", "[v[0] * 2]", "[v[0].long()]", "{}"),
    same=("tuple(v)", "iter(v)", "[{'params': v}]"),
    odd=(
        "[('w', v[0])]",
        "[v[0], v[0]]",
        "[v[0].detach()]",
        "[{'params': v, 'lr': nan}]",
        "[{'params': v, 'lr': -1}]",
        "[{}]",
    ),
)
STATE_OF_PLACE = ("None", "7", "{}", "'x'")

NAMES_OF_PHOTOS = Role(
    lambda: ("camera", "brick"), ("('no such',)", "(7,)", "(None,)", "(['camera'],)", "('',)")
)
# What methods are called on, where the constructor is exempt.
MADE = {"training.History": History, "optim.Surface": lambda: SURFACES["rosenbrock"]}

GROUP_SETTINGS = (
    "'lr': nan",
    "'lr': -1",
    "'lr': 'x'",
    "'differentiable': True",
    "'weight_decay': nan",
)
STATE_OF_OPTIMIZER = tuple(
    f"v | {{'param_groups': [v['param_groups'][0] | {{{setting}}}]}}" for setting in GROUP_SETTINGS
)


def saved(make: Any) -> Role:
    """The state of an optimizer of the same parameters."""
    return Role(
        lambda: make([nn.Parameter(draw(2, 3))]).state_dict(),
        ("None", "7", "'x'", "{}", *STATE_OF_OPTIMIZER),
    )


ROLES: dict[str, Role] = {
    # by the name of the argument alone
    "model": MODEL,
    "images": images(rgb),
    "labels": LABELS,
    "logits": LOGITS,
    "num_classes": integer(_CLASSES, 1),
    "seed": seed(),
    "generator": GENERATOR,
    "lr": LR,
    "class_counts": counts((8, 4, 2)),
    "counts": counts((8, 4, 2)),
    "beta": fraction(0.75, "1"),
    "maps": MAPS,
    "masks": MASKS,
    "classes": LABELS,
    "layers": LAYERS,
    "callbacks": CALLBACKS,
    "progress": switch(),
    "alt": text(),
    "title": text(),
    "label": text(),
    "name": text(),
    "steps": integer(2, 1),
    "batch_size": integer(2, 1),
    "betas": PAIR_OF_BETAS,
    "factor": number(0.5, inf=True),
    "value": number(0.5),
    "real": FEATURES,
    "fake": FEATURES,
    "latent": integer(3, 1),
    "hidden": integer(8, 1),
    "stride": integer(1, 1),
    "padding": integer(1, 0),
    "kernel": integer(3, 1),
    "dilation": integer(1, 1),
    "recipe": anything(lambda: HEALTHY).but(wrong=("None", "7", "'x'", "{}")),
    "likelihood": choice("bernoulli", "gaussian", "tanh"),
    "optimizer": module(optimizer),
    "gan": module(gan),
    "path": Role(checkpoint, PATHLIKE, same=("str(v)",), odd=("v / 'x'", "v.parent", "''", "b'x'")),
    "folder": Role(lambda: None, ("7", "object()", "['x']", "nan")),
    "epochs": integer(2, 1),
    "epoch": integer(2, 1),
    "norm_layer": function(lambda: nn.BatchNorm2d, "None"),
    "point": floats(lambda: draw(2)),
    "confidence": fraction(0.75, "0", "1").but(odd=("True", "5e-324")),
    "bins": integer(4, 1),
    "state": anything(dict).but(wrong=("None", "7", "'x'")),
    "options": anything(dict).but(wrong=("{'no_such_option': 1}",)),
    "x": floats(lambda: draw(2, 4, 8, 8)).but(more_same=("permuted(v)",)),
    "x.room": text(),
    # support
    "support.isolated_seed.seed": seed().without("2**32", "2**63"),
    "support.progress_bar.total": integer(3, 0),
    "support.progress_bar.show": switch(),
    # data
    "data.labels": indices(lambda: torch.tensor([0, 1, 2] * 6)).but(
        wrong=(
            "None",
            "'x'",
            "7",
            "{}",
            "object()",
            "['a']",
            "v + 0.5",
            "v * nan",
            "v > 0",
            "[[1], [2, 3]]",
        ),
        misfit=("v[:, None]", "v[0]"),
        odd=("v[:0]", "v.float()", "v[:1]", "v * 0", "v - 5", "v * 10**6"),
    ),
    "data.class_counts.labels": LABELS.but(misfit=("v[:, None]", "v[0]")),
    "data.class_counts": counts((8, 4, 2)).but(misfit=()),
    "data.class_counts.num_classes": integer(_CLASSES, 1, "2"),
    "data.Batches.labels": anything(labels, "v.float()").but(
        wrong=("None", "7", "object()"),
        misfit=("v[1:]", "v[0]"),
        same=("v.tolist()", "v.numpy()", "strided(v)"),
    ),
    "data.Batches.images": images(rgb).but(
        wrong=("None", "'x'", "7", "{}", "object()"),
        misfit=("v[1:]", "v.sum()", "v[:0]"),
        odd=("v[:, 0]", "v * 0", "v.long()"),
    ),
    "data.Batches.augment": function(lambda: lambda images, generator: images),
    "data.Batches.device": choice("cpu", "meta").without("None"),
    "data.Batches.rank": integer(0, 0, "1"),
    "data.Batches.world_size": integer(1, 1, "3"),
    "data.Batches.load_state_dict.state": Role(
        lambda: {"seed": 0, "epoch": 1, "next_batch": 1},
        (
            *STATE_OF_PLACE,
            "v | {'seed': 1}",
            "v | {'next_batch': 99}",
            "v | {'next_batch': -1}",
            "v | {'epoch': -1}",
            "v | {'epoch': nan}",
            "v | {'next_batch': 0.5}",
            "v | {'next_batch': None}",
            "v | {'epoch': 'x'}",
            "{'seed': 0}",
        ),
    ),
    "data.Dataset.images": byte_images(rgb_bytes).but(
        wrong=("None", "'x'", "7", "{}", "object()", "v.float()"),
        misfit=("v[0]", "v[:, 0]", "v[1:]", "v.flatten(1)"),
        odd=(),
    ),
    "data.Dataset.labels": LABELS,
    "data.Dataset.class_names": sequence(lambda: tuple("abcde"), misfit=("v[:2]", "()")).but(
        odd=("'abcde'", "[1, 2, 3, 4, 5]")
    ),
    "data.Dataset.masks": masks(lambda: draw(4, 16, 16) > 0.5).without("None").but(odd=()),
    "data.indices": Role(
        lambda: torch.tensor([0, 2]),
        ("None", "'x'", "1.5", "{}", "object()", "[99]", "[-99]", "['a']", "[0.5]", "[nan]"),
        same=(
            "v.tolist()",
            "np.array([0, 2])",
            "slice(0, 3, 2)",
            "[True, False, True, False]",
            "torch.tensor([True, False, True, False])",
            "v.int()",
            "range(0, 3, 2)",
            "(0, 2)",
        ),
        odd=("[]", "slice(0, 0)", "3", "[True]", "v.float()"),
    ),
    "data.photographs.names": NAMES_OF_PHOTOS,
    "data.Photograph.image": anything(lambda: rgb_bytes()[0]),
    "data.photo_patches.names": NAMES_OF_PHOTOS,
    "data.photo_patches.size": integer(8, 1, "10**6"),
    "data.photo_patches.train_count": integer(3, 1, "10**6"),
    "data.photo_patches.test_count": integer(2, 1, "10**6"),
    "data.TabularDataset.features": floats(lambda: draw(4, 2)).but(
        misfit=("v[0]", "v[1:]", "v[:, 1:]")
    ),
    "data.TabularDataset.targets": LABELS,
    "data.TabularDataset.feature_names": sequence(
        lambda: ("a", "b"), misfit=("v[1:]", "('a', 'a')")
    ),
    "data.TabularDataset.target_name": text("class"),
    "data.TabularDataset.class_names": sequence(lambda: tuple("abcde"), misfit=("v[:2]",)),
    "data.TabularDataset.feature.name": choice("a", "b"),
    "data.TrainTest.train": anything(dataset).but(wrong=("None", "7", "'x'", "v.images")),
    "data.TrainTest.test": anything(dataset).but(wrong=("None", "7", "'x'", "v.images")),
    "data.TrainTest.statistics": Role(
        lambda: (torch.full((3,), 0.5), torch.full((3,), 0.25)),
        (
            "7",
            "'x'",
            "v[:1]",
            "(v[0], -v[1])",
            "(v[0], v[1] * 0)",
            "(v[0] * nan, v[1])",
            "(v[0][:2], v[1])",
            "(None, None)",
        ),
        same=("list(v)", "(v[0].numpy(), v[1].numpy())", "(v[0].tolist(), v[1].tolist())"),
    ),
    "data.channel_statistics.images": images(rgb),
    "data.normalize.mean": floats(lambda: torch.full((3,), 0.5), empty=False)
    .but(misfit=("v[1:]", "v[0]", "v[None]"))
    .without("v > 0.5", "v.round().long()"),
    "data.normalize.std": floats(lambda: torch.full((3,), 0.25), empty=False).but(
        misfit=("v[1:]", "v[0]", "v[None]"),
        odd=("v + 1",),
        more_wrong=("poke(v, 0)", "poke(v, -1)", "v * 0"),
    ),
    "data.color_jitter.brightness": fraction(),
    "data.color_jitter.contrast": fraction(),
    "data.color_jitter.saturation": fraction(),
    "data.compose.augmentations": Role(
        lambda: (lambda images, generator: images,), ("(7,)", "(None,)", "('x',)", "([v[0]],)")
    ),
    "data.draw_scenes.n": integer(2, 1),
    "data.draw_scenes.size": integer(16, 16, "257"),
    "data.draw_scenes.split": choice("train", "test"),
    "data.draw_scenes.classes": sequence(
        lambda: ["heart", "star"],
        "'heart'",
        "[]",
        "['heart', 'heart']",
        "['no such']",
        "[7]",
        "[None]",
        "[['heart']]",
    ),
    "data.draw_scenes.palette": choice("natural"),
    "data.draw_scenes.backgrounds": sequence(
        lambda: ["studio", "wood"], "'wood'", "[]", "['no such']", "[7]", "[['wood']]"
    ),
    "data.draw_scenes.occlusion": fraction(),
    "data.draw_scenes.clutter": integer(1, 0, "21"),
    "data.k_folds.k": integer(3, 2, "7", "10**9"),
    "data.load.name": choice("digits", "scenes", "DIGITS"),
    "data.load.split": Role(lambda: None, ("'no such'", "''", "7", "['train']", "nan", "'train'")),
    "data.load.root": anything(lambda: None, "'no such folder'"),
    "data.long_tailed.imbalance": number(2.0, "0.5", "0", "-1", "1e9").without("1e300"),
    "data.long_tailed.n_max": integer(4, 1, "7", "10**9").without("None"),
    "data.long_tailed_counts.imbalance": number(2.0, "0.5", "0", "-1", "1e9").but(
        odd=("1", "True")
    ),
    "data.long_tailed_counts.n_max": integer(8, 1, "1"),
    "data.long_tailed_counts.num_classes": integer(3, 2),
    "data.profile": choice("exponential", "step"),
    "data.random_crop.padding": integer(2, 0),
    "data.random_flip.probability": fraction(),
    "data.random_rotation.degrees": at_least(0, 8.0),
    "data.random_shift.max_pixels": integer(2, 0),
    "data.read_strokes.way": Role(
        lambda: "50 1, 30 12; 44 4",
        ("None", "7", "''", "'a b'", "'1'", "'1 2 3'", "'nan 1'", "'1 2,'", "[v]", "v.encode()"),
        odd=("' 50 1, 30 12 ; 44 4 '", "'1 2'", "'-1 1e3'", "np.str_(v)"),
    ),
    "data.resize.size": integer(4, 1).but(odd=("True", "torch.tensor([v])")),
    "data.stratified_split.parts": Role(
        lambda: [6, 3],
        (
            "None",
            "7",
            "'63'",
            "[]",
            "[0, 3]",
            "[-1, 3]",
            "[nan, 3]",
            "[inf]",
            "[99]",
            "['6', 3]",
            "[None]",
            "[[6]]",
            "[0.75, 0.5]",
            "[1.5]",
            "[0.0, 0.5]",
            "[-0.5, 1]",
        ),
        same=(
            "tuple(v)",
            "np.array(v)",
            "torch.tensor(v)",
            "iter(v)",
            "list(map(np.int64, v))",
            "[1 / 3, 1 / 6]",
        ),
        odd=("[18]", "[1.0]", "[0.01]", "[True]", "[6.0, 3.0]", "[0.5, 3]"),
    ),
    "data.to_float.images": byte_images(rgb_bytes).but(
        misfit=(),
        wrong=("None", "'x'", "7", "{}", "object()", "v.float()", "v > 9"),
        odd=("v[:0]", "v[0]", "v[0, 0, 0, 0]"),
    ),
    "data.TrainTest.normalize.images": images(rgb),
    # training
    "training.ExponentialAverage.decay": fraction(0.75, "1"),
    "training.ExponentialAverage.warm_up": switch(True),
    "training.ExponentialAverage.update.model": module(Net, "nn.Linear(2, 2)"),
    "training.ExponentialAverage.load_state_dict.state": Role(
        lambda: ExponentialAverage(Net()).state_dict(),
        (
            *STATE_OF_PLACE,
            "{'model': v['model']}",
            "v | {'model': {}}",
            "v | {'updates': -1}",
            "v | {'updates': nan}",
            "v | {'updates': 'x'}",
            "v | {'model': None}",
        ),
    ),
    "training.History.append.values": Role(
        lambda: dict(
            epoch=1,
            train_loss=0.5,
            train_accuracy=None,
            validation_loss=None,
            validation_accuracy=None,
            lr=0.1,
            seconds=1.0,
        ),
        ("{'no_such': 1}", "{'stopped': True}", "{'append': 1}"),
    ),
    "training.History.load_state_dict.state": Role(
        lambda: History().state_dict(),
        (
            "None",
            "7",
            "'x'",
            "v | {'no_such': 1}",
            "v | {'epoch': None}",
            "v | {'epoch': 7}",
            "v | {'lr': [1.0]}",
        ),
    ),
    "training.distribute.model": module(Net),
    "training.process_group.device": choice("cpu", "meta").without("None"),
    "training.process_group.timeout": positive(600.0),
    "training.RunTable.path": Role(run_table_file, PATHLIKE, same=("str(v)",)),
    "training.RunTable.keys": Role(
        lambda: {"seed": int},
        ("None", "7", "object()", "['seed']", "{'seed': 'x'}", "{7: int}"),
        odd=("{}",),
    ),
    "training.RunTable.measures": sequence(lambda: ["accuracy"], "'accuracy'", "[7]", "[None]").but(
        odd=("[]",)
    ),
    "training.RunTable.record": sequence(list, "'accuracy'", "[7]", "[None]").but(odd=("['x']",)),
    "training.RunTable.add.record": Role(
        list,
        ("None", "7", "['x']", "object()"),
        same=("tuple(v)", "np.array(v)", "iter(v)"),
    ),
    "training.RunTable.add.key": Role(
        lambda: [2],
        ("None", "7", "[]", "[0]", "[0, 1]", "object()"),
        odd=("['x']", "[nan]", "[None]", "'2'"),
        same=("tuple(v)", "np.array(v)"),
    ),
    "training.RunTable.__contains__.key": Role(
        lambda: [0],
        ("None", "7", "object()"),
        odd=("[]", "['x']"),
        same=("tuple(v)", "np.array(v)"),
    ),
    "training.RunTable.add.values": Role(
        lambda: [0.5],
        (
            "None",
            "7",
            "[]",
            "['x']",
            "[None]",
            "[0.5, 0.5]",
            "object()",
            "[[0.5]]",
            "[nan]",
            "[inf]",
            "'5'",
        ),
        same=("tuple(v)", "np.array(v)", "torch.tensor(v)", "iter(v)"),
    ),
    "training.SeedRuns.seeds": Role(
        lambda: (0, 1, 2),
        ("None", "7", "()", "(0,)", "(0, 0, 1)", "object()"),
        ("v[1:]",),
        same=("list(v)", "np.array(v)", "range(3)"),
        odd=("(0, nan, 2)", "('a', 'b', 'c')", "'abc'"),
    ),
    "training.SeedRuns.values": Role(
        lambda: (0.5, 0.25, 1.0),
        (
            "None",
            "7",
            "object()",
            "(nan, 0.5, 1)",
            "(inf, 0.5, 1)",
            "('a', 0.5, 1)",
            "(None, 0.5, 1)",
            "'abc'",
        ),
        ("v[1:]", "()"),
        same=("list(v)", "np.array(v)", "torch.tensor(v)"),
    ),
    "training.SeedRuns.__rmul__.factor": number(2.0),
    "training.UnfreezeAfter.backbone": sequence(
        lambda: [isolated(nn.Linear, 2, 2)], "[]", "[7]", "['x']", "nn.Linear(2, 2)", "{}"
    ),
    "training.UnfreezeAfter.epochs": integer(1, 1),
    "training.UnfreezeAfter.__call__.state": anything(state).but(wrong=("None", "7", "'x'")),
    "training.freeze.modules": Role(
        lambda: (Net(),), ("(7,)", "(None,)", "('x',)", "([v[0]],)", "({},)"), odd=("()",)
    ),
    "training.modules": Role(
        lambda: (Net(),), ("(7,)", "(None,)", "('x',)", "([v[0]],)"), odd=("()",)
    ),
    "training.check_optimizer.optimizer": module(optimizer),
    "training.check_optimizer.model": module(lambda: nn.Identity(), "nn.Linear(2, 2)"),
    "training.assert_frozen.optimizer": module(optimizer).without("None"),
    "training.loss_fn": function(lambda: F.cross_entropy, "None"),
    "training.fit.model": module(PAIR.model),
    "training.fit.batches": Role(
        batches,
        ("None", "7", "[]", "'x'", "iter(v)", "[7]", "[(1, 2)]", "object()", "[v[0][0]]"),
        odd=("tuple(v)", "v[:1]"),
    ),
    "training.train_one_cycle.batches": Role(
        batches,
        ("None", "7", "[]", "'x'", "iter(v)", "[7]", "[(1, 2)]", "object()"),
        odd=("tuple(v)", "v[:1]"),
    ),
    "training.fit.optimizer": module(PAIR.optimizer),
    "training.train_one_cycle.lr": LR.without("1e300"),  # Adam itself refuses it
    "training.train_one_cycle.optimizer": module(lambda: None).without("None").but(same=(), odd=()),
    "training.validation": Role(
        lambda: (rgb(), labels()),
        (
            "7",
            "'x'",
            "()",
            "(v[0],)",
            "(v[0], v[1][:2])",
            "(v[0][:0], v[1][:0])",
            "object()",
            "(None, None)",
            "(v[0], v[1] + 99)",
        ),
        same=("list(v)", "(v[0].numpy(), v[1].numpy())", "(permuted(v[0]), v[1])"),
        odd=("[v, v]", "{}", "iter([v])", "[]", "v[0]", "[(v[0],)]"),
    ),
    "training.metrics": Role(
        lambda: {"mean": lambda logits, labels: 0.5},
        (
            "7",
            "'x'",
            "[7]",
            "object()",
            "{'x': 7}",
            "{7: v['mean']}",
            "{'': v['mean']}",
            "{'x': lambda *_: 'y'}",
            "{'x': lambda *_: 1 / 0}",
            "{'x': lambda *_: None}",
        ),
        same=("dict(v)",),
        odd=("{}", "{'lr': v['mean']}"),
    ),
    "training.best": Role(lambda: None, ("7", "'x'", "object()", "nan"), odd=("'train_loss'",)),
    "training.monitor": Role(lambda: None, ("7", "'x'", "object()", "'train_loss'")),
    "training.compile": Role(lambda: False, same=("np.bool_(v)", "int(v)")),
    "training.scheduler": Role(lambda: None, ("7", "'x'", "object()")),
    "training.step_scheduler": Role(lambda: None, ("7", "'x'", "object()")),
    "training.clip_norm": positive(1.0).without("None"),
    "training.autocast": Role(
        lambda: None,
        ("7", "'x'", "torch.float32", "torch.float16", "object()", "[1]", "torch.int8"),
    ),
    "training.scaler": Role(lambda: None, ("7", "'x'", "object()")),
    "training.average": Role(lambda: None, ("7", "'x'", "object()")),
    "training.callbacks": CALLBACKS.but(more_wrong=("[lambda state: 7]",)),
    "training.checkpoint": Role(
        lambda: new_path("run"),
        ("7", "object()", "['x']", "nan"),
        same=("str(v)",),
        odd=("v / 'x' / 'y'", "v.parent", "''"),
    ),
    "training.parameter_groups.head": module(lambda: isolated(nn.Linear, 2, 2), "nn.Identity()"),
    "training.parameter_groups.backbone": module(
        lambda: isolated(nn.Linear, 3, 3), "nn.Identity()"
    ),
    "training.parameter_groups.backbone_lr": LR,
    "training.many_medium_few.per_class": Role(
        lambda: torch.tensor([0.5, 0.25, 1.0]),
        (
            "None",
            "'x'",
            "7",
            "{}",
            "object()",
            "poke(v, inf)",
            "['a']",
            "poke(v, -1)",
            "poke(v, 2)",
        ),
        ("v[1:]", "v[:, None]", "v[0]"),
        ("v.tolist()", "v.numpy()", "v.double()", "strided(v)", "v.half()"),
        odd=("v.long()", "v * nan"),
    ),
    "training.many_medium_few.many": number(4.0, "-1", inf=True)
    .but(odd=("inf", "True", "1e300"))
    .without("True"),
    "training.many_medium_few.few": number(3.0, "9", "1e9", inf=True).but(odd=("0", "-1")),
    "training.paired_difference.a": anything(runs).but(
        wrong=("None", "7", "'x'", "v.values"), misfit=("type(v)((0, 1), (1.0, 2.0))",)
    ),
    "training.paired_difference.b": anything(lambda: runs(2)).but(
        wrong=("None", "7", "'x'", "v.values"), misfit=("type(v)((0, 1), (1.0, 2.0))",)
    ),
    "training.confidences": floats(lambda: draw(6), empty=False).but(
        misfit=("v[1:]", "v[:, None]", "v[0]"), more_wrong=("poke(v, -0.1)", "poke(v, 1.1)")
    ),
    "training.right": masks(lambda: draw(6, start=1) > 0.5).but(
        misfit=("v[1:]", "v[:, None]", "v[0]")
    ),
    "training.repeat.run": function(
        lambda: float, "None", "lambda seed: nan", "lambda seed: 'x'", "lambda seed: None"
    ),
    "training.repeat.seeds": Role(
        lambda: [0, 1, 2],
        (
            "None",
            "7",
            "[]",
            "[0]",
            "[0, 0]",
            "'abc'",
            "[0.5, 1]",
            "[nan, 0]",
            "[-1, 0]",
            "[2**32, 0]",
            "[None, 1]",
        ),
        same=("tuple(v)", "iter(v)", "np.array(v)", "torch.tensor(v)", "range(3)"),
    ),
    "training.save_checkpoint.path": Role(
        lambda: new_path("new"),
        PATHLIKE,
        same=("str(v)",),
        odd=("v / 'x'", "v.parent", "''", "b'x'"),
    ),
    "training.save_checkpoint.parts": Role(
        lambda: {"numbers": torch.arange(3.0)},
        ("{'x': object()}", "{'x': lambda: 1}", "{'x': nn.Linear(2, 2)}"),
        odd=("{}", "{'x': nan}", "{'path2': [1, (2, None)]}"),
    ),
    # plotting
    "plotting.Figure.args": anything(tuple),
    "plotting.Figure.kwargs": anything(dict),
    "plotting.Figure.describe.sentence": text(),
    "plotting.confusion_matrix.counts": Role(
        lambda: torch.tensor([[5, 1], [2, 7]]),
        (
            "None",
            "'x'",
            "{}",
            "object()",
            "v * nan",
            "v.float() + 0.5",
            "-v",
            "poke(v, -1)",
            "v * inf",
            "['a']",
            "[[1], [2, 3]]",
        ),
        ("v[0]", "v[1:]", "v[None]", "v[:0, :0]", "7"),
        (
            "v.numpy()",
            "v.tolist()",
            "v.float()",
            "v.byte()",
            "v.T.T",
            "strided(v)",
            "v.numpy().astype(np.uint8)",
        ),
        ("v * 0", "v > 1", "v * 10**9"),
    ),
    "plotting.confusion_matrix.class_names": sequence(
        lambda: ["cat", "dog"], "{}", "['a', None]", misfit=("v[1:]", "[*v, 'x']", "'abc'")
    )
    .without("None")
    .but(odd=("'ab'", "['', '']", "['$x$', '$']", "['a', 'a']")),
    "plotting.curves.series": Role(
        lambda: {"adam": [0.5, 0.25, 0.125], "sgd": [[1, 2, 3], [2, 3, 5.0]]},
        (
            "None",
            "7",
            "{}",
            "[1, 2]",
            "{'a': None}",
            "{'a': 'x'}",
            "{'a': []}",
            "{'a': 7}",
            "{'a': [nan, 1, 2]}",
            "{'a': [inf, 1, 2]}",
            "{'a': [[[1, 2, 3]]]}",
            "{'a': [1j, 1, 2]}",
            "{'a': ['x', 'y', 'z']}",
            "{'a': [None, 1, 2]}",
            "object()",
            "{i: [1, 2, 3] for i in range(9)}",
        ),
        ("{'a': [1, 2]}", "{'a': [1, 2, 3], 'b': [1, 2]}"),
        (
            "{k: np.array(s) for k, s in v.items()}",
            "{k: torch.tensor(s) for k, s in v.items()}",
            "{k: torch.tensor(s, requires_grad=True) for k, s in v.items()}",
            "{k: tuple(s) for k, s in v.items()}",
        ),
        (
            "{'a': [0, 0, 0]}",
            "{'a': [1e300, 1, 2]}",
            "{'': [1, 2, 3]}",
            "{'$a': [1, 2, 3]}",
            "{'a': torch.tensor([1.0, 2, 3]).bfloat16()}",
        ),
    ),
    "plotting.curves.x": Role(
        lambda: [1, 2, 4],
        (
            "'x'",
            "7",
            "{}",
            "[nan, 1, 2]",
            "[inf, 1, 2]",
            "['a', 'b', 'c']",
            "object()",
            "[None, 1, 2]",
            "[1j, 1, 2]",
        ),
        ("v[1:]", "[v]", "[]"),
        ("tuple(v)", "np.array(v)", "torch.tensor(v)", "torch.tensor(v).float()"),
        ("[1, 1, 1]", "[3, 2, 1]"),
    ),
    "plotting.curves.yscale": choice("linear", "log"),
    "plotting.curves.xlabel": text("epoch"),
    "plotting.curves.ylabel": text("loss"),
    "plotting.feature_maps.maps": floats(lambda: draw(3, 6, 6) - 0.5).but(
        misfit=("v[0]", "v[None]", "v[:0]", "v[..., :0]"),
        odd=("v * 0", "v > 0", "v.long()", "v * 1e-30", "v * 1e30"),
    ),
    "plotting.feature_maps.titles": sequence(
        lambda: ["a", "b", "c"], "{}", "[1, None, 2]", misfit=("v[1:]", "'x'")
    )
    .without("None")
    .but(odd=("'abc'", "['$', 'b', 'c']")),
    "plotting.figure.rows": integer(1, 1),
    "plotting.figure.cols": integer(2, 1),
    "plotting.figure.width": positive(4.0).but(odd=()),
    "plotting.figure.height": positive(3.0).but(odd=()),
    "plotting.figure.left": number(0.5).but(odd=("0", "-0.125")),
    "plotting.figure.right": number(0.5).but(odd=("0", "-0.125")),
    "plotting.figure.top": number(0.5).but(odd=("0", "-0.125")),
    "plotting.figure.bottom": number(0.5).but(odd=("0", "-0.125")),
    "plotting.figure.wspace": number(0.5, optional=True).but(odd=("0", "-0.125")),
    "plotting.figure.hspace": number(0.5, optional=True).but(odd=("0", "-0.125")),
    "plotting.figure.subplots": anything(dict).but(wrong=("{'no_such_option': 1}",)),
    "plotting.image_grid.images": images(lambda: draw(3, 3, 6, 6)).but(
        more_wrong=("v * 2", "v - 1", "v.mul(255)"),
        misfit=("v[0, 0]", "v[None]", "v[:, :2]", "v[:0]", "v[..., :0]"),
        odd=("v * 0", "v.mul(255).byte()", "v > 0.5", "v[0]", "v[:, :1]"),
    ),
    "plotting.image_grid.titles": sequence(
        lambda: ["a", "b", "c"], "{}", "[1, None, 2]", misfit=("v[1:]", "'x'")
    )
    .without("None")
    .but(odd=("'abc'", "['$', 'b', 'c']")),
    "plotting.image_grid.cols": integer(2, 1).without("None"),
    "plotting.image_rows.rows": Role(
        lambda: {"before": draw(3, 1, 6, 6), "after": draw(3, 1, 6, 6)},
        (
            "None",
            "7",
            "{}",
            "[1]",
            "{'a': None}",
            "{'a': 'x'}",
            "{'a': v['after'] * nan}",
            "{'a': poke(v['after'], inf)}",
            "{'a': v['after'][:0]}",
            "{'a': v['after'].expand(3, 3, 6, 6)}",
            "{'a': v['after'][0, 0]}",
            "object()",
        ),
        ("{'a': v['after'], 'b': v['before'][1:]}",),
        (
            "{k: s.numpy() for k, s in v.items()}",
            "{k: s.tolist() for k, s in v.items()}",
            "{k: s.double() for k, s in v.items()}",
            "{k: strided(s) for k, s in v.items()}",
            "{k: permuted(s) for k, s in v.items()}",
            "{k: s[:, 0] for k, s in v.items()}",
            "{k: s.clone().requires_grad_() for k, s in v.items()}",
        ),
        ("{'$': v['after']}", "{'a': v['after'].byte()}", "{'a': v['after'] > 0.5}"),
    ),
    "plotting.image_rows.low": number(0.0, "1", "2").but(odd=("-1", "0.5", "1e-9")),
    # autograd
    "autograd.Array.value": Role(
        lambda: np.array([[0.5, 1.5], [2.0, 3.0]]),
        ("None", "'x'", "{}", "object()", "v + 1j", "['a']", "[[1], [2, 3]]"),
        same=(
            "v.tolist()",
            "tuple(map(tuple, v))",
            "torch.tensor(v)",
            "v.T.copy().T",
            "np.repeat(v, 2, 1)[:, ::2]",
        ),
        odd=("v.astype(np.float32)", "v > 1", "v.astype(np.uint8)", "7", "v[:0]"),
    ),
    "autograd.Array.inputs": anything(tuple).but(wrong=("(7,)", "(None,)", "('xyz',)")),
    "autograd.Array.other": OPERAND.but(
        wrong=("None", "'x'", "{}", "object()", "v + 1j", "['a']"),
        misfit=("v[:, :0]", "np.ones((3, 3))"),
        same=("v.tolist()", "torch.tensor(v)", "tuple(map(tuple, v))", "v.T.copy().T"),
        odd=("v.astype(np.float32)",),
    ),
    "autograd.Array.axis": DIMS.without("None"),
    "autograd.Array.keepdims": switch(),
    "autograd.Array.__getitem__.index": anything(lambda: (0, slice(None))).but(
        wrong=("99", "'x'", "0.5", "(0, 0, 0)", "object()", "{}", "[0.5]"),
        odd=("None", "...", "[]", "[1, 1]"),
        same=("0", "np.int64(0)", "-2", "np.array(0)"),
    ),
    "autograd.Array.reshape.shape": Role(
        lambda: (4,),
        ("(3,)", "('x',)", "(nan,)", "(None,)", "(-1, -1)", "(4.5,)", "(-4,)"),
        same=("(-1,)", "((4,),)", "([4],)", "(np.int64(4),)"),
    ),
    "autograd.Array.transpose.axes": Role(
        lambda: (1, 0),
        ("(0, 0)", "(0, 2)", "('x', 0)", "(0,)", "(nan, 0)", "(0, 0.5)"),
        same=("(-1, 0)", "(1, -2)", "((1, 0),)", "()", "([1, 0],)"),
    ),
    "autograd.Array.backward.gradient": Role(
        lambda: np.ones((2, 2)),
        ("'x'", "{}", "object()", "None", "v * 1j"),
        ("7", "v[0]", "v[:0]", "np.ones((2, 3))"),
        ("v.tolist()", "torch.tensor(v)", "v.astype(int)", "v.astype(np.float32)", "v.T"),
    ),
    "autograd.Array.exponent": number(2.0, inf=True).but(
        wrong=("None", "'x'", "{}", "object()", "1j"), odd=("0", "0.5", "-1", "True")
    ),
    "autograd.Scalar.exponent": number(2.0, inf=True).but(
        wrong=("None", "'x'", "{}", "object()", "1j", "nan"), odd=("0", "0.5", "-1", "True")
    ),
    "autograd.Scalar.other": number(2.0, inf=True).but(
        wrong=("None", "'x'", "{}", "object()", "1j"), odd=("True", "1")
    ),
    "autograd.Scalar.value": number(2.0, inf=True).without("nan"),
    "autograd.Scalar.inputs": anything(tuple).but(wrong=("(7,)", "(None,)")),
    "autograd.Scalar.backward.gradient": number(1.0, inf=True).without("nan"),
    "autograd.clip_gradients.max_norm": positive(0.25),
    "autograd.mask_outputs.masks": Role(
        lambda: {"conv": torch.ones(4, 1, 1)},
        (
            "None",
            "7",
            "{'no such': v['conv']}",
            "{'conv': None}",
            "{'conv': 'x'}",
            "{'conv': v['conv'] * nan}",
            "object()",
            "['conv']",
            "{'conv': torch.ones(3, 1, 1)}",
            "{7: v['conv']}",
        ),
        same=(
            "{'conv': v['conv'].numpy()}",
            "{'conv': v['conv'].tolist()}",
            "{'conv': v['conv'] > 0}",
            "{'conv': v['conv'].double()}",
        ),
        odd=("{}", "{'conv': 1}"),
    ),
    "autograd.conv2d.images": ARRAY4.but(
        same=("v.value", "v.value.tolist()", "torch.tensor(v.value)"),
        wrong=("None", "'x'", "{}", "object()"),
        odd=("v * 0",),
    ),
    "autograd.conv2d.weight": Role(
        lambda: array(2, 3, 3, 3),
        ("None", "'x'", "7", "{}", "object()"),
        ("v[0]", "v[:, :1]", "v.reshape(-1)", "v[:, :, :, :2]"),
    ).but(odd=("v.value",)),
    "autograd.conv2d.bias": Role(
        lambda: array(2),
        ("'x'", "7", "{}", "object()"),
        ("v[:1]", "v.reshape(2, 1, 1)"),
        odd=("v.value", "None"),
    ),
    "autograd.unfold.images": ARRAY4,
    "autograd.unfold.kernel": integer(3, 1, "99"),
    "autograd.sum_to_shape.gradient": Role(
        lambda: np.ones((3, 2, 4)),
        ("None", "'x'", "{}", "object()"),
        ("v[0, 0, 0]", "v[:, :1]", "v[..., :3]", "7"),
        ("v.tolist()", "torch.tensor(v)", "v.astype(np.float32)"),
        (),
    ),
    "autograd.sum_to_shape.shape": Role(
        lambda: (2, 1),
        ("None", "'x'", "nan", "{}", "object()", "(2.5, 1)", "('a', 1)"),
        ("(3, 1)", "(2, 3)", "(9, 9, 9, 9)", "(4, 2)", "7", "(-1, 1)"),
        ("list(v)", "np.array(v)", "torch.Size(v)"),
        ("()", "(1, 1)"),
    ),
    "autograd.walk_graph.output": Role(
        lambda: (torch.ones(2, requires_grad=True) * 2).sum(),
        ("None", "'x'", "7", "{}", "object()", "v.detach()"),
    ),
    "autograd.walk_graph.names": Role(
        lambda: {"a": torch.ones(2)},
        ("7", "'x'", "['a']", "{'a': 7}", "{'a': None}"),
        odd=("{}", "{7: torch.ones(1)}"),
    ),
    # optim
    "optim.params": PARAMS,
    "optim.param_group": Role(
        lambda: {"params": [nn.Parameter(draw(2))]},
        ("None", "7", "'x'", "{}", *(f"v | {{{setting}}}" for setting in GROUP_SETTINGS)),
    ),
    "optim.Adam.load_state_dict.state_dict": saved(Adam),
    "optim.RMSprop.load_state_dict.state_dict": saved(RMSprop),
    "optim.SGD.load_state_dict.state_dict": saved(SGD),
    "optim.lr": RATE,
    "optim.eps": number(0.125, "-1", inf=True),
    "optim.weight_decay": DECAY,
    "optim.momentum": DECAY,
    "optim.dampening": number(0.25, inf=True),
    "optim.alpha": number(0.75, "-0.1", "-1", inf=True).but(odd=("0", "True")),
    "optim.settings": anything(dict).but(
        wrong=("{'no_such_option': 1}", "{'foreach': True}", "{'lrs': 1}")
    ),
    "optim.step.closure": Role(lambda: None, ("7", "'x'")),
    "optim.closure": Role(lambda: None, ("7", "'x'", "object()")),
    "optim.surface": anything(lambda: SURFACES["rosenbrock"]).but(
        wrong=("None", "'rosenbrock'", "7", "v.function")
    ),
    "optim.Surface.gradient.point": floats(lambda: draw(2).double(), empty=False).but(
        misfit=("v[:1]", "v[None, None, :, None]", "v.sum()"), odd=()
    ),
    "optim.Surface.gradient.step": integer(1, 0),
    "optim.make_optimizer": function(
        lambda: lambda params, *lr: torch.optim.SGD(params, lr=0.001),
        "None",
        "lambda *_: None",
        "lambda *_: 7",
    ),
    "optim.trajectory.start": Role(
        lambda: (0.5, 0.25),
        (
            "7",
            "'ab'",
            "(1,)",
            "(1, 2, 3)",
            "(nan, 1)",
            "(inf, 1)",
            "('1', 2)",
            "(None, 1)",
            "{}",
            "object()",
            "(1j, 0)",
        ),
        same=("list(v)", "np.array(v)", "torch.tensor(v)", "torch.tensor(v, requires_grad=True)"),
    ),
    "optim.trajectory.steps": integer(2, 0),
    "optim.seeds": Role(
        lambda: [0, 1],
        ("None", "7", "[]", "[0.5]", "['a']", "[None]", "'01'", "[-1]", "object()"),
        same=("tuple(v)", "np.array(v)", "range(2)", "torch.tensor(v)"),
    ),
    "optim.sweep.task": anything(task).but(wrong=("None", "7", "'x'")),
    "optim.sweep.lrs": sequence(
        lambda: [0.125, 0.25], "[]", "[nan]", "[-1]", "['x']", "[None]", "[[0.1]]", "'1'"
    ).but(more_same=("np.array(v)", "torch.tensor(v)", "iter(v)"), odd=("[0.0]", "[inf]")),
    # losses
    "networks.ResidualNetwork.new_channels": choice("after", "around"),
    "losses.weight": floats(lambda: torch.tensor([0.5, 1.0, 2.0, 0.25, 0.75]), empty=False)
    .without("None")
    .but(
        more_wrong=("v * 0", "poke(v, -1)"),
        misfit=("v[None]", "v[0]"),
        odd=("v.round().long()", "v > 0"),
    ),
    "losses.reduction": choice("mean", "sum", "none"),
    "losses.ignore_index": integer(-100).without(
        "np.uint8(v)", "torch.tensor(v, dtype=torch.uint8)"
    ),
    "losses.tau": at_least(0, 0.5),
    "losses.gamma": at_least(0, 2.0),
    "losses.max_margin": at_least(0, 0.5),
    "losses.scale": positive(8.0),
    "losses.class_counts": counts((8, 4, 2, 2, 1)).but(misfit=()),
    "losses.loss": module(CrossEntropy),
    "losses.start": integer(2, 1),
    "losses.deferred_weights.start": integer(2, 0),
    "losses.deferred_weights.epoch": integer(2, 0).but(odd=("True", "10**30")),
    # mixing
    "mixing.alpha": positive(0.5),
    "mixing.Mix.partner": anything(labels),
    "mixing.mixup_alpha": at_least(0, 0.5),
    "mixing.cutmix_alpha": at_least(0, 0.5),
    "mixing.cutmix_minmax": Role(
        lambda: (0.25, 0.75),
        (
            "7",
            "'ab'",
            "(0.5,)",
            "(0.5, 0.5, 0.5)",
            "(0.75, 0.25)",
            "(-0.5, 0.5)",
            "(0.5, 1.5)",
            "(nan, 0.5)",
            "(0.5, nan)",
            "('0', 0.5)",
            "{}",
            "(None, 1)",
        ),
        same=("list(v)", "np.array(v)", "torch.tensor(v)"),
    ),
    "mixing.prob": fraction(),
    "mixing.switch_prob": fraction(),
    "mixing.label_smoothing": fraction(0.125),
    "mixing.mode": choice("batch", "pair", "element"),
    "mixing.batches": Role(batches, ("None", "7", "object()"), odd=("tuple(v)", "[]")),
    "mixing.mixer": function(lambda: CutMix(num_classes=_CLASSES), "None"),
    "mixing.mix": anything(mix).but(wrong=("None", "7", "'x'", "{}")),
    "mixing.fraction": fraction(),
    "mixing.center": Role(
        lambda: (2, 3),
        (
            "None",
            "7",
            "'ab'",
            "(1,)",
            "(1, 2, 3)",
            "(nan, 1)",
            "('1', 2)",
            "{}",
            "(-1, 2)",
            "(99, 2)",
            "(0.5, 1)",
        ),
        same=("list(v)", "np.array(v)", "torch.tensor(v)"),
    ),
    "mixing.height": integer(8, 1),
    "mixing.width": integer(8, 1),
    "mixing.box": Role(
        lambda: (0, 2, 0, 4),
        (
            "None",
            "7",
            "'abcd'",
            "(0, 1)",
            "(nan, 2, 0, 4)",
            "('0', 2, 0, 4)",
            "(2, 0, 0, 4)",
            "(0, 99, 0, 4)",
            "(-1, 2, 0, 4)",
            "{}",
        ),
        same=("list(v)", "np.array(v)", "torch.tensor(v)"),
        odd=("(0, 0, 0, 0)", "(0, 8, 0, 8)"),
    ),
    "mixing.draw.count": integer(4, 1),
    "mixing.count": integer(4, 1),
    "mixing.num_classes": integer(_CLASSES, 1),
    "mixing.MixedBatches.load_state_dict.state": Role(
        lambda: {"epoch": 1, "batches": {}},
        (
            *STATE_OF_PLACE,
            "v | {'epoch': -1}",
            "v | {'epoch': nan}",
            "v | {'epoch': 'x'}",
            "{'epoch': 1}",
        ),
    ),
    # networks
    "networks.in_channels": CHANNELS,
    "networks.channels": CHANNELS,
    "networks.Bottleneck.channels": integer(1, 1),
    "networks.downsample": Role(lambda: None, ("7", "'x'", "object()")),
    "networks.size": SIZE16,
    "networks.noise": integer(4, 1),
    "networks.ConvAutoencoder.images": images(gray),
    "networks.DCGANGenerator.channels": integer(4, 2, "3"),
    "networks.DCGANGenerator.size": integer(16, 4, "15"),
    "networks.DCGANDiscriminator.size": integer(16, 16, "18", "12"),
    "networks.DCGANGenerator.forward.noise": floats(lambda: draw(4, 4)),
    "networks.MLPGenerator.forward.noise": floats(lambda: draw(4, 4)),
    "networks.LeNet5.in_channels": integer(3, 1),
    "networks.LeNet5.size": integer(32, 1, "2"),
    "networks.LeNet5.forward.images": images(lambda: draw(4, 3, 32, 32)),
    "networks.ThreeBlockCNN.in_channels": integer(3, 1),
    "networks.ThreeBlockCNN.width": integer(4, 1),
    "networks.ThreeBlockCNN.forward.images": images(lambda: draw(4, 3, 16, 16)),
    "networks.batch_norm": switch(),
    "networks.widths": Role(
        lambda: (6, 4),
        ("None", "7", "'ab'", "(0,)", "(-1, 2)", "(nan, 2)", "(2.5,)", "('a',)", "{}"),
        same=("list(v)", "np.array(v)", "torch.tensor(v)"),
        odd=("()",),
    ),
    "networks.final": choice("tanh", "sigmoid"),
    "networks.in_features": integer(6, 1),
    "networks.scale": positive(2.0),
    "networks.learnable_scale": switch(),
    "networks.features": floats(lambda: draw(4, 6)),
    "networks.ResidualNetwork.depth": integer(8, 8, "9"),
    "networks.ResidualNetwork.in_channels": integer(3, 1),
    "networks.ResidualNetwork.width": integer(2, 1),
    "networks.ResidualNetwork.forward.images": images(rgb),
    "networks.resnet18.in_channels": integer(3, 1),
    "networks.MLPDiscriminator.forward.images": FLAT_IMAGES,
    "networks.DCGANDiscriminator.forward.images": images(gray),
    "networks.ConvAutoencoder.forward.images": images(gray).but(
        misfit=("v[..., None]", "v[:, 0]", "v[None]", "v.flatten(1)"), more_odd=("v[0]",)
    ),
    "networks.LinearAutoencoder.forward.images": FLAT_IMAGES,
    "networks.MLPAutoencoder.forward.images": FLAT_IMAGES,
    "networks.VAE.forward.images": FLAT_IMAGES,
    "networks.VAE.encode.images": FLAT_IMAGES,
    "networks.latents": floats(lambda: draw(4, 3)),
    "networks.VAE.sample.count": integer(2, 1),
    "networks.active_units.model": module(vae),
    "networks.active_units.images": images(gray),
    "networks.active_units.threshold": at_least(0, 0.25),
    "networks.posterior_means.model": module(vae),
    "networks.posterior_means.images": images(gray),
    "networks.adapt_stem.model": module(resnet18, "nn.Linear(2, 2)"),
    "networks.adapt_stem.kernels": choice("center", "corner"),
    "networks.replace_head.model": module(resnet18, "nn.Linear(2, 2)"),
    "networks.block_names.model": module(residual_network),
    "networks.built_parameters.name": choice("resnet18", "googlenet"),
    "networks.create_model.name": choice("resnet18"),
    "networks.create_model.pretrained": anything(lambda: False, "0", "None"),
    "networks.create_model.small": choice("center").without("None"),
    "networks.mean": floats(lambda: draw(4, 3)).but(misfit=("v[1:]", "v[0]")),
    "networks.logvar": floats(lambda: draw(4, 3) - 0.5).but(
        misfit=("v[1:]", "v[0]"), more_wrong=("v + 1e4",)
    ),
    "networks.lesion_accuracy.model": module(residual_network),
    "networks.lesion_accuracy.lesions": Role(
        lambda: [["layer2.0"], []],
        ("None", "7", "['layer2.0']", "[['no such']]", "[7]", "[[7]]", "'x'", "[['']]"),
        same=("tuple(v)", "iter(v)", "[tuple(one) for one in v]"),
        odd=("[]",),
    ),
    "networks.removed.model": module(residual_network),
    "networks.removed.blocks": Role(
        lambda: ["layer2.0"],
        ("None", "7", "'layer2.0'", "['no such']", "[7]", "['']", "[None]"),
        same=("tuple(v)", "iter(v)"),
        odd=("[]",),
    ),
    "networks.points": integer(2, 1),
    "networks.reach": positive(0.5),
    "networks.max_pool2d.stride": integer(2, 1).without("None"),
    "networks.max_pool2d.kernel": integer(2, 1, "99"),
    "networks.output": anything(vae_output).but(
        wrong=(
            "None",
            "7",
            "'x'",
            "v.decoded",
            "v._replace(mean=v.mean * nan)",
            "v._replace(logvar=v.logvar + 1e4)",
            "v._replace(decoded=v.decoded * nan)",
        ),
        same=("tuple(v)",),
    ),
    "networks.negative_elbo.images": images(gray).but(more_wrong=("v * 2", "v - 1")),
    "networks.reconstruction_loss.images": images(gray).but(
        more_wrong=("v * 2", "v - 1"),
        misfit=("v[1:]", "v[:, 0]", "v[0]"),
        odd=("v * 0", "v.round().long()"),
    ),
    "networks.decoded": images(gray).but(
        misfit=("v[1:]", "v[:, 0]", "v[0]"), odd=("v * 0", "v * 1e30")
    ),
    "networks.negative_elbo.beta": at_least(0, 1.0),
    "networks.scaling": choice("sum", "mean"),
    "networks.output_size.size": integer(8, 1),
    "networks.pca_error.latent": integer(2, 0),
    "networks.receptive_field.windows": Role(
        lambda: [(3, 1), (2, 2)],
        (
            "None",
            "7",
            "'x'",
            "[7]",
            "[()]",
            "[(0,)]",
            "[(3, 0)]",
            "[(3, 1, -1)]",
            "[(nan,)]",
            "[('3',)]",
            "[(3, 1, 0, 1, 1)]",
            "[(2.5,)]",
            "[None]",
        ),
        same=("tuple(v)", "iter(v)", "[list(one) for one in v]", "np.array(v)"),
        odd=("[]",),
    ),
    "networks.imagenet_network.name": choice("efficientnet_lite0"),
    "networks.imagenet_inputs.name": choice("efficientnet_lite0"),
    "networks.imagenet_inputs.images": byte_images(rgb_bytes).but(
        misfit=("v[0, 0]", "v[None]", "v[:, :2]")
    ),
    "networks.reconstruction_error.model": module(nn.Identity),
    "networks.reconstructions": images(rgb).but(misfit=("v[1:]", "v[:, 0]", "v[0]")),
    "networks.summed_squared_error.images": images(rgb).but(misfit=("v[1:]", "v[:, 0]", "v[0]")),
    "networks.weight": floats(lambda: draw(2, 3, 5, 5)).but(
        misfit=("v[0]", "v[..., :4]", "v[..., :3, :3]")
    ),
    "networks.small_kernels.kind": choice("center", "corner", "resized"),
    "networks.zero_last_scales.model": module(residual_network),
    "networks.zoo_table.entries": Role(
        lambda: zoo_entries()[:2],
        ("None", "7", "'x'", "[7]", "[None]"),
        same=("list(v)", "iter(v)"),
        odd=("[]",),
    ),
    "networks.plain": switch(),
    "networks.zero_init": switch(),
    # generation
    "generation.GAN.generator": module(_Points, "nn.Linear(2, 2)"),
    "generation.GAN.discriminator": module(lambda: isolated(nn.Linear, 2, 1), "nn.Identity()"),
    "generation.GAN.loss": anything(lambda: non_saturating).but(
        wrong=("None", "7", "'x'", "v.generator")
    ),
    "generation.count": integer(3, 1),
    "generation.Snapshots.noise": floats(lambda: draw(3, 2)),
    "generation.Snapshots.steps": anything(list),
    "generation.Snapshots.images": anything(list),
    "generation.Snapshots.every": integer(1, 1),
    "generation.Snapshots.__call__.step": integer(1, 0),
    "generation.noise": floats(lambda: draw(3, 2)),
    "generation.discriminator_step.real": floats(lambda: draw(3, 2)),
    "generation.count_modes.points": floats(lambda: draw(6, 2)),
    "generation.min_fraction": fraction(0.125),
    "generation.layer_features.layer": Role(
        lambda: "conv", ("None", "7", "'no such'", "['conv']", "b'conv'", "nan"), odd=("''",)
    ),
    "generation.k": integer(2, 1, "99"),
    "generation.train_gan.images": floats(lambda: draw(6, 2)),
    "generation.generator_steps": integer(1, 1),
    "generation.train_gan.batch_size": integer(2, 2),
    "generation.train_ring.steps": integer(1, 1),
    "generation.real_logits": SCORES,
    "generation.fake_logits": SCORES,
    "generation.real_scores": SCORES,
    "generation.fake_scores": SCORES,
    # attribution
    "attribution.GradCAM.layers": LAYERS.but(make=lambda: "conv", same=("nn.Parameter",)).but(
        same=(),
        odd=("['conv']", "''", "['conv', 'conv']"),
        wrong=("None", "7", "'no such'", "['no such']", "[7]", "[]", "[None]"),
    ),
    "attribution.GradCAM.__call__.classes": LABELS.without("None", "7", "v[0]").but(
        more_wrong=("-1", "99", "2.5", "True")
    ),
    "attribution.score": choice("logit", "probability"),
    "attribution.relu": switch(True),
    "attribution.curves": CURVES,
    "attribution.blurred.side": integer(3, 1, "4", "0"),
    "attribution.class_activation_maps.features": images(lambda: draw(4, 6, 3, 3)),
    "attribution.class_activation_maps.weight": floats(lambda: draw(_CLASSES, 6)).but(
        misfit=("v[:, 1:]", "v[0]", "v[None]")
    ),
    "attribution.fill": FILL,
    "attribution.baseline": FILL,
    "attribution.occlusion.side": integer(4, 1, "9"),
    "attribution.occlusion.stride": integer(2, 1, "5"),
    "attribution.integrated_gradients.steps": integer(3, 1),
    "attribution.integrated_gradients.power": at_least(1, 2.0),
    **{
        f"attribution.{name}.classes": LABELS.without("None", "7", "v[0]").but(
            more_wrong=("-1", "99", "2.5", "True")
        )
        for name in ("integrated_gradients", "occlusion")
    },
    "attribution.heat_maps.size": integer(16, 1).but(
        more_wrong=("(16,)", "(16, 16, 16)", "(0, 16)", "(nan, 16)", "('16', 16)"),
        more_same=("(v, v)", "[v, v]", "torch.Size([v, v])", "np.array([v, v])"),
    ),
    "attribution.mark_mask.size": integer(12, 12),
    "attribution.mask_iou.threshold": fraction(0.5, "1"),
    "attribution.tolerance": at_least(0, 1.0),
    "attribution.first": MAPS,
    "attribution.second": MAPS,
    "attribution.stamp.images": byte_images(rgb_bytes)
    .but(
        wrong=("None", "'x'", "7", "{}", "object()", "v.float()"),
        misfit=("v[0]", "v[1:]", "v[..., :8]", "v[..., :8, :]"),
    )
    .without("v[..., :0]", "v[..., :1]"),
    "attribution.chosen": masks(lambda: torch.tensor([True, False, True, False])),
    "attribution.strength": fraction(0.5),
    # explorables
    "explorables.buttons.options": sequence(
        lambda: ["a", "b"], "[]", "['a']", "['a', 'a']", "{}", "'a'"
    ).but(odd=("'ab'", "[1, 2.5]", "[None, 1]", "{'x': 1, 'y': 2}", "[[1], [2]]", "[nan, 1]")),
    "explorables.dropdown.options": sequence(
        lambda: ["a", "b"], "[]", "['a']", "['a', 'a']", "{}", "'a'"
    ).but(odd=("'ab'", "[1, 2.5]", "[None, 1]", "{'x': 1, 'y': 2}", "[[1], [2]]", "[nan, 1]")),
    "explorables.buttons.start": Role(
        lambda: "b", ("'c'", "7", "nan", "['b']", "object()"), odd=("None",)
    ),
    "explorables.dropdown.start": Role(
        lambda: "b", ("'c'", "7", "nan", "['b']", "object()"), odd=("None",)
    ),
    "explorables.slider.low": number(0.0, "2", "1", "0.3", "1e9").but(
        odd=("-1", "0.25", "True"),
        same=("np.float64(v)", "np.float32(v)", "torch.tensor(v)", "int(v)"),
    ),
    "explorables.slider.high": number(1.0, "0", "-1", "0.3", "1e-9").but(
        odd=("2", "100", "True"), more_wrong=("1e9", "1e300")
    ),
    "explorables.slider.step": number(0.25, "0", "-1", "0.3", "3", "1e9").but(
        odd=("1", "0.5"), more_wrong=("1e-9", "5e-324")
    ),
    "explorables.slider.start": number(0.5, "2", "-1", "0.3").without("None").but(odd=("0", "1")),
    "explorables.slider_over.start": Role(
        lambda: 2, ("9", "'x'", "nan", "[2]", "object()"), odd=("None", "2.0")
    ),
    "explorables.slider_over.values": sequence(
        lambda: [1, 2, 4], "[]", "[1]", "[1, 1]", "'a'", "{}", "[nan, 2]", "[2, inf]"
    ).but(odd=("[2, 'a']", "[4, 2, 1]", "[2, None]"), more_same=("np.array(v)", "iter(v)")),
    "explorables.unit": text("px"),
    "explorables.play": switch(),
    "explorables.toggle.start": switch(True),
    "explorables.draw": function(
        lambda: picture, "None", "lambda: 7", "lambda k: 7", "lambda k: None"
    ),
    "explorables.explore.start": Role(
        lambda: {"k": 2},
        ("7", "'x'", "{'k': 99}", "{'no_such': 1}", "{'k': nan}", "{'k': None}", "['k']"),
        odd=("{}", "None"),
    ),
    "explorables.explore.name": text("line"),
    "explorables.controls": Role(
        lambda: {"k": (1, 3)},
        (
            "{}",
            "{'k': None}",
            "{'k': 7}",
            "{'k': 'x'}",
            "{'k': (1,)}",
            "{'k': (3, 1)}",
            "{'k': (0, nan)}",
            "{'k': (0, inf)}",
            "{'k': (1, 3, 0)}",
            "{'k': []}",
            "{'k': [1]}",
            "{'no_such': (1, 3)}",
            "{'k': (1, 3), 'l': (1, 3)}",
            "{'k': (0, 10**9)}",
            "{'k': ('a', 'b')}",
            "{'k': object()}",
            "{'k': (1, 3, 2, 1)}",
        ),
        same=("{'k': [2, 1, 3]}",),
    ),
}
del ROLES["x.room"]
