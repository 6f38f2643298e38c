"""Entropies and units against closed forms, SciPy and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy as scipy_entropy
from sklearn.metrics import mutual_info_score

from mitools.core.entropy import bits_to_nats, check_distribution, entropy, mutual_information, nats_to_bits
from mitools.core.errors import InputError


def test_units_are_inverse_and_a_fair_coin_is_one_bit() -> None:
    assert nats_to_bits(np.log(2)) == 1
    assert bits_to_nats(3) == pytest.approx(np.log(8), rel=1e-15)


@pytest.mark.parametrize("size", [1, 2, 10, 1000])
def test_a_uniform_distribution_has_the_log_of_its_size(size: int) -> None:
    assert entropy(np.full(size, 1 / size)) == pytest.approx(np.log(size), rel=1e-12)


def test_a_certain_outcome_has_no_entropy_and_no_minus_sign() -> None:
    assert str(entropy([0.0, 1.0])) == "0.0"


@given(st.lists(st.integers(0, 1000), min_size=1).filter(any))
def test_entropy_is_scipys(counts: list[int]) -> None:
    p = np.array(counts) / sum(counts)
    assert entropy(p) == pytest.approx(scipy_entropy(p), abs=1e-12)


def test_mutual_information_is_scikit_learns_on_counts() -> None:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 4, 500)
    b = (a + rng.integers(0, 2, 500)) % 5
    joint = np.zeros((4, 5))
    np.add.at(joint, (a, b), 1 / 500)
    assert mutual_information(joint) == pytest.approx(mutual_info_score(a, b), rel=1e-12)


def test_independent_variables_share_nothing() -> None:
    joint = np.outer([0.2, 0.8], [0.5, 0.3, 0.2])
    assert mutual_information(joint) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize(
    "bad", [[], [0.5, 0.6], [-0.5, 1.5], [np.nan, 1.0], [np.inf, 0.0], [0.5, 0.5 - 1e-6]]
)
def test_what_is_no_distribution_is_refused(bad: list[float]) -> None:
    with pytest.raises(InputError, match="probabilities must"):
        check_distribution(bad)


def test_a_joint_table_has_two_axes() -> None:
    with pytest.raises(InputError, match="two axes"):
        mutual_information([0.5, 0.5])
