import numpy as np
import pytest
from scipy.special import digamma
from sklearn.metrics import mutual_info_score

from mitools.core.errors import InputError
from mitools.datasets.known_information.channels import JointTable
from mitools.estimators.classical.discrete import CORRECTIONS, DiscreteEstimator, _entropies_without_one

COUNTS = np.array([4, 2, 3, 2, 4, 2, 1, 1, 9])
UNIFORM = JointTable(np.full((20, 20), 1 / 400))
CHANNEL = JointTable.symmetric_channel(6, 0.2)


def drawn(joint, n, seed=0):
    return joint.draw(n, np.random.default_rng(seed))


def entropy(name, counts):
    found, symbols = np.unique(counts, return_counts=True)
    return float(CORRECTIONS[name](found.astype(float), symbols.astype(float)))


def test_entropies_by_their_formulas_symbol_by_symbol():
    n, p = COUNTS.sum(), COUNTS / COUNTS.sum()
    plug_in = -(p * np.log(p)).sum()
    assert entropy("plug_in", COUNTS) == pytest.approx(plug_in)
    assert entropy("miller_madow", COUNTS) == pytest.approx(plug_in + (len(COUNTS) - 1) / (2 * n))
    # Grassberger 2003 gives G by recursion: G(1) = -gamma - log 2, G(2) = 2 - gamma - log 2,
    # G(2m + 1) = G(2m), G(2m + 2) = G(2m) + 2 / (2m + 1).
    g = [0.0, -np.euler_gamma - np.log(2), 2 - np.euler_gamma - np.log(2)]
    while len(g) < 10:
        g.append(g[-1] if len(g) % 2 else g[-1] + 2 / (len(g) - 1))
    expected = np.log(n) - sum(c * g[c] for c in COUNTS) / n
    assert entropy("grassberger", COUNTS) == pytest.approx(expected)
    scaled = (1 - 2 / n) * p
    terms = [-q * np.log(q) / (1 - (1 - q) ** n) for q in scaled]
    assert entropy("chao_shen", COUNTS) == pytest.approx(sum(terms))


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_large_samples_read_the_truth(correction):
    estimate = DiscreteEstimator(correction).estimate(*drawn(CHANNEL, 40_000))
    low, high, _ = estimate.interval_nats
    assert low < CHANNEL.truth.nats < high
    assert high - low < 0.05
    assert estimate.null_nats == pytest.approx(0, abs=0.002)
    assert not estimate.warnings
    assert estimate.kind == "point estimate"


def test_the_plug_in_is_scikit_learns():
    x, y = drawn(CHANNEL, 300)
    assert DiscreteEstimator("plug_in").estimate(x, y).nats == pytest.approx(mutual_info_score(x, y))


def test_corrections_take_the_bias_of_small_samples_off():
    def mean_reading(name, n):
        return np.mean([DiscreteEstimator(name).estimate(*drawn(UNIFORM, n, s)).nats for s in range(10)])

    # Theory: to first order the plug-in reads (20 - 1)^2 / 2n too much, and the truth is 0.
    assert mean_reading("plug_in", 5000) == pytest.approx(19**2 / 10_000, abs=0.005)
    assert abs(mean_reading("miller_madow", 5000)) < 0.005
    assert mean_reading("plug_in", 1000) > 0.18
    assert 0.02 < mean_reading("miller_madow", 1000) < 0.06
    assert abs(mean_reading("grassberger", 1000)) < 0.02


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_leaving_one_out_is_leaving_one_out(correction):
    made = _entropies_without_one(COUNTS, CORRECTIONS[correction])
    for symbol in range(len(COUNTS)):
        left = COUNTS - (np.arange(len(COUNTS)) == symbol)
        assert made[symbol] == pytest.approx(entropy(correction, left[left > 0]))


def test_the_standard_error_is_the_jackknife():
    x, y = drawn(CHANNEL, 60)
    left_out = [mutual_info_score(np.delete(x, i), np.delete(y, i)) for i in range(60)]
    expected = np.sqrt(59 * np.var(left_out))
    assert DiscreteEstimator("plug_in").estimate(x, y).stderr_nats == pytest.approx(expected)


@pytest.mark.parametrize("correction", ["miller_madow", "grassberger"])
def test_intervals_cover(correction):
    estimates = [DiscreteEstimator(correction).estimate(*drawn(CHANNEL, 400, seed)) for seed in range(80)]
    hit = [e.interval_nats.low < CHANNEL.truth.nats < e.interval_nats.high for e in estimates]
    assert np.mean(hit) > 0.87
    ratio = np.mean([e.stderr_nats for e in estimates]) / np.std([e.nats for e in estimates])
    assert 0.8 < ratio < 1.4


def test_a_copy_reads_its_entropy_and_no_more():
    for seed in range(20):
        x = np.random.default_rng(seed).integers(0, 7, 500)
        estimate = DiscreteEstimator("plug_in").estimate(x, -x)
        assert estimate.nats == estimate.entropy_nats
        assert not estimate.has_warning("exceeds_entropy")
        merged = DiscreteEstimator("plug_in").estimate(x, x // 2)
        assert merged.nats == merged.entropy_nats


def test_pairs_seen_once_are_warned_of():
    sparse = JointTable.symmetric_channel(100, 0.5)
    estimate = DiscreteEstimator().estimate(*drawn(sparse, 500))
    assert estimate.has_warning("small_sample")
    assert estimate.nats > sparse.truth.nats + 0.5
    assert not DiscreteEstimator().estimate(*drawn(CHANNEL, 500)).warnings


def test_a_bias_that_a_correction_would_take_off_is_warned_of():
    x, y = drawn(UNIFORM, 3000)
    assert "grassberger" in str(DiscreteEstimator("plug_in").estimate(x, y).warnings[-1])
    assert not DiscreteEstimator().estimate(x, y).has_warning("small_sample")


def test_symbols_all_their_own_are_saturated():
    estimate = DiscreteEstimator("plug_in").estimate(np.arange(200), np.arange(200))
    assert estimate.nats == pytest.approx(np.log(200)) == estimate.ceiling_nats
    assert estimate.has_warning("saturated")


def test_a_constant_side_reads_zero():
    estimate = DiscreteEstimator().estimate(np.zeros(50), np.arange(50))
    assert (estimate.nats, estimate.stderr_nats) == (0, 0)


@pytest.mark.parametrize(
    ("estimator", "x", "message"),
    [
        (DiscreteEstimator("nsb"), np.arange(9), "accepted: plug_in, miller_madow, grassberger or chao_shen"),
        (DiscreteEstimator(), np.linspace(0, 1, 9), "x are not whole numbers"),
        (DiscreteEstimator(), np.linspace(0, 1, 18).reshape(9, 2), "use the binned method"),
        (DiscreteEstimator(), np.arange(8), "x has 8 rows and y has 9"),
        (DiscreteEstimator(), np.array([None] * 9), "x hold object"),
    ],
)
def test_bad_requests_name_what_is_wrong(estimator, x, message):
    with pytest.raises(InputError, match=message):
        estimator.estimate(x, np.arange(9))


def test_grassbergers_terms_tend_to_the_logarithm():
    large = np.array([1e6])
    # One symbol of a million occurrences and the entropy of a certain thing: 0.
    assert float(CORRECTIONS["grassberger"](large, np.ones(1))) == pytest.approx(0, abs=1e-5)
    assert digamma(1e6) == pytest.approx(np.log(1e6), abs=1e-6)


def test_the_interval_allows_for_pairs_that_were_not_met():
    truth, held, without = None, [], []
    table = 0.99 * np.eye(50) / 50 + 0.01 / 2500
    truth = float((table * np.log(table * 2500)).sum())
    for seed in range(30):
        rng = np.random.default_rng(seed)
        x, y = np.divmod(rng.choice(2500, 300, p=table.ravel()), 50)
        found = DiscreteEstimator().fit(x, y).estimate_
        low, high, _ = found.interval_nats
        held.append(low <= truth <= high)
        without.append(low + found.settings.get("excess_nats", 0.0) <= truth <= high)
    assert np.mean(held) >= 0.85 > np.mean(without)


def test_where_every_pair_was_met_the_interval_is_that_of_the_error():
    x, y = np.divmod(np.arange(400) % 16, 4)
    found = DiscreteEstimator().fit(x, y).estimate_
    assert "excess_nats" not in found.settings
    assert found.nats - found.interval_nats.low == pytest.approx(1.96 * found.stderr_nats, rel=1e-3)
