import pytest
import torch
import torch.nn.functional as F
from refusals import refuses
from sklearn.linear_model import LogisticRegression

from glassbox.data import Dataset, draw_scenes, load, to_float
from glassbox.data.scenes.backgrounds import BACKGROUNDS, Ground, smooth_noise
from glassbox.data.scenes.painting import Light, bevel, cast_shadow, coverage, illuminate, lay
from glassbox.data.scenes.palettes import PALETTES
from glassbox.data.scenes.scene import BLOCK, DEFAULT_CLASSES
from glassbox.data.scenes.silhouettes import SILHOUETTES


@pytest.fixture(scope="module")
def ten_thousand() -> Dataset:
    return draw_scenes(10_000)


def test_a_linear_model_on_pixels_stays_under_half(ten_thousand):
    train, test = ten_thousand, draw_scenes(2000, split="test")
    pixels = [to_float(part.images).flatten(1).numpy() - 0.5 for part in (train, test)]
    model = LogisticRegression(C=1e-3, max_iter=200).fit(pixels[0], train.labels.numpy())
    assert model.score(pixels[0], train.labels.numpy()) > 0.1
    assert model.score(pixels[1], test.labels.numpy()) < 0.5


def test_load_draws_scenes_with_their_masks():
    scenes = load("scenes", n=300, size=48)
    assert scenes.images.shape == (300, 3, 48, 48) and scenes.masks.shape == (300, 48, 48)
    assert scenes.class_names == DEFAULT_CLASSES and len(DEFAULT_CLASSES) == 10


def test_classes_are_balanced_and_mixed(ten_thousand):
    scenes = ten_thousand
    assert scenes.class_counts.tolist() == [1000] * 10
    assert scenes[:70].class_counts.tolist() == [7] * 10
    assert not torch.equal(scenes.labels[:10], scenes.labels[10:20])


def test_a_seed_repeats_and_another_does_not():
    one, again, other = (draw_scenes(40, seed=seed) for seed in (1, 1, 2))
    for name in ("images", "labels", "masks"):
        assert torch.equal(getattr(one, name), getattr(again, name))
        assert not torch.equal(getattr(one, name), getattr(other, name))


def test_the_splits_are_independent():
    parts = [draw_scenes(300, split=split) for split in ("train", "validation", "test")]
    everything = torch.cat([part.images.flatten(1) for part in parts])
    assert len(everything.unique(dim=0)) == 900


def test_blocks_differ_from_one_another():
    images = draw_scenes(2 * BLOCK).images
    assert len(images.flatten(1).unique(dim=0)) == 2 * BLOCK


@pytest.mark.parametrize("n", [1, 100, BLOCK, BLOCK + 7])
def test_the_first_scenes_do_not_depend_on_how_many_there_are(n):
    few, many = draw_scenes(n), draw_scenes(2 * BLOCK)
    assert torch.equal(few.labels, many.labels[:n])
    assert torch.equal(few.masks, many.masks[:n])
    # One gray level of leave, should another processor round differently in other places.
    assert (few.images.int() - many.images[:n].int()).abs().max() <= 1


def test_the_global_random_state_stays():
    before = torch.get_rng_state()
    draw_scenes(10)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("size", [64, 96])
def test_a_seed_gives_the_same_scenes_at_any_size(size):
    small, large = draw_scenes(200, size=32), draw_scenes(200, size=size)
    shrunk = F.interpolate(to_float(large.images), (32, 32), mode="area")
    assert (shrunk - to_float(small.images)).abs().mean() < 0.06
    cover = F.interpolate(large.masks[:, None].float(), (32, 32), mode="area")[:, 0] > 0.5
    overlap = (cover & small.masks).sum((1, 2)) / (cover | small.masks).sum((1, 2))
    assert overlap.median() > 0.9


def test_a_mask_marks_the_object_and_nothing_else():
    """Another object in the same scene changes pixels in its mask, and its shadow, alone."""
    options = {"n": 200, "size": 64, "occlusion": 0}
    one, other = (
        draw_scenes(classes=("heart",), **options),
        draw_scenes(classes=("anchor",), **options),
    )
    changed = (one.images != other.images).any(1)
    either = one.masks | other.masks
    near = F.max_pool2d(either[:, None].float(), 31, stride=1, padding=15)[:, 0] > 0
    assert not (changed & ~near).any()
    assert changed[one.masks ^ other.masks].float().mean() > 0.95


def test_what_stands_before_an_object_is_cut_out_of_its_mask():
    free, hidden = (draw_scenes(400, size=64, occlusion=fraction) for fraction in (0, 1))
    assert not (hidden.masks & ~free.masks).any()
    visible = hidden.masks.sum((1, 2)) / free.masks.sum((1, 2))
    assert visible.min() > 0.4
    assert (visible < 0.99).float().mean() > 0.5
    covered = free.masks & ~hidden.masks
    assert (free.images != hidden.images).any(1)[covered].float().mean() > 0.99


def test_every_object_can_be_seen(ten_thousand):
    scenes = ten_thousand
    area = scenes.masks.float().mean((1, 2))
    assert area.min() > 0.01 and 0.1 < area.mean() < 0.3


def test_objects_are_anywhere_of_any_size_and_stand_out(ten_thousand):
    scenes = ten_thousand
    covered = scenes.masks.float().mean(0)
    assert covered.max() < 0.5 and covered[4:-4, 4:-4].min() > 0.02
    pixels, masks = to_float(scenes.images), scenes.masks[:, None].float()
    inside = (pixels * masks).sum((2, 3)) / masks.sum((2, 3))
    outside = (pixels * (1 - masks)).sum((2, 3)) / (1 - masks).sum((2, 3))
    assert (inside - outside).norm(dim=1).median() > 0.2


def test_colors_do_not_give_the_class_away(ten_thousand):
    scenes = ten_thousand
    means = to_float(scenes.images).mean((2, 3))
    by_class = torch.stack([means[scenes.labels == label].mean(0) for label in range(10)])
    assert by_class.std(0).max() < 0.2 * means.std(0).min()


@pytest.mark.parametrize("palette", PALETTES)
def test_a_palette_gives_colors_of_its_own(palette):
    scenes, natural = draw_scenes(100, palette=palette, seed=1), draw_scenes(100, seed=1)
    assert torch.equal(scenes.labels, natural.labels)
    assert torch.equal(scenes.images, natural.images) == (palette == "natural")


def test_all_classes_can_be_asked_for_on_chosen_backgrounds():
    scenes = draw_scenes(310, classes=tuple(SILHOUETTES), backgrounds=["studio"], clutter=0)
    assert scenes.class_counts.tolist() == [10] * 31
    busy = draw_scenes(310, classes=tuple(SILHOUETTES), backgrounds=["bricks"], clutter=0)
    roughness = [part.images.float().diff(dim=2).abs().mean() for part in (scenes, busy)]
    assert roughness[1] > 1.5 * roughness[0]


def test_scenes_are_drawn_on_the_cpu_whatever_the_default_device():
    with torch.device("meta"):
        drawn = draw_scenes(12, size=16, seed=3)
    expected = draw_scenes(12, size=16, seed=3)
    for name in ("images", "labels", "masks"):
        assert torch.equal(getattr(drawn, name), getattr(expected, name))


test_options_out_of_range_are_refused = refuses(
    ({"n": 0}, "n is 0"),
    ({"n": 2.5}, TypeError, "n is 2.5, expected an integer"),
    ({"size": 8}, "size is 8, expected 16 to 256"),
    ({"size": 32.5}, "size is 32.5, expected an integer"),
    ({"seed": 0.5}, "seed is 0.5, expected an integer"),
    ({"occlusion": float("nan")}, "occlusion is nan"),
    ({"seed": -1}, "seed"),
    ({"split": "holdout"}, "split is 'holdout', expected one of train"),
    ({"classes": ("star", "stra")}, "classes is 'stra'"),
    ({"classes": ()}, "classes"),
    ({"classes": "star"}, "classes is 'star'"),
    ({"classes": ("star", "star")}, "different names"),
    ({"palette": "neon"}, "palette"),
    ({"backgrounds": ("moon",)}, "backgrounds is 'moon', expected one of bokeh"),
    ({"occlusion": 1.5}, "occlusion"),
    ({"clutter": -1}, "clutter"),
    by=lambda options: load("scenes", **({"n": 10} | options)),
)


def ground(size: int, count: int = 8) -> Ground:
    generator = torch.Generator().manual_seed(0)
    colors, numbers = (torch.rand(count, *shape, generator=generator) for shape in ((4, 3), (8,)))
    noise = [smooth_noise(count, size, rough, generator) for rough in (2.2, 1.3)]
    position = (torch.arange(size) + 0.5) / size * 2 - 1
    return Ground(position, colors, torch.stack(noise, 1), numbers)


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_a_background_is_a_picture_that_does_not_depend_on_the_resolution(name):
    small, large = BACKGROUNDS[name](ground(32)), BACKGROUNDS[name](ground(96))
    assert large.shape == (8, 3, 96, 96)
    assert large.amin() > -0.5 and large.amax() < 1.6
    shrunk = F.interpolate(large, (32, 32), mode="area")
    assert (shrunk - small).abs().mean() < 0.08
    assert large.std((2, 3)).mean() > 0.01


def test_smooth_noise_is_standardized_and_smooth():
    noise = smooth_noise(500, 64, 1.5, torch.Generator().manual_seed(0))
    assert noise.mean().abs() < 0.05 and noise.std() == pytest.approx(1, abs=0.05)
    assert noise.diff(dim=2).std() < 0.3
    rough = smooth_noise(500, 64, 0.8, torch.Generator().manual_seed(0))
    assert rough.diff(dim=2).std() > 1.5 * noise.diff(dim=2).std()


def test_an_outline_covers_pixels_by_their_fraction():
    position = (torch.arange(8) + 0.5) / 4 - 1
    outline = (position - 0.05).expand(1, 8, 8)  # the border is at 0.05; pixel 4 is 0 to 0.25
    cover = coverage(outline)
    torch.testing.assert_close(cover[0, 0], torch.tensor([1, 1, 1, 1, 0.2, 0, 0, 0]))
    canvas = torch.zeros(1, 3, 8, 8)
    lay(canvas, torch.ones(1, 3, 1, 1), cover)
    assert torch.equal(canvas[0, 0], cover[0])


def disk(size: int = 65) -> torch.Tensor:
    position = (torch.arange(size) + 0.5) / size * 2 - 1
    return (torch.hypot(position, position[:, None]) - 0.5)[None]


@pytest.mark.parametrize(("x", "y"), [(1, 0), (-1, 0), (0, 1), (0, -1)])
def test_borders_that_face_the_light_are_bright(x, y):
    light = Light(torch.full((1, 1, 1), float(x)), torch.full((1, 1, 1), float(y)))
    shade = bevel(disk(), light, 0.1)[0]
    lit, dark = shade[32 + 15 * y, 32 + 15 * x], shade[32 - 15 * y, 32 - 15 * x]
    assert lit > 0.65 and dark < -0.65 and shade[32, 32].abs() < 0.1


def test_a_shadow_falls_away_from_the_light():
    light = Light(torch.tensor([[[0.0]]]), torch.tensor([[[-1.0]]]))  # from above
    canvas = torch.ones(1, 3, 65, 65)
    cast_shadow(canvas, disk(), light, 0.2, 0.5)
    assert canvas[0, 0, 32 + 22, 32] < 0.76 < 0.9 < canvas[0, 0, 32 - 22, 32]
    assert canvas.min() >= 0.5


def test_illumination_is_brightest_towards_the_light():
    light = Light(torch.tensor([[[-1.0]]]), torch.tensor([[[0.0]]]))
    canvas = torch.ones(1, 3, 9, 9)
    illuminate(canvas, torch.linspace(-1, 1, 9), light, torch.tensor([[[1.1]]]))
    assert canvas[0, 0, 4, 4] == pytest.approx(1.1)
    assert canvas[0, 0, 4, 0] > 1.1 > canvas[0, 0, 4, 8]
    assert canvas[0, 0, 0, 8] < canvas[0, 0, 4, 8]
