"""The checks of the chapter on autoencoders: right solutions pass, wrong ones get a useful line."""

import pytest
import torch

from glassbox.chapters.autoencoders.exercises import check_pca_reconstruct, check_transposed_side


def pca(train, images, latent, center=None):
    mean = train.mean(0) if center is None else center
    basis = torch.linalg.svd(train - mean, full_matrices=False)[2][:latent]
    return (images - mean) @ basis.T @ basis + mean


def test_solutions_pass(capsys):
    check_transposed_side(
        lambda side, kernel, stride, padding: (side - 1) * stride + kernel - 2 * padding
    )
    check_pca_reconstruct(pca)
    assert [line[:6] for line in capsys.readouterr().out.splitlines()] == ["Solved"] * 2


@pytest.mark.parametrize(
    "check, wrong",
    [
        (check_transposed_side, lambda *_: None),
        (check_transposed_side, lambda side, kernel, stride, padding: side * stride),
        (check_transposed_side, lambda side, kernel, stride, padding: (side - 1) * stride + kernel),
        (check_pca_reconstruct, lambda *_: None),
        (check_pca_reconstruct, lambda train, images, latent: pca(images, images, latent)),
        (check_pca_reconstruct, lambda *args: pca(*args, center=0)),
    ],
)
def test_wrong_answers_are_told_what_was_expected(check, wrong, capsys):
    check(wrong)
    said = capsys.readouterr().out
    assert said.startswith("Not yet") and "expected" in said
