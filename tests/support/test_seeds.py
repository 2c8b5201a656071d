import os
import random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glassbox.support import isolated_seed, seed_everything
from glassbox.support.seeds import generator_from, random_states, restore_random_states


def draw():
    return random.random(), np.random.rand(), np.random.randn(), torch.rand(3).tolist()


def settings():
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.deterministic,
        torch.backends.cudnn.benchmark,
        os.environ.get("CUBLAS_WORKSPACE_CONFIG"),
    )


@pytest.fixture(autouse=True)
def restored():
    with isolated_seed(0):
        yield


@given(st.integers(0, 2**32 - 1))
def test_the_same_seed_gives_the_same_numbers_in_python_numpy_and_torch(seed):
    seed_everything(seed)
    first = draw()
    seed_everything(seed)
    assert draw() == first


def test_different_seeds_give_different_numbers_in_each_library():
    seed_everything(1)
    first = draw()
    seed_everything(2)
    assert all(a != b for a, b in zip(first, draw(), strict=True))


def test_a_numpy_integer_is_a_seed():
    seed_everything(np.int64(7))
    first = draw()
    seed_everything(7)
    assert draw() == first


@pytest.mark.parametrize("deterministic", [True, False])
def test_deterministic_algorithms_are_chosen(deterministic):
    seed_everything(0, deterministic=deterministic)
    assert torch.are_deterministic_algorithms_enabled() is deterministic
    assert torch.backends.cudnn.deterministic is deterministic
    assert torch.backends.cudnn.benchmark is False


def test_cublas_gets_a_deterministic_workspace_unless_one_is_chosen(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    seed_everything(0)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    seed_everything(0)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


@pytest.mark.parametrize("seed", [-1, 2**32, 10**20])
@pytest.mark.parametrize(
    "function", [seed_everything, lambda seed: isolated_seed(seed).__enter__()]
)
def test_a_seed_out_of_range_is_an_error_that_changes_nothing(function, seed):
    states = draw_without_change()
    with pytest.raises(ValueError, match=f"seed is {seed}, expected 0 to"):
        function(seed)
    assert draw_without_change() == states


@pytest.mark.parametrize("seed", [1.0, "1", None, True, [1], torch.tensor(1.5)])
def test_a_seed_that_is_no_integer_is_an_error(seed):
    with pytest.raises(TypeError):
        seed_everything(seed)


def draw_without_change():
    states = random_states()
    drawn = draw()
    restore_random_states(states)
    return drawn


@pytest.mark.parametrize("before", [(False, False), (True, False), (True, True)])
def test_a_block_with_its_own_seed_leaves_states_and_settings_as_they_were(before, monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    torch.use_deterministic_algorithms(before[0], warn_only=before[1])
    torch.backends.cudnn.benchmark = True
    outside, chosen = draw_without_change(), settings()
    with isolated_seed(5):
        inside = draw()
        assert settings() != chosen
    assert settings() == chosen
    assert draw_without_change() == outside
    with isolated_seed(5):
        assert draw() == inside


def test_states_are_restored_when_the_block_raises():
    outside, chosen = draw_without_change(), settings()
    with pytest.raises(KeyError), isolated_seed(5, deterministic=False):
        draw()
        raise KeyError
    assert draw_without_change() == outside
    assert settings() == chosen


def test_states_survive_a_file_loaded_with_weights_only(tmp_path):
    random.gauss(0, 1)  # leaves half of a pair behind, as numpy's randn does
    np.random.randn()
    torch.save(random_states(), tmp_path / "states.pt")
    expected = draw(), random.gauss(0, 1)
    restore_random_states(torch.load(tmp_path / "states.pt", weights_only=True))
    assert (draw(), random.gauss(0, 1)) == expected


def test_a_generator_is_made_from_any_integer_that_is_a_seed():
    drawn = torch.rand(3, generator=torch.Generator().manual_seed(5))
    for five in (5, np.uint8(5), torch.tensor(5)):
        assert torch.equal(torch.rand(3, generator=generator_from(five)), drawn)
    for wrong in (5.0, None, "5", True, torch.ones(2)):
        with pytest.raises(TypeError, match=r"^seed is .*, expected an integer$"):
            generator_from(wrong)
    for wrong in (-1, 2**63):
        with pytest.raises(ValueError, match=rf"^seed is {wrong}, expected 0 to "):
            generator_from(wrong)
