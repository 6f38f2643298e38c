"""The lower bound of symbols: below the truth at any sample size, and close to it."""

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.datasets.known_information.channels import JointTable
from mitools.estimators.classical.predictive_coding import PredictiveCoding, _Counts, _read


def channel(symbols, error, n, seed):
    joint = JointTable.symmetric_channel(symbols, error)
    return *joint.draw(n, np.random.default_rng(seed)), joint.truth.nats


@pytest.mark.parametrize("symbols", [20, 100, 300])
@pytest.mark.parametrize("error", [0.1, 0.5, 0.9])
def test_it_stays_below_the_truth_and_comes_close(symbols, error):
    found = [PredictiveCoding().estimate(*channel(symbols, error, 1000, seed)[:2]) for seed in range(6)]
    truth = channel(symbols, error, 10, 0)[2]
    assert np.mean([each.interval_nats.low <= truth for each in found]) > 0.8
    mean, noise = np.mean([each.nats for each in found]), np.mean([each.stderr_nats for each in found])
    assert truth - 0.15 * truth - noise < mean < truth + noise


def test_partners_by_another_name_are_learnt():
    x, y, truth = channel(50, 0.1, 3000, 0)
    found = PredictiveCoding().estimate(x, np.random.default_rng(1).permutation(50)[y] + 100)
    assert 0.9 * truth < found.nats < truth
    assert found.settings["weights"]["same symbol"] < 0.01
    assert found.settings["weights"]["most frequent"] > 0.5


def test_independent_symbols_certify_nothing():
    found = [PredictiveCoding().estimate(*channel(300, 1.0, 1000, seed)[:2]) for seed in range(10)]
    assert max(each.interval_nats.low for each in found) < 0
    assert np.mean([each.nats for each in found]) == pytest.approx(0, abs=0.03)
    assert all(each.has_warning("indistinguishable_from_zero") for each in found)


def test_the_standard_error_is_that_of_repetition():
    found = [PredictiveCoding().estimate(*channel(50, 0.5, 1000, seed)[:2]) for seed in range(30)]
    spread = np.std([each.nats for each in found])
    assert np.mean([each.stderr_nats for each in found]) == pytest.approx(spread, rel=0.45)


def test_the_reading_is_the_bound_summed_pair_by_pair():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 6, (2, 90))
    counts, weights = _Counts.of(x[:60], y[:60], 6), np.array([0.3, 0.2, 0.1, 0.2, 0.1, 0.1])
    report = np.arange(60, 90)
    ratio = np.array([[counts.parts(x[[i]], y[[j]])[0] @ weights for j in report] for i in report])
    product = (ratio.sum() - np.trace(ratio)) / (30 * 29)
    reading = _read(counts, weights, x, y, report)
    assert reading.nats == pytest.approx(np.log(np.diag(ratio)).mean() + 1 - product)
    assert reading.influence.mean() == pytest.approx(0, abs=1e-12)


def test_names_and_rows_are_symbols_too():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 4, 600)
    bits = np.stack([x // 2, x % 2], axis=1)
    assert PredictiveCoding().estimate(bits, x.astype(str)).nats == pytest.approx(np.log(4), abs=0.05)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.linspace(0, 1, 20), np.arange(20), "x are not whole numbers"),
        (np.arange(20), np.arange(21), "x has 20 rows and y has 21"),
        (np.arange(9), np.arange(9), "9 rows are too few"),
    ],
)
def test_bad_requests_name_what_is_wrong(x, y, message):
    with pytest.raises(InputError, match=message):
        PredictiveCoding().estimate(x, y)
