"""Answers to the exercises on VAEs."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch.distributions import Normal, kl_divergence


def kl_between(mean, logvar, other_mean, other_logvar, *, sign=1, half=2):
    spread = (logvar - other_logvar).exp()
    apart = (mean - other_mean) ** 2 / other_logvar.exp()
    return sign * (spread + apart - 1 + other_logvar - logvar) / half


def bound(log_joint, log_q):
    return (log_joint - log_q).logsumexp(0) - math.log(len(log_q))


def kl_of_distributions(mean, logvar, other_mean, other_logvar):
    first = Normal(mean, torch.exp(0.5 * logvar))
    return kl_divergence(first, Normal(other_mean, torch.exp(0.5 * other_logvar)))


def kl_of_deviations(mean, logvar, other_mean, other_logvar):
    one, other = (np.exp(0.5 * logs.numpy()) for logs in (logvar, other_logvar))
    apart = (mean - other_mean).numpy()
    return np.log(other / one) + (one**2 + apart**2) / (2 * other**2) - 0.5


def bound_by_columns(log_joint, log_q):
    bounds = []
    for weights in (log_joint - log_q).T.tolist():
        top = max(weights)
        bounds.append(top + math.log(sum(math.exp(w - top) for w in weights) / len(weights)))
    return bounds


def bound_by_addition(log_joint, log_q):
    total = torch.full_like(log_q[0], -torch.inf)
    for weights in log_joint - log_q:
        total = torch.logaddexp(total, weights)
    return (total - math.log(log_q.shape[0])).numpy()


def draw_of_distribution(mean, logvar, noise):
    """Shift and stretch as the transform of a distribution does."""
    normal = Normal(mean, torch.exp(0.5 * logvar))
    return normal.loc + normal.scale * noise


def conditional_loss(encoder, decoder, images, rows, noise, *, half=0.5, average=False):
    mean, logvar = encoder(torch.cat([images, rows], dim=1)).chunk(2, dim=1)
    codes = mean + (half * logvar).exp() * noise
    logits = decoder(torch.cat([codes, rows], dim=1))
    errors = F.binary_cross_entropy_with_logits(logits, images, reduction="none")
    kl = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).sum(1)
    return ((errors.mean(1) if average else errors.sum(1)) + kl).mean()


def conditional_loss_in_sums(encoder, decoder, images, rows, noise):
    moments = encoder(torch.hstack((images, rows)))
    mean, logvar = moments[:, : noise.shape[1]], moments[:, noise.shape[1] :]
    pixels = decoder(torch.hstack((mean + logvar.exp() ** 0.5 * noise, rows))).sigmoid()
    errors = F.binary_cross_entropy(pixels, images, reduction="sum")
    return (errors - 0.5 * (1 + logvar - mean**2 - logvar.exp()).sum()) / len(images)


def conditional_loss_by_first_layers(encoder, decoder, images, rows, noise):
    """Add what the labels bring to each first layer, which is the same."""

    def through(network, given):
        weights = network[0].weight.split([given.shape[1], rows.shape[1]], 1)
        return network[1:](given @ weights[0].T + rows @ weights[1].T + network[0].bias)

    mean, logvar = through(encoder, images).chunk(2, 1)
    logits = through(decoder, torch.addcmul(mean, (logvar / 2).exp(), noise))
    errors = (F.softplus(logits) - images * logits).sum(1)
    normal = Normal(mean, (logvar / 2).exp())
    return (errors + kl_divergence(normal, Normal(0, 1)).sum(1)).mean()


def unconditional_loss(encoder, decoder, images, rows, noise):
    return conditional_loss(encoder, decoder, images, 0 * rows, noise)


ANSWERS = {
    "draw_code": {
        "right": [
            lambda mean, logvar, noise: mean + torch.exp(logvar / 2) * noise,
            lambda mean, logvar, noise: mean + noise * logvar.exp() ** 0.5,
            draw_of_distribution,
        ],
        "wrong": {
            "multiplied by its root": lambda mean, logvar, noise: mean + logvar.exp() * noise,
            "leave out detach, item and no_grad": lambda mean, logvar, noise: (
                mean.data + (logvar.data / 2).exp() * noise
            ),
            "No gradient arrives at the mean": lambda mean, logvar, noise: (
                mean.data + (logvar / 2).exp() * noise
            ),
            "without any noise": lambda mean, logvar, noise: mean * 1,
        },
    },
    "conditional_loss": {
        "right": [
            conditional_loss,
            conditional_loss_in_sums,
            conditional_loss_by_first_layers,
        ],
        "wrong": {
            "Neither network sees the label": unconditional_loss,
            "exp(logvar) is the variance": lambda *given: conditional_loss(*given, half=1.0),
            "which silences the code": lambda *given: conditional_loss(*given, average=True),
            "cannot be multiplied (8x64 and 74x64) in line": (
                lambda encoder, decoder, images, rows, noise: conditional_loss(
                    encoder, decoder, images, rows[:, :0], noise
                )
            ),
        },
    },
    "kl_between": {
        "right": [kl_between, kl_of_distributions, kl_of_deviations],
        "wrong": {
            "a divergence is never below 0": lambda *given: kl_between(*given, sign=-1),
            "The factor 1/2 is missing": lambda *given: kl_between(*given, half=1),
            "exchange them": lambda m, v, om, ov: kl_between(om, ov, m, v),
            "its exp is the variance": lambda m, v, om, ov: kl_between(m, 2 * v, om, 2 * ov),
        },
    },
    "importance_bound": {
        "right": [bound, bound_by_columns, bound_by_addition],
        "wrong": {
            "which is the usual bound": lambda joint, q: (joint - q).mean(0),
            "subtract log(K)": lambda joint, q: (joint - q).logsumexp(0),
            "stay in log space": lambda joint, q: (joint - q).exp().mean(0).log(),
            "expected [": lambda joint, q: bound(joint, q).mean(),
        },
    },
}
