"""Every estimator by its name, and what all of them share."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from mitools import estimators
from mitools.core.errors import InputError
from mitools.estimators.classical.base import ClosedFormEstimator
from mitools.estimators.neural.cross_fitted import CrossFittedEstimator
from mitools.estimators.neural.learned_density import LEARNED_DENSITY_METHODS
from mitools.estimators.neural.methods import VARIATIONAL_METHODS
from mitools.estimators.neural.variational import VariationalEstimator
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


def test_listing_estimators_imports_no_library() -> None:
    code = (
        "import sys; from mitools.estimators.registry import ESTIMATORS; assert len(ESTIMATORS) > 20;"
        "print(*sorted({'torch', 'sklearn', 'scipy', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_what_is_listed_is_what_the_estimator_says_of_itself(name: str) -> None:
    entry, estimator = ESTIMATORS[name], make_estimator(name)
    assert ("device" in estimator.get_params()) == entry.takes_device
    if isinstance(estimator, ClosedFormEstimator):
        assert (entry.kind, name) == (estimator.kind, estimator.method)
    if isinstance(estimator, CrossFittedEstimator):
        assert estimator.strategy().name == name
        assert entry.kind == estimator.strategy().method.kind
        assert (estimator.strategy().method.ceiling(9) is not None) == bool(entry.ceiling)


def test_every_method_of_a_critic_has_a_name_of_its_own() -> None:
    assert {*VARIATIONAL_METHODS, *LEARNED_DENSITY_METHODS} <= set(ESTIMATORS)


def test_every_public_name_is_found_where_it_is_said_to_be() -> None:
    assert sorted(estimators._MODULE_OF) == sorted(estimators.__all__) == sorted(dir(estimators))
    for name in estimators.__all__:
        assert getattr(estimators, name) is not None
    assert callable(estimators.pointwise)
    with pytest.raises(AttributeError, match="no attribute 'Estimator'"):
        estimators.Estimator  # noqa: B018
