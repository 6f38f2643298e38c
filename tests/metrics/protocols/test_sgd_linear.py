"""The papers' linear classifiers: every step against loops, schedules against the papers' words."""

import math

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.metrics.protocols.sgd_linear import SCHEDULES, SGDSchedule, sgd_linear_on_test


def written_out(
    rows: np.ndarray, labels: np.ndarray, test: np.ndarray, schedule: SGDSchedule, seed: int
) -> np.ndarray:
    """SGD with momentum and decay on the mean cross-entropy, a number at a time; gives the test logits."""
    rng = np.random.default_rng(seed)
    classes, width = int(labels.max()) + 1, rows.shape[1]
    weight = 0.01 * rng.standard_normal((classes, width))
    bias = np.zeros(classes)
    speed = [np.zeros_like(weight), np.zeros_like(bias)]
    for epoch in range(schedule.epochs):
        order = rng.permutation(len(rows))
        rng.integers(1, size=len(rows))
        for k in range(0, len(rows), schedule.batch_size):
            items = order[k : k + schedule.batch_size]
            slopes = [np.zeros_like(weight), np.zeros_like(bias)]
            for i in items:
                logits = [
                    sum(weight[c, j] * rows[i, j] for j in range(width)) + bias[c] for c in range(classes)
                ]
                shares = [math.exp(one) / sum(map(math.exp, logits)) for one in logits]
                for c in range(classes):
                    error = (shares[c] - (labels[i] == c)) / len(items)
                    slopes[1][c] += error
                    for j in range(width):
                        slopes[0][c, j] += error * rows[i, j]
            for value, slope, own in zip((weight, bias), slopes, speed, strict=True):
                own *= schedule.momentum
                own += slope + schedule.weight_decay * value
                value -= schedule.rate(epoch) * own
    return test @ weight.T + bias


@pytest.mark.parametrize("falls_at", [(), (2,)])
def test_every_step_is_that_of_the_formulas(falls_at: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    labels = np.arange(30) % 3
    rows = rng.standard_normal((30, 4)) + 0.7 * np.eye(4)[labels]
    test, truth = rng.standard_normal((200, 4)), rng.integers(0, 3, 200)
    schedule = SGDSchedule(0.5, epochs=4, batch_size=8, falls_at=falls_at, weight_decay=0.1)
    logits = written_out(rows, labels, test, schedule, seed=5)
    margin = np.diff(np.sort(logits, axis=1)[:, -2:], axis=1)[:, 0]
    sure = margin > 1e-4  # single precision
    assert sure.mean() > 0.95
    found = sgd_linear_on_test(rows, labels, test, truth, schedule, seed=5)
    np.testing.assert_array_equal(found[sure], (logits.argmax(axis=1) == truth)[sure])


def test_the_schedules_are_the_papers() -> None:
    imsvd, places, cmc = (SCHEDULES[name] for name in ("imsvd", "places205", "cmc"))
    assert (imsvd.rate(0), imsvd.rate(50), imsvd.batch_size, imsvd.epochs) == (
        0.02,
        pytest.approx(0.01),
        256,
        100,
    )
    assert [places.rate(k) for k in (0, 5, 9, 10, 13)] == pytest.approx([1e-2, 1e-3, 1e-3, 1e-4, 1e-4])
    assert (places.epochs, places.weight_decay, places.momentum) == (14, 5e-4, 0.9)
    assert (cmc.rate(0), cmc.epochs) == (30.0, 60)


def test_standardised_columns_do_not_depend_on_their_scale() -> None:
    rng = np.random.default_rng(2)
    labels = np.arange(300) % 2
    rows = 0.8 * labels[:, None] + rng.standard_normal((300, 2))
    moved = rows * np.array([1.0, 1e-2]) + np.array([50.0, 0.0])
    plain, scaled = (
        sgd_linear_on_test(one[:200], labels[:200], one[200:], labels[200:], "places205")
        for one in (rows, moved)
    )
    # 1e-5 is added to every variance, which the second column feels.
    assert (plain == scaled).mean() > 0.97
    assert 0.6 < plain.mean() < 0.9


def test_each_epoch_takes_one_of_the_views() -> None:
    """Each view alone says nothing on half of the items, and both together everything."""
    labels = np.arange(400) % 2
    signal = (2.0 * labels - 1)[:, None]
    empty = np.zeros((400, 1))
    views = np.stack([np.hstack([signal, empty]), np.hstack([empty, signal])], axis=1)
    schedule = SGDSchedule(0.5, epochs=6, batch_size=50)
    for test in (np.hstack([signal, empty]), np.hstack([empty, signal])):
        assert sgd_linear_on_test(views, labels, test, labels, schedule).all()


def test_bad_input_is_one_line() -> None:
    rows, labels = np.zeros((6, 2)), np.arange(6) % 2
    with pytest.raises(InputError, match="schedule 'imagenet'"):
        sgd_linear_on_test(rows, labels, rows, labels, "imagenet")
    with pytest.raises(InputError, match=r"rows of \(2,\) numbers and test of \(3,\)"):
        sgd_linear_on_test(rows, labels, np.zeros((6, 3)), labels)
    with pytest.raises(InputError, match="test has class 2, which train lacks"):
        sgd_linear_on_test(rows, labels, rows, labels + 1)
