"""Gradients through depth and through a hook that scales them: measured, then drawn."""

import math
from collections.abc import Callable
from contextlib import ExitStack

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.autograd.hooks import clip_gradients, gradients, scale_gradients
from glassbox.plotting.colors import BLUE, MUTED, OCHRE, RUST
from glassbox.plotting.figures import Figure, drawing, figure, on_phone

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "none": lambda x: x,
    "ReLU": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}
_OPTIMIZERS = {
    "SGD": lambda parameters: torch.optim.SGD(parameters, lr=0.1),
    "Adam": lambda parameters: torch.optim.Adam(parameters, lr=0.01),
}
_WIDTH = 32  # units of each layer


class Tower(nn.Module):
    """Linear layers of one width, each followed by an activation; residual ones add to their input.

    The weights have variance 1 / 32, so that a linear layer on its own preserves the size
    of its input.
    """

    def __init__(self, depth: int, activation: str, residual: bool) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(_WIDTH, _WIDTH, bias=False) for _ in range(depth))
        for layer in self.layers:
            nn.init.normal_(layer.weight, std=_WIDTH**-0.5)
        self.activation, self.residual = _ACTIVATIONS[activation], residual

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, 32)`` to ``(B, 32)``."""
        for layer in self.layers:
            x = x * self.residual + self.activation(layer(x))
        return x


def gradient_norms(depth: int, activation: str, residual: bool, seeds: int = 5) -> Tensor:
    """Measure the gradient at the output of each layer of an untrained :class:`Tower`.

    The norms are ``(seeds, depth)``, first layer first; each seed has its own weights and inputs.
    """
    with torch.random.fork_rng(devices=[]):
        return torch.stack([_norms(depth, activation, residual, seed) for seed in range(seeds)])


def _norms(depth: int, activation: str, residual: bool, seed: int) -> Tensor:
    torch.manual_seed(seed)
    tower = Tower(depth, activation, residual).double()  # float32 would underflow to 0
    inputs, labels = torch.randn(16, _WIDTH).double(), torch.randint(_WIDTH, (16,))
    names = [f"layers.{i}" for i in range(depth)]
    with gradients(tower, names) as seen:
        F.cross_entropy(tower(inputs), labels).backward()
    return torch.stack([seen[name][0].norm() for name in names])


@drawing
def show_gradient_norms(norms: Tensor, activation: str, residual: bool) -> Figure:
    """Draw the norms that :func:`gradient_norms` measured over the layers."""
    depth = norms.shape[1]
    middle = norms.log().mean(dim=0).exp()
    ratio = float(middle[0] / middle[-1])
    color = BLUE if 0.01 < ratio < 100 else RUST
    fig, ax = figure(height=3.5, left=0.85)
    layers = torch.arange(1, depth + 1)
    ax.fill_between(layers, norms.amin(0), norms.amax(0), color=color, alpha=0.18, linewidth=0)
    size = 4 if depth > 20 else 5.5
    ax.plot(layers, middle, color=color, marker="o", markersize=size)
    ax.set(yscale="log", ylim=(1e-14, 1e4), xlim=(0, 41), xlabel="layer, from the input on")
    ax.set(ylabel="norm of the gradient")
    ax.set_yticks([1e-12, 1e-8, 1e-4, 1, 1e4], ["10⁻¹²", "10⁻⁸", "10⁻⁴", "1", "10⁴"])
    ax.minorticks_off()
    ax.axhline(float(middle[-1]), color=MUTED, linestyle="--", linewidth=1)
    said = f"Layer 1 gets {_times(ratio)} the gradient of layer {depth}"
    ax.set_title(said, color=color)
    links = "with" if residual else "without"
    fig.describe(
        f"Norm of the gradient over {depth} layers with activation {activation}, {links} residual "
        f"links, on a logarithmic scale. {said}."
    )
    return fig


def _times(ratio: float) -> str:
    """Write a ratio with a power of ten where that is shorter."""
    if ratio < 1e-3 or ratio >= 1e4:
        power = math.floor(math.log10(ratio))
        digits = str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return f"{ratio / 10**power:.0f} × 10{digits} times"
    return f"{ratio:.2g} times" if ratio < 100 else f"{ratio:.0f} times"


def training_losses(
    images: Tensor, labels: Tensor, factor: float, optimizer: str, clip: bool, steps: int = 60
) -> Tensor:
    """Train a small network while a hook scales all gradients, and return its ``(steps,)`` losses.

    The images are ``(N, 64)``, the optimizer is ``"SGD"`` or ``"Adam"``; with ``clip`` a second
    hook clips each parameter's gradient to norm 1.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        order = torch.randint(len(images), (steps, 128))
    stepper = _OPTIMIZERS[optimizer](model.parameters())
    losses = []
    with ExitStack() as stack:
        stack.enter_context(scale_gradients(model, [""], factor))
        if clip:
            stack.enter_context(clip_gradients(model, 1.0))
        for batch in order:
            loss = F.cross_entropy(model(images[batch]), labels[batch])
            stepper.zero_grad()
            loss.backward()
            stepper.step()
            losses.append(loss.detach())
    return torch.stack(losses)


@drawing
def show_training_losses(losses: Tensor, plain: Tensor, factor: float, settings: str) -> Figure:
    """Draw training losses ``(steps,)`` with a hook beside the plain ones without it.

    ``settings`` name optimizer and clipping in the title.
    """
    fig, ax = figure(height=3.5)
    steps = torch.arange(1, len(plain) + 1)
    ax.plot(steps, plain, color=MUTED, linestyle="--", linewidth=1.4)
    ax.text(steps[-1] + 0.8, float(plain[-1]), "no hook", color=MUTED, size=9, va="center")
    ax.plot(steps, losses.clamp(max=1e3), color=OCHRE if factor != 1 else BLUE)
    ax.set(yscale="log", xlim=(0, 67), ylim=(0.03, 30), xlabel="step", ylabel="training loss")
    ax.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
    ax.minorticks_off()
    last, before = losses[-10:].mean().item(), plain[-10:].mean().item()
    ax.set_title(f"{settings}: gradient × {factor:g}")
    words = f"{last:.2f} with the hook, {before:.2f} without" if last < 1e4 else "it diverges"
    note = f"last ten steps:{chr(10) if on_phone() else ' '}{words}"
    ax.text(0.98, 0.93, note, transform=ax.transAxes, ha="right", color=MUTED)
    fig.describe(
        f"Training loss over {len(plain)} steps, {settings}, with the gradient multiplied by "
        f"{factor:g}, beside the plain run. Mean of the last ten steps: {words}."
    )
    return fig
