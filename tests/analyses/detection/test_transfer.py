"""From starts to words: what is told apart, what is kept, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel

from mitools.analyses.detection.comparisons import compare_starts
from mitools.analyses.detection.transfer import DetectionRecipe, run
from mitools.analyses.detection.words import describe
from mitools.analyses.registry import Scale, recipe_path
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe, read_recipe
from mitools.statistics.holm import holm


def results(**starts: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"transfer": "scenes", "start": start, "seed": seed, "box_ap": value}
            for start, values in starts.items()
            for seed, value in enumerate(values)
        ]
    )


def test_differences_are_those_of_a_paired_t_test() -> None:
    values = {
        "random": [10.0, 14.0, 12.0, 17.0],
        "supervised": [20.0, 23.5, 22.0, 26.0],
        "simclr": [11.0, 13.0, 14.0, 16.5],
    }
    table = compare_starts(results(**values))
    pairs = [("random", "supervised"), ("random", "simclr"), ("supervised", "simclr")]
    tests = [ttest_rel(values[b], values[a]) for a, b in pairs]
    assert table["p_value"].tolist() == pytest.approx([test.pvalue for test in tests])
    assert table["p_holm"].tolist() == pytest.approx(holm([test.pvalue for test in tests]).tolist())
    intervals = [test.confidence_interval() for test in tests]
    assert table["low"].tolist() == pytest.approx([one.low for one in intervals])
    assert table["high"].tolist() == pytest.approx([one.high for one in intervals])
    assert table["verdict"].tolist() == ["supervised", "not told apart", "supervised"]
    text = describe(results(**values), table)
    assert "the mean box AP is random 13.2 (8.5 to 18.0), supervised 22.9" in text
    assert "supervised above random by 9.6" in text
    assert "supervised above simclr by 9.2" in text
    assert "Not told apart: simclr and random (+0.4" in text


def test_words_claim_nothing_that_is_not_told_apart() -> None:
    table = results(random=[10.0, 14.0, 12.0], supervised=[13.0, 13.0, 14.0])
    text = describe(table, compare_starts(table))
    assert (
        "No two starts are told apart, seed by seed over 3 seeds, Holm over 1 comparison: supervised" in text
    )
    assert "above" not in text
    single = table[table["seed"] == 0]
    assert "One seed tells no two starts apart." in describe(single, compare_starts(single))
    assert compare_starts(single)["verdict"].tolist() == ["not told apart"]


@pytest.fixture
def recipe() -> dict[str, Any]:
    """Detectors of seconds."""
    training = {"encoder": "tiny", "data": "scenes?n=20&size=32&seed=1", "method": "cross_entropy"}
    training |= {"epochs": 1, "batch_size": 10}
    detector = {"masks": True, "width": 8, "head_width": 16, "anchors": [12, 16, 24], "proposals": 8}
    detector |= {"sides": [32], "longest": 32}
    scenes = {
        "train": "scenes?n=4&size=32",
        "test": "scenes?n=3&size=32&part=test",
        "detector": detector,
        "schedule": {"iterations": 2, "batch_size": 2, "learning_rate": 0.01, "warmup": 1},
    }
    return {
        "architecture": "tiny",
        "training": {"supervised": training},
        "transfers": {"scenes": scenes},
        "seeds": [0, 1],
    }


@pytest.fixture
def metric() -> None:
    pytest.importorskip("pycocotools", reason='average precision needs pip install "mitools[detection]"')
    pytest.importorskip("torchmetrics")


@pytest.mark.usefixtures("metric")
def test_from_starts_to_words(
    recipe: dict[str, Any], tmp_path: Path, written: Callable[[Path], dict[Path, int]]
) -> None:
    found = run(make_recipe(recipe, DetectionRecipe, "recipe"), tmp_path)
    assert found is not None
    kept = pd.read_csv(tmp_path / "results.csv")
    assert kept["start"].tolist() == ["random", "supervised"] * 2
    assert kept["seed"].tolist() == [0, 0, 1, 1]
    measures = [f"{kind}_ap{ending}" for kind in ("box", "mask") for ending in ("", "50", "75")]
    assert kept[measures].notna().all().all()
    assert np.logical_and(kept[measures] >= 0, kept[measures] <= 100).all().all()
    comparisons = pd.read_csv(tmp_path / "comparisons.csv")
    assert comparisons["measure"].tolist() == ["box_ap", "mask_ap"]
    assert describe(kept, comparisons) == found.reading
    assert {path.name for path in found.files} == {
        "results.csv", "reading.txt", "comparisons.csv", "detection.png", "detection.svg", "detection.pdf",
    }  # fmt: skip
    # A second run trains nothing.
    before = written(tmp_path)
    assert len([path for path in before if path.suffix == ".json"]) == 4
    again = run(make_recipe(recipe, DetectionRecipe, "recipe"), tmp_path)
    assert again is not None
    assert written(tmp_path) == before
    pd.testing.assert_frame_equal(again.table, found.table)


@pytest.mark.usefixtures("metric")
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"train": "digits"}, "digits has no boxes; detection reads coco, scenes or voc"),
        ({"test": "scenes?n=4&size=32"}, "would be the images trained on; name another part"),
    ],
)
def test_data_that_do_not_fit_are_refused_before_anything_is_trained(
    recipe: dict[str, Any], changes: dict[str, str], told: str, tmp_path: Path
) -> None:
    recipe["transfers"]["scenes"] |= changes
    with pytest.raises(InputError, match=told):
        run(make_recipe(recipe, DetectionRecipe, "recipe"), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("scale", get_args(Scale))
def test_the_recipes_that_come_along_are_read(scale: Scale) -> None:
    recipe = read_recipe(recipe_path("detection", scale), DetectionRecipe)
    assert {*recipe.training, *recipe.encoders} == {"supervised", "self_supervised"}
    assert len(recipe.seeds) >= 3
    if scale == "paper":
        # InfoMin's Tables 2 a, 7 a and 3: what is trained, with which detector, for how long.
        found = {name: (one.detector.kind, one.detector.masks, one.steps().iterations)
                 for name, one in recipe.transfers.items()}  # fmt: skip
        assert found == {
            "coco_mask_fpn_1x": ("fpn", True, 90_000),
            "coco_mask_c4_1x": ("c4", True, 90_000),
            "voc_faster_c4": ("c4", False, 24_000),
        }


def test_recipes_that_cannot_be_meant_are_refused(recipe: dict[str, Any]) -> None:
    def refused(**changes: Any) -> str:
        with pytest.raises(InputError) as caught:
            make_recipe(recipe | changes, DetectionRecipe, "recipe")
        return str(caught.value)

    assert "every seed is used once" in refused(seeds=[1, 1])
    assert "random is the untrained network's" in refused(encoders={"random": "timm:resnet18"})
    assert "training.supervised must train convnet, the architecture" in refused(architecture="convnet")


def test_a_missing_metric_is_one_line(
    recipe: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pycocotools", None)
    with pytest.raises(InputError, match=r"average precision: needs pycocotools.*mitools\[detection\]"):
        run(make_recipe(recipe, DetectionRecipe, "recipe"), tmp_path)
