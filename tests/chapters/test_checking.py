"""What a reader sees when an exercise is unsolved, wrong, broken, cheated at or solved."""

import random
import sys

import numpy as np
import pytest
import torch
from torch import nn

from glassbox.chapters import answers, checking
from glassbox.chapters.answers import agrees, difference, hint, read, show
from glassbox.chapters.checking import Case, Exercise


def of(reference, *cases, drawn=None, **given):
    """Make an exercise of a few cases, which draws the last of them unless told otherwise."""
    settings = {"mistakes": {}, "drawn": drawn or (lambda: cases[-1]), "cases": cases} | given
    return Exercise("f", reference=reference, **settings)


double = of(
    lambda x: 2 * x,
    (2,),
    (1.5,),
    (torch.ones(2),),
    drawn=lambda: (random.random(),),
    mistakes={
        "This is the square: multiply by 2.": lambda x: x**2,
        "This adds 2: multiply by 2.": lambda x: x + 2,
    },
)


def forget(x):
    print(x)


def divide(x):
    half = x / 2
    return half / 0


def deeper(x):
    return divide(x)


VERDICTS = {
    "Solved: all 3 cases agree, and 5 drawn at random.": lambda x: 2 * x,
    "Not yet: f(2) gives None, expected 4: end the function with `return`.": forget,
    "Not yet: f(1.5) gives 2.25, expected 3. This is the square: multiply by 2.": lambda x: x * x,
    "Not yet: f(1.5) gives 3.5, expected 3. This adds 2: multiply by 2.": lambda x: 2.0 + x,
    "Not yet: f(2) gives 5, expected 4. It is 1 too large.": lambda x: 2 * x + 1,
    "Not yet: f(2) raises ZeroDivisionError: float division by zero in line "
    f"{divide.__code__.co_firstlineno + 2}: `return half / 0`.": deeper,
    "Not yet: f([1, 1]) gives [1, 1], expected [2, 2]. Every number is 0.5 times what is expected: "
    "a factor of 2 may be missing.": lambda x: x if torch.is_tensor(x) else 2 * x,
    "Not yet: f([1, 1]) gives [2, 2, 2] of shape (3,), expected [2, 2] of shape (2,).": (
        lambda x: 2 * torch.ones(3) if torch.is_tensor(x) else 2 * x
    ),
    "Not yet: it is called with (x), and your function takes (a, *, b).": lambda a, *, b: a,
    "Not yet: the check takes the function itself, without a call, and got 4.": 4,
    "Not yet: f(2) gives a generator, expected 4. `yield` makes a generator: collect the numbers "
    "in a list, and return that.": lambda x: (2 * x for _ in "a"),
    "Not yet: f(2) gives a tensor without values (meta), expected 4. Return a number, a tensor, an "
    "array or a list.": lambda x: torch.ones((), device="meta"),
    "Not yet: f(2) gives complex numbers, expected 4. Return a number, a tensor, an array or a "
    "list.": lambda x: torch.tensor(4 + 0j),
    "Not yet: f(2) gives 'four', expected 4. This is text: return the number itself.": (
        lambda x: "four"
    ),
    "Not yet: f(2) gives nan, expected 4. nan comes from 0 / 0, inf - inf, or a root or logarithm "
    "of a number below 0.": lambda x: x * torch.nan,
    "Not yet: f([1, 1]) is right, but changes x, which belongs to the caller: work on a "
    "copy, such as clone().": lambda x: x.mul_(2) if torch.is_tensor(x) else 2 * x,
}


@pytest.mark.parametrize(("verdict", "answer"), VERDICTS.items(), ids=range(len(VERDICTS)))
def test_the_verdict(verdict, answer):
    assert double.verdict(answer) == verdict


def test_what_is_printed_fits_into_the_column_of_a_page(capsys):
    double(lambda x: torch.ones(40) if torch.is_tensor(x) else torch.ones(2, 3).sum() / 0 * x)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 1 and max(map(len, lines)) <= 82


def test_a_table_of_the_cases_is_right_in_these_alone():
    verdict = double.verdict(lambda x: 2 * x if torch.is_tensor(x) or x in (2, 1.5) else 0.0)
    assert verdict.startswith("Not yet: right in 3 cases, but not in one drawn at random: f(0.")
    drawn = [double.verdict(lambda x: 0 if x != 2 and x != 1.5 else 2 * x, seed) for seed in (1, 1)]
    assert drawn[0] == drawn[1]


def test_an_answer_that_changes_the_check_is_judged_by_the_check():
    def patch(x):
        answers.agrees = checking.agrees = torch.allclose = lambda *_, **__: True
        return 0

    assert double.verdict(patch).startswith("Not yet: f(2) gives 0, expected 4.")
    assert checking.agrees is answers.agrees is agrees and torch.allclose(*[torch.ones(1)] * 2)


def test_an_answer_that_looks_around_finds_no_result_to_return():
    def spy(x):
        frame = sys._getframe(1)
        while frame:
            for value in [*frame.f_locals.values()]:
                if isinstance(getattr(value, "observed", None), dict):
                    return value.observed[""].values
            frame = frame.f_back
        return 0

    assert double.verdict(spy).startswith("Not yet: f(2) gives 0, expected 4.")


def test_several_things_are_observed_and_named():
    def observe(answer, x):
        return {"": answer(x), "the answer for 0": answer(0)}

    exercise = of(lambda x: x + 1, (1,), observe=observe)
    assert exercise.verdict(lambda x: x + 1).startswith("Solved")
    verdict = exercise.verdict(lambda x: 2 * x)
    assert verdict == "Not yet: f(1): the answer for 0 is 0, expected 1. It is 1 too small."


def test_an_error_is_a_known_mistake_if_it_says_the_same():
    exercise = of(
        lambda x: x.mean(),
        cases=lambda: [(torch.ones(4),)],
        drawn=lambda: (torch.zeros(3),),
        mistakes={"Look at the shapes.": lambda x: x.mean() + x @ x[1:]},
    )
    assert exercise.verdict(lambda x: x @ x[2:] @ x).endswith("Look at the shapes.")
    other = exercise.verdict(lambda x: x.view(3, 2))
    assert "raises RuntimeError: shape '[3, 2]' is invalid" in other and "Look" not in other


def test_a_broken_reference_is_an_error_of_the_book():
    with pytest.raises(ZeroDivisionError):
        of(lambda x: x / 0, (1,)).verdict(lambda x: x)


@pytest.mark.parametrize(
    "result",
    [
        *(
            4,
            4.0,
            np.float32(4),
            np.int8(4),
            np.array(4),
            np.array([[4.0]]),
            [4],
            np.array([4], object),
            torch.tensor([4]),
        ),
        *(
            torch.tensor(4.0, requires_grad=True),
            torch.tensor(4.0).to_sparse(),
            torch.tensor(4.0).half(),
        ),
    ],
)
def test_one_number_may_have_any_form(result):
    assert agrees(read(result), read(4), 1e-4) and agrees(read(result), read(4.0), 1e-4)


class AlwaysRight:
    def __eq__(self, other):
        return True

    def __float__(self):
        return 0.0


class RightTensor(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return torch.tensor(4.0)

    def detach(self):
        return torch.tensor(4.0)


def test_a_tensor_of_a_class_that_lies_is_read_as_it_is():
    lying = torch.zeros(2).as_subclass(RightTensor)
    assert type(read(lying).values) is torch.Tensor and read(lying).values.tolist() == [0, 0]


class RightText(str):
    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


@pytest.mark.parametrize(
    ("result", "right"),
    [
        (AlwaysRight(), 4),
        (AlwaysRight(), "four"),
        (torch.tensor(0.0).as_subclass(RightTensor), 4),
        (RightText("five"), "four"),
        ([RightText("five")], ["four"]),
        (4.0001, 4),
        (3.0, 2.999),
        (True, "True"),
        ([], [1.0]),
        ([1, "a"], [1, 2]),
        (np.array(["4"]), 4),
        (np.array([4, "a"], object), 4),
        (10**400, 4),
        (None, 0),
    ],
)
def test_nothing_else_is_equal(result, right):
    assert not agrees(read(result), read(right), 1e-4)


@pytest.mark.parametrize(
    ("given", "right", "said"),
    [
        ([1, -2], [-1, 2], "The sign is reversed."),
        ([[1, 2], [3, 4]], [[1, 3], [2, 4]], "Rows and columns are exchanged"),
        (np.ones((2, 3)), np.ones((3, 2)), "Rows and columns are exchanged"),
        ([3, 1, 2], [1, 2, 3], "in another order"),
        ([[1], [2]], [1, 2], "look at keepdim"),
        ([1, 3], 2, "Their mean is right"),
        ([1, 3], 4, "Their sum is right"),
        (2, [1, 3], "Over which dim"),
        (np.ones((3, 3)), np.ones(3), "broadcast against each other"),
        ([8, 16], [1, 2], "a sum in place of a mean"),
        ([1, 2], [8, 16], "a mean in place of a sum"),
        (8, 7, "n - 1 in place of n"),
        (7, 8, "n in place of n - 1"),
        (0.5, 50, "in percent"),
        (np.log(2), 1, "bases of the logarithms"),
        ([3, 6], [2, 4], "Every number is 1.5 times"),
        ([1.5, 2.5], [1, 2], "Every number is 0.5 too large."),
        (3, 4, "It is 1 too small."),
        ([np.inf, 1], [1, 1], "inf comes from"),
        ([np.nan, 1], [1, 1], "nan comes from"),
        ([1, 5], [2, 3], ""),
        ("2", 2, "This is text"),
        ((x for x in "a"), 2, "`yield` makes a generator"),
        ({2}, 2, "A set has no order"),
        (..., 2, "Return a number, a tensor, an array or a list."),
        (2, "a", ""),
        ([], [], ""),
    ],
)
def test_what_is_often_wrong_is_recognized(given, right, said):
    text = hint(read(given), read(right), [("images", 8)])
    assert said in text if said else text == ""


@pytest.mark.parametrize(
    ("given", "right", "said"),
    [
        (0.123456789, 2 / 3, "0.12346, expected 0.66667"),
        (np.zeros((3, 4)), np.ones((3, 4)), "0 at [0, 0], expected 1 (12 of 12 numbers differ)"),
        (
            np.zeros(9),
            np.zeros((3, 3)),
            "a tensor of shape (9,), expected a tensor of shape (3, 3)",
        ),
        ([1], [1, 2], "[1] of shape (1,), expected [1, 2] of shape (2,)"),
        (["a"], ["b"], "['a'], expected ['b']"),
        ({}, None, "a dict, expected None"),
    ],
)
def test_a_difference_is_shown(given, right, said):
    assert difference(read(given), read(right)) == said


def test_what_is_no_number_is_shown_by_its_kind():
    assert [show(read(one)) for one in (..., object(), [1, "a"])] == [
        "an ellipsis",
        "an object",
        "a list",
    ]


def model():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Dropout(0.5)).eval()


def right(model, images):
    with torch.no_grad():
        return model(images)


def leaving(what):
    """Make an answer that is right and does something else as well."""

    def answer(model, images):
        result = right(model, images)
        what(model, images)
        return result

    return answer


TRACES = {
    "changes the mode of model: remember": lambda model, images: model.train(),
    "changes the mode of layer '2' of model": lambda model, images: model[2].train(),
    "leaves a hook on layer '0' of model": lambda model, images: (
        model[0].register_forward_hook(print)
    ),
    "leaves a hook on images": lambda model, images: (
        images.requires_grad_().register_hook(print), images.requires_grad_(False)
    ),
    "leaves a hook on all modules": lambda model, images: (
        nn.modules.module.register_module_forward_hook(lambda *_: None)
    ),
    "changes 1.running_mean of model: in train mode": lambda model, images: (
        model.train()(images), model.eval()
    ),
    "changes 0.weight of model, which belongs": lambda model, images: model[0].weight.data.zero_(),
    "leaves a gradient in 0.weight of model": lambda model, images: (
        model(images).sum().backward()
    ),
    "changes requires_grad of images": lambda model, images: images.requires_grad_(),
    "changes images, which belongs": lambda model, images: images.add_(1),
    "changes the attributes of layer '0'": lambda model, images: (
        setattr(model[0], "forward", lambda x: x)
    ),
    "changes the attributes of model": lambda model, images: (
        setattr(model, "extra", nn.Linear(1, 1))
    ),
    "leaves the recording of gradients switched": lambda *_: torch.set_grad_enabled(False),
    "changes the default dtype": lambda *_: torch.set_default_dtype(torch.float64),
    "changes the default device": lambda *_: torch.set_default_device("meta"),
    "seeds the random numbers of torch": lambda *_: torch.manual_seed(0),
    "replaces relu, on which": lambda *_: setattr(torch, "relu", torch.abs),
}  # fmt: skip


@pytest.mark.parametrize(("said", "what"), TRACES.items(), ids=TRACES)
def test_what_is_left_behind_is_said_and_settings_are_restored(said, what):
    exercise = of(
        right,
        cases=lambda: [(model(), torch.randn(4, 2))],
        drawn=lambda: (model(), torch.zeros(4, 2)),
    )
    before = torch.get_rng_state()
    verdict = exercise.verdict(leaving(what))
    assert verdict.startswith(f"Not yet: f(model, images (4, 2)) is right, but {said}"), verdict
    assert torch.is_grad_enabled() and torch.get_default_dtype() == torch.float32
    assert torch.get_default_device() == torch.device("cpu")
    assert not nn.modules.module._global_forward_hooks
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (list.pop, "adds to x or takes away from it"),
        (lambda x: x.append(1), "adds to x or takes away from it"),
        (list.reverse, "changes x[0], which belongs"),
        (lambda x: x[2].update(a=2), "changes x[2]['a'], which belongs"),
        (lambda x: x[2].pop("a"), "adds to x[2] or takes away from it"),
        (lambda x: x[3].fill(0), "changes x[3], which belongs"),
    ],
)
def test_a_changed_list_is_a_changed_input(what, said):
    def answer(x):
        what(x)
        return 1

    case = ([1, 2, {"a": 1}, np.ones(2)],)
    assert said in of(lambda x: 1, case).verdict(answer)
    assert of(lambda x: 1, case, changes=("x",)).verdict(answer).startswith("Solved")
    assert case[0][:2] == [1, 2]


def test_an_answer_may_draw_random_numbers_and_draws_those_of_the_reference():
    exercise = of(lambda n: torch.randn(n), (3,))
    assert exercise.verdict(lambda n: torch.randn(n)).startswith("Solved")
    assert exercise.verdict(lambda n: torch.rand(n)).startswith("Not yet")


def test_the_random_states_are_left_alone_and_do_not_matter(capsys):
    exercise = of(
        lambda x: x, cases=lambda: [Case("f", (torch.randn(3),))], drawn=lambda: (torch.randn(2),)
    )
    verdicts = set()
    for seed in (0, 1):
        torch.manual_seed(seed)
        before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
        verdicts.add(exercise.verdict(lambda x: x + 1))
        after = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
        assert torch.equal(before[0], after[0]) and before[1:] == after[1:]
    assert len(verdicts) == 1


def test_gradients_are_recorded_in_a_check_even_where_they_are_switched_off():
    exercise = of(
        lambda x: x,
        (torch.ones(1),),
        observe=lambda f, x: {"": f(x.requires_grad_()).requires_grad},
    )
    with torch.no_grad():
        verdict = exercise.verdict(lambda x: 1 * x)
        assert not torch.is_grad_enabled()
    assert "changes requires_grad of x" in verdict
