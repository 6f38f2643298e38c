"""The class distribution that is meant."""

from typing import Any

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.estimators.inputs.class_prior import class_prior


def test_a_prior_is_the_datas_own_uniform_or_the_callers() -> None:
    labels = np.array([0, 0, 0, 1])
    np.testing.assert_array_equal(class_prior(labels), [0.75, 0.25])
    np.testing.assert_array_equal(class_prior(labels, "uniform"), [0.5, 0.5])
    np.testing.assert_array_equal(class_prior(labels, [0.1, 0.9]), [0.1, 0.9])


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ("flat", "unknown class prior 'flat'; accepted: empirical, uniform"),
        ([0.5, 0.25, 0.25], "needs 2 positive probabilities"),
        ([1.0, 0.0], "needs 2 positive probabilities"),
        ([0.5, 0.6], "sum to one"),
        ([[0.5, 0.5]], "needs 2 positive probabilities"),
    ],
)
def test_what_is_no_prior_is_refused(prior: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        class_prior(np.array([0, 0, 1]), prior)


def test_one_class_has_no_entropy_to_share() -> None:
    with pytest.raises(InputError, match="one class only"):
        class_prior(np.zeros(10, dtype=np.int64))
