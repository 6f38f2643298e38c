"""Compatible methods: what each setting trains, and words from pairs of seeds."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mitools.analyses.registry import recipe_path
from mitools.analyses.tian2020_cmc.view_encoders.compatible_methods import (
    CompatibleMethodsRecipe,
    describe,
    run,
)
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe, read_recipe

SETTINGS = [
    "MoCo", "MoCo + PIRL", "CMC", "CMC + MoCo", "CMC + PIRL", "CMC + MoCo + PIRL", "CMC + MoCo + PIRL + RA",
]  # fmt: skip
RAND_AUGMENT = "infomin?strength=0&steps=1"


@pytest.fixture
def study(view_study: dict[str, Any]) -> dict[str, Any]:
    view_study["training"]["options"] |= {"negatives": "bank", "negatives_count": 8}
    return view_study | {"seeds": [2], "rand_augment": RAND_AUGMENT, "encoder_momentum": 0.9}


def read(content: dict[str, Any]) -> CompatibleMethodsRecipe:
    return make_recipe(content, CompatibleMethodsRecipe, "recipe")


def test_settings_add_a_queue_crops_and_rand_augment(study: dict[str, Any]) -> None:
    runs = read(study).runs()
    assert [setting for setting, _ in runs] == SETTINGS
    for (setting, seed), one in runs.items():
        options = one.options
        assert (one.method, one.seed) == ("cmc" if "CMC" in setting else "moco", seed)
        assert (options["temperature"], options["head"], options["negatives_count"]) == (0.1, "linear", 8)
        assert options["jigsaw"] == ("jigsaw" if "PIRL" in setting else None)
        assert options["momentum"] == (0.9 if "MoCo" in setting else None)
        if one.method == "cmc":
            assert options["views"] == ["lab:l", "lab:ab"]
            assert options["negatives"] == ("queue" if "MoCo" in setting else "bank")
        assert one.augmentation == (RAND_AUGMENT if "RA" in setting.split() else None)


@pytest.mark.slow
def test_every_setting_is_measured_once(study: dict[str, Any], tmp_path: Path) -> None:
    found = run(read(study), tmp_path)
    assert found is not None
    table = found.table
    assert list(table["setting"]) == ["untrained, one", *SETTINGS[:2], "untrained", *SETTINGS[2:]]
    assert table["linear_acc"].between(0, 1).all()
    # The first convolutions read 3 channels, or 1 and 2; everything behind them there is twice.
    one, views = (table.loc[table["setting"] == name, "weights"].iloc[0] for name in ("MoCo", "CMC"))
    first = 3 * 3 * 3 * 8
    assert views == 2 * (one - first) + first
    assert describe(pd.read_csv(tmp_path / "results.csv")) == found.reading


@pytest.mark.parametrize(
    ("options", "said"),
    [({"negatives": "queue"}, "negatives must be bank, without jigsaw"),
     ({"jigsaw": "jigsaw"}, "negatives must be bank, without jigsaw")],
)  # fmt: skip
def test_the_base_is_a_bank_alone(study: dict[str, Any], options: dict[str, Any], said: str) -> None:
    study["training"]["options"] |= options
    with pytest.raises(InputError, match=said):
        read(study)


def table(gain: float, spread: float = 0.001) -> pd.DataFrame:
    """Three seeds: the queue adds so much, all else nothing."""
    rows = []
    for seed in range(3):
        for setting in ("untrained, one", "MoCo", "MoCo + PIRL", "untrained", *SETTINGS[2:]):
            queued = "CMC" in setting and "MoCo" in setting
            value = 0.4 + gain * queued + spread * (seed - 1) * (-1 if queued else 1)
            method = "untrained" if "untrained" in setting else "an encoder a view" if "CMC" in setting else (
                "one encoder")  # fmt: skip
            rows.append({"setting": setting, "method": method, "seed": seed, "weights": 1000, "h_c_bits": 3.3,
                         "linear_acc": value, "i_class_bits": value})  # fmt: skip
    return pd.DataFrame(rows)


def test_words_follow_from_numbers() -> None:
    text = describe(table(0.1))
    assert (
        "Linear accuracy: CMC has 40.0%, against its untrained encoders +0.0 (+0.0 to +0.0), not told" in text
    )
    assert "further it gains by MoCo +10.0 (+9.5 to +10.5), more; PIRL +0.0 (+0.0 to +0.0), not told" in text
    assert "MoCo 40.0%, against its untrained encoder +0.0 (+0.0 to +0.0), not told apart" in text
    assert "CMC against MoCo +0.0 (+0.0 to +0.0), not told apart." in text
    assert "gains by MoCo +1.0 (-4.0 to +6.0), not told apart" in describe(table(0.01, spread=0.01))


@pytest.mark.parametrize("scale", ["smoke", "paper"])
def test_recipes_are_read(scale: Any) -> None:
    recipe = read_recipe(recipe_path("compatible_methods", scale), CompatibleMethodsRecipe)
    assert len(recipe.runs()) == 21
