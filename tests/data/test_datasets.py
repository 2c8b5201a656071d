import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from devices import gives_the_same_in_every_layout, gives_the_same_on_every_device, needs_no_values
from refusals import refuses
from sklearn.datasets import load_digits

from glassbox.data import Dataset, channel_statistics, load, normalize, resize, to_float


def bytes_of(count: int = 20, channels: int = 3, size: int = 6) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, channels, size, size), generator=generator).byte()


def tiny(masks: bool = True) -> Dataset:
    images = bytes_of()
    return Dataset(
        "tiny",
        images,
        torch.arange(20) % 3,
        ("a", "b", "c", "d"),
        images[:, 0] > 99 if masks else None,
    )


def test_digits_are_scikit_learns_in_bytes():
    digits, theirs = load("digits"), load_digits()
    assert digits.images.shape == (1797, 1, 8, 8) and digits.images.dtype == torch.uint8
    assert len(digits) == 1797 and digits.num_classes == 10
    assert digits.labels.tolist() == theirs.target.tolist()
    assert (digits.images.amin(), digits.images.amax()) == (0, 255)
    assert np.abs(digits.images[:, 0].numpy() / 255 - theirs.images / 16).max() < 0.5 / 255 + 1e-9


NAN, THREE = float("nan"), torch.ones(3)
ALL = "digits, scenes, mnist_5k, mnist, fashion_mnist, cifar10, wine_quality, wine"

test_what_cannot_be_loaded_is_named = refuses(
    (lambda: load("zzz"), f"name is 'zzz', expected one of {ALL}"),
    (lambda: load(["digits"]), r"name is \['digits'\], expected one of"),
    (lambda: load("cifar"), f"{ALL}.* did you mean .*cifar10"),
    (lambda: load("MNIST"), "did you mean .*mnist"),
    (lambda: load("digit"), "did you mean .*digits"),
    (lambda: load("fashion-mnist"), "did you mean .*fashion_mnist"),
    (lambda: load("digits", split="test"), "stratified_split"),
    (lambda: load("digits", size=32, seed=1), "options is seed, size"),
)


@pytest.mark.parametrize(
    "indices",
    [
        torch.tensor([3, 1]),
        [3, 1],
        slice(2, 9, 3),
        torch.arange(20) % 2 == 0,
        [True] * 5 + [False] * 15,
        [],
        torch.tensor([], dtype=torch.int64),
    ],
)
def test_a_part_keeps_images_labels_and_masks_together(indices):
    data = tiny()
    part = data[indices]
    if isinstance(indices, slice):
        places = torch.arange(20)[indices]
    else:
        places = torch.as_tensor(indices) if len(indices) else torch.arange(0)
        places = places.nonzero()[:, 0] if places.dtype == torch.bool else places
    assert len(part) == len(places)
    for name in ("images", "labels", "masks"):
        assert torch.equal(getattr(part, name), getattr(data, name)[places])
    assert part.class_names == data.class_names


def test_class_counts_include_classes_without_images():
    assert tiny().class_counts.tolist() == [7, 7, 6, 0]
    assert tiny(masks=False)[[]].class_counts.tolist() == [0, 0, 0, 0]


PARTS = {"images": bytes_of(), "labels": torch.zeros(20).long(), "class_names": ("a", "b")}

test_parts_that_do_not_fit_together_are_refused = refuses(
    ({"images": bytes_of().float()}, "images has .*float32.*expected uint8"),
    ({"images": bytes_of()[:, 0]}, "images has shape .20, 6, 6."),
    ({"labels": torch.zeros(19).long()}, r"labels has shape .19,.* expected int64 .20,"),
    ({"labels": torch.zeros(20)}, "labels has .*float32"),
    ({"labels": torch.full((20,), 2)}, "values from 0 to 1"),
    ({"labels": torch.full((20,), -1)}, "values from 0 to 1"),
    ({"masks": torch.zeros(20, 6, 6)}, "masks has .*expected bool"),
    ({"masks": torch.zeros(20, 5, 6).bool()}, "masks has shape"),
    by=lambda change: Dataset("tiny", **(PARTS | change)),
)


def test_a_data_set_describes_itself_in_a_line():
    assert repr(tiny()) == "Dataset(tiny: 20 images 3 x 6 x 6, 4 classes)"


def test_bytes_become_numbers_from_0_to_1_once():
    images = bytes_of()
    assert torch.equal(to_float(images), images / 255)
    with pytest.raises(TypeError, match="uint8"):
        to_float(to_float(images))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64])
def test_channel_statistics_are_those_of_numpy(dtype):
    images = bytes_of(50) if dtype == torch.uint8 else to_float(bytes_of(50)).to(dtype)
    mean, std = channel_statistics(images)
    exact = bytes_of(50).numpy().astype(np.float64) / 255
    assert mean.dtype == std.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    np.testing.assert_allclose(mean, exact.mean((0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(std, exact.std((0, 2, 3)), rtol=1e-6)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64])
def test_normalized_images_have_mean_0_and_deviation_1(dtype):
    images = bytes_of(50) if dtype == torch.uint8 else to_float(bytes_of(50)).to(dtype)
    before = images.clone()
    result = normalize(images, *channel_statistics(images))
    assert torch.equal(images, before)
    mean, std = channel_statistics(result)
    torch.testing.assert_close(mean, torch.zeros_like(mean), rtol=0, atol=1e-5)
    torch.testing.assert_close(std, torch.ones_like(std), rtol=0, atol=1e-5)


test_what_would_broadcast_or_divide_by_zero_is_refused = refuses(
    (lambda images: normalize(images, torch.zeros(1), torch.ones(1)), "mean has shape"),
    (lambda images: normalize(images, torch.zeros(3), torch.tensor([1.0, 0, 1])), "std is"),
    (lambda images: channel_statistics(images[:0]), "images has shape"),
    (lambda images: resize(images, 0), "size is 0"),
    (lambda images: resize(images, 2.5), TypeError, "size is 2.5"),
    (lambda images: resize(images.int(), 2), TypeError, "images has type torch.int32"),
    (
        lambda images: normalize(images.int(), THREE, THREE),
        TypeError,
        "images has type torch.int32",
    ),
    (lambda images: normalize(images, THREE * NAN, THREE), "mean has 3 entries that are nan"),
    (lambda images: normalize(images, THREE, THREE / 0), "std has .* 3 that are infinite"),
    (lambda images: normalize(images, THREE, THREE.double() * 1e-50), "std is .* in torch.float32"),
    (lambda images: normalize(images, THREE, THREE * 1e-39), "std is .* in torch.float32"),
    (
        lambda images: normalize(images, THREE.double() * 1e300, THREE),
        "mean has .* 3 that are infinite",
    ),
    (lambda images: normalize(images.numpy(), THREE, THREE), TypeError, "images is a ndarray"),
    (lambda images: channel_statistics(images.int()), TypeError, "images has type torch.int32"),
    (lambda images: channel_statistics(images * NAN), "images has 2160 entries that are nan"),
    (lambda images: to_float([0, 255]), TypeError, "images is a list, expected a tensor"),
    (lambda images: tiny()[3], TypeError, "indices is 3"),  # it would give no data set
    by=lambda call: call(bytes_of()),
)


def test_half_images_are_normalized_in_single_precision():
    images, mean, std = to_float(bytes_of()).half(), THREE * 0.3, THREE * 1e-8
    expected = (images.float() - 0.3) / 0.25
    assert torch.equal(normalize(images, mean, THREE / 4), expected.half())
    wide = normalize(images.double(), mean.double(), std.double() * 1e-50)
    assert wide.isfinite().all() and wide.abs().max() > 1e50


PHOTOS = to_float(bytes_of())
COMPUTED = (
    ("channel_statistics", channel_statistics, PHOTOS),
    ("channel_statistics of bytes", channel_statistics, bytes_of()),
    ("normalize", lambda images: normalize(images, THREE / 2, THREE / 4), PHOTOS),
    ("normalize bytes", lambda images: normalize(images, [0.5, 0.4, 0.3], THREE), bytes_of()),
    ("resize", lambda images: resize(images, 4), PHOTOS),
    ("resize bytes", lambda images: resize(images, 9), bytes_of()),
    ("to_float", to_float, bytes_of()),
)
test_pixels_are_the_same_on_every_device = gives_the_same_on_every_device(*COMPUTED)
test_pixels_are_the_same_in_every_layout = gives_the_same_in_every_layout(*COMPUTED)
test_pixels_need_no_values = needs_no_values(*COMPUTED[2:])


def test_a_part_of_a_data_set_is_on_its_device():
    data = tiny()
    with torch.device("meta"):
        assert len(data[[]]) == 0 and data[[3, 1]].labels.tolist() == [0, 1]
        assert load("digits").labels[:3].tolist() == [0, 1, 2]


@pytest.mark.parametrize("size", [3, 6, 17])
def test_resizing_is_bilinear_and_keeps_the_type(size):
    floats = to_float(bytes_of())
    expected = F.interpolate(floats, (size, size), mode="bilinear", antialias=True)
    torch.testing.assert_close(resize(floats, size), expected)
    rounded = resize(bytes_of(), size)
    assert rounded.dtype == torch.uint8 and rounded.shape == (20, 3, size, size)
    assert (rounded / 255 - expected).abs().max() <= 0.5 / 255 + 1e-5


def test_a_uniform_image_stays_uniform_at_any_size():
    assert (resize(torch.full((1, 1, 5, 5), 255).byte(), 13) == 255).all()


def test_importing_data_is_light():
    code = (
        "import sys, glassbox.data.datasets\n"
        "heavy = ('sklearn', 'torchvision', 'matplotlib', 'PIL', 'IPython')\n"
        "heavy += ('glassbox.data.scenes.scene',)\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr
