"""Weights for a page: half precision, little-endian, by name and shape."""

import base64
import json

import numpy as np
import pytest
import torch
from refusals import refuses
from torch import nn

from glassbox.explorables.tiny_network import pack, unpack


def test_a_state_dict_comes_back_in_half_precision():
    state = nn.Conv2d(2, 3, 3).state_dict()
    for name, entry in json.loads(json.dumps(pack(state))).items():
        found = np.frombuffer(base64.b64decode(entry["data"]), "<f2").reshape(entry["shape"])
        assert np.array_equal(found, state[name].half().numpy())


def test_a_view_is_written_in_its_own_order():
    columns = torch.arange(6.0).reshape(2, 3).T
    found = np.frombuffer(base64.b64decode(pack({"w": columns})["w"]["data"]), "<f2")
    assert found.tolist() == [0, 3, 1, 4, 2, 5]


test_what_half_precision_cannot_hold_is_named = refuses(
    (torch.arange(3), "bias has type torch.int64"),
    (torch.tensor([1.0, -70000.0]), "bias has 70000"),
    (torch.tensor([torch.nan]), "bias has nan"),
    by=lambda tensor: pack({"bias": tensor}),
)


def test_unpacking_gives_back_what_the_page_computes_with():
    state = nn.Conv2d(2, 3, 3).state_dict()
    for name, found in unpack(pack(state)).items():
        assert found.dtype == torch.float32 and torch.equal(found, state[name].half().float())
    assert unpack(pack({"w": torch.tensor(1.5)}))["w"] == 1.5


def test_missing_numbers_are_named():
    packed = pack({"bias": torch.zeros(3)})
    packed["bias"]["shape"] = [4]
    with pytest.raises(ValueError, match=r"bias has 3 numbers, expected shape \[4\]"):
        unpack(packed)
