"""The tables of hooks agree with what PyTorch documents and with each other."""

import pytest
import torch
from torch import nn

from glassbox.autograd import calls_by_situation, firing_order, hooks_and_returns
from glassbox.autograd.hook_table import HOOKS, SITUATIONS, _arguments, _calls, _replacement
from glassbox.support import Table

NAMED = {hook.name: hook for hook in HOOKS}


def test_the_hooks_are_listed_in_the_order_in_which_they_fire():
    assert firing_order() == [hook.name for hook in HOOKS]


@pytest.mark.parametrize(
    ("name", "given", "replaced"),
    [
        ("forward pre-hook", "layer, (input,)", "the input"),
        ("forward hook", "layer, (input,), output", "the output"),
        ("full backward pre-hook", "layer, (∂output,)", "the gradient of the output"),
        ("full backward hook", "layer, (∂input,), (∂output,)", "the gradient of the input"),
        ("global full backward hook", "layer, (∂input,), (∂output,)", "the gradient of the input"),
        ("tensor hook, output", "∂output", "the gradient of the output"),
        ("tensor hook, weight", "∂weight", "the gradient of the weight"),
        (
            "post-accumulate-grad hook, weight",
            "weight",
            "nothing: a return is an error",
        ),
    ],
)
def test_a_hook_is_called_with_and_replaces_what_its_documentation_says(name, given, replaced):
    assert _arguments(NAMED[name]) == given
    assert _replacement(NAMED[name]) == replaced


@pytest.mark.parametrize(
    ("name", "situation", "count"),
    [
        ("forward hook", "no_grad", "1"),
        ("forward hook", "layer.forward(x)", "0"),
        ("forward hook", "twice in one forward", "2"),
        ("full backward hook", "no_grad", "0"),
        ("full backward hook", "all frozen", "0"),
        ("full backward hook", "weights frozen", "1"),
        ("tensor hook, weight", "twice in one forward", "1"),
        ("tensor hook, weight", "autograd.grad", "1"),
        ("post-accumulate-grad hook, weight", "autograd.grad", "0"),
        ("post-accumulate-grad hook, weight", "weights frozen", "refused"),
        ("tensor hook, output", "no_grad", "refused"),
    ],
)
def test_a_hook_fires_as_often_as_its_documentation_says(name, situation, count):
    assert _calls(NAMED[name], situation) == count


def test_trying_hooks_leaves_no_global_hook_behind():
    for hook in HOOKS:
        for situation in SITUATIONS:
            _calls(hook, situation)
    _replacement(NAMED["post-accumulate-grad hook, weight"])  # ends in an exception
    layers = nn.modules.module
    assert not layers._global_forward_hooks and not layers._global_forward_pre_hooks
    assert not layers._global_backward_hooks and not layers._global_backward_pre_hooks


@pytest.mark.parametrize("table", [firing_order, hooks_and_returns, calls_by_situation])
def test_a_table_draws_no_random_numbers(table):
    before = torch.get_rng_state()
    table()
    assert torch.equal(torch.get_rng_state(), before)


def test_the_tables_have_a_row_for_each_hook():
    for table in (hooks_and_returns(), calls_by_situation()):
        assert [row[0] for row in table.rows] == list(NAMED)
        assert {len(row) for row in table.rows} == {len(table.head)}


def test_a_table_shows_itself_as_text_and_as_markdown():
    table = Table(("a", "long name"), (("row", "1"), ("b", "22")))
    assert repr(table) == "a    long name\nrow  1\nb    22"
    assert table._repr_markdown_() == "| a | long name |\n| --- | --- |\n| row | 1 |\n| b | 22 |"
