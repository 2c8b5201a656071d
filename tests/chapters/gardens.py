"""Pictures in folders, as readers have them, for the tests of a training on a folder."""

import numpy as np
from PIL import Image

GOOD = ("a rose", "gänse blümchen", "moss")


def picture(path, color, mode="RGB", side=40, **options):
    noise = np.random.default_rng(len(str(path.name))).integers(-40, 40, (side, side, 3))
    pixels = (np.array(color) + noise).clip(0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).convert(mode).save(path, **options)


def make_garden(root):
    """Make a folder that has everything that folders have."""
    colors = dict(zip(GOOD, [(200, 40, 40), (230, 230, 230), (40, 160, 40)], strict=True))
    for part, counts in (("train", (12, 6, 3)), ("test", (4, 4, 4))):
        for (name, color), count in zip(colors.items(), counts, strict=True):
            for number in range(count):
                picture(root / part / name / f"{number:02} é.png", color)
    train = root / "train"
    picture(train / "a rose" / "gray.png", (90, 90, 90), "L")
    picture(train / "a rose" / "LOUD.JPG", (200, 40, 40), quality=90)
    picture(train / "moss" / "clear.png", (40, 160, 40), "RGBA")
    picture(train / "one of a kind" / "only.png", (40, 40, 200))
    picture(train / ".ipynb_checkpoints" / "copy.png", (1, 1, 1))
    picture(train / "lost.png", (1, 1, 1))
    (train / "moss" / "broken pictüre.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    (train / "moss" / "notes.txt").write_text("watered on Monday")
