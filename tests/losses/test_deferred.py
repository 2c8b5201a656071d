"""Deferred re-weighting depends on the epoch alone, also in a training that was interrupted."""

import torch
from refusals import refuses
from torch import nn

from glassbox.data import Batches, effective_weights, long_tailed_counts
from glassbox.losses import DeferredReweighting, LDAMLoss, deferred_weights
from glassbox.support import isolated_seed
from glassbox.training import fit

COUNTS = [40, 10, 4]


def test_the_weights_are_those_of_the_paper_from_the_start_on():
    counts = long_tailed_counts(5000, 10, 100)
    for epoch in (1, 159, 160, 161, 500):  # the authors' list of betas ends at epoch 320
        weights = deferred_weights(counts, epoch, start=160)
        published = [(1 - 0.9999) / (1 - 0.9999**count) for count in counts]
        expected = torch.tensor(published) / sum(published) * 10
        torch.testing.assert_close(weights, expected if epoch >= 160 else torch.ones(10))


def test_the_loss_is_that_of_the_weights_of_its_epoch_in_any_order():
    torch.manual_seed(0)
    logits, labels = torch.rand(8, 3), torch.randint(3, (8,))
    deferred = DeferredReweighting(LDAMLoss(COUNTS), COUNTS, start=3, beta=0.9)
    plain = LDAMLoss(COUNTS)(logits, labels)
    weighted = LDAMLoss(COUNTS, weight=effective_weights(COUNTS, 0.9))(logits, labels)
    assert plain != weighted
    for epoch, expected in [(1, plain), (3, weighted), (2, plain), (9, weighted), (1, plain)]:
        deferred.set_epoch(epoch)
        torch.testing.assert_close(deferred(logits, labels), expected)


def test_weights_start_with_the_first_epoch_where_start_says_so():
    deferred = DeferredReweighting(LDAMLoss(COUNTS), COUNTS, start=1)
    assert torch.equal(deferred.loss.weight, effective_weights(COUNTS))


def test_weights_stay_on_the_device_and_in_the_type_of_the_loss():
    deferred = DeferredReweighting(LDAMLoss(COUNTS).to("meta"), COUNTS, start=2).double()
    deferred.set_epoch(2)
    assert deferred.loss.weight.is_meta and deferred.loss.weight.dtype == torch.float64
    assert deferred.state_dict().keys() == {"loss.weight", "loss.margins"}


def train(epochs, checkpoint=None):
    seen = []

    class Watched(DeferredReweighting):
        def forward(self, logits, labels):
            seen.append(self.loss.weight.tolist())
            return super().forward(logits, labels)

    with isolated_seed(0):
        labels = torch.arange(3).repeat_interleave(torch.tensor(COUNTS))
        images = torch.randn(len(labels), 1, 2, 2)
        model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        loss_fn = Watched(LDAMLoss(COUNTS), COUNTS, start=3)
        batches = Batches(images, labels, 54)
        options = {"checkpoint": checkpoint, "progress": False, "loss_fn": loss_fn}
        history = fit(model, batches, optimizer, epochs=epochs, **options)
    return seen, history, model.state_dict()


def test_a_training_that_goes_on_from_a_checkpoint_has_the_weights_of_its_epoch(tmp_path):
    ones, later = [1.0] * 3, effective_weights(COUNTS).tolist()
    seen, history, weights = train(5)
    assert seen == [ones, ones, later, later, later]
    for stop in (2, 3, 4):
        checkpoint = tmp_path / f"{stop}.pt"
        before, _, _ = train(stop, checkpoint)
        after, resumed_history, resumed_weights = train(5, checkpoint)
        assert before + after == seen
        assert resumed_history == history
        torch.testing.assert_close(resumed_weights, weights, rtol=0, atol=0)


test_a_wrong_argument_is_named = refuses(
    (lambda: deferred_weights(COUNTS, float("nan"), 2), "epoch is nan, expected an integer"),
    (lambda: deferred_weights(COUNTS, 1, 1.5), "start is 1.5, expected an integer"),
    (lambda: DeferredReweighting(nn.MSELoss(), COUNTS, 2), TypeError, "loss is a MSELoss"),
    (lambda: DeferredReweighting(LDAMLoss(COUNTS), COUNTS, 0), "start is 0, expected at least"),
    (lambda: DeferredReweighting(LDAMLoss(COUNTS), [4, 0, 1], 2), r"class_counts\[1\] is 0"),
    (lambda: DeferredReweighting(LDAMLoss(COUNTS), COUNTS, 2, 1.0), "beta is 1.0"),
    (lambda: deferred_weights([4, 0], 1, 2), r"class_counts\[1\] is 0"),
    (
        lambda: DeferredReweighting(LDAMLoss([1, 2], weight=torch.ones(2)), [1, 2], 2),
        r"loss.weight is \[1.0, 1.0\]",
    ),
)
