"""Time the training loop beside the loops a reader would write.

Run with ``python benchmarks/training.py``; the ratios matter, the times depend on the machine.
All loops train LeNet-5 on 1,500 gray images of 32 x 32 pixels; rounds alternate, so that a busy
machine slows all of them, and the median counts.
"""

import statistics
import time

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

from glassbox.data import Batches
from glassbox.networks import LeNet5
from glassbox.support import isolated_seed
from glassbox.training import fit

BATCH_SIZE, EPOCHS, ROUNDS = 64, 2, 11


def bare(model, optimizer, images, labels):
    """Only what trains: nothing is measured or moved."""
    for _ in range(EPOCHS):
        order = torch.randperm(len(images))
        for chosen in order.split(BATCH_SIZE):
            loss = F.cross_entropy(model(images[chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def measured(model, optimizer, images, labels):
    """The same with the mean loss and the accuracy of each epoch."""
    for _ in range(EPOCHS):
        total, correct = 0.0, 0
        order = torch.randperm(len(images))
        for chosen in order.split(BATCH_SIZE):
            logits = model(images[chosen])
            loss = F.cross_entropy(logits, labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(chosen)
            correct += (logits.argmax(1) == labels[chosen]).sum().item()


def data_loader(model, optimizer, images, labels):
    """The same over a DataLoader, as tutorials write it."""
    loader = DataLoader(TensorDataset(images, labels), BATCH_SIZE, shuffle=True)
    for _ in range(EPOCHS):
        total, correct = 0.0, 0
        for batch, targets in loader:
            logits = model(batch)
            loss = F.cross_entropy(logits, targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
            correct += (logits.argmax(1) == targets).sum().item()


def fit_batches(model, optimizer, images, labels):
    """``fit`` over ``Batches``, as the book does it."""
    fit(model, Batches(images, labels, BATCH_SIZE), optimizer, epochs=EPOCHS)


def fit_data_loader(model, optimizer, images, labels):
    """``fit`` over a DataLoader."""
    loader = DataLoader(TensorDataset(images, labels), BATCH_SIZE, shuffle=True)
    fit(model, loader, optimizer, epochs=EPOCHS)


def seconds(loop, images, labels):
    with isolated_seed(0, deterministic=False):
        model = LeNet5()
        optimizer = torch.optim.Adam(model.parameters(), 1e-3)
        started = time.perf_counter()
        loop(model, optimizer, images, labels)
        return time.perf_counter() - started


def main():
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(1_500, 1, 32, 32, generator=generator)
    labels = torch.randint(10, (1_500,), generator=generator)
    loops = [bare, measured, data_loader, fit_batches, fit_data_loader]
    times = {loop: [] for loop in loops}
    for _ in range(ROUNDS):
        for loop in loops:
            times[loop].append(seconds(loop, images, labels))
    base = statistics.median(times[bare])
    steps = EPOCHS * -(-len(images) // BATCH_SIZE)
    for loop, values in times.items():
        median = statistics.median(values)
        print(f"{loop.__name__:<16} {1e3 * median / steps:7.3f} ms a step  {median / base:6.3f}x")


if __name__ == "__main__":
    main()
