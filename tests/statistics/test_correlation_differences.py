"""Differences of correlations on the same encoders: known data, coverage, and clusters of encoders."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from mitools.core.errors import InputError
from mitools.statistics.coefficients import coefficients
from mitools.statistics.correlation_differences import (
    NOT_TOLD,
    JointCorrelations,
    apart_correlations,
    joint_correlations,
)

NAMES = ["good", "twin", "poor"]


def drawn(seed: int, n: int = 30, error: float = 0.05, halves: int = 6) -> JointCorrelations:
    """Encoders whose measures go with the target by 0.95, 0.95 and 0.3, with a sampling error on halves."""
    rng = np.random.default_rng(seed)
    target = rng.standard_normal(n)
    r = np.array([0.95, 0.95, 0.3])
    values = r * target[:, None] + np.sqrt(1 - r**2) * rng.standard_normal((n, 3))
    read = values + error * rng.standard_normal((halves, n, 3))
    of_target = target + error * rng.standard_normal((halves, n))
    table = pd.DataFrame(values, columns=NAMES)
    return joint_correlations(table, target, read, of_target, np.arange(n), bootstrap=600, seed=seed)


def test_correlations_are_those_of_all_encoders_and_items() -> None:
    rng = np.random.default_rng(1)
    target, values = rng.standard_normal(12), pd.DataFrame(rng.standard_normal((12, 2)), columns=["a", "b"])
    halves = np.stack([values.to_numpy()] * 2)
    found = joint_correlations(values, target, halves, np.stack([target] * 2), np.arange(12)).measures
    for name in ("a", "b"):
        row = found.set_index("measure").loc[name]
        expected = coefficients(values[name].to_numpy(), target, np.ones((1, 12)))[:, 0]
        assert row[["pearson", "kendall", "spearman"]].tolist() == pytest.approx(expected)
        assert row["pearson_low"] < row["pearson"] < row["pearson_high"]


def test_a_better_measure_is_told_from_a_poor_one_and_not_from_its_equal() -> None:
    found = drawn(0)
    verdicts = {
        frozenset((row["measure_a"], row["measure_b"])): row for row in found.differences.to_dict("records")
    }
    assert verdicts[frozenset(("good", "twin"))]["verdict"] == NOT_TOLD
    against = verdicts[frozenset(("good", "poor"))]
    assert against["verdict"] == ("a goes better" if against["measure_a"] == "good" else "b goes better")
    assert found.measures["measure"].tolist()[-1] == "poor"


def test_the_interval_of_a_difference_holds_the_truth() -> None:
    held = 0
    for seed in range(40):
        row = drawn(seed, n=60).differences.set_index(["measure_a", "measure_b"])
        sign = 1 if ("good", "poor") in row.index else -1
        one = row.loc[("good", "poor") if sign == 1 else ("poor", "good")]
        low, high = sorted((sign * one["low"], sign * one["high"]))
        held += low <= 0.65 <= high
    assert held >= 35  # 95% of 40 is 38


def test_noise_of_the_items_and_clusters_widen_intervals() -> None:
    def width(found: JointCorrelations) -> float:
        row = found.measures.set_index("measure").loc["good"]
        return float(row["pearson_high"] - row["pearson_low"])

    assert width(drawn(0, error=0.6)) > 1.3 * width(drawn(0, error=0.01))
    rng = np.random.default_rng(0)
    target = np.repeat(rng.standard_normal(8), 6)
    values = pd.DataFrame({"good": target + np.repeat(rng.standard_normal(8), 6)})
    several = [
        joint_correlations(
            values, target, values.to_numpy()[None].repeat(2, 0), target[None].repeat(2, 0), clusters
        )
        for clusters in (np.arange(48), np.repeat(np.arange(8), 6))
    ]
    assert width(several[1]) > 1.8 * width(several[0]), "six checkpoints of a run are one run"


def test_what_a_measure_owes_to_the_same_items_is_not_counted_apart() -> None:
    held, rng = 0, np.random.default_rng(5)
    for seed in range(40):
        quality = rng.standard_normal(60)
        luck = rng.standard_normal((6, 60))  # of a half, in all that is read on it; the other half has less
        luck[1::2] = -luck[::2]
        target = quality + 0.5 * luck
        # Twin says what the target says of the same items; real says it of the items to come as well.
        twin, real = 0.5 * luck, quality + 0.3 * rng.standard_normal((6, 60))
        halves, values = np.stack([twin, real], axis=2), np.stack([0.5 * luck[0], quality], axis=1)
        table = pd.DataFrame(values, columns=["twin", "real"])
        whole = quality + 0.5 * luck[0]
        together = joint_correlations(table, whole, halves, target, np.arange(60), bootstrap=300, seed=seed)
        apart = apart_correlations(
            ["twin", "real"], halves, target, np.arange(60), bootstrap=300, seed=seed
        ).measures.set_index("measure")
        same = together.measures.set_index("measure")
        assert same.loc["twin", "pearson"] > 0.1 > -0.1 > apart.loc["twin", "pearson"]
        truth = 1 / np.sqrt(1.25 * 1.09)
        held += apart.loc["real", "pearson_low"] <= truth <= apart.loc["real", "pearson_high"]
    assert held >= 35, "95% of 40 is 38"


@pytest.mark.parametrize("halves", [4, 8])
def test_what_items_do_to_all_encoders_alike_is_in_the_interval(halves: int) -> None:
    """Items that favour one kind of encoder, in measure and target: halves move against each other."""
    rng = np.random.default_rng(7)

    def correlation(of_measure: np.ndarray, of_target: np.ndarray) -> float:
        """That of all encoders there are, on average over samples of items."""
        both = (1 + of_measure * of_target) / np.sqrt((1.64 + of_measure**2) * (1 + of_target**2))
        return float(both.mean())

    whole, apart = 0.8 + 0.2 * rng.standard_normal(100_000), 0.2 * rng.standard_normal(100_000)
    truths = [correlation(whole, whole), correlation(whole + apart, whole - apart)]
    held = np.zeros(2)
    for seed in range(60):
        quality, kind, own = rng.standard_normal((3, 60))
        all_items, some = 0.8 + 0.2 * rng.standard_normal(), 0.2 * rng.standard_normal(halves // 2)
        favour = all_items + np.stack([some, -some], axis=1).reshape(-1, 1)
        target, measure = quality + favour * kind, quality + 0.8 * own + favour * kind
        table = pd.DataFrame({"measure": quality + 0.8 * own + all_items * kind})
        whole_target, same = quality + all_items * kind, (measure[..., None], target, np.arange(60))
        for place, found in enumerate(
            [
                joint_correlations(table, whole_target, *same, bootstrap=200, seed=seed),
                apart_correlations(["measure"], *same, bootstrap=200, seed=seed),
            ]
        ):
            row = found.measures.iloc[0]
            held[place] += row["pearson_low"] <= truths[place] <= row["pearson_high"]
    assert (held >= 53).all(), held


def test_means_of_families_cost_clusters() -> None:
    rng = np.random.default_rng(2)
    off = np.eye(20) - np.kron(np.eye(5), np.full((4, 4), 0.25))
    target = off @ rng.standard_normal(20)
    values = pd.DataFrame({"a": target + off @ rng.standard_normal(20)})
    halves, other = values.to_numpy()[None].repeat(2, 0), target[None].repeat(2, 0)

    def z_width(means: int) -> float:
        found = joint_correlations(values, target, halves, other, np.arange(20), means=means).measures
        return float(np.diff(np.arctanh(found[["pearson_low", "pearson_high"]].to_numpy()))[0, 0])

    ratio = student.ppf(0.975, 15) / student.ppf(0.975, 19) * np.sqrt(19 / 15)
    assert z_width(5) == pytest.approx(ratio * z_width(1))


def test_too_few_runs_are_one_line() -> None:
    values = pd.DataFrame({"a": np.arange(6.0)})
    with pytest.raises(InputError, match="6 encoders of 2 runs are too few to tell measures apart"):
        joint_correlations(values, np.arange(6.0), np.zeros((2, 6, 1)), np.zeros((2, 6)), np.arange(6) % 2)
    with pytest.raises(InputError, match="of different encoders"):
        joint_correlations(values, np.arange(6.0), np.zeros((2, 6, 2)), np.zeros((2, 6)), np.arange(6))
    with pytest.raises(InputError, match="of different encoders"):
        apart_correlations(["a", "b"], np.zeros((2, 6, 1)), np.zeros((2, 6)), np.arange(6))
    with pytest.raises(InputError, match="3 halves are not pairs"):
        apart_correlations(["a"], np.zeros((3, 6, 1)), np.zeros((3, 6)), np.arange(6))
    with pytest.raises(InputError, match="4 encoders of 2 runs are too few"):
        apart_correlations(["a"], np.zeros((2, 4, 1)), np.zeros((2, 4)), np.arange(4) % 2)
