"""What readers change between two runs of a script: what is refused, and what makes no difference.

Each script is run for an epoch, and again, as another process would. Where both are the same
training, the second one ends bit for bit as one that was never interrupted.
"""

import copy

import pytest
import torch

from glassbox.training import fit, load_checkpoint

BEGIN = """
import argparse, collections, functools, random, sys, types
from dataclasses import dataclass
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, RandomSampler, Subset, TensorDataset
from glassbox.data import Batches
from glassbox.losses import DeferredReweighting, LDAMLoss
from glassbox.training import ExponentialAverage, UnfreezeAfter

torch.manual_seed(0), random.seed(0), np.random.seed(0)
images = torch.rand(12, 4, generator=torch.Generator().manual_seed(1))
labels = torch.arange(12) % 3
data, options, rate = TensorDataset(images, labels), {}, 0.1
model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.3), nn.Linear(8, 3))
loss_fn = F.cross_entropy
make_optimizer = lambda parameters: torch.optim.SGD(parameters, lr=rate, momentum=0.9)
"""
END = """
batches = globals().get("batches") or DataLoader(data, 4, shuffle=True)
optimizer = make_optimizer([*model.parameters()])
"""


def run(script, path, epochs):
    """Run a script of a reader, and give all that it ends with."""
    made = {"__name__": "script"}
    exec(BEGIN + script + END, made)
    parts = [made[name] for name in ("model", "batches", "optimizer")]
    options = {"loss_fn": made["loss_fn"], "checkpoint": path, "progress": False}
    history = fit(*parts, epochs=epochs, **options, **made["options"])
    model, optimizer = made["model"].state_dict(), made["optimizer"].state_dict()
    model = {name.removeprefix("_orig_mod."): value for name, value in model.items()}
    return history, copy.deepcopy([model, optimizer]), torch.rand(3)


def assert_resumes(tmp_path, script, other, epochs=3):
    run(script, tmp_path / "run.pt", 1)
    resumed, straight = run(other, tmp_path / "run.pt", epochs), run(script, None, epochs)
    assert resumed[0] == straight[0]
    torch.testing.assert_close(resumed[1:], straight[1:], rtol=0, atol=0)


LOSS = "def loss_fn(x, y): return F.cross_entropy(x, y) * "
CALLED = """
class Loss:
    def __init__(self, scale): self.scale = scale
    def __call__(self, x, y): return self.inner(x, y) * self.scale
    def inner(self, x, y): return F.cross_entropy(x, y)
    def plot(self): return "nothing"
loss_fn = Loss(0.5)
"""
NETWORK = """
class Net(nn.Module):
    slope = 0.1
    def __init__(self):
        super().__init__()
        self.body, self.seen = nn.Linear(4, 3), None
    def forward(self, x): return F.leaky_relu(self.body(x), self.slope)
    def show(self): print("a network")
model = Net()
"""
DATASET = """
class Data(Dataset):
    def __init__(self, scale, folder): self.scale, self.cache = scale, {}
    def __len__(self): return 12
    def __getitem__(self, i):
        if i not in self.cache: self.cache[i] = images[i] * self.scale, labels[i]
        return self.cache[i]
data = Data(2.0, "here")
"""
TEACHER = """
torch.manual_seed(3)
teacher = nn.Linear(4, 3)
reference = torch.ones(4, 4)
class Distilled(nn.Module):
    def __init__(self):
        super().__init__()
        self.teacher = teacher.requires_grad_(False)
    def forward(self, x, y): return F.cross_entropy(x, y) + self.teacher(reference).square().mean()
loss_fn = Distilled()
"""
CLOSED_TEACHER = TEACHER.replace(
    "loss_fn = Distilled()", "inner = Distilled()\nloss_fn = lambda x, y: inner(x, y)"
)
OWN_BATCHES = """
class Own:
    def __init__(self): self.epoch, self.order = 0, [0, 1, 2]
    def __len__(self): return 3
    def __iter__(self):
        self.epoch += 1
        for i in self.order: yield images[4 * i : 4 * i + 4] * self.epoch, labels[4 * i : 4 * i + 4]
batches = Own()
"""
SHUFFLED = OWN_BATCHES.replace("self.epoch += 1", "random.shuffle(self.order)")
OPTIONS = "args = argparse.Namespace(scale=0.5, epochs=1, folder='a')\n"

REFUSED = {  # the script, what is changed in it to what, and what the message names
    "a constant": (LOSS + "0.5", ("0.5", "0.6"), "loss_fn.constants is 0.5, expected 0.6"),
    "a global": ("A = 0.5\n" + LOSS + "A", ("0.5", "0.6"), "loss_fn.A is 0.5, expected 0.6"),
    "a global tensor": (
        "W = torch.ones(3)\ndef loss_fn(x, y): return F.cross_entropy(x, y, W)",
        ("ones(3)", "tensor([1, 2, 1.0])"),
        r"loss_fn.W is torch.float32 \(3,\) \[1.0, 1.0, 1.0\], expected",
    ),
    "a function that a function calls": (
        "def scale(): return 0.5\n" + LOSS + "scale()",
        ("0.5", "0.6"),
        "loss_fn.scale.constants is 0.5, expected 0.6",
    ),
    "a cached function": (
        "@functools.cache\ndef scale(): return 0.5\n" + LOSS + "scale()",
        ("0.5", "0.6"),
        "loss_fn.scale.__wrapped__.constants is 0.5, expected 0.6",
    ),
    "an option": (OPTIONS + LOSS + "args.scale", ("0.5", "0.6"), "loss_fn.args.scale is 0.5, exp"),
    "an option in a closure": (
        OPTIONS + "def made(args): return lambda x, y: F.cross_entropy(x, y) * args.scale\n"
        "loss_fn = made(args)",
        ("0.5", "0.6"),
        "loss_fn.args.scale is 0.5, expected 0.6",
    ),
    "all options": (
        OPTIONS + "def scale(a): return a.scale\n" + LOSS + "scale(args)",
        ("0.5", "0.6"),
        "loss_fn.args.scale is 0.5, expected 0.6",
    ),
    "a dict of options": (
        "C = {'loss': {'scale': 0.5}, 'epochs': 1}\n" + LOSS + "C['loss']['scale']",
        ("0.5", "0.6"),
        "loss_fn.C.loss.scale is 0.5, expected 0.6",
    ),
    "a class of options": (
        "class CFG:\n    scale = 0.5\n" + LOSS + "CFG.scale",
        ("0.5", "0.6"),
        "loss_fn.CFG.scale is 0.5, expected 0.6",
    ),
    "a dataclass of options": (
        "@dataclass\nclass C:\n    scale: float\nc = C(0.5)\n" + LOSS + "c.scale",
        ("0.5", "0.6"),
        "loss_fn.c.scale is 0.5, expected 0.6",
    ),
    "a setting of a loss": (CALLED, ("Loss(0.5)", "Loss(0.6)"), "loss_fn.scale is 0.5, expected"),
    "a method": (CALLED, ("return F.cr", "return 2 * F.cr"), "loss_fn.inner.constants is none, e"),
    "slots": (
        CALLED.replace("class Loss:", "class Loss:\n    __slots__ = ('scale',)"),
        ("Loss(0.5)", "Loss(0.6)"),
        "loss_fn.scale is 0.5, expected 0.6",
    ),
    "a bound method": (
        CALLED + "loss_fn = loss_fn.__call__",
        ("Loss(0.5)", "Loss(0.6)"),
        "loss_fn.__self__.scale is 0.5, expected 0.6",
    ),
    "a method that a reader calls": (
        "class P:\n    def __init__(self, k): self.k = k\n    def scale(self): return self.k\n"
        "p = P(0.5)\n" + LOSS + "p.scale()",
        ("return self.k", "return 2 * self.k"),
        "loss_fn.p.scale.__func__.constants is none, expected 2",
    ),
    "a method of a base class": (
        NETWORK + "class Sub(Net):\n    def forward(self, x): return super().forward(x)\n"
        "model = Sub()",
        ("F.leaky_relu", "F.rrelu"),
        "model.Net.forward.code is checksum",
    ),
    "a backward": (
        "class Fn(torch.autograd.Function):\n    @staticmethod\n"
        "    def forward(ctx, x): return x.clone()\n    @staticmethod\n"
        "    def backward(ctx, g): return g * 2\n"
        "def loss_fn(x, y): return F.cross_entropy(Fn.apply(x), y)",
        ("g * 2", "g * 3"),
        "loss_fn.Fn.apply.__self__.backward.constants is 2, expected 3",
    ),
    "a step of an optimizer": (
        "class Own(torch.optim.SGD):\n"
        "    def __init__(self, parameters): super().__init__(parameters, 0.1); self.rho = 0.5\n"
        "make_optimizer = Own",
        ("0.5", "0.6"),
        "optimizer.rho is 0.5, expected 0.6",
    ),
    "a forward": (NETWORK, ("F.leaky_relu", "F.rrelu"), "model.forward.code is checksum"),
    "an attribute of a class": (NETWORK, ("0.1", "0.2"), "model.slope is 0.1, expected 0.2"),
    "a deque": (
        "d = collections.deque([0.5], 3)\n" + LOSS + "d[0]",
        ("0.5", "0.6"),
        r"loss_fn.d.items is \[0.5\], expected \[0.6\]",
    ),
    "a slice": (
        "s = slice(0, 2)\n" + LOSS + "x[s].mean().detach()",
        ("0, 2", "0, 3"),
        r"loss_fn.s.args is \(0, 2, None\), expected",
    ),
    "a sparse tensor": (
        "m = torch.eye(3).to_sparse()\n" + LOSS + "m.to_dense().sum()",
        ("eye(3)", "diag(torch.tensor([1, 2, 1.0]))"),
        r"loss_fn.m.args\[1\]\[1\] is torch.float32 \(3,\) \[1.0, 1.0, 1.0\], exp",
    ),
    "a subset": ("data = Subset(data, range(8))", ("(8)", "(9)"), r"indices is range\(0, 8\), e"),
    "one of many samples": (
        "pairs = [(images[i % 12], i % 3) for i in range(2000)]\n"
        "pairs[7] = images[0], 1\nbatches = DataLoader(pairs, 1000)",
        ("images[0], 1", "images[1], 1"),
        r"batches.dataset\[:\]\[0\] is list of 2000, checksum",
    ),
    "a setting of a data set": (DATASET, ("2.0", "3.0"), "batches.dataset.scale is 2, expected 3"),
    "a weight of a class": (
        "loss_fn = nn.CrossEntropyLoss(torch.tensor([1.0, 1.0, 2.0]))",
        ("2.0", "3.0"),
        r"loss_fn.weight is torch.float32 \(3,\) \[1.0, 1.0, 2.0\], exp",
    ),
    "a teacher": (TEACHER, ("seed(3)", "seed(4)"), "loss_fn.teacher.weight is torch.float32"),
    "a teacher in a closure": (
        CLOSED_TEACHER,
        ("seed(3)", "seed(4)"),
        "loss_fn.inner.teacher.weight is torch.float32",
    ),
    "a rate": ("rate = 0.1", ("0.1", "0.2"), r"optimizer.*lr is 0.1, expected 0.2"),
    "epochs of a callback of the package": (
        "options['callbacks'] = [UnfreezeAfter([model[0]], epochs=2, lr=0.01)]",
        ("epochs=2", "epochs=3"),
        r"callbacks\[0\].epochs is 2, expected 3",
    ),
    "what hides behind a name": (
        "class D(dict):\n    __getattr__ = dict.get\nd = D(scale=0.5)\n" + LOSS + "d.scale",
        ("0.5", "0.6"),
        "loss_fn.d.scale is 0.5, expected 0.6",
    ),
    "600 functions": (
        "f = lambda: 0.5\nfor _ in range(600): f = (lambda g: lambda: g())(f)\n" + LOSS + "f()",
        ("0.5", "0.6"),
        r"loss_fn.f(\.g){600}.constants is 0.5, expected 0.6",
    ),
    # What moves in a training and is not brought back. Nothing is changed in the script.
    "a counter": (
        CALLED.replace("def __call__(self, x, y):", "def __call__(self, x, y): self.scale += 1;"),
        ("", ""),
        "loss_fn.scale is 3.5, expected 0.5",
    ),
    "a global counter": (
        "n = 0\ndef loss_fn(x, y):\n    global n\n    n += 1\n    return F.cross_entropy(x, y) * n",
        ("", ""),
        "loss_fn.n is 3, expected 0",
    ),
    "a counter of batches": (OWN_BATCHES, ("", ""), "batches.epoch is 1, expected 0"),
    "an order of batches": (SHUFFLED, ("", ""), r"batches.order is \[.*\], expected \[0, 1, 2\]"),
    "a generator of batches": (
        "sampler = RandomSampler(data, generator=torch.Generator())\n"
        "batches = DataLoader(data, 4, sampler=sampler)",
        ("", ""),
        r"batches.sampler.generator.get_state\(\) is checksum",
    ),
    "a generator beside a saved order": (
        "class Noisy(Batches):\n    g = torch.Generator()\n"
        "    def __iter__(self):\n        for x, y in super().__iter__():\n"
        "            yield x + torch.rand(4, generator=self.g), y\n"
        "batches = Noisy(images, labels, 4)",
        ("", ""),
        r"batches.g.get_state\(\) is checksum",
    ),
    "a generator of NumPy": (
        "g = np.random.default_rng(0)\n" + LOSS + "g.random()",
        ("", ""),
        r"loss_fn.g.*state is .*, expected",
    ),
}


@pytest.mark.parametrize("script, change, message", REFUSED.values(), ids=REFUSED)
def test_what_decides_the_course_is_refused_by_name(tmp_path, script, change, message):
    path = tmp_path / "run.pt"
    run(script, path, 1)
    content = path.read_bytes()
    other = script.replace(*change)
    assert (other != script) == (change != ("", ""))
    with pytest.raises(ValueError, match=f"run.pt is of another training: .*{message}"):
        run(other, path, 2)
    assert path.read_bytes() == content


TRACKED = """
class Tracked(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.ones(()))
    def forward(self, x, y):
        loss = F.cross_entropy(x, y)
        self.mean.lerp_(loss.detach(), 0.1)
        return loss / self.mean
loss_fn = Tracked()
"""
WITH_STATE = """
class Counting:
    n = 0
    def __call__(self, x, y): self.n += 1; return F.cross_entropy(x, y) * self.n
    def state_dict(self): return {"n": self.n}
    def load_state_dict(self, state): self.n = state["n"]
loss_fn = Counting()
"""
WATCHED = """
import time
class Watch:
    def __init__(self, folder): self.started, self.folder = time.time(), folder
    def __call__(self, state): self.epoch = len(state.history); print(end="a")
options["callbacks"] = [Watch("one"), lambda state: print(end="a")]
"""
VALIDATED = """
options["validation"] = images, labels
"""
IMAGES = """
import pathlib
from PIL import Image
from torchvision.datasets import ImageFolder
from torchvision.transforms import functional
for i in range(12):
    file = pathlib.Path("FOLDER/one") / str(i % 3) / f"{i}.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (2, 2), 9 * i).save(file)
data = ImageFolder("FOLDER/one", lambda image: functional.to_tensor(image)[0].reshape(4))
"""
EPOCH_LOSS = """
ldam = DeferredReweighting(LDAMLoss((8, 4, 1), scale=3.0), (8, 4, 1), start=1)
def loss_fn(x, y): return ldam(x, y)
loss_fn.set_epoch = ldam.set_epoch
"""

ACCEPTED = {  # the script, and what is changed in it to what
    "nothing": ("", ("", "")),
    "another seed": ("torch.manual_seed(1), random.seed(1)", ("1", "2")),
    "callbacks": (WATCHED, ("one", "two")),
    "what callbacks print": (WATCHED, ('print(end="a")', 'print(end="b")')),
    "one more callback": ("options['callbacks'] = []", ("[]", "[lambda state: None]")),
    "whole numbers": ("options['clip_norm'] = 1", ("1", "1.0")),
    "a scalar of NumPy": ("rate = 0.1", ("0.1", "np.float64(0.1)")),
    "a copy": (VALIDATED, ("images, labels", "images.clone(), labels.clone()")),
    "pinned memory": (
        "batches = DataLoader(data, 4, shuffle=True, pin_memory=False)",
        ("False", "torch.cuda.is_available()"),
    ),
    "workers": ("batches = DataLoader(data, 4, shuffle=True, num_workers=0)", ("=0", "=1")),
    "a compiled model": ("", ("", "model = torch.compile(model, backend='eager')")),
    "a model no longer compiled": (
        "model = torch.compile(model, backend='eager')",
        ("model = torch.compile(model, backend='eager')", ""),
    ),
    "a compiled average": (
        "options['average'] = ExponentialAverage(model)",
        ("options", "model = torch.compile(model, backend='eager')\noptions"),
    ),
    "other options": (OPTIONS + LOSS + "args.scale", ("folder='a'", "folder='b'")),
    "options of a module": (
        OPTIONS + NETWORK.replace("super()", "self.args = args; super()"),
        ("epochs=1", "epochs=2"),
    ),
    "other entries": ("C = {'s': 0.5, 'epochs': 1}\n" + LOSS + "C['s']", ("': 1", "': 2")),
    "a method that does not run": (CALLED, ('"nothing"', '"something"')),
    "a method of a network that does not run": (NETWORK, ("a network", "Net")),
    "a docstring": (LOSS.replace("return", "'What'; return") + "2", ("'What'", "'Else'")),
    "a folder that moved": (IMAGES, ('/one", lambda', '/./one", lambda')),
    "a cache of images": (DATASET, ("", "")),
    "a file opened when it is needed": (
        DATASET.replace("{}\n", "{}; self.file = None\n").replace(
            "if i", "self.file = self.file or open(__import__('os').devnull)\n        if i"
        ),
        ("", ""),
    ),
    "a property that is kept": (
        DATASET.replace(
            "def __len__",
            "@functools.cached_property\n    def mean(self): return images.mean()\n    def __len__",
        ).replace("* self.scale", "- self.mean"),
        ("", ""),
    ),
    "what a network keeps": (
        NETWORK.replace("return", "self.seen = self.body(x).detach(); return"),
        ("", ""),
    ),
    "a log": ("log = []\n" + LOSS + "(log.append(x.sum().item()) or 1)", ("", "")),
    "statistics of a loss": (TRACKED, ("", "")),
    "a loss with a state": (WITH_STATE, ("", "")),
    "a loss that follows the epochs": (EPOCH_LOSS, ("", "")),
    "a global generator": (LOSS + "random.random() * np.random.rand() * torch.rand(())", ("", "")),
    "one imported by name": (
        "from random import gauss\nrandom.seed(1)\n" + LOSS + "gauss(1, 0.1)",
        ("seed(1)", "seed(2)"),
    ),
}


@pytest.mark.parametrize("script, change", ACCEPTED.values(), ids=ACCEPTED)
def test_what_is_harmless_ends_bit_for_bit_as_without_an_interruption(tmp_path, script, change):
    script = script.replace("FOLDER", str(tmp_path))
    other = script.replace(*change) if change[0] else script + change[1]
    assert (other != script) == (change != ("", ""))
    assert_resumes(tmp_path, script, other)


def test_a_schedule_with_scalars_of_numpy_is_saved_as_numbers(tmp_path):
    script = """
def make_optimizer(parameters):
    optimizer = torch.optim.SGD(parameters, lr=np.float32(0.125))
    steps = np.array([1, 2])
    options["scheduler"] = torch.optim.lr_scheduler.MultiStepLR(optimizer, steps, np.float64(0.5))
    return optimizer
"""
    assert_resumes(tmp_path, script, script)
    parts = load_checkpoint(tmp_path / "run.pt")
    assert type(parts["optimizer"]["param_groups"][0]["lr"]) is float
    assert [*map(type, parts["scheduler"]["milestones"])] == [int, int]


def test_workers_that_outlive_an_epoch_are_refused_before_the_training(tmp_path):
    script = "batches = DataLoader(data, 4, num_workers=1, persistent_workers=True)"
    with pytest.raises(ValueError, match="batches has persistent_workers=True, expected False"):
        run(script, tmp_path / "run.pt", 1)
    assert len(run(script, None, 1)[0]) == 1


def test_more_workers_are_refused_where_samples_may_be_random(tmp_path):
    script = DATASET + "batches = DataLoader(data, 4, num_workers=0)"
    run(script, tmp_path / "run.pt", 1)
    with pytest.raises(ValueError, match=r"batches\.num_workers is 0, expected 1"):
        run(script.replace("num_workers=0", "num_workers=1"), tmp_path / "run.pt", 2)


def test_the_same_objects_go_on_with_a_generator_that_has_drawn_within_an_epoch(tmp_path):
    script = "batches = DataLoader(data, 4, shuffle=True, generator=torch.Generator())"
    made = {"__name__": "script"}
    exec(BEGIN + script + END, made)
    steps = iter(range(99))

    def stop(*_):
        if next(steps) == 4:  # in the second epoch
            raise KeyboardInterrupt

    handle = made["model"].register_forward_pre_hook(stop)
    parts = [made[name] for name in ("model", "batches", "optimizer")]
    options = {"epochs": 3, "checkpoint": tmp_path / "run.pt", "progress": False}
    with pytest.raises(KeyboardInterrupt):
        fit(*parts, **options)
    handle.remove()
    assert fit(*parts, **options) == run(script, None, 3)[0]
