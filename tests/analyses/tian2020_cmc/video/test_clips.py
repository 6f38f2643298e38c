"""Clips: the runs of each stream, official parts, and words from pairs of splits or seeds."""

import itertools
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mitools.analyses.registry import recipe_path
from mitools.analyses.tian2020_cmc.video.clips import ClipsRecipe, run
from mitools.analyses.tian2020_cmc.video.clips_words import describe
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe, read_recipe

MOVING = "colorful_moving_mnist?n=12"


@pytest.fixture
def study(training: dict[str, Any]) -> dict[str, Any]:
    shared = {key: training[key] for key in ("encoder", "log_every", "optimiser")}
    options = {"temperature": 0.1, "head_width": 16}
    parts = {"train": f"{MOVING}&seed=1", "test": f"{MOVING}&part=test"}
    return {
        "training": shared
        | {
            "data": MOVING,
            "method": "cmc",
            "options": options,
            "epochs": 1,
            "batch_size": 6,
            "image_size": 16,
        },
        "flow": "frame:any?shift=5",  # TV-L1 takes seconds
        "seeds": [0, 1],
        "splits": [{"tasks": {"digit": parts}}],
        "recognition": {"layer": "layers", "hidden": [8], "epochs": 1, "batch_size": 6, "frames_read": 2},
    }


def read(content: dict[str, Any]) -> ClipsRecipe:
    return make_recipe(content, ClipsRecipe, "recipe")


@pytest.mark.slow
def test_every_stream_split_and_seed_is_measured_once(study: dict[str, Any], tmp_path: Path) -> None:
    study["splits"] = [*study["splits"], {"pretraining": f"{MOVING}&seed=2", **study["splits"][0]}]
    found = run(read(study), tmp_path)
    assert found is not None
    table = found.table
    assert len(table) == len(table[["method", "split", "seed"]].drop_duplicates()) == 4 * 2 * 2
    assert list(table["method"][:4]) == ["untrained", "neighbour", "flow", "neighbour + flow"]
    assert table["recognition_acc"].between(0, 1).all()
    assert (table["n_test"] == 12).all()
    assert describe(pd.read_csv(tmp_path / "results.csv")) == found.reading
    cells = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("cells/*.json")}
    assert run(read(study), tmp_path) is not None
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("cells/*.json")} == cells


def test_streams_are_contrasted_with_the_frame_and_neighbours_share_its_encoder(
    study: dict[str, Any],
) -> None:
    study["splits"] = [*study["splits"], {"pretraining": f"{MOVING}&seed=2", **study["splits"][0]}]
    runs = read(study).runs()
    assert len(runs) == 3 * 2 * 2
    neighbour, flow = "frame:any?shift=2", "frame:any?shift=5"
    streams = {"neighbour": [neighbour], "flow": [flow], "neighbour + flow": [neighbour, flow]}
    for (name, split, seed), one in runs.items():
        options = one.options
        assert options["views"] == ["frame:any", *streams[name]]
        assert (options["graph"], options["core"]) == ("core", "frame:any")
        assert options["same_encoder"] == ({neighbour: "frame:any"} if neighbour in streams[name] else {})
        assert (one.data, one.seed) == (MOVING if split == 0 else f"{MOVING}&seed=2", seed)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"train": f"{MOVING}&part=test"}, "the test data are colorful_moving_mnist themselves"),
        ({"test": f"{MOVING}&part=test&shared=background"}, "have other classes"),
        ({"test": "colorful_moving_mnist?n=20"}, "would be the images trained on"),
        ({"test": "digits?limit=20"}, "digits has no clip; its views can be drawn from image"),
    ],
)
def test_parts_that_do_not_fit_are_refused_before_training(
    study: dict[str, Any], changes: dict[str, str], said: str, tmp_path: Path
) -> None:
    study["splits"][0]["tasks"]["digit"] |= changes
    with pytest.raises(InputError, match=said) as caught:
        run(read(study), tmp_path)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "runs").exists()


def test_splits_of_other_tasks_are_refused(study: dict[str, Any], tmp_path: Path) -> None:
    other = {"tasks": {"background": study["splits"][0]["tasks"]["digit"]}}
    with pytest.raises(InputError, match="the tasks of all splits must have the same names"):
        run(read(study | {"splits": [*study["splits"], other]}), tmp_path)


def table(gain: float, spread: float = 0.001, splits: bool = False) -> pd.DataFrame:
    """Four seeds of a split or two seeds of four: flow brings so much, neighbours nothing."""
    values = {"untrained": 0.3, "neighbour": 0.3, "flow": 0.3 + gain, "neighbour + flow": 0.3 + gain}
    rows = []
    for unit, again in itertools.product(range(4), range(1 + splits)):
        for method, value in values.items():
            noise = spread * (unit - 1.5 + 3 * again) * (1 if method == "flow" else -1)
            rows.append({"task": "digit", "method": method, "split": 1 + unit * splits,
                         "seed": again if splits else unit,
                         "n_test": 1000, "commonest_class": 0.125,
                         "recognition_acc": value + noise})  # fmt: skip
    return pd.DataFrame(rows)


def test_words_follow_from_pairs_of_seeds() -> None:
    """Four units, five questions: Student's margin is 2.92 standard deviations, here of 2.58 spreads."""
    text = describe(table(0.2))
    paired = "4 seeds of 1 split, differences paired by seed; those of one task hold together in 95%."
    assert f"{paired} digit: 30.0% from random weights" in text
    assert "1,000 a split, of which the commonest class is 12.5%" in text
    assert "neighbour against untrained +0.0 (+0.0 to +0.0), not told apart" in text
    assert "; flow against untrained +20.0 (+19.2 to +20.8), more" in text
    assert "neighbour + flow against untrained +20.0 (+20.0 to +20.0), more" in text
    unclear = describe(table(0.02, spread=0.01))
    assert "; flow against untrained +2.0 (-5.5 to +9.5), not told apart" in unclear
    alone = table(0.2)
    assert "nothing is told apart" in describe(alone[alone["seed"] == 0])


def test_seeds_of_one_split_are_averaged_where_there_are_several_splits() -> None:
    """Four splits have the margin of four units, however many seeds each has."""
    text = describe(table(0.2, splits=True))
    assert "2 seeds of 4 splits, differences paired by splits, each the mean over its seeds;" in text
    assert "hold together in 95%, as if splits had no clips in common." in text
    assert "; flow against untrained +20.3 (+19.5 to +21.1), more" in text
    one = table(0.2, splits=True)
    assert "; flow against untrained +20.0 (+19.2 to +20.8), more" in describe(one[one["seed"] == 0])


@pytest.mark.parametrize("scale", ["smoke", "paper"])
def test_recipes_are_read(scale: Any) -> None:
    recipe = read_recipe(recipe_path("clips", scale), ClipsRecipe)
    assert len(recipe.runs()) == 9
