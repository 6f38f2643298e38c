"""Learned views beside raw ones: which runs a recipe asks for, and that words claim what is told apart."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mitools.analyses.registry import Scale, recipe_path
from mitools.analyses.tian2020_infomin.learned_views import learned_views, learned_views_words
from mitools.analyses.tian2020_infomin.learned_views.learned_views import LearnedViewsRecipe
from mitools.analyses.tian2020_infomin.learned_views.learned_views_figure import learned_views_chart
from mitools.analyses.tian2020_infomin.learned_views.learned_views_words import (
    describe,
    difference,
    per_setting,
)
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe, read_recipe
from mitools.datasets.open import open_data
from mitools.statistics.peak import peak_test
from mitools.training.loop.images_in_memory import load_images
from mitools.training.loop.trainer import train

CDP = "cdp?size=32&background=none&colors=2&digits=2&positions=2"


@pytest.fixture(autouse=True)
def fewer_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shape is refused by p < 0.025, which a hundred can say."""
    monkeypatch.setattr(learned_views_words, "peak_test", partial(peak_test, resamples=100))


@pytest.fixture
def study(training: dict[str, Any], evaluation: dict[str, Any]) -> dict[str, Any]:
    """All that the study has, in its smallest."""
    shared = {key: training[key] for key in ("encoder", "log_every", "optimiser", "data")}
    shared |= {"epochs": 1, "batch_size": 16}
    return {
        "generators": shared | {"method": "learned_views", "options": {"head_width": 16, "hidden": 4}},
        "labelled": training["data"],
        "supervised_epochs": 2,
        "contrastive": shared | {"method": "cmc", "options": {"head_width": 16}},
        "spaces": ["ydbdr"],
        "learned_spaces": ["ydbdr"],
        "seeds": [0, 1],
        "information": {"data": evaluation["data"], "steps": 5, "width": 8, "embedding": 8},
        "evaluation": evaluation,
    }


def table_of(**means: tuple[float, float]) -> pd.DataFrame:
    """Make three runs a setting, ``LEARN=(shared bits, accuracy)``, with the same deviations about them."""
    rows = []
    for learn, (bits, accuracy) in means.items():
        for seed, noise in enumerate((-1.0, 0.0, 1.0)):
            row: dict[str, Any] = {
                "setting": f"rgb {learn}", "seed": seed, "space": "rgb", "learn": learn, "encoder": "small",
                "coupling": "" if learn == "raw" else "volume_preserving",
                "shared_bits": bits + 0.1 * noise, "linear_acc": accuracy + 0.01 * noise,
                "untrained_acc": 0.3, "view1_bits": 0.2, "view1_low": 0.19, "view1_high": 0.21,
                "view2_bits": 0.3, "view2_low": 0.2, "view2_high": 0.4, "image_bits": 0.5,
                "shared_null": 0.0, "shared_ceiling": 8.0, "shared_warnings": None, "n_pairs": 1000,
                "inversion_error": None if learn == "raw" else 1e-6,
            }  # fmt: skip
            for name, half in (("shared", 0.1), ("linear_acc", 0.005)):
                middle = row["shared_bits" if name == "shared" else name]
                row |= {f"{name}_low": middle - half, f"{name}_high": middle + half}
            rows.append(row)
    return pd.DataFrame(rows)


def test_differences_are_welchs_with_the_errors_of_images() -> None:
    rng = np.random.default_rng(0)
    table = table_of(raw=(2.0, 0.4), unsupervised=(1.0, 0.5))
    table["linear_acc"] += 0.02 * rng.standard_normal(6)
    exact = table.assign(linear_acc_low=table["linear_acc"], linear_acc_high=table["linear_acc"])
    first, second = (row for _, row in per_setting(exact).iterrows())
    found = difference(first, second, "linear_acc")
    runs = [table.loc[table["learn"] == learn, "linear_acc"] for learn in ("raw", "unsupervised")]
    assert found.p == pytest.approx(stats.ttest_ind(*runs, equal_var=False).pvalue)
    assert found.value == pytest.approx(runs[0].mean() - runs[1].mean())
    # One run each: the errors of images alone, 0.005 / 1.96 of both.
    single = table[table["seed"] == 0]
    first, second = (row for _, row in per_setting(single).iterrows())
    found = difference(first, second, "linear_acc")
    expected = 2 * stats.norm.sf(abs(found.value) / (2**0.5 * 0.005 / 1.96))
    assert found.p == pytest.approx(expected)


def test_intervals_are_students_with_welchs_degrees_of_freedom() -> None:
    """Runs alone: Student's interval of three; images alone: 1.96 standard errors; both: in between."""
    table = table_of(raw=(2.0, 0.4))
    table["shared_bits"] = [1.7, 2.0, 2.3]
    exact = table.assign(shared_low=table["shared_bits"], shared_high=table["shared_bits"])
    margin = per_setting(exact)["shared_margin"].iloc[0]
    assert margin == pytest.approx(stats.t(2).ppf(0.975) * 0.3 / 3**0.5)
    assert f"rgb raw 2.00 (+-{margin:.2f})" in describe(exact)
    assert per_setting(table[table["seed"] == 1])["shared_margin"].iloc[0] == pytest.approx(0.1, rel=1e-4)
    images, seeds = (0.1 / 1.96) ** 2, 0.03
    both = table.assign(shared_low=table["shared_bits"] - 0.1, shared_high=table["shared_bits"] + 0.1)
    expected = stats.t((images + seeds) ** 2 / (seeds**2 / 2)).ppf(0.975) * (images + seeds) ** 0.5
    assert per_setting(both)["shared_margin"].iloc[0] == pytest.approx(expected)


def test_every_network_holds_learned_views_against_raw_ones() -> None:
    """Fig. 8: 20 points for the small network, and none for the large one."""
    from matplotlib.figure import Figure

    small = table_of(raw=(4.0, 0.4), supervised=(3.0, 0.4), semi_supervised=(2.0, 0.6))
    large = table_of(raw=(4.0, 0.7), semi_supervised=(2.0, 0.701)).assign(encoder="large")
    said = describe(pd.concat([small, large]))
    assert "rgb semi_supervised over rgb raw by small +20.0 points (told" in said
    assert "rgb semi_supervised over rgb raw by large +0.1 points (not told" in said
    assert "here they are told to be for 1 of 2" in said
    assert "Accuracy is 40.0% to 60.0%" in said  # of the network that is trained on all views
    assert "By network" not in describe(small)
    *_, networks = learned_views_chart(pd.concat([small, large]), figure=Figure())
    np.testing.assert_allclose([line.get_ydata()[0] for line in networks.get_lines()], [0.4, 0.6, 0.7, 0.701])
    assert [tick.get_text() for tick in networks.get_xticklabels()] == ["small", "large"]


def test_words_claim_what_is_told_apart_and_no_more() -> None:
    said = describe(table_of(
        raw=(4.0, 0.40), unsupervised=(1.0, 0.401), supervised=(4.02, 0.399), semi_supervised=(1.5, 0.60)
    ))  # fmt: skip
    shared = "is lower for rgb unsupervised (-3.00 bits) and rgb semi_supervised (-2.50 bits)"
    assert f"Information shared, against the raw views of the same space, {shared}; it cannot be told" in said
    assert "from theirs for rgb supervised. Label information of the weaker view" in said
    assert "is higher for rgb semi_supervised (+20.0 points); it cannot be told from theirs for rgb" in said
    assert "rgb semi_supervised over rgb supervised +20.1 points (told" in said
    assert "1e-06 at the most (all are invertible to 1e-5)" in said
    assert "There are 3 runs a setting" in said
    nothing = describe(table_of(raw=(4.0, 0.40), supervised=(4.0, 0.40), semi_supervised=(4.0, 0.401)))
    assert "lower" not in nothing.partition("Accuracy is")[0].partition("Information shared")[2]
    assert "+0.1 points (not told" in nothing


def test_a_course_with_a_peak_is_said_and_one_without_is_not() -> None:
    peaked = {"raw": (6.0, 0.2), "unsupervised": (0.0, 0.2), "supervised": (4.0, 0.5),
              "semi_supervised": (2.0, 0.5)}  # fmt: skip
    said = describe(table_of(**peaked))
    assert "a peak inside, at" in said
    assert "In Fig. 7 accuracy peaks inside; so it is here." in said
    flat = describe(table_of(**{learn: (bits, 0.4) for learn, (bits, _) in peaked.items()}))
    assert "this run neither confirms nor refutes it" in flat


def test_every_row_of_the_table_is_drawn() -> None:
    from matplotlib.figure import Figure

    table = table_of(raw=(4.0, 0.40), unsupervised=(1.0, 0.41), semi_supervised=(1.5, 0.60))
    accuracy, label = learned_views_chart(table, figure=Figure())
    names = accuracy.get_legend_handles_labels()[1]
    assert names == ["rgb raw", "rgb unsupervised", "rgb semi-supervised"]
    drawn = [line.get_xydata()[0].tolist() for line in accuracy.get_lines() if line.get_label() in names]
    np.testing.assert_allclose(drawn, [[4.0, 0.40], [1.0, 0.41], [1.5, 0.60]])
    drawn = [line.get_ydata()[0] for line in label.get_lines() if line.get_label() in names]
    np.testing.assert_allclose(drawn, 0.2)


def test_the_runs_are_every_kind_of_view_with_every_seed(study: dict[str, Any]) -> None:
    more = {"spaces": ["rgb", "ydbdr"], "couplings": ["volume_preserving", "non_volume_preserving"]}
    recipe = make_recipe(study | more, LearnedViewsRecipe, "recipe")
    settings = learned_views._settings(recipe)
    assert [setting.learn for setting in settings[:2]] == ["raw", "raw"]
    assert len(settings) == len({setting.name(True) for setting in settings}) == 2 + 3 * 2
    runs = learned_views._generator_recipes(recipe, settings)
    assert len(runs) == 3 * 2 * 2
    recipe = make_recipe(study | more | {"encoders": ["timm:resnet50"]}, LearnedViewsRecipe, "recipe")
    names = [run.name for run in learned_views._contrastive_runs(recipe, settings)]
    assert (
        len(names) == 8 * 2 + 3 * 2
    )  # further networks read ydbdr raw, and semi-supervised by two couplings
    assert names[0] == "cmc-rgb-raw-seed-0"
    assert names[-1] == "cmc-timm-resnet50-ydbdr-semi_supervised-non_volume_preserving-seed-1"
    semi = runs["views-ydbdr-semi_supervised-volume_preserving-seed-1"]
    assert (semi.options["labelled"], semi.options["space"], semi.seed) == (study["labelled"], "ydbdr", 1)
    supervised = runs["views-ydbdr-supervised-non_volume_preserving-seed-0"]
    assert (supervised.data, supervised.epochs, supervised.options["labelled"]) == (
        study["labelled"],
        2,
        None,
    )


@pytest.mark.slow
def test_generators_learn_from_ydbdr_at_the_images_own_size(tmp_path: Path) -> None:
    """The smoke recipe with its options ``learned_spaces`` and ``image_size``: one step of each generator."""
    smoke = read_recipe(recipe_path("learned_views", "smoke"), LearnedViewsRecipe).model_dump()
    smoke |= {"learned_spaces": ["rgb", "ydbdr"], "seeds": [0]}
    smoke |= {"labelled": f"{CDP}&n=16", "supervised_epochs": 1}
    smoke["generators"] |= {"data": f"{CDP}&n=32&seed=1", "image_size": 32, "epochs": 1, "batch_size": 16}
    recipe = make_recipe(smoke, LearnedViewsRecipe, "recipe")
    settings = learned_views._settings(recipe)
    assert len(settings) == 2 + 2 * 3
    images = load_images(open_data(f"{CDP}&n=8&part=test"), 32).pixels
    for name, one in learned_views._generator_recipes(recipe, settings).items():
        run = train(one, tmp_path / name)
        error = learned_views._inversion_error(f"flow:{run.path}#0", images)
        assert error is not None
        assert error < 1e-5, name


@pytest.mark.slow
def test_from_training_to_reading(
    study: dict[str, Any], tmp_path: Path, written: Callable[[Path], dict[Path, int]]
) -> None:
    recipe = make_recipe(study | {"encoders": ["convnet_half"]}, LearnedViewsRecipe, "recipe")
    found = learned_views.run(recipe, tmp_path)
    assert found is not None
    table = found.table
    assert list(table["encoder"]) == [recipe.contrastive.encoder] * 8 + ["convnet_half"] * 4
    again = table.iloc[8:]
    assert list(again["learn"].unique()) == ["raw", "semi_supervised"]
    table = table.iloc[:8]
    assert list(table["learn"].unique()) == ["raw", "unsupervised", "supervised", "semi_supervised"]
    # Raw views are the same for every seed, and measured afresh with each.
    assert table.loc[table["learn"] == "raw", "shared_bits"].nunique() == 2
    learned = table["learn"] != "raw"
    assert (table.loc[learned, "inversion_error"] < 1e-5).all()
    assert table["inversion_error"].isna().tolist() == (~learned).tolist()
    assert (table["shared_low"] <= table["shared_bits"]).all()
    assert table.loc[learned, "shared_bits"].nunique() == 6
    kept = pd.read_csv(tmp_path / "results.csv")
    assert describe(kept) == found.reading
    assert {path.name for path in found.files} == {
        "results.csv", "reading.txt", "learned_views.png", "learned_views.svg", "learned_views.pdf"
    }  # fmt: skip
    before = written(tmp_path)
    assert learned_views.run(recipe, tmp_path) is not None
    assert written(tmp_path) == before


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"generators": {"method": "cmc", "options": {}}}, "the method must be learned_views"),
        (
            {"generators": {"options": {"space": "lab"}}},
            "the runs set learn, labelled, space, coupling",
        ),
        ({"contrastive": {"options": {"views": ["image", "lab:l"]}}}, "its views are set by the runs"),
        ({"learned_spaces": ["rgb"]}, "learned_spaces has rgb, whose raw views are missing"),
        ({"encoders": ["convnet", "wrn28_4", "wrn28_4"]}, "each once"),
        ({"spaces": ["ybr"]}, "there is no colour space 'ybr'; accepted: rgb"),
    ],
)
def test_a_recipe_that_does_not_fit_is_one_line(
    study: dict[str, Any], changes: dict[str, Any], said: str
) -> None:
    for key, change in changes.items():
        study[key] = study[key] | change if isinstance(change, dict) else change
    with pytest.raises(InputError, match=said) as caught:
        make_recipe(study, LearnedViewsRecipe, "recipe")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["information", "evaluation"])
def test_images_that_were_learned_from_are_not_measured(
    study: dict[str, Any], key: str, tmp_path: Path
) -> None:
    study[key]["data"] = study["labelled"]
    with pytest.raises(InputError, match="would be the images trained on"):
        learned_views.run(make_recipe(study, LearnedViewsRecipe, "recipe"), tmp_path)


@pytest.mark.parametrize("scale", get_args(Scale))
def test_recipes_are_read(scale: Scale) -> None:
    recipe = read_recipe(recipe_path("learned_views", scale), LearnedViewsRecipe)
    assert len(recipe.seeds) == 3
    assert {"rgb", "ydbdr"} <= set(recipe.spaces)
