"""Correlation against dependence: planted cases with a known answer, and the way from training to words."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mitools.analyses.niu2025.redundancy import RedundancyRecipe, dependence_of, describe, planted_rows, run
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe


def test_the_planted_columns_are_uncorrelated_and_dependent() -> None:
    rows = planted_rows(3000)
    found = dependence_of(rows["planted"], 8)
    assert abs(found["linear_bits"]) < 0.002
    assert found["redundancy_low"] > 0.3
    none = dependence_of(rows["normal"], 8)
    assert abs(none["linear_bits"]) < 0.002
    assert none["redundancy_low"] < 0 < none["redundancy_high"]


def test_linear_bits_are_those_of_normal_variables() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((20_000, 2))
    rows = np.column_stack([x[:, 0], 0.8 * x[:, 0] + 0.6 * x[:, 1]])
    found = dependence_of(rows, 16)
    truth = -np.log2(1 - 0.8**2) / 2
    assert found["linear_bits"] == pytest.approx(truth, abs=0.02)
    # Bins lose a little of it, and gain nothing.
    assert 0.85 * truth < found["redundancy_bits"] < truth


def test_from_training_to_reading(
    training: dict[str, Any], evaluation: dict[str, Any], tmp_path: Path
) -> None:
    shared = {key: value for key, value in training.items() if key not in ("temperature", "head_width")}
    shared |= {"batch_size": 16, "epochs": 1}
    options: dict[str, dict[str, int]] = {
        "imsvd": {"variables": 4, "units": 3, "hidden": 16},
        "barlow_twins": {"width": 12, "hidden": 16},
        "simclr": {"head_width": 12},
    }
    runs = [shared | {"objective": name, "options": own} for name, own in options.items()]
    recipe = make_recipe({"runs": runs, "evaluation": evaluation, "units": 4}, RedundancyRecipe, "recipe")
    found = run(recipe, tmp_path)
    assert found is not None
    kept = pd.read_csv(tmp_path / "results.csv")
    names = [*(name for name in options for _ in range(2)), "planted", "normal"]
    assert list(kept["case"]) == names
    assert list(kept["of"]) == ["encoder", "head"] * 3 + ["columns"] * 2
    assert kept["dim"].tolist() == [128, 12] * 3 + [16, 16]
    assert kept["linear_acc"].notna().tolist() == [True] * 6 + [False] * 2
    assert describe(kept) == found.reading
    assert {path.name for path in found.files} == {
        "results.csv", "reading.txt", "redundancy.png", "redundancy.svg", "redundancy.pdf",
    }  # fmt: skip


def test_the_reading_follows_the_numbers() -> None:
    rows = [("imsvd", "head", 0.01, 0.02), ("vicreg", "head", 0.01, 0.3), ("normal", "columns", 0.0, 0.0)]
    table = pd.DataFrame(
        [
            {"case": case, "of": of, "linear_bits": linear, "redundancy_bits": bits,
             "redundancy_low": bits - 0.015, "redundancy_high": bits + 0.015}
            for case, of, linear, bits in rows
        ]
    )  # fmt: skip
    text = describe(table)
    assert "Beyond their intervals vicreg (head) share more than that." in text
    assert "Not told apart from independent: normal (columns)." in text
    assert "Of the heads imsvd has the least redundancy, beyond intervals." in text


def test_methods_are_run_once_on_equal_terms(training: dict[str, Any], evaluation: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="every method is run once"):
        make_recipe({"runs": [training, training], "evaluation": evaluation}, RedundancyRecipe, "recipe")
