"""Ways to use a small ResNet that was trained on something else, for tasks with few labels."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from glassbox.chapters.pretraining.tasks import upstream_scenes, upstream_statistics
from glassbox.data.batches import Batches
from glassbox.data.pixels import normalize
from glassbox.data.train_test import TrainTest
from glassbox.networks.residual import ResidualNetwork
from glassbox.support.seeds import isolated_seed
from glassbox.training.evaluation import evaluate
from glassbox.training.freezing import check_optimizer, freeze, train_keeping_frozen, unfreeze
from glassbox.training.processes import (
    distribute,
    process_device,
    process_share,
    weigh_by_images,
)
from glassbox.training.recipes import train_one_cycle


@dataclass(frozen=True)
class Arm:
    """One way to use a network that was trained on something else.

    Args:
        upstream: What it was trained on, ``"things"`` or ``"grounds"``; ``None`` for weights of
            chance.
        lr: Learning rate of Adam.
        thawed_lr: The rate of everything after the thaw; 0 if the backbone stays frozen, ``None``
            if it is never frozen.
    """

    upstream: str | None
    lr: float
    thawed_lr: float | None = None


# Each rate is the best of six on a seed that is not compared: `--part rates` of the study.
ARMS = {
    "scratch": Arm(None, 1e-3),
    "probe": Arm("things", 1e-1, 0.0),
    "thawed": Arm("things", 3e-2, 3e-3),
    "fine-tuned": Arm("things", 3e-3),
    "probe, grounds": Arm("grounds", 3e-1, 0.0),
    "fine-tuned, grounds": Arm("grounds", 3e-3),
}


def pretrain(kind: str, seed: int, *, n: int = 7500, epochs: int = 8) -> ResidualNetwork:
    """Train a ResNet-8 on upstream scenes.

    Args:
        kind: ``"things"`` or ``"grounds"``.
        seed: Decides scenes, weights and order.
        n: Number of scenes.
        epochs: How often they are seen.
    """
    scenes = upstream_scenes(kind, n, seed=seed)
    with isolated_seed(seed):
        model = ResidualNetwork(8, num_classes=scenes.num_classes)
    images = normalize(scenes.images, *upstream_statistics())
    batches = Batches(images, scenes.labels, 64, seed=seed, **process_share())
    optimizer = torch.optim.SGD(model.parameters(), 0.2, 0.9, weight_decay=1e-4, nesterov=True)
    options = {"optimizer": optimizer, "progress": False}
    train_one_cycle(distribute(model), batches, epochs=epochs, lr=0.2, **options)
    return model.cpu()


def upstream_accuracy(model: nn.Module, kind: str, n: int = 1500) -> float:
    """Measure the accuracy of a network, pretrained on ``kind``, on scenes that nobody has seen."""
    scenes = upstream_scenes(kind, n, seed=0, split="test")
    images = normalize(scenes.images, *upstream_statistics())
    return float(evaluate(model, images, scenes.labels).accuracy)


def transfer(
    arm: Arm,
    upstream: dict[str, Tensor] | None,
    task: TrainTest,
    seed: int,
    *,
    updates: int = 100,
    frozen: int = 30,
) -> nn.Module:
    """Train on a target, by Adam on batches of up to 32.

    Args:
        arm: What is trained, and how fast.
        upstream: The weights to begin with; ``None`` for weights of chance.
        task: From :func:`glassbox.chapters.pretraining.tasks.target_task`.
        seed: Decides the head, the weights of chance and the batches.
        updates: Steps of Adam.
        frozen: Updates before the thaw, where there is one.

    Returns:
        The trained network.

    Raises:
        ValueError: If the arm needs ``upstream`` and there is none, or the other way round.
    """
    if (upstream is None) != (arm.upstream is None):
        given = "None" if upstream is None else "given"
        raise ValueError(f"upstream is {given}, expected the weights of {arm.upstream}")
    model = start_network(upstream, seed)
    backbone = [module for name, module in model.named_children() if name != "fc"]
    if arm.thawed_lr is not None:
        freeze(*backbone)
    optimizer = torch.optim.Adam(model.parameters(), arm.lr, weight_decay=1e-4)
    train_keeping_frozen(model)
    batches = shuffled_batches(len(task.labels), updates, seed)
    if arm.thawed_lr:
        take_steps(model, optimizer, task.images, task.labels, batches[:frozen])
        unfreeze(*backbone)
        for group in optimizer.param_groups:
            group["lr"] = arm.thawed_lr
        batches = batches[frozen:]
    take_steps(model, optimizer, task.images, task.labels, batches)
    check_optimizer(model, optimizer)
    return model


def take_steps(
    model: nn.Module, optimizer: Optimizer, images: Tensor, labels: Tensor, batches: Tensor
) -> None:
    """Take one step of the optimizer on each batch of indices, of ``(updates, B)``."""
    shared, device, share = distribute(model), process_device(), process_share()
    images, labels = images.to(device), labels.to(device)
    for batch in batches[:, share["rank"] :: share["world_size"]].to(device):
        loss = F.cross_entropy(shared(images[batch]), labels[batch])
        optimizer.zero_grad()
        weigh_by_images(loss, len(batch)).backward()
        optimizer.step()
    model.cpu()


def start_network(upstream: dict[str, Tensor] | None, seed: int) -> ResidualNetwork:
    """Make the network that a transfer begins with: a body that may know something, a new head.

    Args:
        upstream: A state dict of a pretrained network; its head is left out.
        seed: Decides all weights of chance; the head is the same with ``upstream`` and without.
    """
    with isolated_seed(seed):
        model = ResidualNetwork(8)
    if upstream is not None:
        body = {name: w for name, w in upstream.items() if not name.startswith("fc.")}
        missing = model.load_state_dict(body, strict=False)
        assert missing.missing_keys == ["fc.weight", "fc.bias"]
    return model


def shuffled_batches(count: int, updates: int, seed: int) -> Tensor:
    """Draw images for all updates, each seen once before any is seen twice.

    Returns:
        Indices, ``(updates, B)`` with ``B`` of 32, or of ``count`` where there are fewer.
    """
    generator = torch.Generator().manual_seed(seed)
    size = min(32, count)
    rounds = -(-updates * size // count)
    order = torch.cat([torch.randperm(count, generator=generator) for _ in range(rounds)])
    return order[: updates * size].view(updates, size)
