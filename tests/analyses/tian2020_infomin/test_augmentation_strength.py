"""Stronger augmentations: which runs there are, what is measured and said, and what a recipe may not ask."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional

from mitools.analyses.registry import Scale, recipe_path
from mitools.analyses.shared.evaluation import Evaluation
from mitools.analyses.tian2020_infomin import augmentation_strength
from mitools.analyses.tian2020_infomin.augmentation_runs import AugmentationStrengthRecipe
from mitools.analyses.tian2020_infomin.augmentation_words import describe
from mitools.analyses.tian2020_infomin.figures.augmentation_figure import augmentation_chart
from mitools.analyses.tian2020_infomin.own_critic import read_own_critic
from mitools.backends.runtime import Runtime
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe, read_recipe
from mitools.encoders.inputs.preprocess import IMAGENET_MEAN, IMAGENET_STD
from mitools.encoders.sources.run import ENCODER, HEAD
from mitools.training.loop.images_in_memory import load_images
from mitools.training.loop.trainer import train
from mitools.training.networks.build import build_network
from mitools.training.networks.heads import head_of
from mitools.views.item_views import draw_views
from mitools.views.registry import make_view

FAMILIES = {
    "C": ["infomin?blur=0&steps=0"], "C-Blur": ["infomin?steps=0"], "RA-C-Blur": ["infomin"],
    "RA-C-Blur-JigSaw": ["infomin", "jigsaw"],
}  # fmt: skip


@pytest.fixture
def study(training: dict[str, Any], evaluation: dict[str, Any]) -> dict[str, Any]:
    """Every point of every curve, in runs of a step or two."""
    shared = {key: training[key] for key in ("encoder", "log_every", "optimiser", "data")}
    options = {"head_width": 16, "negatives_count": 16}
    return {
        "training": shared | {"method": "moco", "options": options, "epochs": 1, "batch_size": 24},
        "heads": {"linear": 0.07, "mlp": 0.15},
        "crop": [0.08, 0.2, 0.5, 0.9],
        "jitter": [0.125, 0.5, 1, 2.5],
        "families": FAMILIES,
        "evaluation": evaluation,
    }


def test_a_curve_a_head_and_what_is_common_is_one_run(study: dict[str, Any]) -> None:
    settings = make_recipe(study, AugmentationStrengthRecipe, "recipe").settings()
    assert len(settings) == 2 * 3 * 4
    by_place = {(one.curve, one.name, one.head): one.training for one in settings}
    stronger = by_place["crop", "0.08", "mlp"]
    assert stronger.augmentation == "infomin?crop_area=0.08&blur=0&steps=0"
    assert (stronger.options["head"], stronger.options["temperature"]) == ("mlp", 0.15)
    assert by_place["jitter", "2.5", "linear"].augmentation == "infomin?strength=2.5&blur=0&steps=0"
    assert by_place["jitter", "2.5", "linear"].options["temperature"] == 0.07
    common = by_place["crop", "0.2", "linear"]
    assert common == by_place["jitter", "1", "linear"] == by_place["families", "C", "linear"]
    assert len({one.training.model_dump_json() for one in settings}) == 2 * (3 * 4 - 2)
    assert by_place["families", "RA-C-Blur-JigSaw", "mlp"].options["jigsaw"] == "jigsaw"
    assert by_place["families", "RA-C-Blur", "mlp"].options["jigsaw"] is None


def test_the_trained_critic_is_read_on_other_images(study: dict[str, Any], tmp_path: Path) -> None:
    """Encoder, head, cosine over the temperature, all images as one batch: written out."""
    study["heads"] = {"mlp": 0.01}  # so cold that little training gives bits
    recipe = make_recipe(study, AugmentationStrengthRecipe, "recipe")
    training = next(one.training for one in recipe.settings() if one.head == "mlp")
    folder = train(training, tmp_path / "run")
    evaluation = Evaluation(recipe.evaluation, tmp_path, Runtime())
    estimate = read_own_critic(folder, evaluation)
    pixels = load_images(evaluation.data, None).pixels.float() / 255
    views = draw_views([make_view(training.augmentation)] * 2, pixels, np.arange(120), 0)
    mean, std = (torch.tensor(one).reshape(3, 1, 1) for one in (IMAGENET_MEAN, IMAGENET_STD))
    network = build_network("tiny", (3, 28, 28), head_of("mlp", 16)).eval()
    network.encoder.load_state_dict(folder.weights(1, ENCODER))
    network.head.load_state_dict(folder.weights(1, HEAD))
    permuted = torch.from_numpy(np.random.default_rng([0, 3]).permutation(120))
    with torch.no_grad():
        x, y = (functional.normalize(network((view - mean) / std), dim=1) for view in views)
    for found, others in ((estimate.nats, y), (estimate.null_nats, y[permuted])):
        nats = math.log(120) - functional.cross_entropy(x @ others.T / 0.01, torch.arange(120))
        assert abs(nats) > 0.02
        assert found == pytest.approx(float(nats), rel=1e-3)
    assert estimate.ceiling_nats == pytest.approx(math.log(120))
    assert estimate.kind == "lower bound"


@pytest.mark.slow
def test_every_point_is_trained_once_measured_and_read(
    study: dict[str, Any], tmp_path: Path, written: Callable[[Path], dict[Path, int]]
) -> None:
    study["heads"] = {"mlp": 0.15}
    recipe = make_recipe(study, AugmentationStrengthRecipe, "recipe")
    found = augmentation_strength.run(recipe, tmp_path)
    assert found is not None
    table = found.table
    assert list(table["setting"])[-4:] == list(FAMILIES)
    assert len(table) == 12
    assert len(list((tmp_path / "runs").iterdir())) == 10
    common = table[table["setting"].isin(["0.2", "1", "C"])].drop(columns=["curve", "setting"])
    assert len(common) == 3
    assert len(common.drop_duplicates()) == 1
    assert (table["after_low"] <= table["after_high"]).all()
    assert (table["after_bits"] <= table["after_ceiling"]).all()
    np.testing.assert_allclose(table["in_training_ceiling"], np.log2(17))
    assert table["untrained_acc"].nunique() == 1
    assert describe(pd.read_csv(tmp_path / "results.csv")) == found.reading
    before = written(tmp_path)
    assert augmentation_strength.run(recipe, tmp_path) is not None
    assert written(tmp_path) == before


SETTINGS = {"crop": ("0.08", "0.2", "0.5", "0.9"), "jitter": ("0.125", "0.5", "1", "2.5"),
            "families": tuple(FAMILIES)}  # fmt: skip


def made(
    *curves: str, heads: Any = ("linear",), accuracy: Any = (0.3, 0.5, 0.4, 0.3), after: Any = (1, 2, 3, 4)
) -> pd.DataFrame:
    """Make a table of which every sentence is known; `after` in the order of the settings."""
    rows = []
    for curve in curves:
        for head in heads:
            bits, right = np.asarray(after, float), np.asarray(accuracy, float)
            columns = {"curve": curve, "head": head, "setting": list(SETTINGS[curve]), "after_bits": bits,
                       "after_low": bits - 0.1, "after_high": bits + 0.1, "after_ceiling": 10.0,
                       "in_training_bits": bits / 2, "in_training_ceiling": 9.0, "linear_acc": right,
                       "linear_acc_low": right - 0.01, "linear_acc_high": right + 0.01,
                       "untrained_acc": 0.25}  # fmt: skip
            rows += [pd.DataFrame(columns | {"seed": seed}) for seed in range(3)]
    return pd.concat(rows, ignore_index=True)


def test_a_peak_inside_is_found_as_in_the_paper() -> None:
    said = describe(made("crop"))
    assert said.startswith(
        "Crop bound, linear head: two draws share at least 1.00 to 4.00 bits after training (InfoNCE of the"
        " trained critic on other images, at most 10.00), and the loss of the last epoch shows 0.50 to 2.00"
        " (in sample, at most 9.00)."
    )
    assert "In the paper stronger settings share less; so it is here." in said
    assert "highest for 0.2 (50.0%) and lowest for 0.08 (30.0%), which are told apart" in said
    assert "Over the bits after training, accuracy: a peak inside, at 2" in said
    assert "Over the loss's: a peak inside, at 1" in said
    assert "In Fig. 13 accuracy peaks inside the range of I_NCE; so it is here." in said
    assert said.endswith("There are 3 runs a setting: the errors are those of images and of seeds.")


def test_every_curve_and_head_is_read_by_itself() -> None:
    said = describe(made("crop", "jitter", heads=("linear", "mlp"), after=(4, 3, 2, 1)))
    places = [
        said.index(f"{curve}, {head} head:")
        for curve in ("Crop bound", "Colour jitter")
        for head in ("linear", "mlp")
    ]
    assert places == sorted(places)
    # The strongest crop is the first of these settings, and the strongest jitter the last.
    assert said.count("stronger settings share less; this is not seen here.") == 2
    assert said.count("stronger settings share less; so it is here.") == 2


@pytest.mark.parametrize(
    ("curve", "changes", "said"),
    [
        ("families", {"accuracy": (0.5, 0.4, 0.3, 0.2)}, "as I_NCE grows; so it is here"),
        ("families", {"accuracy": (0.2, 0.3, 0.4, 0.5)}, "as I_NCE grows; this is not seen here"),
        (
            "crop",
            {"accuracy": (0.3, 0.301, 0.3, 0.302)},
            "range of I_NCE; this run neither confirms nor",
        ),
        ("crop", {"after": (7, 8, 9.2, 9.5)}, "2 of 4 within a tenth of it and so floors"),
    ],
)
def test_the_reading_says_otherwise_where_it_is(curve: str, changes: dict[str, Any], said: str) -> None:
    assert said in describe(made(curve, **changes))


def test_a_panel_an_estimate_and_curve_with_both_heads() -> None:
    axes = augmentation_chart(made(*SETTINGS, heads=("linear", "mlp")))
    assert axes.shape == (6,)
    assert [one.get_title() for one in axes[:3]] == ["crop bound", "colour jitter", "families of steps"]
    assert {label for one in axes for label in one.get_legend_handles_labels()[1]} == {
        "linear head", "mlp head", "untrained"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"crop": [0, 0.2, 0.5, 0.9]}, r"'crop\.0': input should be greater than 0"),
        ({"crop": [0.2, 0.5, 0.9, 1.1]}, r"'crop\.3': input should be less than or equal to 1"),
        ({"jitter": [0.5, 1, 2, 3]}, r"'jitter\.3': input should be less than or equal to 2.5"),
        ({"jitter": [0.5, 1, 2]}, "'jitter'"),
        ({"families": FAMILIES | {"RB": ["infomim"]}}, "unknown view 'infomim'; did you mean infomin"),
        ({"families": FAMILIES | {"L": ["lab:l"]}}, "'lab:l' is no augmentation"),
        ({"families": FAMILIES | {"J": ["infomin", "simclr"]}}, "'simclr', which has no nine crops"),
        ({"families": FAMILIES | {"J": ["infomin?magnitude=40"]}}, "magnitude"),
        ({"base": "lab:l"}, "draws? .*one and the same|nothing in it is random"),
        ({"heads": {"deep": 0.1}}, "heads"),
    ],
)
def test_what_cannot_be_run_is_one_line(study: dict[str, Any], changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        make_recipe(study | changes, AugmentationStrengthRecipe, "recipe")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("changes", [{"method": "simclr", "options": {}}, {"augmentation": "infomin"}])
def test_augmentations_are_left_to_the_runs(study: dict[str, Any], changes: dict[str, Any]) -> None:
    study["training"] |= changes
    with pytest.raises(InputError, match="its augmentation is what the runs differ in"):
        make_recipe(study, AugmentationStrengthRecipe, "recipe")


@pytest.mark.parametrize("scale", get_args(Scale))
def test_recipes_are_read(scale: Scale) -> None:
    recipe = read_recipe(recipe_path("augmentation_strength", scale), AugmentationStrengthRecipe)
    assert {0.08, 0.2} <= set(recipe.crop)
    assert {1.0, 2.5} <= set(recipe.jitter)
    assert recipe.heads == {"linear": 0.07, "mlp": 0.15}
    assert any(len(views) == 2 for views in recipe.families.values())
    assert len(recipe.seeds) >= 3
