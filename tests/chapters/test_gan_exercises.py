"""The checks of the chapter on GANs: right solutions pass, wrong ones get a useful line."""

import pytest
import torch

from glassbox.chapters.gan.exercises import check_coverage, check_jensen_shannon


def jensen_shannon(p, q, half=2):
    middle = (p + q) / 2
    return sum(torch.xlogy(r, r) - torch.xlogy(r, middle) for r in (p, q)).sum() / half


def coverage(real, fake, k, own=False):
    among = torch.cdist(real, real)
    if not own:
        among = among.fill_diagonal_(torch.inf)
    reach = among.kthvalue(k, dim=1).values
    return (torch.cdist(real, fake).amin(1) < reach).double().mean()


def test_solutions_pass(capsys):
    check_jensen_shannon(jensen_shannon)
    check_coverage(coverage)
    assert [line[:6] for line in capsys.readouterr().out.splitlines()] == ["Solved"] * 2


@pytest.mark.parametrize(
    "check, wrong",
    [
        (check_jensen_shannon, lambda p, q: None),
        (check_jensen_shannon, lambda p, q: jensen_shannon(p, q, half=1)),
        (check_jensen_shannon, lambda p, q: (p * (p / q).log()).sum()),
        (check_coverage, lambda real, fake, k: None),
        (check_coverage, lambda real, fake, k: coverage(real, fake, k, own=True)),
        (check_coverage, lambda real, fake, k: coverage(fake, real, k)),
    ],
)
def test_wrong_answers_are_told_what_was_expected(check, wrong, capsys):
    check(wrong)
    said = capsys.readouterr().out
    assert said.startswith("Not yet") and "expected" in said
