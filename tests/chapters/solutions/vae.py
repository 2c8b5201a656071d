"""Solutions of the exercises on VAEs, and mistakes."""

import math


def kl_between(mean, logvar, other_mean, other_logvar, *, sign=1, half=2):
    spread = (logvar - other_logvar).exp()
    apart = (mean - other_mean) ** 2 / other_logvar.exp()
    return sign * (spread + apart - 1 + other_logvar - logvar) / half


def bound(log_joint, log_q):
    return (log_joint - log_q).logsumexp(0) - math.log(len(log_q))


SOLUTIONS = [("kl_between", kl_between), ("importance_bound", bound)]
MISTAKES = [
    ("kl_between", lambda *given: kl_between(*given, sign=-1), "the standard normal"),
    ("kl_between", lambda *given: kl_between(*given, half=1), "the standard normal"),
    ("kl_between", lambda m, v, om, ov: kl_between(om, ov, m, v), "the standard normal"),
    ("importance_bound", lambda joint, q: (joint - q).mean(0), "8 draws"),
    ("importance_bound", lambda joint, q: (joint - q).logsumexp(0), "8 draws"),
    ("importance_bound", lambda joint, q: (joint - q).exp().mean(0).log(), "unlikely images"),
]
