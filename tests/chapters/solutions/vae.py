"""Answers to the exercises on VAEs."""

import math

import numpy as np
import torch
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


ANSWERS = {
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
