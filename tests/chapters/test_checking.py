"""What a reader sees when an exercise is unsolved, wrong, broken or solved."""

import pytest
import torch

from glassbox.chapters.checking import Case, exercise


@exercise()
def check_double():
    yield Case("double(2)", (2,), 4)
    yield Case("double(1.5)", (1.5,), 3.0)
    yield Case("double(ones)", lambda double: double(torch.ones(2)), 2 * torch.ones(2))


@pytest.mark.parametrize(
    ("candidate", "line"),
    [
        (lambda x: 2 * x, "Solved: all 3 cases agree."),
        (lambda x: None, "Not yet: double(2) gives None, expected 4."),
        (lambda x: x + 2, "Not yet: double(1.5) gives 3.5, expected 3.0."),
        (lambda x: 2.0 * x, "Not yet: double(2) gives 4.0, expected 4."),
        (lambda x: x / 0, "Not yet: double(2) raises ZeroDivisionError: division by zero"),
        (
            lambda x: 2 * x if not torch.is_tensor(x) else x,
            "Not yet: double(ones) gives tensor([1., 1.]), expected tensor([2., 2.]).",
        ),
        (
            lambda x: 2 * x if not torch.is_tensor(x) else 2 * torch.ones(3),
            "Not yet: double(ones) gives tensor([2., 2., 2.]), expected tensor([2., 2.]).",
        ),
    ],
)
def test_the_check_prints_one_line(candidate, line, capsys):
    check_double(candidate)
    assert capsys.readouterr().out == line + "\n"


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (torch.tensor([2.0]), "Solved: all 1 cases agree."),
        ("two", "Not yet: f() raises ValueError: could not convert string to float: 'two'"),
    ],
)
def test_a_result_is_converted_before_it_is_compared(result, line, capsys):
    exercise(read=float)(lambda: iter([Case("f()", (), 2.0)]))(lambda: result)
    assert capsys.readouterr().out == line + "\n"


def test_a_large_tensor_is_described_and_not_printed(capsys):
    exercise()(lambda: iter([Case("f()", (), torch.zeros(3, 4))]))(lambda: torch.ones(3, 4))
    expected = "a tensor of shape (3, 4) with sum"
    assert capsys.readouterr().out == f"Not yet: f() gives {expected} 12, expected {expected} 0.\n"


def test_cases_follow_from_seed_0_and_the_random_state_is_left_alone(capsys):
    @exercise()
    def check():
        x = torch.randn(3)
        yield Case(f"first of {x.tolist()}", (x,), x[0])

    before = torch.get_rng_state()
    check(lambda x: torch.rand(1) + 2)
    assert torch.equal(torch.get_rng_state(), before)
    drawn = torch.randn(3, generator=torch.Generator().manual_seed(0)).tolist()
    assert str(drawn) in capsys.readouterr().out
