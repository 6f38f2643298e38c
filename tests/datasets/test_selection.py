"""Items of a selection, read together or one by one."""

import numpy as np
import pytest

from mitools.datasets.open import open_data
from mitools.datasets.selection import Selection, items_at


@pytest.mark.parametrize("spec", ["cdp?n=40&size=28&background=none", "digits?limit=40"])
def test_items_read_together_are_those_read_one_by_one(spec: str) -> None:
    data = open_data(spec)
    indices = np.array([7, 3, 30, 3])
    some = Selection(data, indices, data.labels[indices], data.classes)
    wanted = [2, 0, 3]
    found = [np.asarray(item) for item in items_at(some, wanted)]
    expected = [np.asarray(data[int(indices[place])][0]) for place in wanted]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(found[0], found[1])
