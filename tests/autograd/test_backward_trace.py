"""The recorded passes of chapter 1 happen as they are told."""

import pytest
import torch

from glassbox.autograd import trace_hooks, trace_network, trace_scalars


def final(trace):
    return {card.title: card for card in trace.moments[-1].cards}


def kinds(trace):
    return [moment.kind for moment in trace.moments]


def test_the_scalar_example_gives_192_and_passes_48_through_y():
    trace = trace_scalars()
    assert kinds(trace) == ["forward"] * 3 + ["backward"] * 3
    assert [moment.active for moment in trace.moments] == [0, 1, 2, 2, 1, 0]
    assert trace.links == ((1, 2), (0, 1))
    cards = final(trace)
    assert cards["x"].grad == 192 and cards["y = x²"].arrived == 48
    assert cards["y = x²"].grad is None
    assert trace.moments[3].sentence == "PowBackward0 receives 1 and hands on 48."


def test_saved_tensors_are_there_before_and_freed_after_their_node_ran():
    before, after = trace_scalars().moments[2], trace_scalars().moments[3]
    assert [saved.tensor for saved in before.cards[2].saved] == ["y"]
    assert [saved.state for saved in before.cards[2].saved] == ["kept"]
    assert [saved.state for saved in after.cards[2].saved] == ["freed"]


def test_the_hook_halves_and_the_step_changes_x_after_its_gradient_is_complete():
    trace = trace_hooks()
    assert kinds(trace)[3:] == ["backward", "hook", "backward", "backward", "hook"]
    halved, arrived, stepped = trace.moments[4], trace.moments[6], trace.moments[7]
    assert (halved.firing, halved.cards[1].arrived) == ("halve", 24)
    assert (arrived.cards[0].grad, arrived.cards[0].version) == (96, 0)
    assert (stepped.firing, stepped.cards[0].version) == ("step", 1)
    assert stepped.cards[0].value == pytest.approx(2 - 0.01 * 96)
    assert stepped.cards[1].grad == 24  # what retain_grad keeps is the value after the hook


def test_the_network_overwrites_h_in_place_and_steps_at_the_end():
    trace = trace_network()
    assert kinds(trace) == ["forward"] * 6 + ["backward"] * 6 + ["step"] * 2
    first, relu = trace.moments[1].cards[1], trace.moments[2].cards[1]
    assert (first.value < 0).any() and first.version == 0
    assert (relu.value >= 0).all() and relu.version == 1
    cards = final(trace)
    assert cards["W1"].version == cards["W2"].version == 1
    started = trace.moments[0].cards[0].value
    torch.testing.assert_close(cards["W1"].value, started - 0.5 * cards["W1"].grad)


def test_a_node_hands_each_input_its_own_fraction():
    trace = trace_network()
    multiplied, end = trace.moments[7], final(trace)
    assert multiplied.sentence.startswith("MmBackward0 receives a 2 × 1 gradient")
    assert torch.equal(multiplied.cards[3].arrived, end["W2"].grad)
    assert torch.equal(multiplied.cards[2].arrived, end["h.relu_()"].arrived)


def test_the_gradients_of_the_network_are_those_without_a_recorder():
    cards = final(trace_network())
    start = {c.title: c.value for c in trace_network().moments[5].cards}
    first, second = start["W1"].requires_grad_(), start["W2"].requires_grad_()
    images = torch.tensor([[1.0, -0.5], [0.5, 1.0]])
    out = (images @ first).relu() @ second
    (out - torch.tensor([[-1.0], [1.0]])).square().mean().backward()
    torch.testing.assert_close(cards["W1"].grad, first.grad)
    torch.testing.assert_close(cards["W2"].grad, second.grad)
