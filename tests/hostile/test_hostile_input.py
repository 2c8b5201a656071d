"""Whatever the package is given, it answers rightly or refuses by name.

``pytest tests/hostile -k losses`` sweeps one room, ``-k ldam_margins`` one callable. With
``GLASSBOX_HOSTILE=100`` (``make hostile``) each callable also meets 100 combinations of hostile
values, drawn from seeds.
"""

import os
import random
import socket

import pytest

from hostile.callables import public_callables
from hostile.exempt import EXEMPTIONS
from hostile.judge import complaints
from hostile.sweep import Case, cases, combinations, exempt, matches

PUBLIC = [one for one in public_callables() if not exempt(Case(one), "sweep")]
COMBINATIONS = int(os.environ.get("GLASSBOX_HOSTILE", "0"))


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_):
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("public", PUBLIC, ids=[one.name for one in PUBLIC])
def test_answers_rightly_or_refuses_by_name(public):
    swept = cases(public) + combinations(public, COMBINATIONS, random.Random(public.name))
    found = [line for case in swept for line in complaints(case)]
    assert not found, f"{len(found)} complaints of {len(swept)} cases:\n" + "\n".join(found)


def test_there_are_ten_thousand_cases():
    assert sum(len(cases(public)) for public in PUBLIC) >= 10_000


@pytest.mark.parametrize("exemption", EXEMPTIONS, ids=[f"{e.pattern} {e.rule}" for e in EXEMPTIONS])
def test_an_exemption_is_for_something_that_is_there(exemption):
    assert exemption.reason
    room = exemption.pattern.partition(".")[0]
    public = [one for one in public_callables() if one.name.startswith(f"{room}.")]
    assert any(matches(exemption, case) for one in public for case in every_case(one))


def every_case(public):
    """List the cases of a callable, or its valid call alone where it is not swept."""
    return [Case(public)] if exempt(Case(public), "sweep") else cases(public, exempted=True)
