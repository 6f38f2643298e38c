"""The ablations: every cell of five tables, trained once where tables share it, and words from numbers."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mitools.analyses.niu2025.ablations.ablations import run
from mitools.analyses.niu2025.ablations.recipe import TABLES, AblationsRecipe
from mitools.analyses.niu2025.ablations.words import describe
from mitools.analyses.registry import recipe_path
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe, read_recipe

OPTIONS = {"variables": 4, "units": 3, "hidden": 8}


def recipe_of(training: dict[str, Any], evaluation: dict[str, Any], **changes: Any) -> dict[str, Any]:
    shared = {key: value for key, value in training.items() if key not in ("temperature", "head_width")}
    shared |= {"objective": "imsvd", "options": OPTIONS, "batch_size": 16, "epochs": 1}
    shared["data"] = shared["data"].replace("n=48", "n=120")  # five of every class, for the classifier
    return {
        "training": shared, "test": evaluation["data"], "seeds": [0], "batch_sizes": [16, 24],
        "depths": [2, 3], "variables": [2, 4], "units": [3, 6],
    } | changes  # fmt: skip


def test_every_cell_is_the_shared_row_with_one_thing_changed(
    training: dict[str, Any], evaluation: dict[str, Any]
) -> None:
    recipe = make_recipe(recipe_of(training, evaluation), AblationsRecipe, "recipe")
    rows = {(row.table, row.setting, row.method): row.recipe for row in recipe.rows()}
    assert list(dict.fromkeys(table for table, _, _ in rows)) == list(TABLES)
    base = recipe.training
    for table, setting in recipe.shared.items():
        assert rows[table, setting, "imsvd"] == base
    faster = rows["batch_size", "24", "imsvd"]
    assert faster.optimiser.learning_rate == pytest.approx(1.5 * base.optimiser.learning_rate)
    assert rows["depth", "3", "imsvd"].options == base.options | {"layers": 3}
    assert rows["width", "6", "imsvd"].options == base.options | {"variables": 2}
    assert rows["width", "6", "vicreg"].options["width"] == 6
    assert rows["units", "6", "imsvd"].options == base.options | {"units": 6, "variables": 2}
    assert rows["terms", "DE+OE", "imsvd"].options == base.options | {"invariance": 0.0}
    assert rows["terms", "OE+TI", "imsvd"].options == base.options | {"diagonal": 0.0}
    assert rows["terms", "DE+OE+TIC", "imsvd"].options == base.options | {"similarity": "cross_entropy"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:k=200 is above the 120 training rows")
def test_from_training_to_reading(
    training: dict[str, Any], evaluation: dict[str, Any], tmp_path: Path, written: Any
) -> None:
    recipe = make_recipe(recipe_of(training, evaluation), AblationsRecipe, "recipe")
    found = run(recipe, tmp_path)
    assert found is not None
    kept = pd.read_csv(tmp_path / "results.csv")
    assert len(kept) == 1 + len(recipe.rows())
    shared = kept[kept["shared"] & (kept["method"] == "imsvd")]
    assert list(shared["table"]) == list(TABLES)
    assert shared["linear_test_acc"].nunique() == 1, "one run stands in all tables"
    # Of 16 rows, four are the shared one again, and one is that of VICReg again.
    assert len(list((tmp_path / "runs").iterdir())) == 11
    for column in ("linear_test_acc", "knn20_test_acc", "knn200_test_acc"):
        assert kept[column].between(0, 1).all()
    assert describe(kept) == found.reading
    before = written(tmp_path)
    assert run(recipe, tmp_path) is not None
    assert written(tmp_path) == before, "nothing is computed again"


def table(effect: float) -> pd.DataFrame:
    """Three seeds that move everything alike; depth 3 differs by `effect`, give or take 0.001."""
    rows = []
    for seed in range(3):
        start = {"table": "untrained", "setting": "", "method": "untrained", "shared": False}
        rows.append(start | {"seed": seed, "linear_test_acc": 0.2})
        for name in TABLES:
            for setting in ("2", "3"):
                for method in ("imsvd", "vicreg") if name in ("batch_size", "width") else ("imsvd",):
                    changed = effect + 0.001 * (seed - 1) if name == "depth" and setting == "3" else 0.0
                    place = {"table": name, "setting": setting, "method": method, "shared": setting == "2"}
                    rows.append(place | {"seed": seed, "linear_test_acc": 0.3 + 0.05 * seed + changed})
    found = pd.DataFrame(rows)
    return found.assign(
        knn20_test_acc=0.25, knn200_test_acc=found["linear_test_acc"] - 0.1, n_test=1000
    )  # fmt: skip


def test_words_follow_differences_of_one_seed() -> None:
    text = describe(table(-0.04))
    assert "3 seeds of every row" in text
    assert "on 1,000 test images" in text
    # Student's half interval of three seeds that differ by 0.1 points, over three classifiers (Bonferroni):
    # 7.649 * 0.1 / sqrt(3) = 0.44.
    assert (
        "Against 2: 3 -4.0 (-4.4 to -3.6); told apart: 3 has less by the linear classifier and less by 200"
        in text
    )
    assert "Against 2: 3 +0.0 (+0.0 to +0.0); none is told apart." in text
    assert "told apart" not in describe(table(0.0)).replace("none is told apart", "")


def test_several_differences_have_wider_intervals() -> None:
    found = table(-0.04)
    third = found[(found["table"] == "depth") & (found["setting"] == "3")].assign(setting="4")
    text = describe(pd.concat([found, third]))
    # Two settings and three classifiers: 10.886 * 0.1 / sqrt(3) = 0.63.
    assert "3 -4.0 (-4.6 to -3.4)" in text


def test_one_seed_tells_nothing_apart() -> None:
    one = table(-0.04)
    text = describe(one[one["seed"] == 0])
    assert "1 seed of every row" in text
    assert "no difference has an interval, and nothing is told apart" in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"depths": [3, 4]}, "depths must rise and hold 2"), ({"units": [6, 3]}, "units must rise and hold 3")],
)
def test_tables_without_the_shared_row_are_refused(
    training: dict[str, Any], evaluation: dict[str, Any], changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        make_recipe(recipe_of(training, evaluation, **changes), AblationsRecipe, "recipe")


def test_a_part_of_the_loss_is_refused(training: dict[str, Any], evaluation: dict[str, Any]) -> None:
    content = recipe_of(training, evaluation)
    content["training"]["options"] = OPTIONS | {"diagonal": 0.0}
    with pytest.raises(InputError, match=r"the loss must be whole, and is that of OE\+TI"):
        make_recipe(content, AblationsRecipe, "recipe")


@pytest.mark.parametrize("scale", ["smoke", "paper"])
def test_recipes_are_read(scale: Any) -> None:
    recipe = read_recipe(recipe_path("ablations", scale), AblationsRecipe)
    assert len(np.unique([row.table for row in recipe.rows()])) == 5
