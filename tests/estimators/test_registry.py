"""Every estimator by its name, and what all of them share."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from mitools.core.errors import InputError
from mitools.estimators.inputs.splits import split
from mitools.estimators.neural.variational import VariationalEstimator
from mitools.estimators.pairs import PairedRows, permuted_within
from mitools.estimators.registry import ESTIMATORS, make_estimator


@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_a_name_makes_an_estimator_that_scikit_learn_can_copy(name: str) -> None:
    estimator = make_estimator(name, seed=3)
    assert clone(estimator).get_params() == estimator.get_params()
    assert estimator.get_params()["seed"] == 3
    json.dumps(estimator.settings(), allow_nan=False)


@pytest.mark.parametrize("name", ["class_posterior", "label_information"])
def test_a_method_by_name_reads_what_it_says(name: str, mixture_of: Callable[[float], Any]) -> None:
    x, labels = mixture_of(1.0).draw(1000, np.random.default_rng(0))
    estimate = make_estimator(name).estimate(x, labels)
    assert (estimate.method, estimate.kind) == (name, ESTIMATORS[name].kind)
    assert ESTIMATORS[name].needs_labels


def test_the_guide_lists_every_method_with_its_kind() -> None:
    page = (Path(__file__).parents[2] / "mitools" / "guide" / "estimators.md").read_text(encoding="utf-8")
    table = page.partition("\n## The table\n")[2].partition("\nn is the number")[0]
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in table.splitlines() if line.startswith("| `")]
    kinds = {name: kind.strip() for names, kind, *_ in rows for name in re.findall(r"`(\w+)`", names)}
    assert {len(row) for row in rows} == {6}
    assert set(kinds) == set(ESTIMATORS) | {"class_posterior_nwj"}
    for name, method in ESTIMATORS.items():
        assert method.kind is None or method.kind in kinds[name]


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(InputError, match="unknown method 'infonc'; did you mean infonce"):
        make_estimator("infonc")


def test_only_nt_xent_is_an_asymptotic_bound() -> None:
    asymptotic = [name for name, method in ESTIMATORS.items() if method.kind == "asymptotic lower bound"]
    assert asymptotic == ["nt_xent"]


def test_settings_are_json_whatever_they_were_given_as() -> None:
    estimator = VariationalEstimator()
    estimator.set_params(hidden=np.array([8, 4]), seed=np.int64(3), learning_rate=np.float32(0.5))
    settings = estimator.settings()
    assert settings["hidden"] == [8, 4]
    assert (settings["seed"], settings["learning_rate"]) == (3, 0.5)
    assert json.loads(json.dumps(settings)) == settings
    assert estimator.set_params(hidden=(8, np.int64(4))).settings()["hidden"] == [8, 4]


def test_paired_rows_keep_row_with_row() -> None:
    rng = np.random.default_rng(0)
    source = PairedRows(100).within(np.arange(20, 60))
    x, y = source.draw(30, rng)
    np.testing.assert_array_equal(x, y)
    assert len(np.unique(x)) == 30
    x, y = source.draw(500, rng)
    np.testing.assert_array_equal(np.unique(x), np.arange(20, 60))
    x, y = source.independent(rng)
    np.testing.assert_array_equal(x, np.arange(20, 60))
    np.testing.assert_array_equal(x, y)


def test_rows_shuffled_apart_stay_in_their_part() -> None:
    parts = split(1000)
    apart = PairedRows(1000).apart(parts, np.random.default_rng(0))
    for part in (parts.train, parts.select, parts.report):
        x, y = apart.within(part).independent(np.random.default_rng(0))
        np.testing.assert_array_equal(np.sort(y), part)
        assert (x == y).mean() < 0.05


def test_values_are_permuted_within_parts_only() -> None:
    parts = split(50)
    values = np.arange(50) * 10
    shuffled = permuted_within(values, parts, np.random.default_rng(0))
    np.testing.assert_array_equal(values, np.arange(50) * 10)
    for part in (parts.train, parts.select, parts.report):
        np.testing.assert_array_equal(np.sort(shuffled[part]), values[part])
