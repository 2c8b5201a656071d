"""Networks in shared tensors end as each of them does alone."""

import pytest
import torch

from glassbox.chapters.long_tails.arms import (
    ARMS,
    MIXERS,
    load_long_tail,
    logits_of,
    train_arm,
)
from glassbox.chapters.long_tails.stacked import Member, mixtures, one_cycle, train_together
from glassbox.mixing import MixedBatches


@pytest.fixture(scope="module")
def tails():
    return [load_long_tail("mnist_5k", seed, imbalance=20) for seed in range(2)]


@pytest.mark.parametrize("arm", ARMS, ids=map(", ".join, ARMS))
def test_each_network_ends_as_it_does_alone(arm, tails):
    rates = 0.004, 0.004, 0.001  # low: rounding that moves a ReLU would grow
    members = [Member(tails[i], i, lr) for i, lr in zip((0, 1, 1), rates, strict=True)]
    together = train_together(members, *arm, epochs=3)
    for member, logits in zip(members, together, strict=True):
        alone = train_arm(member.task, *arm, member.seed, lr=member.lr, epochs=3)
        torch.testing.assert_close(logits, logits_of(alone, member.task), rtol=1e-3, atol=1e-3)
    assert (together[1] - together[2]).abs().max() > 0.05  # the rate has an effect


def test_a_network_that_diverges_leaves_the_others_alone(tails):
    members = [Member(tails[0], 0, 0.02), Member(tails[1], 1, 1e6)]
    first, second = train_together(members, "cross-entropy", "plain", epochs=1)
    assert not second.isfinite().all()
    (alone,) = train_together(members[:1], "cross-entropy", "plain", epochs=1)
    torch.testing.assert_close(first, alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("mixing", ["Mixup", "CutMix"])
def test_mixtures_are_those_of_the_batches(mixing):
    pixels, kept = mixtures(mixing, 7, 2, 3)
    images, labels = torch.rand(4, 1, 28, 28), torch.tensor([3, 1, 4, 1])
    batches = MixedBatches([(images, labels)] * 3, MIXERS[mixing], seed=7)
    seen = [batch for _ in range(2) for batch in batches]
    for (mixed, rows), own, part in zip(seen, pixels, kept, strict=True):
        torch.testing.assert_close(mixed, images.roll(1, 0).lerp(images, own))
        assert rows[0, 3] == pytest.approx(part.item(), abs=1e-6)


def test_the_rate_rises_and_falls_as_one_cycle_does():
    parts = one_cycle(100)
    rates = [rate for rate, _ in parts]
    assert len(parts) == 100 and max(rates) == pytest.approx(1, abs=1e-3)
    assert rates[0] == pytest.approx(1 / 25) and rates[-1] < 1e-3
    assert parts[0][1] == 0.95
