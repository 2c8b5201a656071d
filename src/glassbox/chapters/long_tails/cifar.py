"""Long tails of CIFAR-10 and residual networks, in the setting of Cao et al. (2019) or a short one.

Reference:
    Cao, Wei, Gaidon, Arechiga and Ma (2019), https://arxiv.org/abs/1906.07413, and the authors'
    code, https://github.com/kaidic/LDAM-DRW.
"""

import torch
from torch import Tensor, nn

from glassbox.chapters.long_tails.arms import METHODS, deferred_start
from glassbox.data.augmentation import compose, random_crop, random_flip
from glassbox.data.batches import Batches
from glassbox.data.datasets import load
from glassbox.data.splits import long_tailed
from glassbox.data.train_test import TrainTest
from glassbox.losses.deferred import DeferredReweighting
from glassbox.networks.cosine_classifier import CosineClassifier
from glassbox.networks.residual import ResidualNetwork
from glassbox.support.arguments import check_choice
from glassbox.support.seeds import isolated_seed
from glassbox.training.evaluation import predict
from glassbox.training.imbalance import per_class_accuracy
from glassbox.training.loop import fit
from glassbox.training.processes import distribute, process_device, process_share
from glassbox.training.recipes import train_one_cycle

LR = 0.1  # that of the authors, for each method
SCHEDULES = ("one cycle", "steps")
# Errors in percent that Table 2 of the paper reports for a ResNet-32, exponential profile.
PUBLISHED = {
    ("cross-entropy", 100): 29.64,
    ("cross-entropy", 10): 13.61,
    ("LDAM-DRW", 100): 22.97,
    ("LDAM-DRW", 10): 11.84,
}


def cifar_tail(profile: str, imbalance: float, seed: int) -> TrainTest:
    """Cut a long tail out of CIFAR-10, classes in the order of their numbers, as the authors do.

    The test images are the official ones, 1,000 of each class.

    Args:
        profile: ``"exponential"`` or ``"step"``.
        imbalance: Ratio of the largest class, which has all 5,000 images, to the smallest.
        seed: Decides which images of the others are kept.
    """
    pool = load("cifar10", split="full_train")
    kept = long_tailed(pool.labels, imbalance, profile, seed=seed)
    return TrainTest(pool[kept], load("cifar10", split="test"))


def authors_factor(epoch: int, epochs: int) -> float:
    """Give what the authors multiply the rate by in an epoch, from 1.

    It grows in the first 5 of 200 epochs, and is divided by 100 after 160 and again after 180; in
    a training of another length, after as large a part of it.
    """
    if epoch > 0.9 * epochs:
        return 1e-4
    return 1e-2 if epoch > 0.8 * epochs else min(1.0, epoch / (epochs / 40))


def train_residual(
    task: TrainTest, method: str, seed: int, *, depth: int, epochs: int, schedule: str
) -> Tensor:
    """Train a residual network by one method and measure each class after the last epoch.

    SGD with momentum and a weight decay of 2e-4, batches of 128, images that are shifted by up to
    4 pixels and mirrored; convolutions compute in bfloat16. Each method has the rate of 0.1.

    Args:
        task: From :func:`cifar_tail`.
        method: One of :data:`~.arms.METHODS`.
        seed: Decides the first weights and the order of the images.
        depth: Of the network, 6n + 2.
        epochs: How often the images are seen.
        schedule: ``"one cycle"``, in which the rate rises and falls to zero, for trainings of a few
            epochs; or ``"steps"``, as in :func:`authors_factor`.

    Returns:
        Test accuracy of each class, ``(10,)``.

    Raises:
        ValueError: If a name is unknown.
    """
    check_choice(METHODS, method=method)
    check_choice(SCHEDULES, schedule=schedule)
    arm = METHODS[method]
    loss: nn.Module = arm.loss(task.counts)
    if arm.deferred:
        loss = DeferredReweighting(loss, task.counts, deferred_start(epochs))
    augment = compose(random_crop(4), random_flip())
    share = {"seed": seed, "augment": augment, **process_share()}
    batches = Batches(task.images, task.labels, 128, **share)
    options = {"epochs": epochs, "progress": False, "loss_fn": loss.to(process_device())}
    options |= {"channels_last": True, "autocast": torch.bfloat16}
    with isolated_seed(seed):
        model = ResidualNetwork(depth)
        if arm.cosine is not None:
            model.fc = CosineClassifier(64, 10, arm.cosine)
        optimizer = torch.optim.SGD(model.parameters(), LR, 0.9, weight_decay=2e-4)
        wrapped = distribute(model)
        if schedule == "one cycle":
            train_one_cycle(wrapped, batches, lr=LR, optimizer=optimizer, **options)
        else:
            falling = torch.optim.lr_scheduler.LambdaLR(
                optimizer, lambda done: authors_factor(done + 1, epochs)
            )
            fit(wrapped, batches, optimizer, scheduler=falling, **options)
    images = task.test_images.contiguous(memory_format=torch.channels_last)
    return per_class_accuracy(predict(model, images).cpu(), task.test_labels)
