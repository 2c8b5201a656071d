"""Metrics of generated images: how close they are to real ones, and how many modes they cover.

All but the balance compare features of the images, such as those of a classifier trained on real
ones. Values depend on the classifier and on the numbers of images, so only those of the same
classifier and the same numbers can be compared.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from glassbox.autograd.hooks import capture
from glassbox.autograd.layers import layers_named
from glassbox.support.arguments import (
    as_sizes,
    as_tensor,
    check_all_finite,
    check_classifier_output,
    check_modules,
    check_overflow,
    check_shapes,
    check_tensors,
    reject_tensor,
)
from glassbox.support.scaling import scales
from glassbox.training.evaluation import predict

_BATCH_SIZE = 256


def layer_features(model: nn.Module, images: Tensor, layer: str | nn.Module) -> Tensor:
    """Compute the output ``(N, D)`` of a layer, flattened, in ``eval`` mode, without gradients.

    Args:
        model: Maps images to anything.
        images: ``(N, C, H, W)``, at least one, scaled as the model expects them.
        layer: Name as in ``model.named_modules()``, such as ``"classifier.relu4"``, or the module.

    Raises:
        TypeError: If what the layer gives is no tensor.
        ValueError: If there are no images, one is not finite, the model has no such layer, or the
            layer does not run once for each image: whose features are whose could not be told.
    """
    check_modules(model=model)
    images = as_tensor(images=images)
    check_all_finite(images=images)
    (name,) = layers_named(model, [layer], "layer")
    with capture(model, [name]) as outputs:
        predict(model, images, _BATCH_SIZE)
    (calls,) = outputs.values()
    batches = math.ceil(len(images) / _BATCH_SIZE)
    if len(calls) != batches:
        raise ValueError(
            f"layer is {name!r}, which ran {len(calls)} times for {batches} batches, "
            "expected one that runs once for each"
        )
    check_tensors(**{f"the output of {name!r}": calls[0]})
    features = torch.cat(calls)
    if len(features) != len(images):
        reject_tensor(f"the output of {name!r}", features, f"({len(images)}, ...), as images")
    return features.reshape(len(images), -1)


def frechet_distance(real: Tensor, fake: Tensor) -> float:
    r"""Compute the Fréchet distance of two sets of features, each taken as a Gaussian.

    Computes :math:`|\mu_1 - \mu_2|^2 + \mathrm{tr}(S_1 + S_2 - 2 (S_1 S_2)^{1/2})`. With
    covariances :math:`S = A^T A` the last trace is the sum of the singular values of
    :math:`A_1 A_2^T`: no root of a matrix is needed, and fewer images than features do no harm.

    Args:
        real: Features ``(N, D)``, at least two rows, also an array or a list.
        fake: Features ``(M, D)``, at least two rows.

    Returns:
        At least 0, and 0 where means and covariances agree. It has a bias that grows as images
        become fewer.

    Raises:
        ValueError: If the shapes do not fit, or a feature is not finite or so large that its square
            is not.

    Reference:
        Heusel et al. (2017), "GANs Trained by a Two Time-Scale Update Rule Converge to a Local
        Nash Equilibrium", https://arxiv.org/abs/1706.08500.
    """
    real, fake = _checked_features(real, fake, at_least=2)
    (mean1, root1), (mean2, root2) = _mean_and_root(real), _mean_and_root(fake)
    means = (mean1 - mean2).square().sum()
    traces = root1.square().sum() + root2.square().sum()
    check_overflow(means + traces, real=real, fake=fake)
    cross = torch.linalg.svdvals(root1 @ root2.T).sum()
    return max(0.0, (means + traces - 2 * cross).item())


class Neighbors(NamedTuple):
    """How the neighborhoods of real and generated features overlap.

    Args:
        precision: Fraction of fakes that lie in the neighborhood of a real one.
        recall: Fraction of real ones that lie in the neighborhood of a fake.
        density: In how many real neighborhoods a fake lies on average, divided by k; about 1
            where both come from one distribution, and it can be above.
        coverage: Fraction of real ones with a fake in their neighborhood.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall_density_coverage(real: Tensor, fake: Tensor, k: int = 5) -> Neighbors:
    """Compare two sets of features by their neighborhoods.

    The neighborhood of a point is the ball that reaches to the k-th nearest other point of the
    same set; the point itself does not count.

    Args:
        real: Features ``(N, D)``, more rows than ``k``.
        fake: Features ``(M, D)``, more rows than ``k``.
        k: Which neighbor a ball reaches to, at least 1.

    Raises:
        ValueError: If the shapes do not fit, ``k`` is below 1, there are too few rows, or a feature
            is not finite.

    Reference:
        Kynkäänniemi et al. (2019), "Improved Precision and Recall Metric for Assessing Generative
        Models", https://arxiv.org/abs/1904.06991, and Naeem et al. (2020), "Reliable Fidelity and
        Diversity Metrics for Generative Models", https://arxiv.org/abs/2002.09797.
    """
    (k,) = as_sizes(k=k)
    real, fake = _checked_features(real, fake, at_least=k + 1)
    largest = scales(torch.cat([real, fake]), (0, 1))  # their squares may be infinite or 0
    real, fake = real / largest, fake / largest
    distances = _distances(real, fake)  # (N, M)
    in_real = distances < _radii(real, k)[:, None]  # fake j lies in the ball of real i
    in_fake = distances < _radii(fake, k)  # real i lies in the ball of fake j
    return Neighbors(
        precision=in_real.any(0).double().mean().item(),
        recall=in_fake.any(1).double().mean().item(),
        density=in_real.sum(0).double().mean().item() / k,
        coverage=in_real.any(1).double().mean().item(),
    )


class Balance(NamedTuple):
    """How evenly predictions are spread over the classes.

    Args:
        counts: Predictions of each class.
        entropy: In nats, from 0, where all are of one class, to the logarithm of their number.
        total_variation: Half the summed distance to equal fractions, from 0 to ``1 - 1 / K`` for a
            single class: the fraction of predictions that would have to change.
    """

    counts: tuple[int, ...]
    entropy: float
    total_variation: float


def class_balance(logits: Tensor) -> Balance:
    """Count how often each class is predicted, and measure how even the counts are.

    Args:
        logits: What a classifier says of generated images, ``(N, K)``, at least one row; also an
            array or a list.

    Raises:
        ValueError: If ``logits`` are not ``(N, K)`` with at least one row, or not finite.
    """
    logits = as_tensor(logits=logits)
    check_classifier_output(logits=logits)
    num_classes = logits.shape[1]
    counts = logits.argmax(1).bincount(minlength=num_classes).tolist()
    fractions = [count / len(logits) for count in counts]
    entropy = sum(-fraction * math.log(fraction) for fraction in fractions if fraction)
    variation = sum(abs(fraction - 1 / num_classes) for fraction in fractions) / 2
    return Balance(tuple(counts), entropy, variation)


def _mean_and_root(features: Tensor) -> tuple[Tensor, Tensor]:
    """Give the mean, and R of at most D rows with R^T R equal to the covariance."""
    mean = features.mean(0)
    centered = (features - mean) / math.sqrt(len(features) - 1)
    return mean, torch.linalg.qr(centered, mode="r").R


def _distances(first: Tensor, second: Tensor) -> Tensor:
    exact = "donot_use_mm_for_euclid_dist"
    return torch.cdist(first, second, compute_mode=exact)


def _radii(features: Tensor, k: int) -> Tensor:
    """Give the distance of each point to its k-th nearest other point."""
    distances = _distances(features, features).fill_diagonal_(math.inf)
    return distances.kthvalue(k).values


def _checked_features(real: Tensor, fake: Tensor, at_least: int) -> tuple[Tensor, Tensor]:
    """Give features in float64, on the CPU: some devices have none."""
    real, fake = as_tensor(real=real), as_tensor(fake=fake)
    check_shapes(real=(real, "N D"), fake=(fake, "M D"))
    for name, features in (("real", real), ("fake", fake)):
        if len(features) < at_least:
            raise ValueError(f"{name} has {len(features)} rows, expected at least {at_least}")
    check_all_finite(real=real, fake=fake)
    return real.cpu().double(), fake.cpu().double()
