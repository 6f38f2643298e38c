"""The certificate of the audit, run on what the generators say is shared."""

from itertools import combinations

import numpy as np
import pytest

from mitools.datasets.synthetic.cdp import CDP
from mitools.estimators import ClassPosterior

ATTRIBUTES = ("color", "digit", "position")
SUBSETS = [names for size in (1, 2, 3) for names in combinations(ATTRIBUTES, size)]


def one_hot(attributes):
    return np.concatenate([np.eye(4, dtype=np.float32)[column] for column in attributes.T], axis=1)


@pytest.mark.parametrize("shared", SUBSETS, ids="-".join)
def test_the_certificate_of_one_hot_attributes_is_the_class_entropy(shared):
    data = CDP(8000, shared=shared, background="none")
    estimate = ClassPosterior(prior="uniform").estimate(one_hot(data.attributes), data.labels)
    assert data.entropy_bits(shared) == pytest.approx(2 * len(shared))
    assert estimate.bits == pytest.approx(data.entropy_bits(shared), abs=0.01)


def test_attributes_that_are_not_shared_certify_nothing():
    data = CDP(4000, shared=("color",), background="none")
    others = one_hot(data.attributes[:, 1:])
    estimate = ClassPosterior(prior="uniform").estimate(others, data.labels)
    assert abs(estimate.bits) < 0.01
    assert estimate.interval_bits.low <= 0 <= estimate.interval_bits.high
    assert estimate.has_warning("indistinguishable_from_zero")


def test_a_dependency_is_certified_at_its_stated_information():
    data = CDP(8000, shared=("color", "digit"), dependency=("color", "digit", 1.0), background="none")
    estimate = ClassPosterior().estimate(one_hot(data.attributes), data.labels)
    assert data.entropy_bits(("color", "digit")) == pytest.approx(3.0)
    assert estimate.bits == pytest.approx(3.0, abs=0.05)
