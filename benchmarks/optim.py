"""One step of Adam: the readable form, the vectorized one, and PyTorch's three.

Times are medians of interleaved rounds, as ratios to PyTorch's single-tensor path.
"""

import statistics
import time

import torch

from glassbox.optim import Adam, VectorizedAdam

FORMS = {
    "torch, single tensor": lambda params: torch.optim.Adam(params, foreach=False),
    "torch, foreach": lambda params: torch.optim.Adam(params, foreach=True),
    "torch, fused": lambda params: torch.optim.Adam(params, fused=True),
    "glassbox Adam": Adam,
    "glassbox VectorizedAdam": VectorizedAdam,
}
SHAPES = {"1,000 tensors of 100": [(100,)] * 1000, "one tensor of 10 million": [(10_000_000,)]}


def parameters(shapes: list[tuple[int, ...]]) -> list[torch.Tensor]:
    torch.manual_seed(0)
    params = [torch.randn(shape).requires_grad_() for shape in shapes]
    for param in params:
        param.grad = torch.randn_like(param)
    return params


def seconds(step) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def main(rounds: int = 21) -> None:
    for title, shapes in SHAPES.items():
        steps = {name: form(parameters(shapes)).step for name, form in FORMS.items()}
        times = {name: [] for name in steps}
        for _ in range(rounds):
            for name, step in steps.items():
                times[name].append(seconds(step))
        medians = {name: statistics.median(values[1:]) for name, values in times.items()}
        base = medians["torch, single tensor"]
        print(title)
        for name, median in medians.items():
            print(f"  {name:26} {1e3 * median:8.2f} ms   {median / base:.2f}")


if __name__ == "__main__":
    main()
