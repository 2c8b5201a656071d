import pytest
import torch
from devices import gives_the_same_in_every_layout, gives_the_same_on_every_device, needs_no_values
from refusals import refuses

import glassbox.support.torchvision_operators  # noqa: F401
from glassbox.data import (
    color_jitter,
    compose,
    random_crop,
    random_flip,
    random_rotation,
    random_shift,
)
from glassbox.data.augmentation import adjust_color, flip, rotate, shift

from torchvision.transforms import v2  # isort: skip

NAN = float("nan")
FLOATS = [torch.float32, torch.float64]
ALL = {
    "flip": random_flip(),
    "shift": random_shift(3),
    "crop": random_crop(3),
    "rotation": random_rotation(30),
    "jitter": color_jitter(0.4, 0.4, 0.4),
}


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def photos(count: int = 32, height: int = 12, width: int = 9, dtype=torch.float32) -> torch.Tensor:
    return torch.rand(count, 3, height, width, generator=seeded(0), dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.uint8, *FLOATS])
def test_flip_mirrors_the_chosen_images_as_torchvision_does(dtype):
    images = (photos() * 255).to(dtype)
    chosen = torch.rand(32, generator=seeded(1)) < 0.5
    for image, flipped, turned in zip(images, flip(images, chosen), chosen, strict=True):
        assert torch.equal(flipped, v2.functional.hflip(image) if turned else image)


@pytest.mark.parametrize("dtype", [torch.uint8, *FLOATS])
def test_a_shift_is_torchvisions_crop_of_the_padded_image(dtype):
    images = (photos() * 255).to(dtype)
    down, right = torch.randint(-4, 5, (2, 32), generator=seeded(1))
    for mode, repeat_edge in (("constant", False), ("edge", True)):
        moved = shift(images, down, right, repeat_edge=repeat_edge)
        assert moved.dtype == dtype
        for image, result, d, r in zip(images, moved, down, right, strict=True):
            padded = v2.functional.pad(image, [4, 4], padding_mode=mode)
            crop = v2.functional.crop(padded, 4 - int(d), 4 - int(r), 12, 9)
            assert torch.equal(result, crop)


def test_a_shift_beyond_the_image_leaves_nothing_or_its_edge():
    images = photos(1)
    far = torch.tensor([50])
    assert not shift(images, far, far).any()
    corner = images[:, :, :1, :1].expand_as(images)
    assert torch.equal(shift(images, far, far, repeat_edge=True), corner)


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_rotation_is_torchvisions(dtype):
    images = photos(dtype=dtype)
    degrees = torch.linspace(-180, 180, 32)
    for image, result, angle in zip(images, rotate(images, degrees), degrees, strict=True):
        expected = v2.functional.rotate(
            image, float(angle), interpolation=v2.InterpolationMode.BILINEAR
        )
        torch.testing.assert_close(result, expected, rtol=0, atol=2e-5)


def test_quarter_turns_of_a_square_are_exact():
    images = photos(4, 9, 9, torch.float64)
    for quarters in range(4):
        turned = rotate(images, torch.full((4,), 90.0 * quarters))
        torch.testing.assert_close(turned, images.rot90(quarters, (2, 3)))


@pytest.mark.parametrize("dtype", FLOATS)
def test_colors_change_as_in_torchvision(dtype):
    images = photos(dtype=dtype)
    factors = torch.rand(3, 32, generator=seeded(1)) * 2
    result = adjust_color(images, *factors)
    for image, ours, (b, c, s) in zip(images, result, factors.T.tolist(), strict=True):
        expected = v2.functional.adjust_brightness(image, b)
        expected = v2.functional.adjust_contrast(expected, c)
        expected = v2.functional.adjust_saturation(expected, s)
        torch.testing.assert_close(ours, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_random_augmentations_repeat_with_their_generator_and_keep_their_input(name):
    images = photos()
    before = images.clone()
    one, again, other = (ALL[name](images, seeded(s)) for s in (1, 1, 2))
    assert torch.equal(one, again) and not torch.equal(one, other)
    assert torch.equal(images, before)
    assert one.shape == images.shape and one.dtype == images.dtype


@pytest.mark.parametrize("name", ALL)
def test_every_image_of_a_batch_has_its_own_draw(name):
    images = photos(1).expand(64, -1, -1, -1)
    results = ALL[name](images, seeded(1))
    distinct = len(results.flatten(1).unique(dim=0))
    assert distinct == 2 if name == "flip" else distinct > 20


@pytest.mark.parametrize("name", ALL)
def test_without_a_generator_the_global_one_decides(name):
    torch.manual_seed(7)
    one = ALL[name](photos())
    torch.manual_seed(7)
    assert torch.equal(one, ALL[name](photos()))


@pytest.mark.parametrize(
    "augment", [random_flip(0), random_shift(0), random_crop(0), random_rotation(0), color_jitter()]
)
def test_no_strength_changes_nothing(augment):
    images = photos()
    torch.testing.assert_close(augment(images, seeded(0)), images, rtol=0, atol=2e-6)


def test_crops_fall_uniformly_over_all_places():
    images = torch.zeros(20_000, 1, 5, 5)
    images[:, :, 2, 2] = 1
    where = random_crop(1)(images, seeded(0)).sum((0, 1))[1:4, 1:4]
    assert where.sum() == 20_000
    assert (where / 20_000 - 1 / 9).abs().max() < 0.01


def test_angles_and_factors_cover_their_range():
    ramp = torch.full((5000, 3, 1, 1), 0.5)
    values = color_jitter(brightness=0.4)(ramp, seeded(0))[:, 0, 0, 0]
    assert 0.3 <= values.min() < 0.305 and 0.695 < values.max() <= 0.7
    assert values.mean() == pytest.approx(0.5, abs=0.01)
    flips = random_flip(0.25)(torch.arange(2.0).expand(5000, 1, 1, 2), seeded(0))
    assert flips[:, 0, 0, 0].mean() == pytest.approx(0.25, abs=0.03)


def test_composed_augmentations_run_first_to_last_on_one_generator():
    images = photos()
    generator = seeded(3)
    expected = random_shift(2)(random_flip()(images, generator), generator)
    assert torch.equal(compose(random_flip(), random_shift(2))(images, seeded(3)), expected)


test_strengths_out_of_range_are_refused = refuses(
    (lambda: random_flip(1.5), "probability"),
    (lambda: random_flip(NAN), "probability"),
    (lambda: random_shift(-1), "max_pixels"),
    (lambda: random_shift(1.5), "max_pixels is 1.5"),
    (lambda: random_crop(-1), "padding"),
    (lambda: random_crop(1.5), "padding is 1.5"),
    (lambda: random_rotation(-5), "degrees"),
    (lambda: random_rotation(NAN), "degrees"),
    (lambda: random_rotation(float("inf")), "degrees"),
    (lambda: random_rotation(1e300), "degrees is 1e.300, expected 0 to 3.4"),
    (lambda: color_jitter(contrast=2), "contrast"),
)


BYTES = torch.zeros(1, 3, 4, 4, dtype=torch.uint8)
ONE, NONE = torch.ones(1), torch.zeros(1).long()

test_what_needs_floating_point_or_colors_says_so = refuses(
    (lambda: rotate(BYTES, torch.zeros(1)), TypeError, "images has type"),
    (lambda: color_jitter(0.1)(BYTES), TypeError, "images has type"),
    (lambda: color_jitter(0.1)(torch.zeros(1, 1, 4, 4)), r"images has shape \(1, 1, 4, 4\)"),
    (lambda: color_jitter(0.1)(BYTES - 1.5), "images is between -1.5 and -1.5, expected 0 to 1"),
    (lambda: color_jitter(0.1)(BYTES + NAN), "images is between nan and nan, expected 0 to 1"),
    (lambda: adjust_color(BYTES / 1, ONE, -ONE, ONE), "contrast is between -1 and -1"),
    (lambda: adjust_color(BYTES / 1, ONE, ONE, ONE * NAN), "saturation is between nan"),
    (lambda: adjust_color(BYTES / 1, ONE, ONE / 0, ONE), "contrast is between inf and inf"),
    (lambda: adjust_color(BYTES / 1, ONE.double() * 1e300, ONE, ONE), "brightness is between inf"),
    (lambda: adjust_color(BYTES / 1, torch.ones(2), ONE, ONE), r"brightness has shape \(2,\)"),
    (lambda: flip(BYTES[0], ONE > 0), r"images has shape \(3, 4, 4\)"),
    (lambda: flip(BYTES, ONE), "chosen has .* torch.float32, expected bool"),
    (lambda: flip(BYTES, torch.ones(2) > 0), r"chosen has shape \(2,\)"),
    (lambda: shift(BYTES[0], NONE, NONE), r"images has shape \(3, 4, 4\)"),
    (lambda: shift(BYTES, NONE, ONE > 0), "right has .* torch.bool, expected integers"),
    (lambda: shift(BYTES, NONE, ONE), "right has .* torch.float32, expected integers"),
    (lambda: shift(BYTES, torch.zeros(2).long(), NONE), r"down has shape \(2,\)"),
    (lambda: rotate(BYTES[0] / 1, ONE), r"images has shape \(3, 4, 4\)"),
    (lambda: rotate(BYTES / 1, torch.ones(2)), r"degrees has shape \(2,\)"),
    (lambda: rotate(BYTES / 1, ONE * NAN), "degrees has 1 entries that are nan"),
)


def test_whole_turns_change_nothing_however_many():
    images, degrees = photos(4).double(), torch.tensor([30.0, -75, 90, 0], dtype=torch.float64)
    for turns in (1, 1000, 2**40):
        more = degrees + 360 * turns
        torch.testing.assert_close(rotate(images, more), rotate(images, degrees))
        torch.testing.assert_close(rotate(images.float(), more), rotate(images.float(), degrees))
    assert rotate(images, torch.full((4,), 3e38)).isfinite().all()


@pytest.mark.parametrize("name", ALL)
def test_the_default_type_of_tensors_changes_nothing(name):
    expected = ALL[name](photos(), seeded(3))
    torch.set_default_dtype(torch.float64)
    try:
        found = ALL[name](photos(dtype=torch.float32), seeded(3))
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(found, expected)


def test_what_moves_out_leaves_zeros_whatever_it_was():
    image = torch.full((1, 1, 1, 2), NAN)
    image[..., 0] = 7
    assert shift(image, NONE, NONE - 1)[0, 0, 0, 1] == 0
    assert shift(image, NONE, NONE + 1).flatten().tolist() == [0, 7]


def augmented(name):
    return lambda images: ALL[name](images, seeded(3))


AUGMENTED = [(name, augmented(name), photos()) for name in ALL]
test_augmentation_is_the_same_on_every_device = gives_the_same_on_every_device(*AUGMENTED)
test_augmentation_is_the_same_in_every_layout = gives_the_same_in_every_layout(*AUGMENTED)
test_augmentation_needs_no_values = needs_no_values(*AUGMENTED)
