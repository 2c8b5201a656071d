"""Solutions of the exercises on GANs, and mistakes."""

import torch


def jensen_shannon(p, q, half=2):
    middle = (p + q) / 2
    return sum(torch.xlogy(r, r) - torch.xlogy(r, middle) for r in (p, q)).sum() / half


def coverage(real, fake, k, own=False):
    among = torch.cdist(real, real)
    if not own:
        among = among.fill_diagonal_(torch.inf)
    reach = among.kthvalue(k, dim=1).values
    return (torch.cdist(real, fake).amin(1) < reach).double().mean()


SOLUTIONS = [("jensen_shannon", jensen_shannon), ("coverage", coverage)]
MISTAKES = [
    ("jensen_shannon", lambda p, q: jensen_shannon(p, q, half=1), "two dice"),
    ("jensen_shannon", lambda p, q: (p * (p / q).log()).sum(), "two dice"),
    ("coverage", lambda *given: coverage(*given, own=True), "fakes that are the real ones"),
    ("coverage", lambda real, fake, k: coverage(fake, real, k), "fakes"),
]
