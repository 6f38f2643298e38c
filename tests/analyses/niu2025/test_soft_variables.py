"""Theorem 1 held against a run: numbers with intervals, and words that follow them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mitools.analyses.niu2025.soft_variables import PREDICTIONS, SoftVariablesRecipe, describe, mean_of, run
from mitools.analyses.registry import ANALYSES, recipe_path
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe, read_recipe

OPTIONS = {"variables": 4, "units": 3, "hidden": 16}


def recipe_of(training: dict[str, Any], evaluation: dict[str, Any], **changes: Any) -> dict[str, Any]:
    shared = {key: value for key, value in training.items() if key not in ("temperature", "head_width")}
    shared |= {"objective": "imsvd", "options": OPTIONS, "batch_size": 16, "epochs": 1}
    return {"training": shared | changes, "data": evaluation["data"]}


def test_from_training_to_reading(
    training: dict[str, Any], evaluation: dict[str, Any], tmp_path: Path, written: Any
) -> None:
    recipe = make_recipe(recipe_of(training, evaluation), SoftVariablesRecipe, "recipe")
    found = run(recipe, tmp_path)
    assert found is not None
    kept = pd.read_csv(tmp_path / "results.csv")
    assert list(kept["stage"]) == ["untrained"] * 4 + ["trained"] * 4
    assert list(kept["prediction"]) == list(PREDICTIONS) * 2
    assert (kept["low"] <= kept["value"]).all()
    assert (kept["value"] <= kept["high"]).all()
    assert kept.loc[kept["prediction"] == "uniform", "theory"].to_list() == [np.log2(3)] * 2
    assert describe(kept) == found.reading
    assert {path.name for path in found.files} == {
        "results.csv", "reading.txt", "predictions.png", "predictions.svg", "predictions.pdf",
    }  # fmt: skip
    before = written(tmp_path)
    assert run(recipe, tmp_path) is not None
    assert written(tmp_path) == before, "nothing is computed again"


def table(one_hot: float, reach: float = 0.01) -> pd.DataFrame:
    rows = []
    for stage, share in (("untrained", 0.1), ("trained", one_hot)):
        for name in PREDICTIONS:
            theory = {"uniform": 3.0, "independent": 0.0}.get(name, 1.0)
            value = share if name == "one_hot" else theory
            unit = "bits" if name in ("uniform", "independent") else "share"
            rows.append({"stage": stage, "prediction": name, "value": value, "low": value - reach,
                         "high": value + reach, "theory": theory, "unit": unit})  # fmt: skip
    return pd.DataFrame(rows)


def test_the_reading_follows_the_numbers() -> None:
    text = describe(table(0.8))
    assert "one_hot 0.8 (0.79 to 0.81) where 1 is predicted (does not hold; 0.1 " in text
    assert "before training, nearer now)" in text
    assert "uniform 3 (2.99 to 3.01) bits where 3 is predicted (holds;" in text
    assert "every variable of every item is one-hot" not in text
    assert "every variable of every item is one-hot" in describe(table(0.995))
    assert "Most variables are far from one-hot" in describe(table(0.1))
    assert "Most variables" not in text
    assert "(does not hold; 0.1 (0.09 to 0.11) before training, not nearer now)" in describe(table(0.1))


def test_an_interval_of_groups_is_that_of_their_means() -> None:
    values = np.array([0.0, 1.0, 1.0, 0.0, 1.0, 1.0])
    alone, twice = mean_of(values), mean_of(values.repeat(2), np.arange(6).repeat(2))
    assert alone == pytest.approx(twice)
    assert alone.high - alone.value == pytest.approx(1.959964 * values.std(ddof=1) / np.sqrt(6))


def test_another_method_is_refused(training: dict[str, Any], evaluation: dict[str, Any]) -> None:
    content = recipe_of(training, evaluation, objective="class", options={})
    with pytest.raises(InputError, match="the method must be imsvd"):
        make_recipe(content, SoftVariablesRecipe, "recipe")


@pytest.mark.parametrize("name", ["soft_variables", "redundancy"])
@pytest.mark.parametrize("scale", ["smoke", "paper"])
def test_recipes_are_read(name: str, scale: Any) -> None:
    kind = ANALYSES[name].recipe
    assert isinstance(read_recipe(recipe_path(name, scale), kind), kind)
