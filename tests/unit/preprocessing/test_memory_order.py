import numpy as np
import pytest

from rogseg.preprocessing.volume import copy_volume


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_copy_is_the_array(order: str) -> None:
    numbers = np.random.default_rng(0).integers(-1000, 1000, (7, 20, 33)).astype(np.int16)
    source = np.asarray(numbers, order=order)  # type: ignore[call-overload]
    target = np.empty(source.shape, np.float32)
    copy_volume(source, target)
    copy_volume(source[::2, 3:], target[::2, 3:])
    assert np.array_equal(target, numbers)
