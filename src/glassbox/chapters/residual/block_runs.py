"""Networks whose blocks are measured: they differ in images, width and length of training."""

import torch
import torch.nn.functional as F

from glassbox.chapters.residual.arms import Recipe, digit_task, train_network
from glassbox.chapters.residual.blocks import BlockMeasures, measure_blocks
from glassbox.chapters.residual.cifar import cifar_inputs, cifar_network, read_weights
from glassbox.data.dataset import Dataset
from glassbox.data.datasets import load
from glassbox.data.train_test import TrainTest
from glassbox.networks.residual import ResidualNetwork
from glassbox.support.seeds import isolated_seed
from glassbox.training.evaluation import evaluate

NETWORKS = {"narrow": 8, "wide": 16, "stored": None, "stored, around": None}  # width, if trained
_BATCH, _MOST = 64, 640  # images of a step; steps after which the same images come again
_RECIPE = Recipe("clipped", 0.1)


def train_and_measure(
    network: str, data: str, updates: int, seed: int, *, count: int
) -> tuple[tuple[float, float], list[BlockMeasures]]:
    """Train a ResNet-20, or take the stored one, and measure its blocks.

    Args:
        network: One of :data:`NETWORKS`.
        data: ``"digits"``, ``"digits, half random"`` for digits half of whose training labels are
            drawn at random, ``"cifar10"``, or ``"cifar10, 8 px"`` for images as small as digits;
            of the stored network also ``"cifar10, cut"``, for those ``count`` images alone.
        updates: Steps of training, a multiple of 16 with digits, and of 640 above 640 with
            CIFAR-10; of the stored network 0.
        seed: Decides weights and order.
        count: Test images to measure blocks with; the accuracy is that of all, but for the above.

    Returns:
        The training loss of the last epoch and the test accuracy; and the measures of each block,
        which neither a network that was loaded wrongly has, nor one that is only judged.
    """
    width = NETWORKS[network]
    if width is None:
        model, loss, test = _stored(network), 0.0, load("cifar10", split="holdout")
        images, labels = cifar_inputs(test.images), test.labels
    else:
        task = _task(data, updates, seed)
        images, labels = task.test_images, task.test_labels
        with isolated_seed(seed):
            model = ResidualNetwork(20, in_channels=images.shape[1], width=width)
        epochs = updates * _BATCH // len(task.labels)
        loss = train_network(model, task, seed, _RECIPE, epochs=epochs).train_loss
    if data == "cifar10, cut":
        images, labels = images[:count], labels[:count]
    accuracy = float(evaluate(model, images, labels).accuracy)
    if network == "stored, around" or data == "cifar10, cut":
        return (loss, accuracy), []
    return (loss, accuracy), measure_blocks(model, images[:count], labels[:count])


def _stored(network: str) -> ResidualNetwork:
    """Load the book's weights, or load them into a network that pads its channels on both sides."""
    if network == "stored":
        return cifar_network()
    with isolated_seed(0):
        model = ResidualNetwork(20, new_channels="around").eval()
    model.load_state_dict(read_weights())
    return model


def _task(data: str, updates: int, seed: int) -> TrainTest:
    if data.startswith("digits"):
        task = digit_task(seed)
        return task if data == "digits" else TrainTest(_half_random(task.train, seed), task.test)
    parts = load("cifar10")[: _BATCH * min(updates, _MOST)], load("cifar10", split="holdout")
    return TrainTest(*(map(_small, parts) if data == "cifar10, 8 px" else parts))


def _small(images: Dataset) -> Dataset:
    """Average squares of 4 x 4 pixels."""
    small = F.avg_pool2d(images.images.float(), 4).round().to(torch.uint8)
    return Dataset(images.name, small, images.labels, images.class_names)


def _half_random(images: Dataset, seed: int) -> Dataset:
    """Replace half of the labels by others, drawn at random."""
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.rand(len(images.labels), generator=generator) < 0.5
    drawn = torch.randint(10, images.labels.shape, generator=generator)
    labels = torch.where(chosen, drawn, images.labels)
    return Dataset(images.name, images.images, labels, images.class_names)
