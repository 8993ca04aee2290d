"""Each test starts from the same, whatever ran before it in its process."""

import random
import sys
from collections.abc import Iterator

import pytest
import torch

from rogseg import registry

REGISTRIES = [value for value in vars(registry).values() if isinstance(value, registry.Registry)]


@pytest.fixture(autouse=True)
def _seeds() -> None:
    torch.manual_seed(0)
    random.seed(0)


@pytest.fixture(autouse=True)
def _registries_as_before() -> Iterator[None]:
    """What a test registers is gone after it, so that no other meets it among all of a kind."""
    before = [set(each.module_dict) for each in REGISTRIES]
    yield
    for each, names in zip(REGISTRIES, before, strict=True):
        own = {name: part for name, part in each.module_dict.items() if name not in names}
        for name, part in own.items():
            if not part.__module__.startswith("rogseg."):
                del each.module_dict[name]
                # Whoever imports it again registers it again.
                sys.modules.pop(part.__module__, None)
