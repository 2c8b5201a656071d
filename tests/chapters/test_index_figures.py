"""The figure that opens the book shows what the network does and says it in words."""

import pytest
import torch
import torch.nn.functional as F
from drawn import named

from glassbox.chapters.index.figures import _BARS_ACROSS, show_inside
from glassbox.networks import ThreeBlockCNN
from glassbox.plotting.colors import BLUE, RUST
from glassbox.plotting.figures import to_pixels


@pytest.fixture
def model():
    torch.manual_seed(0)
    return ThreeBlockCNN(1, size=8, width=6, hidden=32)


@pytest.fixture
def image():
    return torch.rand(1, 8, 8, generator=torch.Generator().manual_seed(1))


def test_the_bars_are_the_probabilities(model, image):
    probabilities = model(image[None]).softmax(1)[0].tolist()
    (ax,) = show_inside(model, image, 0, 10).axes
    shown = [bar.get_width() / _BARS_ACROSS for bar in named(ax, "probabilities")]
    assert shown == pytest.approx(probabilities, abs=1e-5)


def test_the_maps_are_those_of_the_first_layer(model, image):
    first = model.features[0][0]
    maps = F.conv2d(image[None], first.weight, first.bias, padding=1)[0].detach()
    (ax,) = show_inside(model, image, 0, 10).axes
    sheet = torch.tensor(ax.images[1].get_array().filled(torch.nan)).float()
    assert sheet.shape == (17, 26)
    for index, expected in enumerate(maps):
        top, left = index // 3 * 9, index % 3 * 9
        torch.testing.assert_close(sheet[top : top + 8, left : left + 8], expected)
    assert sheet[8].isnan().all() and sheet[:, 8].isnan().all()


@pytest.mark.parametrize("right", [True, False])
def test_the_answer_is_judged_by_the_label_in_color_sign_and_words(model, image, right):
    guess = int(model(image[None]).argmax())
    label = guess if right else (guess + 1) % 10
    fig = show_inside(model, image, label, 40)
    answer = next(text for text in fig.axes[0].texts if text.get_text().startswith("It says"))
    assert answer.get_text() == f"It says {guess} {'✓' if right else '✗'}"
    assert answer.get_color() == (BLUE if right else RUST)
    assert f"After 40 batches: shown a handwritten {label}, the network says {guess}" in fig.alt
    assert ("which is right" in fig.alt) is right


def test_a_wrong_answer_looks_different_and_the_model_is_left_alone(model, image):
    guess = int(model(image[None]).argmax())
    before = {name: value.clone() for name, value in model.state_dict().items()}
    right, wrong = (to_pixels(show_inside(model, image, label, 0)) for label in (guess, 9 - guess))
    assert (right != wrong).any()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
