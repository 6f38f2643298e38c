"""The comparison of objectives: one budget, and the paper's comparisons as they are found."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mitools.analyses.lee2023.objectives import ObjectivesRecipe, describe, run
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe


def test_from_training_to_reading(
    training: dict[str, Any], evaluation: dict[str, Any], tmp_path: Path
) -> None:
    names = ["simclr", "class", "supcon", "cross_entropy"]
    shared = training | {"batch_size": 16, "epochs": 1}
    content = {"runs": [shared | {"objective": name} for name in names], "evaluation": evaluation}
    found = run(make_recipe(content, ObjectivesRecipe, "recipe"), tmp_path)
    assert found is not None
    kept = pd.read_csv(tmp_path / "results.csv", index_col="objective")
    assert list(kept.index) == [*names, "untrained"]
    assert kept["linear_acc"].between(kept["linear_acc_low"], kept["linear_acc_high"]).all()
    assert kept["in_training_bits"].isna().to_dict() == {
        name: name in ("supcon", "untrained") for name in kept.index
    }
    assert describe(kept.reset_index()) == found.reading
    for name, row in kept.iterrows():
        assert f"{name} {row['linear_acc']:.1%} with {row['i_class_bits']:.2f} bits" in found.reading
    assert {path.name for path in found.files} == {
        "results.csv", "reading.txt", "objectives.png", "objectives.svg", "objectives.pdf",
    }  # fmt: skip


def table(simclr: float, label: float, supcon: float, reach: float = 0.01) -> pd.DataFrame:
    accuracy = pd.Series([simclr, label, supcon])
    return pd.DataFrame(
        {
            "objective": ["simclr", "class", "supcon"],
            "h_c_bits": 6.0,
            "i_class_bits": 6 * accuracy,
            "linear_acc": accuracy,
            "linear_acc_low": accuracy - reach,
            "linear_acc_high": accuracy + reach,
        }
    )


@pytest.mark.parametrize(
    ("accuracies", "said"),
    [
        (
            (0.6, 0.8, 0.9),
            "class is 20.0 points above simclr, as in Lee et al. supcon is 10.0 points above class",
        ),
        ((0.9, 0.8, 0.9), "class is 10.0 points below simclr, unlike in Lee et al."),
        ((0.6, 0.8, 0.805), "supcon and class are not told apart (+0.5 points, intervals overlap)"),
    ],
)
def test_the_reading_follows_the_numbers(accuracies: tuple[float, float, float], said: str) -> None:
    assert said in describe(table(*accuracies))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"objective": "supcon", "epochs": 3}, "the same epochs"),
        ({"objective": "supcon", "encoder": "convnet"}, "the same encoder"),
        ({}, "every objective is run once"),
    ],
)
def test_budgets_must_be_equal(
    change: dict[str, Any], said: str, training: dict[str, Any], evaluation: dict[str, Any]
) -> None:
    content = {"runs": [training, training | change], "evaluation": evaluation}
    with pytest.raises(InputError, match=said):
        make_recipe(content, ObjectivesRecipe, "recipe")
