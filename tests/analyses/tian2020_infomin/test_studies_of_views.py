"""Low and high frequencies, and colour spaces: what is measured, and what a recipe may not ask."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest

from mitools.analyses.registry import RECIPES, Scale, recipe_path
from mitools.analyses.tian2020_infomin import colour_views, frequency
from mitools.analyses.tian2020_infomin.colour_views import ColourViewsRecipe
from mitools.analyses.tian2020_infomin.frequency import FrequencyRecipe
from mitools.analyses.tian2020_infomin.frequency_words import by_width, describe
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe, read_recipe

SIGMAS = np.array([0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.5])


@pytest.fixture
def study(training: dict[str, Any], evaluation: dict[str, Any]) -> dict[str, Any]:
    """All that a study has but for its views: an epoch, and networks of seconds."""
    shared = {key: training[key] for key in ("encoder", "log_every", "optimiser", "data")}
    return {
        "training": shared | {"method": "cmc", "options": {"head_width": 16}, "epochs": 1, "batch_size": 16},
        "views": {"data": evaluation["data"], "steps": 4, "batch_size": 16, "width": 8, "embedding": 8},
        "evaluation": evaluation,
    }  # fmt: skip


@pytest.mark.slow
def test_every_width_is_measured_trained_and_read(
    study: dict[str, Any], tmp_path: Path, written: Callable[[Path], dict[Path, int]]
) -> None:
    recipe = make_recipe(study | {"sigmas": [0.5, 1, 2, 4]}, FrequencyRecipe, "recipe")
    found = frequency.run(recipe, tmp_path)
    assert found is not None
    table = found.table
    assert list(table["setting"]) == ["0.5", "1", "2", "4"]
    for name in ("shared", "label_v1", "label_v2", "label_image"):
        assert (table[f"{name}_low"] <= table[f"{name}_bits"]).all()
        assert (table[f"{name}_bits"] <= table[f"{name}_high"]).all()
    assert (table["in_training_bits"] <= table["in_training_ceiling"]).all()
    np.testing.assert_allclose(table["in_training_ceiling"], 4.0)  # log2 of a batch of 16
    recipe_of_run = (tmp_path / "runs" / "2-seed-0" / "recipe.yaml").read_text()
    assert "blur?sigma=2" in recipe_of_run
    assert "residual?sigma=2" in recipe_of_run
    assert describe(pd.read_csv(tmp_path / "results.csv")) == found.reading
    assert {path.name for path in found.files} == {
        "results.csv", "reading.txt", "frequency.png", "frequency.svg", "frequency.pdf"
    }  # fmt: skip
    before = written(tmp_path)
    assert frequency.run(recipe, tmp_path) is not None
    assert written(tmp_path) == before


@pytest.mark.slow
def test_every_space_is_measured_trained_and_read(study: dict[str, Any], tmp_path: Path) -> None:
    spaces = {name: (f"{name}:{channels[0]}", f"{name}:{channels[1:]}") for name, channels in
              (("rgb", "rgb"), ("lab", "lab"), ("yuv", "yuv"), ("hed", "hed"))}  # fmt: skip
    found = colour_views.run(
        make_recipe(study | {"spaces": spaces, "seeds": [0, 1]}, ColourViewsRecipe, "r"), tmp_path
    )
    assert found is not None
    assert list(found.table["setting"]) == [name for name in spaces for _ in range(2)]
    assert colour_views.describe(pd.read_csv(tmp_path / "results.csv")) == found.reading
    drawn = (tmp_path / "colour_views.svg").read_text()
    assert all(f">{name}<" in drawn for name in spaces)


def widths(accuracy: Any, shared: Any = (4, 5, 6, 7, 6, 5, 4), untrained: Any = 0.3) -> pd.DataFrame:
    """Make a table of which every sentence is known: three seeds that agree."""
    columns: dict[str, Any] = {"setting": [f"{sigma:g}" for sigma in SIGMAS]}
    readings = {"shared": np.array(shared, float), "label_v1": SIGMAS[::-1] / 5, "label_v2": SIGMAS / 5,
                "label_image": np.full(7, 0.8)}  # fmt: skip
    for name, bits in readings.items():
        columns |= {f"{name}_bits": bits, f"{name}_low": bits - 0.1, f"{name}_high": bits + 0.1}
    right = np.asarray(accuracy, float)
    columns |= {"linear_acc": right, "linear_acc_low": right - 0.01, "linear_acc_high": right + 0.01}
    columns |= {
        "shared_ceiling": 11.0,
        "untrained_acc": untrained,
        "in_training_bits": np.array(shared, float) / 2,
        "in_training_ceiling": 6.0,
    }
    return pd.concat([pd.DataFrame(columns | {"seed": seed}) for seed in range(3)])


PAPERS = (0.3, 0.34, 0.38, 0.42, 0.5, 0.4, 0.3)
"""Accuracy as in Fig. 9: rising up to 1.0, falling from there."""


def test_the_papers_course_is_found_where_it_is() -> None:
    text = describe(widths(PAPERS))
    assert "0.3 4.00 (3.90 to 4.10), 0.4 5.00 (4.90 to 5.10)" in text
    assert "They share most at 0.7. With blurs of this width and wider" in text
    assert "Accuracy over these bits: " in text
    assert "In Fig. 9 they share most at 0.7; so it is here." in text
    assert "0.06 to 0.50 bits in the blur and 0.06 to 0.50 in the residual, and 0.80 (0.70 to 0.90)" in text
    assert "highest for 1 (50.0%) and lowest for 0.3 (30.0%), which are told apart" in text
    assert "accuracy: a peak inside, at 1 (1 to 1)" in text
    assert "In Fig. 9 accuracy is highest at 1; so it is here." in text
    assert "in Fig. 9 it peaks inside; so it is here." in text
    assert "in Fig. 9 it rises with what they share; so it is here." in text
    assert "There are 3 runs a setting" in text


@pytest.mark.parametrize(
    ("accuracy", "changes", "said"),
    [
        (PAPERS[::-1], {}, "in Fig. 9 it rises with what they share; this is not seen here"),
        (
            [0.3, 0.301, 0.3, 0.302, 0.3, 0.3, 0.301],
            {},
            "highest at 1; this run neither confirms nor",
        ),
        (PAPERS, {"shared": (7, 6, 5, 4, 3, 2, 1)}, "too few widths (1) to test a course"),
        (PAPERS, {"shared": (7, 6, 5, 4, 3, 2, 1)}, "share most at 0.7; this is not seen here"),
        ((0.3, 0.4, 0.5, 0.4, 0.3, 0.2, 0.1), {}, "highest at 1; here the peak lies elsewhere"),
        (PAPERS, {"untrained": np.array(PAPERS) - 0.1}, "accuracy has the same shape"),
    ],
)
def test_the_reading_says_otherwise_where_it_is(accuracy: Any, changes: dict[str, Any], said: str) -> None:
    assert said in describe(widths(accuracy, **changes))


def test_colour_spaces_are_read_against_the_paper() -> None:
    found = widths((0.5, 0.45, 0.4, 0.38, 0.36, 0.34, 0.3), shared=(1, 2, 3, 4, 5, 6, 7))
    text = colour_views.describe(found)
    assert "In 7 of 7 spaces the interval of the weaker view's label information lies below" in text
    assert "accuracy falls as the channels share more, Lab and YDbDr best (Fig. 4, Sec. 4.2). Over" in text
    assert text.count("and a peak inside is not seen (p = 1); so it is here.") == 2
    assert "7 spaces." in text


def test_each_axis_of_colour_spaces_has_a_verdict_of_its_own() -> None:
    """Accuracy falls with what is shared, and peaks over the loss, trained or not."""
    falls = np.array([0.5, 0.46, 0.42, 0.38, 0.34, 0.3, 0.26])
    found = widths(falls, shared=(1, 2, 3, 4, 5, 6, 7), untrained=falls - 0.1)
    found["in_training_bits"] = np.tile([2.0, 2.5, 1.5, 3.0, 1.0, 3.5, 0.5], 3)
    text = colour_views.describe(found)
    before, during = text.split("Over what the views share before training")[1].split("Over the loss of the")
    assert "it falls" in before
    assert "so it is here. The untrained encoders' accuracy has the same shape" in before
    assert "a peak inside" in during
    assert "this is not seen here. The untrained encoders' accuracy has the same shape" in during


def test_intervals_of_views_count_their_fits() -> None:
    """Every fit reads with an error of 0.2 bits beyond its images' 0.1 / 1.96."""
    found = widths(PAPERS)
    found["seed_error"] = found["seed"].map({0: -0.2, 1: 0.0, 2: 0.2})
    for end in ("bits", "low", "high"):
        found[f"shared_{end}"] += found["seed_error"]
    row = by_width(found).iloc[0]
    half = 1.96 * np.hypot(0.1 / 1.96, 0.2 / 3**0.5)
    assert [row["shared_low"], row["shared_high"]] == pytest.approx([4 - half, 4 + half])


@pytest.mark.parametrize(
    ("sigmas", "said"),
    [
        ([0, 1, 2, 3], r"'sigmas\.0': input should be greater than 0, not 0"),
        ([-1, 1, 2, 3], r"'sigmas\.0': input should be greater than 0"),
        ([1, 1, 2, 3], "a width comes twice"),
        ([1, 2, 3], "'sigmas': .*at least 4"),
    ],
)
def test_widths_that_are_none_are_refused(study: dict[str, Any], sigmas: list[float], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        make_recipe(study | {"sigmas": sigmas}, FrequencyRecipe, "recipe")
    assert "\n" not in str(caught.value)


def test_networks_of_no_size_are_refused_before_anything_runs(study: dict[str, Any]) -> None:
    study["views"]["width"] = 12
    with pytest.raises(InputError, match=r"'views\.width': .*multiple of 8"):
        make_recipe(study | {"sigmas": [1, 2, 3, 4]}, FrequencyRecipe, "recipe")


@pytest.mark.parametrize("scale", get_args(Scale))
def test_recipes_are_read(scale: Scale) -> None:
    widths = read_recipe(recipe_path("frequency", scale), FrequencyRecipe)
    assert {0.7, 1.0} <= set(widths.sigmas)
    colours = read_recipe(recipe_path("colour_views", scale), ColourViewsRecipe)
    assert {"rgb", "lab", "ydbdr", "hsv"} <= set(colours.spaces)
    assert min(len(widths.seeds), len(colours.seeds)) >= 3


def test_tiny_imagenet_has_a_recipe_of_its_own() -> None:
    stl10, tiny = (
        read_recipe(RECIPES / f"{name}.paper.yaml", FrequencyRecipe)
        for name in ("frequency", "frequency_tiny_imagenet")
    )
    assert tiny.sigmas == stl10.sigmas
    assert {tiny.views.data, tiny.evaluation.data} == {"folder:data/tiny-imagenet-200/val"}
