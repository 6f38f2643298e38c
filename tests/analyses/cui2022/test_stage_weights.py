"""The weights of CTC's stages: the study end to end, and its words on tables whose truth is known."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mitools.analyses.cui2022.stage_weights.figure import trade_off
from mitools.analyses.cui2022.stage_weights.gains_figure import gains
from mitools.analyses.cui2022.stage_weights.stage_weights import StageWeightsRecipe, run, with_weights
from mitools.analyses.cui2022.stage_weights.words import describe
from mitools.core.recipes import make_recipe

MADE = Callable[..., pd.DataFrame]


def test_from_training_to_reading(tiny_study: dict[str, Any], tmp_path: Path) -> None:
    content = tiny_study | {"ctc": {"border": 1}, "alphas": [0.0, 1.0], "betas": [1.0]}
    recipe = make_recipe(content, StageWeightsRecipe, "recipe")
    assert list(recipe.settings()) == ["vanilla", "alpha-0-beta-1", "alpha-1-beta-1"]
    assert recipe.settings()["alpha-0-beta-1"].options["alpha"] == 0
    found = run(recipe, tmp_path / "out")
    assert found is not None
    epochs = found.table.groupby("setting")["epoch"].apply(lambda own: sorted(set(own)))
    assert epochs.to_dict() == {"vanilla": [0, 1, 2], "alpha-0-beta-1": [2], "alpha-1-beta-1": [2]}
    assert set(found.table["data"]) == {"source", "digits"}
    assert found.table.groupby(["setting", "seed", "epoch"])["test_acc"].nunique().eq(1).all()
    assert set(found.table["test_n"]) == {60}
    assert found.table[found.table["setting"] == "vanilla"]["alpha"].isna().all()
    assert {path.name for path in found.files} == {
        "results.csv", "reading.txt", "stage_weights.png", "stage_weights.svg", "stage_weights.pdf",
        "stage_weights_gains.png", "stage_weights_gains.svg", "stage_weights_gains.pdf",
    }  # fmt: skip
    assert "There is one seed" in found.reading
    assert "nan" not in found.reading


def weighted(table: pd.DataFrame) -> pd.DataFrame:
    class Weights:
        alphas, betas = (0.0, 0.1, 1.0), (0.0, 1.0)

    return with_weights(table, Weights)  # type: ignore[arg-type]


def curves(baseline: dict[int, float], **ctc: float) -> dict[str, dict[int, float]]:
    """Transfer of the baseline by epoch, and of CTC by ``alpha`` at the last epoch, alike for both betas."""
    made = {"vanilla": baseline}
    for alpha, value in zip(("0", "0.1", "1"), ctc.values(), strict=True):
        for beta in ("0", "1"):
            made[f"alpha-{alpha}-beta-{beta}"] = {max(baseline): value}
    return made


def test_more_weight_brings_more_transfer_and_costs_the_source(make_table: MADE) -> None:
    cost = {f"alpha-{a}-beta-{b}": -0.05 * k for k, a in enumerate(("0", "0.1", "1")) for b in "01"}
    text = describe(weighted(make_table(curves({1: 0.9, 2: 0.7}, a=0.7, b=0.8, c=0.95), source=cost)))
    assert "transfer to colour changes from its best epoch to the last by -20.0 points (-20.0 to" in text
    assert "each step of alpha (0, 0.1 and 1) changes source accuracy by -5.0 points" in text
    assert "transfer to colour by +12.5 points" in text
    assert "so more weight on the first stage brings more transfer to colour" in text
    assert "alpha 1, beta 0 (+25.0 points" in text
    assert "source accuracy -10.0 points" in text
    assert "intervals at 99.2%, so that those of all 6 by one classifier hold together" in text
    assert "gives transfer +20.0 points" in text
    assert "which early stopping does not reach" in text


def test_what_early_stopping_gives_too_is_no_gain(make_table: MADE) -> None:
    text = describe(weighted(make_table(curves({1: 0.95, 2: 0.7}, a=0.7, b=0.8, c=0.9))))
    assert "changes transfer beside that by -5.0 points (-5.0 to -5.0), which is less than early" in text


def test_noise_is_not_told_apart(make_table: MADE) -> None:
    names = [f"alpha-{alpha}-beta-{beta}" for alpha in ("0", "0.1", "1") for beta in "01"]
    flat = make_table(curves({1: 0.7, 2: 0.7}, a=0.7, b=0.7, c=0.7), jitter=dict.fromkeys(names, 0.05))
    rng = np.random.default_rng(0)
    for column in ("frozen_acc", "logistic_acc"):
        flat[column] += rng.normal(0, 0.02, len(flat))
    text = describe(weighted(flat))
    assert "so that more weight on the first stage is not seen to bring more transfer" in text
    assert "6 of 6 pairs of weights are not told apart from it and for them a gain above" in text
    assert "better is" not in text


def test_the_schedule_is_told_apart_from_the_contrast(make_table: MADE) -> None:
    # Both weights 0 bring all there is: CTC's learning rates, not its contrast.
    text = describe(weighted(make_table(curves({1: 0.9, 2: 0.7}, a=0.9, b=0.9, c=0.9))))
    assert "with CTC's learning rates, transfer to colour changes by +20.0 points" in text
    assert "what the contrast itself brings is not told from 0" in text
    text = describe(weighted(make_table(curves({1: 0.9, 2: 0.7}, a=0.7, b=0.8, c=0.95))))
    assert "and from there to alpha 1, beta 1 by +25.0 points" in text
    assert "the contrast itself brings transfer" in text


def test_every_target_has_a_panel(make_table: MADE) -> None:
    table = weighted(make_table(curves({1: 0.9, 2: 0.7}, a=0.7, b=0.8, c=0.95)))
    (axes,) = trade_off(table)
    assert axes.get_title() == "transfer to colour"
    assert len(axes.lines) == 3  # the baseline's epochs, and a curve a beta
    np.testing.assert_allclose(axes.lines[1].get_ydata(), [0.7, 0.8, 0.95])


def test_gains_are_those_over_cross_entropy_of_the_same_seed(make_table: MADE) -> None:
    table = weighted(make_table(curves({1: 0.9, 2: 0.7}, a=0.7, b=0.8, c=0.95)))
    (axes,) = gains(table)
    assert axes.get_title() == "transfer to colour"
    _, first, second = axes.lines  # the line at 0, and a curve a beta
    np.testing.assert_allclose(first.get_ydata(), [0, 10, 25])
    np.testing.assert_allclose(second.get_ydata(), [0, 10, 25])
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0", "0.1", "1"]
