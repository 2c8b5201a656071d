"""A pad over the two latent dimensions of a VAE, decoded where it is seen."""

from torch import Tensor

from glassbox.chapters.vae.figures import show_latent_plane
from glassbox.explorables.js_widgets import show_computed
from glassbox.explorables.tiny_network import pack
from glassbox.networks.vae import VAE, posterior_means
from glassbox.plotting.colors import CLASS_COLORS
from glassbox.support.arguments import (
    as_point,
    as_tensor,
    check_all_finite,
    check_class_indices,
    check_shapes,
)

_MARGIN = 0.3  # around the outermost code, in standard deviations of the prior


def latent_pad(
    model: VAE,
    images: Tensor,
    labels: Tensor,
    *,
    start: tuple[float, float] = (0.0, 0.0),
    ends: tuple[int, int] = (0, 1),
) -> None:
    """Show a pad on which each point is decoded while the pointer or an arrow key moves.

    The posterior means of some hundred images ``(N, 1, size, size)`` stand on it, marked by their
    labels, and a slider walks from one digit to another. The model has two latent dimensions, and
    each digit from 0 to 9 occurs.

    Raises:
        TypeError: ``images``, ``labels``, ``start`` or ``ends`` are no numbers.
        ValueError: The model has other latent dimensions, images and labels do not fit together,
            a digit is missing, or ``start`` is beside the plane or ``ends`` are not two digits.
    """
    images, labels = as_tensor(images=images), as_tensor(labels=labels)
    if model.latent != 2:
        raise ValueError(f"model has {model.latent} latent dimensions, expected 2")
    ends = as_tensor(ends=ends)
    check_shapes(images=(images, "N 1 size size"), labels=(labels, "N"), ends=(ends, "2"))
    check_class_indices(10, labels=labels, ends=ends)
    missing = sorted(set(range(10)) - set(labels.tolist()))
    if missing:
        raise ValueError(f"labels have none of {missing}, expected each digit from 0 to 9")
    means = posterior_means(model, images)
    check_all_finite(means=means)
    reach = round(means.abs().max().item() + _MARGIN, 1)
    start = as_point([(-reach, reach)] * 2, start=start)
    still = show_latent_plane(model, means, labels, start)
    state = {
        "weights": pack(model.decoder.state_dict()),
        "likelihood": model.likelihood,
        "size": images.shape[-1],
        "reach": reach,
        "points": [
            [round(x, 3), round(y, 3), label]
            for (x, y), label in zip(means.tolist(), labels.tolist(), strict=True)
        ],
        "examples": [_typical(means[labels == digit]) for digit in range(10)],
        "start": list(start),
        "from": int(ends[0]),
        "to": int(ends[1]),
    }
    show_computed(
        "latent_pad",
        state,
        still=still,
        name="Plane of latent codes",
        colors={"digits": CLASS_COLORS},
    )


def _typical(means: Tensor) -> list[float]:
    """Give the code of the real digit that is nearest to the middle of its class."""
    nearest = (means - means.median(0).values).norm(dim=1).argmin()
    return [round(value, 3) for value in means[nearest].tolist()]
