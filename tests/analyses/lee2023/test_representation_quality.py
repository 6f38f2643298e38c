"""The study of measures: which encoders it takes, and which measure it names."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mitools.analyses.lee2023.representation_quality import (
    RepresentationQualityRecipe,
    describe,
    find_checkpoints,
    run,
)
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe
from mitools.estimators.neural.variational import VariationalEstimator
from mitools.training.loop.trainer import train
from mitools.training.recipes import TrainingRecipe


@pytest.fixture
def runs(training: dict[str, Any], tmp_path: Path) -> Path:
    """Two finished runs of another analysis, of three epochs with the untrained network in common."""
    for name, objective in (("a", "class"), ("b", "cross_entropy")):
        changes = {"keep_every": 1, "epochs": 1, "batch_size": 16, "objective": objective}
        recipe = make_recipe(training | changes, TrainingRecipe, name)
        train(recipe, tmp_path / "other" / "runs" / name)
    return tmp_path


def test_checkpoints_are_found_once_each(runs: Path) -> None:
    found = find_checkpoints(runs, at_most=9)
    names = [spec.removeprefix(f"run:{runs}/other/runs/") for spec in found]
    assert names == ["a@epoch=0", "a@epoch=1", "b@epoch=1"], "the two untrained networks are one"
    assert find_checkpoints(runs, at_most=2) == [found[0], found[2]]


@pytest.mark.slow
def test_from_checkpoints_to_reading(
    runs: Path, evaluation: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def quick(*arguments: Any, **options: Any) -> VariationalEstimator:
        return VariationalEstimator(*arguments, max_steps=20, **options)

    monkeypatch.setattr("mitools.measures.critics.VariationalEstimator", quick)
    out = runs / "quality"
    found = run(make_recipe(evaluation, RepresentationQualityRecipe, "recipe"), out)
    assert found is not None
    assert len(found.table) == 3
    correlation = pd.read_csv(out / "correlation.csv")
    assert describe(correlation) == found.reading
    row = correlation.set_index("column").loc["i_class_bits"]
    assert f"I_class {row['pearson']:.2f}" in found.reading
    names = {path.name for path in found.files}
    assert {"results.csv", "correlation.csv", "reading.txt", "against_linear_accuracy.png"} <= names


def test_without_encoders_it_says_what_to_do(evaluation: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run other analyses into folders beside"):
        run(make_recipe(evaluation, RepresentationQualityRecipe, "recipe"), tmp_path / "quality")


def test_runs_trained_on_the_data_are_refused(runs: Path, training: dict[str, Any]) -> None:
    recipe = make_recipe({"data": training["data"]}, RepresentationQualityRecipe, "recipe")
    with pytest.raises(InputError, match="images trained on"):
        run(recipe, runs / "quality")


def correlation(**pearson: tuple[float, float]) -> pd.DataFrame:
    rows = [
        {
            "column": name, "n": 10, "pearson": value, "pearson_low": value - reach,
            "pearson_high": value + reach, "kendall": value / 2,
        }
        for name, (value, reach) in pearson.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_the_best_measure_is_named() -> None:
    clear = describe(correlation(alignment=(0.1, 0.2), i_class_bits=(0.97, 0.02), tolerance=(0.3, 0.2)))
    assert "I_class 0.97 (0.95 to 0.99; Kendall 0.48), tolerance 0.30" in clear
    assert "I_class goes best with accuracy, as in Lee et al.; its interval lies above that of every" in clear
    near = describe(correlation(i_class_bits=(0.97, 0.2), tolerance=(0.9, 0.2), uniformity=(0.1, 0.1)))
    assert "overlaps that of tolerance, so that more encoders are needed" in near
    other = describe(correlation(i_class_bits=(0.5, 0.1), tolerance=(0.9, 0.1)))
    assert "tolerance goes best with accuracy, unlike in Lee et al., where I_class does." in other
