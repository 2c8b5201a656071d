"""The checks of the chapter on VAEs: right solutions pass, wrong ones get a useful line."""

import math

import pytest

from glassbox.chapters.vae.exercises import check_importance_bound, check_kl_between


def kl_between(mean, logvar, other_mean, other_logvar, *, sign=1, half=2):
    spread = (logvar - other_logvar).exp()
    apart = (mean - other_mean) ** 2 / other_logvar.exp()
    return sign * (spread + apart - 1 + other_logvar - logvar) / half


def bound(log_joint, log_q):
    return (log_joint - log_q).logsumexp(0) - math.log(len(log_q))


def test_solutions_pass(capsys):
    check_kl_between(kl_between)
    check_importance_bound(bound)
    assert [line[:6] for line in capsys.readouterr().out.splitlines()] == ["Solved"] * 2


@pytest.mark.parametrize(
    "check, wrong",
    [
        (check_kl_between, lambda *_: None),
        (check_kl_between, lambda *given: kl_between(*given, sign=-1)),
        (check_kl_between, lambda *given: kl_between(*given, half=1)),
        (check_kl_between, lambda m, v, om, ov: kl_between(om, ov, m, v)),
        (check_importance_bound, lambda *_: None),
        (check_importance_bound, lambda joint, q: (joint - q).mean(0)),
        (check_importance_bound, lambda joint, q: (joint - q).logsumexp(0)),
        (check_importance_bound, lambda joint, q: (joint - q).exp().mean(0).log()),
    ],
)
def test_wrong_answers_are_told_what_was_expected(check, wrong, capsys):
    check(wrong)
    said = capsys.readouterr().out
    assert said.startswith("Not yet") and "expected" in said
