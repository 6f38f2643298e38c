"""The study of batch sizes: what is in its table, and that its words follow from the numbers."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mitools.analyses.lee2023.batch_size import BatchSizeRecipe, describe, run
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe


@pytest.fixture
def recipe(training: dict[str, Any], evaluation: dict[str, Any]) -> BatchSizeRecipe:
    content = {
        "training": training,
        "runs": [{"batch_size": 8}, {"batch_size": 2, "learning_rate": 1e-3}],
        "evaluation": evaluation,
        "critic_steps": 20,
    }
    return make_recipe(content, BatchSizeRecipe, "recipe")


def test_from_training_to_reading_and_again(
    recipe: BatchSizeRecipe, tmp_path: Path, written: Callable[[Path], dict[Path, int]]
) -> None:
    found = run(recipe, tmp_path / "out")
    assert found is not None
    table = found.table
    assert list(table["k_tr"]) == [2, 8]
    assert list(table["steps"]) == [2 * 48 // 2, 2 * 48 // 8]
    assert list(table["learning_rate"]) == [1e-3, 3e-3]
    np.testing.assert_allclose(table["in_training_ceiling_bits"], np.log2(2 * table["k_tr"] - 1))
    assert (table["in_training_bits"] <= table["in_training_ceiling_bits"]).all()
    np.testing.assert_allclose(table["h_c_bits"], 3)
    assert (table["i_class_low"] < table["i_class_bits"]).all()
    assert (table["i_class_bits"] < table["i_class_high"]).all()
    np.testing.assert_allclose(table["nt_xent_ceiling_bits"], np.log2(2 * table["nt_xent_pairs"] - 1))
    assert table["linear_acc"].between(0.125, 1).all()
    names = {path.name for path in found.files}
    assert names == {"results.csv", "reading.txt", "batch_size.png", "batch_size.svg", "batch_size.pdf"}
    assert all(path.stat().st_size for path in found.files)
    kept = pd.read_csv(tmp_path / "out" / "results.csv")
    assert describe(kept) == found.reading == (tmp_path / "out" / "reading.txt").read_text().strip()
    for value in (*kept["i_class_bits"], *kept["in_training_bits"], *kept["nt_xent_bits"]):
        assert f"{value:.2f}" in found.reading

    before = written(tmp_path / "out")
    again = run(recipe, tmp_path / "out")
    assert again is not None
    assert again.reading == found.reading
    assert written(tmp_path / "out") == before


def table(**changes: Any) -> pd.DataFrame:
    sizes = np.array([2, 4, 64])
    columns = {
        "k_tr": sizes,
        "h_c_bits": 6.0,
        "in_training_bits": np.log2(2 * sizes - 1) - 0.25,
        "in_training_ceiling_bits": np.log2(2 * sizes - 1),
        "i_class_bits": [5.7, 5.8, 5.9],
        "i_class_low": [5.6, 5.7, 5.8],
        "i_class_high": [5.8, 5.9, 6.0],
        "nt_xent_bits": [5.5, 5.6, 5.7],
        "linear_acc": [0.97, 0.98, 0.99],
        "untrained_i_class_bits": 3.1,
        "untrained_linear_acc": 0.55,
    }
    return pd.DataFrame(columns | changes)


def test_the_reading_confirms_what_the_numbers_confirm() -> None:
    text = describe(table())
    assert "never lies above its ceiling" in text
    assert "5.80 (5.70 to 5.90) at K_Tr = 4, 5.90 (5.80 to 6.00) at K_Tr = 64" in text
    assert "0.10 bits apart (within 0.3)" in text
    assert f"limits what the loss can show ({math.log2(7):.2f} bits) and not what the encoder holds" in text
    assert "does not show" not in text
    assert "untrained reads 3.10 bits (55.0%): the rest is what training brought" in text


def test_images_that_are_easy_without_training_are_told() -> None:
    text = describe(table(untrained_i_class_bits=5.5))
    assert "untrained reads 5.50 bits (55.0%): images as easy as these show what training keeps" in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"i_class_bits": [5.7, 5.4, 5.9]}, "the two readings differ by 0.50 bits"),
        ({"i_class_bits": [4.8, 4.9, 4.95]}, "4.90 bits are not above 5.00 of 6.00"),
        ({"i_class_low": [5.6, 2.5, 5.8]}, "K_Tr = 4 is not certified beyond its training ceiling"),
    ],
)
def test_the_reading_says_otherwise_where_the_numbers_do(changes: dict[str, Any], said: str) -> None:
    text = describe(table(**changes))
    assert "This does not show what Lee et al. found" in text
    assert said in text
    assert "not what the encoder holds" not in text


def test_an_estimate_above_its_ceiling_is_told() -> None:
    assert "lies above its ceiling log2(2 K_Tr - 1) at K_Tr = 2" in describe(
        table(in_training_bits=[1.7, 2, 6])
    )


def test_images_trained_on_are_not_evaluated_on(recipe: BatchSizeRecipe, tmp_path: Path) -> None:
    same = recipe.model_copy(
        update={"evaluation": recipe.evaluation.model_copy(update={"data": "cdp?n=400&size=28"})}
    )
    with pytest.raises(InputError, match="images trained on"):
        run(same, tmp_path / "out")


@pytest.mark.parametrize("change", [{"batch_size": 8}, {"objective": "simclr"}])
def test_what_the_runs_say_is_not_said_twice(
    change: dict[str, Any], training: dict[str, Any], evaluation: dict[str, Any]
) -> None:
    content = {
        "training": training | change,
        "runs": [{"batch_size": 2}, {"batch_size": 4}],
        "evaluation": evaluation,
    }
    with pytest.raises(InputError, match="batch_size stands in runs"):
        make_recipe(content, BatchSizeRecipe, "recipe")
