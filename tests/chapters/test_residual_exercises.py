"""The exercises on residual blocks accept a solution and refuse plausible mistakes."""

from math import comb

import pytest
import torch
import torch.nn.functional as F

from glassbox.chapters.residual import exercises as residual


def parameters_of(depth, width):
    n = (depth - 2) // 6
    total, channels = 29 * width, width
    for out in (width, 2 * width, 4 * width):
        total += 9 * channels * out + 9 * out * out * (2 * n - 1) + 4 * n * out
        channels = out
    return total + 40 * width + 10


def without_norms(depth, width):
    n = (depth - 2) // 6
    return parameters_of(depth, width) - 2 * width - 28 * n * width


def path_fractions(slope, blocks):
    parts = [comb(blocks, k) * slope**k for k in range(blocks + 1)]
    return [part / (1 + slope) ** blocks for part in parts]


def preactivated(block, x):
    out = block.conv1(F.relu(block.bn1(x)))
    return x + block.conv2(F.relu(block.bn2(out)))


def in_place(block, x):
    x += block.conv2(F.relu(block.bn2(block.conv1(F.relu(block.bn1(x))))))
    return x


def with_a_relu_behind(block, x):
    return F.relu(preactivated(block, x))


@pytest.mark.parametrize("solution", [parameters_of, path_fractions, preactivated])
def test_a_right_solution_is_accepted(solution, capsys):
    getattr(residual, f"check_{solution.__name__}")(solution)
    assert capsys.readouterr().out.startswith("Solved")


def test_fractions_may_be_a_tensor(capsys):
    residual.check_path_fractions(lambda slope, blocks: torch.tensor(path_fractions(slope, blocks)))
    assert capsys.readouterr().out.startswith("Solved")


@pytest.mark.parametrize(
    ("check", "wrong", "complaint"),
    [
        ("parameters_of", without_norms, "parameters_of(8, 1) gives"),
        ("parameters_of", lambda depth, width: 269_722, "parameters_of(8, 1)"),
        ("path_shares", lambda s, n: [comb(n, k) / 2**n for k in range(n + 1)], "(0.5, 3)"),
        ("path_shares", lambda s, n: path_fractions(s, n)[1:], "path_shares(1.0, 1)"),
        ("path_shares", lambda s, n: [p * (1 + s) ** n for p in path_fractions(s, n)], "(1.0, 1)"),
        ("preactivated", lambda block, x: block(x), "x of both signs"),
        ("preactivated", with_a_relu_behind, "x of both signs"),
        ("preactivated", in_place, "x after"),
    ],
)
def test_a_wrong_solution_is_told_what_is_wrong(check, wrong, complaint, capsys):
    getattr(residual, f"check_{check}")(wrong)
    out = capsys.readouterr().out
    assert out.startswith("Not yet: ") and complaint in out


@pytest.mark.parametrize("check", ["parameters_of", "path_shares", "preactivated"])
def test_a_stub_is_not_yet_a_solution(check, capsys):
    getattr(residual, f"check_{check}")(lambda *_: None)
    assert capsys.readouterr().out.startswith("Not yet: ")


def test_a_check_leaves_the_random_state_alone():
    before = torch.get_rng_state()
    residual.check_preactivated(preactivated)
    assert torch.equal(torch.get_rng_state(), before)
