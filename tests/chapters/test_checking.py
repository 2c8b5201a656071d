"""What a reader sees when an exercise is unsolved, wrong, broken or solved."""

import pytest
import torch

from glassbox.chapters.checking import Case, exercise
from glassbox.chapters.cnn import exercises as cnn


@exercise
def check_double(candidate):
    yield Case("double(2)", lambda: candidate(2), 4)
    yield Case("double(1.5)", lambda: candidate(1.5), 3.0)
    yield Case("double(ones)", lambda: candidate(torch.ones(2)), 2 * torch.ones(2))


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


def test_a_large_tensor_is_described_and_not_printed(capsys):
    @exercise
    def check(candidate):
        yield Case("f()", candidate, torch.zeros(3, 4))

    check(lambda: torch.ones(3, 4))
    expected = "a tensor of shape (3, 4) with sum"
    assert capsys.readouterr().out == f"Not yet: f() gives {expected} 12, expected {expected} 0.\n"


def wrong_calibration_error(confidences, right, bins):
    return (confidences.mean() - right.float().mean()).abs()  # one bin for all


def accuracy_that_forgets_the_mode(model, images, labels):
    model.eval()
    with torch.no_grad():
        return (model(images).argmax(1) == labels).float().mean()


@pytest.mark.parametrize(
    ("check", "candidate"),
    [
        (cnn.check_output_size, lambda size, kernel, stride, padding: size - kernel + 1),
        (cnn.check_receptive_field, lambda layers: sum(kernel for kernel, _ in layers)),
        (cnn.check_average_pool, lambda images, side: images[..., ::side, ::side]),
        (cnn.check_accuracy, accuracy_that_forgets_the_mode),
        (cnn.check_calibration_error, wrong_calibration_error),
    ],
)
def test_a_plausible_mistake_is_not_accepted(check, candidate, capsys):
    check(candidate)
    assert capsys.readouterr().out.startswith("Not yet: ")


def test_checking_leaves_the_random_state_alone(capsys):
    before = torch.get_rng_state()
    cnn.check_accuracy(lambda *arguments: 0.0)
    assert torch.equal(torch.get_rng_state(), before)
