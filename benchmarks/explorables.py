"""Time a frame of an explorable beside what a reader would write with pyplot.

Run with ``python benchmarks/explorables.py``; the ratios matter, the times depend on the machine.
The processor time of one thread counts, its median over rounds that alternate. Both draw the same
chart at 840 x 432 pixels: the reader's as ``interact`` shows it (a new pyplot figure, stored as a
PNG of its tight box), and the book's as a redraw in a kernel and as one of the four pictures that a
player has for each state: light and dark, wide and for a phone.
"""

import io
import statistics
import time

import matplotlib
import numpy as np

from glassbox.explorables.explorable import make_explorable
from glassbox.explorables.static_view import static_outputs
from glassbox.plotting import figure
from glassbox.plotting.figures import to_png
from glassbox.plotting.images import show_image

matplotlib.use("agg")
import matplotlib.pyplot as plt

ROUNDS = 15
X = np.linspace(0, 1, 200)
IMAGE = np.random.default_rng(0).random((28, 28))


def wave(frequency):
    made, ax = figure(alt="A wave.")
    ax.plot(X, np.sin(2 * np.pi * frequency * X))
    ax.plot(X, np.cos(2 * np.pi * frequency * X))
    ax.set(xlabel="time", ylabel="height", title="Two waves")
    return made


def answer(frequency):
    made, (left, right) = figure(1, 2)
    show_image(left, IMAGE, "Input")
    values = np.exp(np.sin(np.arange(10) * frequency))
    right.barh(range(10), values / values.sum())
    right.set(title="Answer", xlim=(0, 1), ylim=(9.6, -0.6))
    return made


def pyplot(frequency):
    made, ax = plt.subplots(figsize=(7, 3.6), dpi=120)
    ax.plot(X, np.sin(2 * np.pi * frequency * X))
    ax.plot(X, np.cos(2 * np.pi * frequency * X))
    ax.set(xlabel="time", ylabel="height", title="Two waves")
    ax.grid()
    file = io.BytesIO()
    made.savefig(file, bbox_inches="tight")
    plt.close(made)
    return file.getvalue()


def player(draw):
    explorable = make_explorable(draw, None, None, {"frequency": (1, 5)})
    return lambda i: static_outputs(explorable)[0]["text/html"]


def redraw(draw):
    explorable = make_explorable(draw, None, None, {"frequency": (1, 5)})
    return lambda i: to_png(explorable.picture((i % 5,)).pixels)


def main():
    ways = {
        "pyplot, tight box": pyplot,
        "redraw, chart": redraw(wave),
        "player, chart": player(wave),
        "redraw, image and bars": redraw(answer),
        "player, image and bars": player(answer),
    }
    times = {name: [] for name in ways}
    sizes = {}
    for i in range(ROUNDS):
        for name, way in ways.items():
            start = time.process_time()
            made = way(i)
            taken = time.process_time() - start
            pictures = made.count("data:image/") if isinstance(made, str) else 1
            times[name].append(taken / pictures)
            sizes[name] = len(made) / pictures * (3 / 4 if isinstance(made, str) else 1)
    for name, taken in times.items():
        print(f"{name:24}{1e3 * statistics.median(taken):6.0f} ms{sizes[name] / 1e3:7.1f} kB")


if __name__ == "__main__":
    main()
