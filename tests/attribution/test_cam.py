"""Grad-CAM beside Captum, pytorch-grad-cam and pencil-and-paper cases."""

import copy
import gc
import weakref

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from captum.attr import LayerGradCam
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses
from torch import nn

import glassbox.support.torchvision_operators  # noqa: F401
from glassbox.attribution import GradCAM, class_activation_maps, heat_maps
from glassbox.networks import ThreeBlockCNN


def vgg_like() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(64, 5),
    )


def architectures():
    from torchvision import models

    torch.manual_seed(0)
    yield "resnet18", models.resnet18(num_classes=7), ["layer2", "layer4", "layer4.1.bn2"], 64
    yield "alexnet", models.alexnet(num_classes=7), ["features.0", "features.10", "features"], 64
    yield "vgg11", models.vgg11(num_classes=7), ["features.18", "features.20"], 32
    yield "densenet", models.densenet121(num_classes=7), ["features", "features.denseblock2"], 32
    yield "mobilenet", models.mobilenet_v3_small(num_classes=7), ["features", "features.3"], 32
    yield "vgg-like", vgg_like(), ["0", "1", "3", "4"], 16
    yield "book's CNN", ThreeBlockCNN(), [n for n, m in _convolutions(ThreeBlockCNN())], 32


def _convolutions(model):
    return [(n, m) for n, m in model.named_modules() if isinstance(m, nn.Conv2d)]


CASES = [(name, model, layer, size) for name, model, layers, size in architectures()
         for layer in layers]  # fmt: skip


def images_of(size, channels=3, count=3, dtype=torch.float32):
    generator = torch.Generator().manual_seed(size)
    return torch.randn(count, channels, size, size, generator=generator, dtype=dtype)


DOUBLE = ("vgg-like", "book's CNN")  # in both precisions; the large networks in one


@pytest.mark.parametrize(
    "model, layer, size, dtype",
    [
        pytest.param(model, layer, size, dtype, id=f"{name}-{layer}-{dtype}")
        for name, model, layer, size in CASES
        for dtype in (torch.float32, torch.float64)
        if dtype == torch.float32 or name in DOUBLE
    ],
)
def test_maps_are_captums(model, layer, size, dtype):
    model = copy.deepcopy(model).to(dtype).eval()
    images, classes = images_of(size, dtype=dtype), torch.tensor([0, 3, 1])
    expected = LayerGradCam(model, model.get_submodule(layer)).attribute(images, classes)
    with GradCAM(model, layer) as cam:
        signed, maps = cam(images, classes, relu=False), cam(images, classes)
    scale = expected.abs().max()
    torch.testing.assert_close(signed / scale, expected[:, 0].detach() / scale, rtol=0, atol=1e-5)
    assert torch.equal(maps, signed.relu())


@pytest.mark.parametrize(
    "name, layer, size",
    [("resnet18", "layer4", 64), ("alexnet", "features.12", 96), ("vgg11", "features.20", 64)],
)
def test_heat_maps_are_those_of_pytorch_grad_cam(name, layer, size):
    import pytorch_grad_cam
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
    from torchvision import models

    torch.manual_seed(1)
    model = models.get_model(name, num_classes=7).eval()
    images, classes = images_of(size), [2, 5, 0]
    with pytorch_grad_cam.GradCAM(model, [model.get_submodule(layer)]) as theirs:
        expected = theirs(images, [ClassifierOutputTarget(k) for k in classes])
    with GradCAM(model, layer) as cam:
        maps = heat_maps(cam(images, torch.tensor(classes)), size)
    torch.testing.assert_close(maps, torch.from_numpy(expected), rtol=0, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_of_a_pooled_linear_head_it_is_cam(dtype):
    model = copy.deepcopy(dict((c[0], c[1]) for c in CASES)["resnet18"]).to(dtype).eval()
    images, classes = images_of(64, dtype=dtype), torch.tensor([1, 1, 6])
    with GradCAM(model, "layer4") as cam:
        maps = cam(images, classes, relu=False)
    features = nn.Sequential(*list(model.children())[:-2])(images)
    expected = class_activation_maps(features, model.fc.weight, classes) / features[0, 0].numel()
    torch.testing.assert_close(maps, expected.detach(), rtol=1e-6, atol=1e-6)


def test_by_hand():
    model = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.Flatten(), nn.Linear(8, 2, bias=False))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([1.0, -2.0]).reshape(2, 1, 1, 1))
        model[2].weight.copy_(torch.tensor([[1.0, 2, 3, 4, 0, 0, 0, 4], [0] * 8]))
    image = torch.tensor([[[[1.0, -1], [2, 0]]]])
    with GradCAM(model, "0") as cam:
        # Mean slopes 2.5 and 1, activations x and -2x: 0.5 x.
        assert torch.equal(cam(image, 0, relu=False), torch.tensor([[[0.5, -0.5], [1, 0]]]))
        assert torch.equal(cam(image, 0), torch.tensor([[[0.5, 0], [1, 0]]]))
        assert torch.equal(cam(image, 1), torch.zeros(1, 2, 2))


def test_a_batch_is_its_images_one_by_one_and_classes_are_predicted_unless_given():
    model, images = vgg_like(), images_of(16, count=5)
    with GradCAM(model, "3") as cam:
        maps = cam(images)
        predicted = model.eval()(images).argmax(dim=1)
        for image, label, expected in zip(images, predicted, maps, strict=True):
            torch.testing.assert_close(cam(image[None], label.item())[0], expected)


def pooled(weight: float) -> nn.Sequential:
    """Make a network whose slopes are the weight divided by the number of places."""
    torch.manual_seed(0)
    head = nn.Linear(8, 5)
    nn.init.uniform_(head.weight, -weight, weight)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head).eval()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("weight", [1e-3, 1e-2, 1.0, 1e3])
def test_half_types_lose_no_gradient(dtype, weight):
    model, images = pooled(weight).to(dtype), images_of(66).to(dtype)
    with GradCAM(model, "0") as cam:
        maps = cam(images, [0, 3, 1], relu=False)
    model, exact = model.float(), images.float()
    with GradCAM(model, "0") as cam:
        expected = cam(exact, [0, 3, 1], relu=False)
    size = expected.abs().max()
    assert (maps - expected).abs().max() / size < 8 * torch.finfo(dtype).eps


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_the_slope_of_a_probability_may_be_tiny(dtype):
    model = pooled(1.0)
    model[3].bias.data = torch.tensor([30.0, 0, 0, 0, 0])
    model, images = model.to(dtype), images_of(66).to(dtype)
    with GradCAM(model, "0") as cam:
        maps = cam(images, 1, score="probability", relu=False)
    with GradCAM(model.double(), "0") as cam:
        expected = cam(images.double(), 1, score="probability", relu=False)
    size = expected.abs().max()
    assert 0 < size < 1e-11  # beyond what float16 can tell from 0
    assert (maps - expected).abs().max() / size < 64 * torch.finfo(dtype).eps


def test_maps_at_the_end_of_float32_are_scaled():
    maps = torch.tensor([[[-3e38, 3e38], [0, 0]], [[1e-44, 0], [0, 0]]])
    expected = torch.tensor([[[0, 1.0], [0.5, 0.5]], [[1, 0], [0, 0]]])
    assert torch.equal(heat_maps(maps, 2), expected)


def test_several_layers_are_each_as_alone():
    model, images = vgg_like(), images_of(16)
    with GradCAM(model, ["0", "3"]) as cam:
        both = cam(images, 2)
    assert list(both) == ["0", "3"]
    for layer, maps in both.items():
        with GradCAM(model, layer) as cam:
            torch.testing.assert_close(cam(images, 2), maps)


def test_a_layer_is_its_name_and_a_class_is_a_number_a_list_or_an_array():
    model, images = vgg_like(), images_of(16, count=2)
    with GradCAM(model, "3") as cam:
        expected = cam(images, torch.tensor([1, 2]))
        assert torch.equal(cam(images, torch.tensor(2)), cam(images, np.int64(2)))
        for dtype in (torch.uint8, torch.int16):
            assert torch.equal(cam(images, torch.tensor([1, 2], dtype=dtype)), expected)
    with GradCAM(model, model[3]) as cam:
        assert torch.equal(cam(images, [1, 2]), expected)
        assert torch.equal(cam(images.numpy(), np.array([1, 2])), expected)
    with GradCAM(model, [model[0], "3"]) as cam:
        assert torch.equal(cam(images, [1, 2])["3"], expected)


def test_layouts_are_all_the_same():
    model, images = vgg_like(), images_of(16)
    rows = images.permute(0, 2, 3, 1).contiguous().numpy()  # NHWC, as from a file
    with GradCAM(model, "3") as cam:
        expected = cam(images, 1)
        for same in (
            images.contiguous(memory_format=torch.channels_last),
            rows.transpose(0, 3, 1, 2),
            torch.stack([images, images], dim=-1)[..., 0],
        ):
            torch.testing.assert_close(cam(same, 1), expected)


@pytest.mark.parametrize("layer", ["3", "_orig_mod.3"])
def test_a_compiled_model_has_the_maps_of_what_was_compiled(layer):
    torch._dynamo.reset()
    model, images = vgg_like().eval(), images_of(16)
    with GradCAM(model, "3") as cam:
        expected = cam(images)
    compiled = torch.compile(model, backend="aot_eager")
    compiled(images)
    with GradCAM(compiled, layer) as cam:
        assert torch.equal(cam(images), expected)
    assert not any(module._forward_hooks for module in compiled.modules())
    torch._dynamo.reset()


def test_other_uses_of_what_a_layer_passes_through_do_not_concern_it():
    class Branch(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.same = nn.Conv2d(3, 2, 1), nn.Identity()

        def forward(self, x):
            x = self.conv(x)
            out = (self.same(x) + 2 * x).sum((2, 3))
            x.mul_(0)  # what was seen at the layer stays
            return out

    model, images = Branch(), images_of(16)
    with GradCAM(model, "same") as cam:
        torch.testing.assert_close(cam(images, 1, relu=False), model.conv(images)[:, 1].detach())


TOKENS = torch.arange(2 * 6 * 3.0).reshape(2, 6, 3)
RESHAPES = {
    "tokens": (TOKENS[:, 1:5], "tokens", (8, 8)),
    "tokens after two others": (TOKENS, "tokens", (8, 8)),
    "a grid": (TOKENS, (1, 4), (4, 16)),
    "a list": (TOKENS, [1, 4], (4, 16)),
    "a function": (TOKENS, lambda x: x[:, 2:].reshape(2, 2, 2, 3).permute(0, 3, 1, 2), (8, 8)),
    "channels_last": (TOKENS[:, 2:].reshape(2, 2, 2, 3), "channels_last", (8, 8)),
    "channels_first": (TOKENS[:, 2:].reshape(2, 1, 4, 3), "channels_first", (8, 8)),
}


class Weighted(nn.Module):
    """Its layer gives constants; the logit is their sum, weighted by 1 to 3 for each channel."""

    def __init__(self, given):
        super().__init__()
        self.given, self.layer = given, nn.Identity()

    def forward(self, images):
        output = self.layer(self.given + 0 * images.mean())
        return (output * torch.tensor([1.0, 2, 3])).flatten(1).sum(1, keepdim=True)


@pytest.mark.parametrize("name", RESHAPES)
def test_tokens_and_channels_last_become_maps(name):
    given, reshape, sides = RESHAPES[name]
    with GradCAM(Weighted(given), "layer", reshape) as cam:
        maps = cam(torch.ones(2, 1, *sides), 0)
    if name == "channels_first":  # (B, C, h, w) = (2, 1, 4, 3), and the mean slope is 2
        assert torch.equal(maps, 2 * given[:, 0])
    else:
        grid = TOKENS[:, 1:5] if name == "tokens" else TOKENS[:, 2:]
        assert torch.equal(maps.flatten(1), grid @ torch.tensor([1.0, 2, 3]))


class Cut(nn.Module):
    """What comes after some layers has no gradient of its score."""

    def __init__(self):
        super().__init__()
        self.unrecorded, self.conv = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)
        self.detached, self.unread = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)

    def forward(self, x):
        with torch.no_grad():
            x = self.unrecorded(x)
        x = self.detached(self.conv(x)).detach() + self.conv(x)
        self.unread(x)
        return x.mean((2, 3))


class ClassToken(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Identity()

    def forward(self, images):
        tokens = torch.ones(len(images), 5, 3) * images.mean()
        return self.layer(tokens)[:, 0]


def test_a_second_block_is_refused_and_the_first_goes_on():
    model = vgg_like()
    with GradCAM(model, "3") as cam:
        with pytest.raises(RuntimeError, match="in its with block already"), cam:
            raise AssertionError("entered")
        cam(images_of(16))
    with cam:  # one after the other is fine
        cam(images_of(16))
    assert not any(module._forward_hooks for module in model.modules())


def test_a_confident_softmax_hides_what_the_logit_shows():
    model, images = vgg_like(), images_of(16)
    with torch.no_grad():
        model[7].weight *= 2000
    with GradCAM(model, "3") as cam:
        logit, probability = cam(images), cam(images, score="probability")
    assert logit.amax() > 1
    assert probability.amax() < 1e-6 * logit.amax()


def state_of(model):
    hooks = [len(m._forward_hooks) + len(m._backward_hooks) for m in model.modules()]
    flags = [(p.requires_grad, p.grad, p._version) for p in model.parameters()]
    buffers = [b.clone() for b in model.buffers()]
    return hooks, [m.training for m in model.modules()], flags, buffers


def assert_same(before, after):
    assert before[:2] == after[:2]
    for (flag, grad, version), (flag2, grad2, version2) in zip(before[2], after[2], strict=True):
        assert flag == flag2 and grad is grad2 and version == version2
    assert all(torch.equal(a, b) for a, b in zip(before[3], after[3], strict=True))


@pytest.mark.parametrize("fails", [False, True])
def test_the_model_is_left_as_it_was(fails):
    model = nn.Sequential(nn.BatchNorm2d(3), vgg_like(), nn.Dropout())
    model[1][3].eval().requires_grad_(False)
    model(images_of(16)).sum().backward()
    before = state_of(model)
    images = images_of(16)
    try:
        with GradCAM(model, "1.3") as cam:
            cam(images)
            if fails:
                cam(images_of(16, channels=4))
    except RuntimeError:
        assert fails
    assert_same(before, state_of(model))
    assert images.grad is None and not images.requires_grad


def test_after_an_error_the_same_block_goes_on():
    model, images = vgg_like(), images_of(16)
    with GradCAM(model, "3") as cam:
        first = cam(images, 1)
        with pytest.raises(ValueError, match="classes"):
            cam(images, 9)
        assert torch.equal(cam(images, 1), first)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_frozen_models_and_surroundings_without_gradients(mode):
    model, images = vgg_like(), images_of(16)
    with GradCAM(model, "3") as cam:
        expected = cam(images)
    model.requires_grad_(False)
    with mode(), GradCAM(model, "3") as cam:
        torch.testing.assert_close(cam(images.clone()), expected)


def test_a_first_layer_in_place_leaves_the_images_alone():
    model, images = nn.Sequential(nn.ReLU(inplace=True), vgg_like()), images_of(16)
    kept = images.clone()
    with GradCAM(model, "1.3") as cam:
        cam(images)
    assert torch.equal(images, kept)


@pytest.mark.parametrize("dtype, error", [(torch.float16, 0.02), (torch.bfloat16, 0.1)])
def test_half_precision_comes_close(dtype, error):
    model, images = vgg_like(), images_of(16)
    with GradCAM(model, "3") as cam:
        expected = cam(images, 0)
    with GradCAM(copy.deepcopy(model).to(dtype), "3") as cam:
        maps = cam(images.to(dtype), 0)
    assert maps.dtype == torch.float32
    assert (maps - expected).abs().max() < error * expected.max()
    with torch.autocast("cpu", dtype), GradCAM(model, "3") as cam:
        assert (cam(images, 0) - expected).abs().max() < error * expected.max()


def test_nothing_stays_alive():
    model = vgg_like()
    with GradCAM(model, "3") as cam:
        maps = cam(images_of(16))
    gone = weakref.ref(maps)
    del maps, cam
    gc.collect()
    assert gone() is None
    assert not any(len(module._forward_hooks) for module in model.modules())


def test_other_forward_passes_in_the_block_are_not_disturbed():
    model, images = vgg_like(), images_of(16)
    expected = model(images)
    with GradCAM(model, "3") as cam:
        assert torch.equal(model(images), expected)
        cam(images)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1, 3, 7]), st.sampled_from([8, (5, 9)]))
def test_heat_maps_reach_from_0_to_1(seed, side, size):
    maps = torch.randn(4, side, side, generator=torch.Generator().manual_seed(seed)).relu()
    maps[0] = 0
    shown = heat_maps(maps, size)
    height, width = (size, size) if isinstance(size, int) else size
    assert shown.shape == (4, height, width)
    assert shown[0].eq(0).all()
    for one in shown[1:]:
        assert one.min() == 0 and one.max() in (0, 1)


def test_maps_are_scaled_in_every_type():
    maps = torch.tensor([[[0, 2], [2, 4]]])
    expected = heat_maps(maps.float(), 4)
    for same in (maps, maps.half(), maps.bfloat16(), maps.numpy(), maps.tolist(), maps.double()):
        torch.testing.assert_close(heat_maps(same, [4, 4]).float(), expected)


def test_class_activation_maps_take_every_type():
    features, weight = torch.rand(2, 3, 4, 4), torch.rand(5, 3)
    expected = class_activation_maps(features, weight, torch.tensor([4, 1]))
    for classes in ([4, 1], np.array([4, 1]), torch.tensor([4, 1], dtype=torch.uint8)):
        assert torch.equal(class_activation_maps(features.numpy(), weight, classes), expected)
    half = class_activation_maps(features.half(), weight, [4, 1])
    torch.testing.assert_close(half, expected, rtol=1e-3, atol=1e-3)


def test_heat_maps_enlarge_bilinearly():
    maps = torch.tensor([[[0.0, 2], [2, 4]]])
    expected = F.interpolate(maps[None] / 4, (4, 4), mode="bilinear", align_corners=False)[0]
    torch.testing.assert_close(heat_maps(maps, 4), expected)


ONE = torch.zeros(1, 3, 16, 16)


NAN = float("nan")


def explain(model=None, layer="3", images=ONE, reshape=None, **options):
    with GradCAM(model or vgg_like(), layer, reshape) as cam:
        cam(images, **options)


def explain_tokens(reshape, height, width):
    explain(Weighted(TOKENS), "layer", torch.ones(2, 1, height, width), reshape)


def explain_rows(height, width):
    """Give channels last where they come first: 3 channels in the place of 2 columns."""
    rows = torch.ones(2, 2, height // 4, 3)
    explain(Weighted(rows), "layer", torch.ones(2, 1, height, width))


def overflowing():
    model = vgg_like()
    model[3].weight.data *= 1e40
    return model


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.unused = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)
        self.head = nn.Conv2d(3, 2, 1)

    def forward(self, x):
        return self.head(self.conv(self.conv(x))).mean(dim=(2, 3))


CLASSES = torch.tensor([0, 1])
FEATURES, WEIGHT = torch.zeros(2, 3, 4, 4), torch.zeros(5, 3)

test_a_wrong_argument_is_named = refuses(
    (lambda: explain(images=ONE.byte()), TypeError, "images has type torch.uint8"),
    (lambda: explain(images=ONE[0]), r"images has shape \(3, 16, 16\)"),
    (lambda: explain(images=ONE[:0]), "images is empty"),
    (lambda: explain(score="softmax"), "score is 'softmax'"),
    (lambda: explain(classes=5), "classes is between 5 and 5"),
    (lambda: explain(classes=-1), "expected 0 to 4"),
    (lambda: explain(classes=torch.tensor([1, 2])), "classes has shape"),
    (lambda: explain(classes=torch.tensor([1.0])), "float32"),
    (lambda: explain(layer="33"), r"layers has '33', .* such as \['3'"),
    (lambda: explain(layer="6"), r"layer '6' is \(1, 64\), expected"),
    (lambda: explain(layer="7"), r"layer '7' is \(1, 5\), expected"),
    (lambda: explain(Shared(), "unused"), RuntimeError, "'unused' never ran"),
    (lambda: explain(Shared(), "conv"), RuntimeError, "'conv' ran 2 times"),
    (lambda: explain(nn.Conv2d(3, 3, 1), ""), r"output of model is .*, expected logits"),
    (lambda: explain(Cut(), "unrecorded"), RuntimeError, "no gradient .* 'unrecorded'"),
    (lambda: explain(Cut(), "detached"), RuntimeError, "no gradient .* 'detached'"),
    (lambda: explain(Cut(), "unread"), RuntimeError, "no gradient .* 'unread'"),
    (lambda: explain(ClassToken(), "layer", reshape="tokens"), RuntimeError, "before the grid"),
    (
        lambda: explain(Weighted(TOKENS), "layer", ONE[:1, :1]),
        r"\(2, 6, 3\), .* 'tokens' or a grid",
    ),
    (lambda: explain_tokens("tokens", 8, 6), r"square grid of tokens, for images of 8 x 6"),
    (lambda: explain_tokens("tokens", 7, 7), r"square grid of tokens, for images of 7 x 7"),
    (lambda: explain_tokens((2, 4), 8, 8), r"\(2, 6, 3\), expected what reshape is for"),
    (lambda: explain_tokens(torch.relu, 8, 8), r"\(2, 6, 3\), expected what reshape is for"),
    (lambda: explain_tokens("channels_last", 8, 8), r"expected \(B, h, w, C\)"),
    (lambda: explain_rows(8, 8), r"\(2, 2, 2, 3\), expected \(B, C, h, w\), .* 'channels_last'"),
    (lambda: explain_rows(24, 160), r"for images of 24 x 160; reshape takes 'channels_last'"),
    (
        lambda: GradCAM(vgg_like(), "3", "tokens_first"),
        "reshape is 'tokens_first', expected one of",
    ),
    (lambda: GradCAM(vgg_like(), vgg_like()[3]), "layers has a Conv2d, expected names of"),
    (lambda: GradCAM(vgg_like(), 3), TypeError, "layers is 3, expected a list"),
    (
        lambda: GradCAM(vgg_like().forward, "3"),
        TypeError,
        "model is .*, expected a torch.nn.Module",
    ),
    (lambda: explain(images=ONE.log()), "images has 0 .* nan and 768 that are infinite"),
    (lambda: explain(overflowing(), images=ONE + 1), "the map at layer '3' has"),
    (lambda: explain(classes="cat"), TypeError, "classes is 'cat', expected a tensor"),
    (lambda: heat_maps([[[NAN, 1], [0, 2]]], 4), "maps has 1 entries that are nan"),
    (lambda: heat_maps(torch.zeros(1, 0, 4), 8), r"maps has shape \(1, 0, 4\)"),
    (lambda: heat_maps(torch.zeros(1, 4, 4), (8, 0)), "size is 0, expected an integer"),
    (lambda: heat_maps(torch.zeros(1, 4, 4), (8, 8, 8)), r"size is \(8, 8, 8\)"),
    (lambda: class_activation_maps(FEATURES.log(), WEIGHT, CLASSES), "features has .* infinite"),
    (lambda: class_activation_maps(FEATURES + 3e38, WEIGHT + 2, CLASSES), "features is from"),
    (lambda: GradCAM(vgg_like(), "3")(ONE), RuntimeError, "outside of its with block"),
    (lambda: GradCAM(vgg_like(), []), "layers is empty"),
    (lambda: class_activation_maps(FEATURES[0], WEIGHT, CLASSES), "features has shape"),
    (lambda: class_activation_maps(FEATURES, WEIGHT[:, :2], CLASSES), "weight has shape"),
    (lambda: class_activation_maps(FEATURES, WEIGHT, CLASSES + 4), "expected 0 to 4"),
    (lambda: heat_maps(torch.zeros(4, 4), 8), r"maps has shape \(4, 4\)"),
)
