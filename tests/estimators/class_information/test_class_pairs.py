"""The closed-form readings against double loops over pairs, and their standard errors against repetition."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from mitools.core.entropy import entropy
from mitools.estimators.class_information import class_pairs
from mitools.estimators.class_information.class_pairs import read_class_pairs, read_label_information

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

LABELS = np.array([0, 2, 1, 1, 2, 2, 1, 0, 2, 1, 2, 2, 1, 2])  # 2, 5 and 7 of a class
PRIORS = {
    "empirical": np.bincount(LABELS) / len(LABELS),
    "uniform": np.full(3, 1 / 3),
    "the caller's": np.array([0.5, 0.2, 0.3]),
}


def some_posterior(n: int, n_classes: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).dirichlet(np.ones(n_classes), n).astype(np.float32)


def ratio(p: Floats, q: Floats, prior: Floats) -> float:
    return float(sum(p[c] * q[c] / prior[c] for c in range(len(prior))))


def loops(posterior: Floats, labels: Labels, prior: Floats) -> tuple[float, float]:
    """A and Z of the design, as plain sums over pairs of different items."""
    members = [np.flatnonzero(labels == c) for c in range(len(prior))]
    a = z = 0.0
    for c, d in product(range(len(prior)), repeat=2):
        pairs = [(i, j) for i in members[c] for j in members[d] if i != j]
        ratios = np.array([ratio(posterior[i], posterior[j], prior) for i, j in pairs])
        z += prior[c] * prior[d] * ratios.mean()
        if c == d:
            a += prior[c] * np.log(ratios).mean()
    return a, z


@pytest.mark.parametrize("name", list(PRIORS))
def test_both_readings_are_the_means_over_all_pairs(name: str) -> None:
    prior, posterior = PRIORS[name], some_posterior(len(LABELS), 3)
    a, z = loops(posterior.astype(np.float64), LABELS, prior)
    found = read_class_pairs(posterior, LABELS, prior, np.random.default_rng(0))
    assert found.donsker_varadhan.nats == pytest.approx(a - np.log(z), abs=1e-6)
    assert found.nwj.nats == pytest.approx(a - z + 1, abs=1e-6)
    assert found.nwj.nats <= found.donsker_varadhan.nats


def test_label_information_is_the_weighted_cross_entropy() -> None:
    prior, posterior = PRIORS["the caller's"], some_posterior(len(LABELS), 3)
    cross_entropy = 0.0
    for c in range(3):
        members = np.flatnonzero(c == LABELS)
        cross_entropy -= prior[c] * sum(np.log(float(posterior[i, c])) for i in members) / len(members)
    found = read_label_information(posterior, LABELS, prior, entropy(prior))
    assert found.nats == pytest.approx(entropy(prior) - cross_entropy, abs=1e-9)


def test_the_prior_itself_reads_nothing() -> None:
    prior = PRIORS["the caller's"]
    posterior = np.tile(prior, (len(LABELS), 1)).astype(np.float32)
    found = read_class_pairs(posterior, LABELS, prior, np.random.default_rng(0))
    assert found.donsker_varadhan.nats == pytest.approx(0, abs=1e-6)
    assert found.nwj.nats == pytest.approx(0, abs=1e-6)
    assert read_label_information(posterior, LABELS, prior, entropy(prior)).nats == pytest.approx(0, abs=1e-6)


def test_perfect_features_read_nearly_all_of_the_entropy() -> None:
    labels, prior = np.repeat(np.arange(10), 50), np.full(10, 0.1)
    floor = 1e-4
    posterior = ((1 - floor) * np.eye(10)[labels] + floor * prior).astype(np.float32)
    found = read_class_pairs(posterior, labels, prior, np.random.default_rng(0)).donsker_varadhan
    assert np.log(10) - 0.001 < found.nats < np.log(10)
    # No mistake among 500 does not prove that there is none: the standard error stays above 1 / n.
    assert found.stderr > 1 / 500


def stratified_sample(
    counts: Labels, rng: np.random.Generator, sharpness: float
) -> tuple[NDArray[np.float32], Labels]:
    """A posterior that is right more often than not, with a fixed number of items a class."""
    labels = np.repeat(np.arange(len(counts)), counts)
    evidence = rng.standard_normal((len(labels), len(counts)))
    evidence[np.arange(len(labels)), labels] += 1.5
    weight = np.exp(sharpness * evidence)
    return (weight / weight.sum(axis=1, keepdims=True)).astype(np.float32), labels


@pytest.mark.parametrize(
    ("counts", "prior"),
    [
        (np.array([100, 100, 100]), np.full(3, 1 / 3)),
        (np.array([30, 90, 180]), np.full(3, 1 / 3)),
        (np.array([30, 90, 180]), np.array([0.1, 0.3, 0.6])),
    ],
    ids=["balanced", "imbalanced to uniform", "imbalanced"],
)
def test_the_influence_gives_the_spread_over_repeated_samples(counts: Labels, prior: Floats) -> None:
    rng = np.random.default_rng(0)
    values, variances = [], []
    for _ in range(500):
        posterior, labels = stratified_sample(counts, rng, 1.5)
        pairs = read_class_pairs(posterior, labels, prior, rng)
        found = [*pairs, read_label_information(posterior, labels, prior, entropy(prior))]
        values.append([reading.nats for reading in found])
        variances.append([(reading.influence**2).sum() / len(labels) ** 2 for reading in found])
        for reading in found:
            assert abs(reading.influence.mean()) < 1e-9
            assert reading.stderr**2 > (reading.influence**2).sum() / len(labels) ** 2
    np.testing.assert_allclose(np.mean(variances, axis=0) / np.var(values, axis=0), 1, atol=0.2)


def test_an_unseen_mistake_weighs_as_much_as_the_heaviest_item() -> None:
    # Two classes, one of 4 items and one of 396, of equal prior: a mistake among the four weighs 1/8.
    labels, prior = np.repeat([0, 1], [4, 396]), np.array([0.5, 0.5])
    posterior = (0.99 * np.eye(2)[labels] + 0.005).astype(np.float32)
    uneven = read_class_pairs(posterior, labels, prior, np.random.default_rng(0)).donsker_varadhan
    unlike, alike = np.log(4 * 0.995 * 0.005), np.log(2 * (0.995**2 + 0.005**2))
    assert uneven.stderr == pytest.approx(2 * (alike - unlike) / 8, rel=1e-3)


def test_dealing_into_blocks_is_unbiased(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    posterior, labels = stratified_sample(np.array([40, 61]), rng, 1.0)
    prior = np.array([0.4, 0.6])
    whole = read_class_pairs(posterior, labels, prior, rng).donsker_varadhan
    monkeypatch.setattr(class_pairs, "CLASS_PAIR_BLOCK", 10)
    dealt = [read_class_pairs(posterior, labels, prior, rng).donsker_varadhan for _ in range(300)]
    values = [reading.nats for reading in dealt]
    assert np.std(values) > 0
    assert abs(np.mean(values) - whole.nats) < 3 * np.std(values) / np.sqrt(len(values))
    assert np.mean([reading.stderr for reading in dealt]) == pytest.approx(whole.stderr, rel=0.1)
