"""Loss-data curves: what is learnt at once, what never, and codes that a direct computation gives."""

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.metrics.label_efficiency import curve as curve_module
from mitools.metrics.label_efficiency.code_length import code_length
from mitools.metrics.label_efficiency.curve import LossDataCurve, loss_data_curve
from mitools.metrics.label_efficiency.sample_complexity import sample_complexity
from mitools.metrics.label_efficiency.surplus_description_length import surplus_description_length

RNG = np.random.default_rng(0)
LABELS = RNG.permutation(np.arange(700) % 4)
TRAIN, REPORT = slice(0, 500), slice(500, 700)
NOISE = RNG.standard_normal((700, 4))


def curve_of(rows: np.ndarray, labels: np.ndarray = LABELS) -> LossDataCurve:
    return loss_data_curve(rows[TRAIN], labels[TRAIN], rows[REPORT], labels[REPORT])


def test_sizes_double_and_losses_start_at_log_c() -> None:
    curve = curve_of(NOISE)
    assert curve.sizes.tolist() == [0, 8, 16, 32, 64, 128, 256, 500]
    assert curve.loss_nats[0] == pytest.approx(np.log(4))
    assert curve.entropy_nats == pytest.approx(np.log(4), abs=0.02)
    assert len(curve.code_nats) == 7


def test_what_says_nothing_costs_log_c_and_what_says_all_costs_little() -> None:
    useless, perfect, good = (
        curve_of(rows) for rows in (NOISE, np.eye(4)[LABELS], 2 * np.eye(4)[LABELS] + 0.7 * NOISE)
    )
    epsilon = 0.25 * np.log(4)
    assert code_length(useless) == pytest.approx(2, abs=0.25)
    assert code_length(perfect) < 0.25 < code_length(good) < 1.5
    of = [surplus_description_length(one, epsilon) for one in (perfect, good, useless)]
    assert of == sorted(of)
    assert of[2] == pytest.approx(500 * 0.75 * 2, rel=0.1), "1.5 bits of surplus for every label"
    labels = [sample_complexity(one, epsilon) for one in (perfect, good, useless)]
    assert labels == sorted(labels)
    assert labels[0] <= 32
    assert labels[2] == 500


def test_the_code_is_the_probability_of_the_blocks_under_the_mixture(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    fit = curve_module._Probe.fit

    def recorded(rows: np.ndarray, labels: np.ndarray, *further: object) -> object:
        asked.append((len(rows), fit(rows, labels, *further)))
        return asked[-1][1]

    monkeypatch.setattr(curve_module._Probe, "fit", recorded)
    rows = np.eye(4)[LABELS] + NOISE
    curve = curve_of(rows)
    order = np.random.default_rng(0).permutation(500)
    train = rows[TRAIN].astype(np.float32)
    train = ((train - train.mean(axis=0)) / train.std(axis=0))[order]
    own = LABELS[TRAIN][order]
    paid = np.zeros(3)
    for k, (size, stop) in enumerate(zip(curve.sizes[1:-1], curve.sizes[2:], strict=True)):
        probes = [probe for n, probe in asked if n == size]
        paid += [probe.log_p(train[size:stop], own[size:stop]).sum() for probe in probes]
        total = -np.log(np.exp(paid - paid.max()).mean()) - paid.max()
        assert curve.code_nats[1 : k + 2].sum() == pytest.approx(total, rel=1e-4)


def test_a_class_that_was_not_seen_yet_costs_no_infinite_code() -> None:
    labels = LABELS.copy()
    labels[TRAIN][np.random.default_rng(0).permutation(500)[:20]] = 0
    assert np.isfinite(curve_of(np.eye(4)[labels], labels).code_nats).all()
    one = loss_data_curve(NOISE[:9], [0] * 8 + [1], NOISE[9:12], [0, 1, 1])
    assert np.isfinite(one.loss_nats).all()


def test_probabilities_sum_to_one() -> None:
    for labels in (LABELS[:60], LABELS[:60] % 2, np.zeros(60, dtype=int)):
        probe = curve_module._Probe.fit(NOISE[:60], labels, 4, 1.0)
        total = sum(np.exp(probe.log_p(NOISE[60:70], np.full(10, c))) for c in range(4))
        assert total == pytest.approx(np.ones(10))


def test_known_curves_give_known_numbers() -> None:
    curve = LossDataCurve(
        np.array([0, 4, 8, 16]), np.log([4, 2, 2, 1]), np.log(2) * np.array([8.0, 4, 8]), 0.0
    )
    assert code_length(curve) == pytest.approx(20 / 16)
    assert surplus_description_length(curve, np.log(2)) == pytest.approx(4)
    assert sample_complexity(curve, np.log(2)) == 4
    assert sample_complexity(curve, 0.0) == pytest.approx(16)
    assert sample_complexity(curve, -1.0) == 16


def test_too_few_labels_are_refused() -> None:
    with pytest.raises(InputError, match="more than 8 are needed"):
        loss_data_curve(NOISE[:8], LABELS[:8] % 4, NOISE[8:16], [0, 1, 2, 3] * 2)
