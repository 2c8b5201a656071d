"""The layers of tiny_network.js in a real browser, against torch."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import glassbox
from glassbox.explorables.tiny_network import pack

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(browser, serve):
    context = browser.new_context()
    context.set_default_timeout(120_000)
    opened = context.new_page()
    script = "/explorables/js/tiny_network.js"
    opened.goto(f"{serve(glassbox.__path__[0])}{script}")
    opened.evaluate(f"import('{script}').then((m) => {{ window.net = m; }})")
    yield opened
    context.close()


@pytest.fixture
def compute(page):
    """Compute in the page: compute(expression, w=tensors, x=tensor, ...) -> tensor."""

    def computed(expression, **given):
        sent = {
            name: value.flatten().tolist() if isinstance(value, torch.Tensor) else value
            for name, value in given.items()
        }
        found = page.evaluate(
            f"""({{ w, x, ...more }}) => {{
              const given = {{ x: Float32Array.from(x ?? []), w: w && net.unpack(w), ...more }};
              const call = new Function("net", ...Object.keys(given), "return {expression};");
              return Array.from(call(net, ...Object.values(given)));
            }}""",
            sent,
        )
        return torch.tensor(found, dtype=torch.float32)

    return computed


def rounded(module):
    """Give a module the weights that half precision has."""
    for parameter in module.parameters():
        parameter.requires_grad_(False).copy_(parameter.half().float())
    return module


def test_half_precision_is_read_exactly(compute):
    bits = torch.arange(-(2**15), 2**15, dtype=torch.int16)
    numbers = bits.view(torch.float16)
    numbers = numbers[numbers.isfinite()]
    found = compute("w.all.values", w=pack({"all": numbers}))
    assert torch.equal(found, numbers.float())


@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("channels, filters, size", [(1, 4, 3), (3, 5, 5), (6, 2, 1)])
@pytest.mark.parametrize("height, width", [(7, 9), (12, 6)])
def test_a_convolution_is_torchs(compute, channels, filters, size, padding, height, width):
    layer = rounded(nn.Conv2d(channels, filters, size, padding=padding))
    image = torch.randn(1, channels, height, width)
    found = compute(
        "net.conv2d(x, side, w.weight, w.bias, padding)",
        w=pack(layer.state_dict()), x=image, side=[height, width], padding=padding,
    )  # fmt: skip
    torch.testing.assert_close(found, layer(image).flatten(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("height, width, size", [(8, 8, 2), (7, 9, 2), (9, 10, 3)])
def test_pooling_is_torchs(compute, height, width, size):
    image = torch.randn(3, height, width) - 2
    found = compute("net.maxPool2d(x, side, size)", x=image, side=[height, width], size=size)
    assert torch.equal(found, F.max_pool2d(image, size).flatten())


def test_a_linear_layer_is_torchs(compute):
    layer, features = rounded(nn.Linear(7, 4)), torch.randn(7)
    found = compute("net.dense(x, w.weight, w.bias)", w=pack(layer.state_dict()), x=features)
    torch.testing.assert_close(found, layer(features), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "expression, expected",
    [
        ("net.relu(x)", F.relu),
        ("net.sigmoid(x)", torch.sigmoid),
        ("net.softmax(x)", lambda logits: logits.softmax(0)),
    ],
)
def test_functions_are_torchs(compute, expression, expected):
    for values in (torch.linspace(-9, 9, 40), 300 * torch.randn(10), torch.zeros(3)):
        torch.testing.assert_close(compute(expression, x=values), expected(values))


def test_the_input_is_left_as_it_was(compute):
    layer, image = rounded(nn.Conv2d(1, 1, 3, padding=1)), torch.randn(1, 4, 4)
    calls = "net.conv2d(x, [4, 4], w.weight, w.bias, 1), net.relu(x), net.softmax(x), "
    calls += "net.sigmoid(x), net.maxPool2d(x, [4, 4])"
    found = compute(f"({calls}, x)", w=pack(layer.state_dict()), x=image)
    torch.testing.assert_close(found, image.flatten())
