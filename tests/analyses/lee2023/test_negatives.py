"""The study of negatives: sources beside the first, with paired differences."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mitools.analyses.lee2023.negatives import NegativesRecipe, describe, run
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe
from mitools.training.loop.run_folder import RunFolder

SOURCES = [
    {"name": "same"},
    {"name": "digits", "negatives": "digits?limit=80"},
    {"name": "noise", "negatives": "noise"},
]


def test_from_training_to_reading(
    training: dict[str, Any], evaluation: dict[str, Any], tmp_path: Path
) -> None:
    shared = training | {"objective": "simclr", "batch_size": 16, "epochs": 1}
    content = {"training": shared, "sources": SOURCES, "evaluation": evaluation}
    found = run(make_recipe(content, NegativesRecipe, "recipe"), tmp_path)
    assert found is not None
    used = [RunFolder(tmp_path / "runs" / one["name"]).recipe().options["negatives"] for one in SOURCES]
    assert used == [None, "digits?limit=80", "noise"]
    kept = pd.read_csv(tmp_path / "results.csv")
    assert list(kept["negatives"]) == ["same", "digits", "noise", "untrained"]
    assert kept["gain_bits"].isna().tolist() == [True, False, False, False]
    gains = kept["i_class_bits"] - kept["i_class_bits"][0]
    assert kept["gain_bits"][1:].tolist() == pytest.approx(gains[1:].tolist())
    assert (kept["gain_low"] < kept["gain_high"])[1:].all()
    assert describe(kept) == found.reading
    for value in kept["linear_acc"]:
        assert f"{value:.1%}" in found.reading
    assert {path.name for path in found.files} == {
        "results.csv", "reading.txt", "negatives.png", "negatives.svg", "negatives.pdf",
    }  # fmt: skip


def table(gains: list[float], reach: float = 0.05) -> pd.DataFrame:
    gain = pd.Series([float("nan"), *gains])
    names = ["same", *(f"other{k}" for k in range(len(gains)))]
    accuracy = 0.8 + gain.fillna(0) / 10
    return pd.DataFrame(
        {
            "negatives": names,
            "h_c_bits": 2.0,
            "i_class_bits": 1.5 + gain.fillna(0),
            "linear_acc": accuracy,
            "gain_bits": gain,
            "gain_low": gain - reach,
            "gain_high": gain + reach,
        }
    )


def test_the_reading_follows_the_numbers() -> None:
    text = describe(table([0.2, -0.3]))
    assert (
        "With negatives from same, linear accuracy is 80.0% and certified I_class 1.50 of 2.00 bits" in text
    )
    assert "other0 gives +2.0 points (82.0%) and +0.20 bits (+0.15 to +0.25)" in text
    assert "The highest accuracy is that of other0;" in text
    assert "the encoder holds more with other0 and less with other1 than with the first" in text


def test_differences_within_the_interval_are_none() -> None:
    assert "none is told apart from the first" in describe(table([0.02, -0.03]))


def test_names_are_given_once(training: dict[str, Any], evaluation: dict[str, Any]) -> None:
    shared = training | {"objective": "simclr"}
    content = {"training": shared, "sources": [SOURCES[0], SOURCES[0]], "evaluation": evaluation}
    with pytest.raises(InputError, match="a name of its own"):
        make_recipe(content, NegativesRecipe, "recipe")
