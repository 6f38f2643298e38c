"""The four signs of neural collapse, by their formulas and on features that have collapsed or not."""

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.estimators.inputs import row_table
from mitools.metrics.neural_collapse.class_means import ClassMeans
from mitools.metrics.neural_collapse.classifier import LeastSquaresClassifier
from mitools.metrics.neural_collapse.nc1 import nc1
from mitools.metrics.neural_collapse.nc2 import nc2_angles, nc2_norms
from mitools.metrics.neural_collapse.nc3 import nc3
from mitools.metrics.neural_collapse.nc4 import nc4

RNG = np.random.default_rng(0)
LABELS = np.arange(300) % 3
ROWS = (np.eye(6)[LABELS] * [1, 2, 3, 1, 1, 1] + 0.9 * RNG.standard_normal((300, 6))).astype(np.float32)
COLLAPSED = np.eye(6)[LABELS]


def signs(rows: np.ndarray, labels: np.ndarray = LABELS) -> list[float]:
    means = ClassMeans.of(rows, labels)
    classifier = LeastSquaresClassifier.fit(means)
    return [nc1(means), nc2_norms(means), nc2_angles(means), nc3(means, classifier),
            nc4(means, classifier, rows)]  # fmt: skip


def test_collapsed_features_show_all_signs_and_random_ones_none() -> None:
    assert signs(COLLAPSED) == pytest.approx([0, 0, 0, 0, 0], abs=1e-6)
    loose = signs(RNG.standard_normal((300, 40)))
    assert loose[0] > 3
    assert loose[2] > 0.05
    assert loose[3] > 0.04
    assert loose[4] > 0.02


def test_the_signs_are_their_formulas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_table, "NUMBERS_AT_ONCE", 100)
    rows = ROWS.astype(np.float64)
    means = np.stack([rows[c == LABELS].mean(axis=0) for c in range(3)])
    centred = means - means.mean(axis=0)
    within = np.mean([np.cov(rows[c == LABELS], rowvar=False, bias=True) for c in range(3)], axis=0)
    between = centred.T @ centred / 3
    lengths = np.linalg.norm(centred, axis=1)
    cosine = (centred @ centred.T / np.outer(lengths, lengths))[np.triu_indices(3, 1)]
    total = within + between
    weights = np.linalg.solve(total + 1e-3 * np.trace(total) / 6 * np.eye(6), centred.T / 3).T
    unit = weights / np.linalg.norm(weights) - centred / np.linalg.norm(centred)
    decided = ((rows - means.mean(axis=0)) @ weights.T).argmax(axis=1)
    nearest = ((rows[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    expected = [
        np.trace(within @ np.linalg.pinv(between)) / 3,
        lengths.std() / lengths.mean(),
        np.abs(cosine + 1 / 2).mean(),
        (unit**2).sum(),
        (decided != nearest).mean(),
    ]
    assert signs(ROWS) == pytest.approx(expected, rel=1e-4)
    assert expected[4] > 0


def test_nc3_is_the_squared_distance_by_hand() -> None:
    means = ClassMeans.of(np.array([[1.0, 0], [-1, 0]]), [0, 1])
    for weights, distance in (([[2, 0], [-2, 0]], 0), ([[0, 3], [0, -3]], 2), ([[-1, 0], [1, 0]], 4)):
        classifier = LeastSquaresClassifier(np.array(weights, dtype=float), np.zeros(2))
        assert nc3(means, classifier) == pytest.approx(distance, abs=1e-12)


def test_unequal_classes_count_the_same_and_a_shift_changes_nothing() -> None:
    rows = np.vstack([ROWS, ROWS[LABELS == 0], ROWS[LABELS == 0]])
    labels = np.concatenate([LABELS, np.zeros(200, dtype=int)])
    assert signs(rows, labels)[:4] == pytest.approx(signs(ROWS)[:4], rel=1e-4)
    assert signs(ROWS + np.float32(3))[:4] == pytest.approx(signs(ROWS)[:4], rel=1e-3)


def test_the_classifier_is_one_whether_rows_or_columns_are_fewer() -> None:
    wide = np.hstack([ROWS[:30], RNG.standard_normal((30, 70))]).astype(np.float32)
    means = ClassMeans.of(wide, LABELS[:30])
    found = LeastSquaresClassifier.fit(means)
    rows = wide.astype(np.float64) - means.overall
    covariance = rows.T @ rows / 30
    ridge = 1e-3 * np.trace(covariance) / 76 * np.eye(76)
    expected = np.linalg.solve(covariance + ridge, means.centred.T / 3).T
    np.testing.assert_allclose(found.weights, expected, rtol=1e-6, atol=1e-9)


def test_means_that_are_alike_have_no_signs_and_one_class_is_refused() -> None:
    alike = signs(np.ones((300, 4)))
    assert np.isnan(alike[:4]).all()
    with pytest.raises(InputError, match="one class"):
        ClassMeans.of(ROWS, np.zeros(300))
