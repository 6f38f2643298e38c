"""What is read off a table of settings and seeds, and the recipes that all these studies share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from mitools.analyses.cui2022.augmented.augmented import AugmentedRecipe
from mitools.analyses.cui2022.networks.networks_and_targets import NetworksAndTargetsRecipe
from mitools.analyses.cui2022.over_compression import TemporalRecipe
from mitools.analyses.cui2022.seed_means import means_over_seeds
from mitools.analyses.cui2022.settings_table import Transfer, at_end, best_rows, fall
from mitools.analyses.cui2022.stage_weights.stage_weights import StageWeightsRecipe
from mitools.analyses.cui2022.transfer_study import TransferStudyRecipe
from mitools.analyses.registry import recipe_path
from mitools.analyses.shared.paired_seeds import over_seeds
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe, read_recipe
from mitools.core.specs import parse_spec
from mitools.datasets.sources import DATA_SOURCES
from mitools.training.networks.build import build_network

RECIPES: dict[str, type[TransferStudyRecipe]] = {
    "temporal": TemporalRecipe,
    "stage_weights": StageWeightsRecipe,
    "augmented": AugmentedRecipe,
    "networks_and_targets": NetworksAndTargetsRecipe,
}

MADE = Callable[..., pd.DataFrame]


def test_a_fall_is_read_where_select_was_best(make_table: MADE) -> None:
    table = make_table({"a": {0: 0.99, 1: 0.9, 2: 0.8, 3: 0.7}})
    assert list(best_rows(table, "a", "colour")["epoch"]) == [1, 1, 1]  # the untrained network does not count
    np.testing.assert_allclose(fall(table, "a", "colour", "logistic_acc"), [-0.2] * 3)
    np.testing.assert_allclose(fall(table, "a", "source", "input_bits"), [-2.0] * 3)
    np.testing.assert_allclose(at_end(table, "a", "colour", "logistic_acc"), [0.69, 0.70, 0.71])
    # What was read on *report* there may be lower than at the end: it chooses nothing.
    table.loc[table["epoch"] == 1, "logistic_acc"] = 0.5
    assert (fall(table, "a", "colour", "logistic_acc") > 0).all()


def test_both_classifiers_must_agree() -> None:
    frame = pd.DataFrame({"frozen_acc": [0.1, 0.11, 0.09], "logistic_acc": [0.1, -0.1, 0.3]})
    change = Transfer.of(lambda column: frame[column])
    assert (change.frozen_acc.sign, change.logistic_acc.sign, change.sign) == (1, 0, 0)
    assert "by the SGD classifier and" in str(change)
    frame["logistic_acc"] = frame["frozen_acc"]
    assert Transfer.of(lambda column: frame[column]).sign == 1
    assert Transfer.of(lambda column: -frame[column]).sign == -1


def test_bonferronis_interval_is_wider_and_students() -> None:
    values = [1.0, 2.0, 3.0]
    plain, wide = over_seeds(values), over_seeds(values, 0.995)
    assert plain.high - plain.mean == pytest.approx(4.302653 / np.sqrt(3), rel=1e-6)
    assert wide.high - wide.mean == pytest.approx(14.089 / np.sqrt(3), rel=1e-4)  # t(2) at 0.9975


def test_means_over_seeds_have_students_bars(make_table: MADE) -> None:
    table = make_table({"a": {1: 0.9}})
    found = means_over_seeds(table, ("setting", "epoch", "data"))
    row = found[found["data"] == "colour"].iloc[0]
    assert row["logistic_acc"] == pytest.approx(0.9)
    assert row["logistic_acc_high"] - 0.9 == pytest.approx(4.302653 * 0.01 / np.sqrt(3), rel=1e-6)
    one = table[table["seed"] == 0]
    assert means_over_seeds(one, ("setting", "epoch", "data")) is one


@pytest.mark.parametrize("scale", ["smoke", "paper"])
@pytest.mark.parametrize("name", RECIPES)
def test_recipes_can_be_run(name: str, scale: Any) -> None:
    """A dry run: every spec of data is read, and every network reads an image, without numbers in it."""
    recipe = read_recipe(recipe_path(name, scale), RECIPES[name])
    specs = [recipe.training.data, recipe.source, *recipe.targets.values()]
    assert all(parse_spec(spec, DATA_SOURCES) for spec in specs)
    assert len(recipe.seeds) >= 5
    if isinstance(recipe, TemporalRecipe):
        settings = {"vanilla": recipe.training, "ctc": recipe.second()}
    else:
        assert isinstance(recipe, StageWeightsRecipe | AugmentedRecipe | NetworksAndTargetsRecipe)
        settings = recipe.settings()
    size = recipe.training.image_size
    assert size is not None
    for one in settings.values():
        assert one.keep_every is not None
        assert one.epochs % one.keep_every == 0
        assert (one.method == "ctc") == ("alpha" in one.options)
    with torch.device("meta"):
        for encoder in {one.encoder for one in settings.values()}:
            network = build_network(encoder, (3, size, size), nn.Identity)
            assert network(torch.zeros(2, 3, size, size)).shape == (2, network.width)


def test_the_papers_data_are_all_named() -> None:
    named = set()
    for name, kind in RECIPES.items():
        named |= set(read_recipe(recipe_path(name, "paper"), kind).targets)
    assert named == {
        "CIFAR-10", "STL-10", "CINIC-10", "TinyImageNet", "SVHN", "Fashion-MNIST", "CUB-200", "Aircraft",
        "iNaturalist-18",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        (StageWeightsRecipe, {"alphas": [-0.1, 0.0]}, "alphas.*greater than or equal to 0"),
        (StageWeightsRecipe, {"alphas": [0.5, 0.1]}, "weights must rise, each given once"),
        (StageWeightsRecipe, {"betas": [1.0, 1.0]}, "weights must rise, each given once"),
        (StageWeightsRecipe, {"ctc": {"border": 2}}, "border 2 must lie below epochs 2"),
        (StageWeightsRecipe, {"seeds": [1, 1]}, "seed 1 is given twice"),
        (AugmentedRecipe, {"seeds": [0, 2, 2]}, "seed 2 is given twice"),
        (AugmentedRecipe, {"training": {"augmentation": {"auto": "svhn"}}}, "without auto"),
        (AugmentedRecipe, {"training": {"augmentation": None}}, "without auto"),
        (NetworksAndTargetsRecipe, {"networks": ["tiny", "tiny"]}, "network tiny is given twice"),
        (NetworksAndTargetsRecipe, {"networks": ["convnet"]}, "must be the first of networks, convnet"),
        (NetworksAndTargetsRecipe, {"networks": ["tiny"], "ctc": {"alpha": -1.0}}, "alpha"),
    ],
)
def test_wrong_recipes_are_one_line(
    kind: type[TransferStudyRecipe], changes: dict[str, Any], said: str, tiny_study: dict[str, Any]
) -> None:
    for key, value in changes.items():
        tiny_study[key] = tiny_study[key] | value if key == "training" else value
    with pytest.raises(InputError, match=said) as caught:
        make_recipe(tiny_study, kind, "recipe")
    assert "\n" not in str(caught.value)


def test_paper_recipes_lie_beside_the_smoke_ones() -> None:
    assert all(isinstance(recipe_path(name, "paper"), Path) for name in RECIPES)
