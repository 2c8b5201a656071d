"""The figures of the chapter on variational autoencoders."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.patches import Circle
from torch import Tensor

from glassbox.networks.vae import VAE
from glassbox.plotting.colors import CLASS_COLORS, GRID, INK, PAPER
from glassbox.plotting.figures import Figure, drawing, figure
from glassbox.plotting.image_rows import draw_rows
from glassbox.plotting.marks import draw_choice


@drawing
def show_latent_plane(
    model: VAE, means: Tensor, labels: Tensor, point: tuple[float, float]
) -> Figure:
    """Draw the latent plane with the codes ``(N, 2)`` of digits, and what a point decodes to."""
    fig, (plane, picture) = figure(
        1, 2, height=4.0, left=0.4, right=0.3, top=0.15, bottom=0.35, width_ratios=[1.6, 1],
        phone_cols=1,
    )  # fmt: skip
    reach = means.abs().max().item() + 0.3
    for radius in range(1, int(reach) + 1):
        plane.add_patch(Circle((0, 0), radius, fill=False, color=GRID))
    for digit in range(10):
        chosen = labels == digit
        plane.scatter(
            *means[chosen].T, s=30, marker=f"${digit}$", color=CLASS_COLORS[digit], linewidths=0.2
        )
    plane.plot(*point, "o", ms=13, mfc="none", mec=PAPER, mew=5)
    plane.plot(*point, "o", ms=13, mfc="none", mec=INK, mew=2)
    plane.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    with torch.no_grad():
        image = model.decode(torch.tensor([point]))[0, 0]
    picture.imshow(image, cmap="gray", vmin=-1 if model.likelihood == "tanh" else 0, vmax=1)
    picture.set_xlabel(f"decoded at ({point[0]:.1f}, {point[1]:.1f})")
    picture.set(xticks=[], yticks=[])
    nearest = labels[(means - torch.tensor(point)).norm(dim=1).argmin()]
    fig.describe(
        f"The codes of {len(means)} digits on a plane, and the image that the point "
        f"({point[0]:.1f}, {point[1]:.1f}) decodes to. The nearest digit is a {nearest}."
    )
    return fig


@drawing
def show_beta(
    rows: Mapping[str, Tensor],
    betas: Sequence[float],
    parts: Mapping[str, Sequence[float]],
    active: Sequence[int],
    latent: int,
    chosen: float,
) -> Figure:
    """Draw what a VAE trained with one beta makes, and the two terms of the loss for every beta.

    The rows hold images ``(N, 1, H, W)`` from 0 to 1; ``active`` of ``latent`` units are active.
    """
    spaces = {"left": 1.35, "top": 0.1, "hspace": 0.22}
    fig, (top, below) = figure(2, 1, height=4.3, height_ratios=[1.1, 1], **spaces)
    draw_rows(top, rows)
    draw_choice(below, parts, betas, chosen)
    below.set(xlabel="beta", ylabel="nats")
    place = list(betas).index(chosen)
    below.set_title(f"{active[place]} of {latent} units active")
    below.legend(loc="center right")
    texts = [f"{name} {values[place]:.1f} nats" for name, values in parts.items()]
    fig.describe(
        f"Digits, their reconstructions and samples of a VAE trained with beta {chosen:g}: "
        f"{', '.join(texts)}, {active[place]} of {latent} units active."
    )
    return fig
