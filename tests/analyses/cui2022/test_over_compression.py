"""The temporal analysis: what is in its tables, that its words follow from the numbers, and its figures."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from mitools.analyses.cui2022 import over_compression as temporal
from mitools.analyses.cui2022.changes import (
    COMPARED_QUANTITIES,
    CTC,
    FALL_QUESTION,
    REMEDY_QUESTION,
    SECOND_STAGE_QUESTION,
    SOURCE_DATA,
    VANILLA,
    accuracy_change,
    changes_over_seeds,
)
from mitools.analyses.cui2022.findings import describe
from mitools.analyses.cui2022.fine_tuning import describe_fine_tuned, fine_tuned_changes, tabulate_fine_tuned
from mitools.analyses.cui2022.over_compression import TemporalRecipe, run
from mitools.analyses.cui2022.over_fitting import OVER_FITTING_QUESTION, TEST_LOSS, describe_over_fitting
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe, read_recipe
from mitools.datasets.open import open_data
from mitools.encoders.open import open_encoder
from mitools.encoders.sources.run import run_spec
from mitools.training.training_data import PREPROCESS

PANELS = ("discriminability", "transfer", "information", "plane", "losses")

DATA = "cdp?size=16&background=none&colors=2&digits=2&positions=1"


@pytest.fixture
def content() -> dict[str, Any]:
    return {
        "training": {
            "encoder": "tiny",
            "data": f"{DATA}&n=48&shared=digit",
            "objective": "cross_entropy",
            "epochs": 2,
            "batch_size": 16,
            "keep_every": 1,
            "log_every": 3,
            "image_size": 16,
        },
        "ctc": {"border": 1},
        "source": f"{DATA}&n=80&shared=digit&part=test",
        "targets": {"digits": "digits?limit=80&classes=7,8"},
        "measure": {"transfer_steps": 20, "critic_steps": 50, "input_components": 4},
        "fine_tuning": {"epochs": 3, "batch_size": 16, "learning_rate": 0.1},
    }


def test_from_training_to_reading_and_again(
    content: dict[str, Any],
    tmp_path: Path,
    written: Callable[[Path], dict[Path, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = make_recipe(content, TemporalRecipe, "recipe")
    found = run(recipe, tmp_path / "out")
    assert found is not None
    table = found.table
    assert len(table) == 2 * 3 * 2
    assert list(dict.fromkeys(table["data"])) == [SOURCE_DATA, "digits"]
    ctc = table[(table["run"] == CTC) & (table["data"] == SOURCE_DATA)]
    assert list(ctc["epoch"]) == [0, 1, 2]
    assert list(ctc["stage"]) == [1, 1, 2]
    for name in ("frozen_acc", "logistic_acc"):
        assert (table[f"{name}_low"] <= table[name]).all()
        assert (table[name] <= table[f"{name}_high"]).all()
    for name in ("input", "label"):
        assert (table[f"{name}_low"] < table[f"{name}_high"]).all()
    np.testing.assert_allclose(table["label_entropy_bits"], 1, atol=0.01)
    np.testing.assert_allclose(table["input_ceiling_bits"], np.log2(table["n_report"]))
    untrained = table[table["epoch"] == 0].groupby("data")[["logistic_acc", "recall_at_1", "nmi"]].nunique()
    assert (untrained == 1).all().all(), "both runs start from one network"

    changes = pd.read_csv(tmp_path / "out" / "changes.csv")
    tuned = changes["quantity"] == "fine_tuned_acc"
    assert len(changes[~tuned]) == 3 * 2 * len(COMPARED_QUANTITIES) + 3
    reached = pd.read_csv(tmp_path / "out" / "fine_tuned.csv").set_index("run")
    assert list(reached.index) == [VANILLA, CTC, "untrained"]
    assert set(reached["n"]) == {16}
    (row,) = changes[tuned].itertuples()
    gain = reached.loc[CTC, "fine_tuned_acc"] - reached.loc[VANILLA, "fine_tuned_acc"]
    assert (row.question, row.data, row.n) == (REMEDY_QUESTION, "digits", 16)
    assert (row.n + 2) / row.n * row.difference == pytest.approx(gain, abs=1e-9)
    of_tuned = describe_fine_tuned(reached.reset_index(), changes[tuned])
    assert of_tuned.startswith("With the backbone fine-tuned on the target, accuracy is on digits")
    changes = changes[~tuned]
    of_losses = changes["question"] == OVER_FITTING_QUESTION
    assert set(changes[of_losses]["data"]) == {"digits"}
    losses_are_those_of_the_runs_own_classifiers(tmp_path / "out", changes[of_losses])
    known = table.set_index(["data", "run", "epoch"])
    for row in changes[changes["question"] == REMEDY_QUESTION].itertuples():
        one, other = known.loc[row.data, CTC, 2], known.loc[row.data, VANILLA, 2]
        column = str(row.quantity)
        n = 1 if column.endswith("_bits") else (row.n + 2) / row.n
        assert n * row.difference == pytest.approx(one[column] - other[column], abs=1e-9)
    names = {path.name for path in found.files}
    figures = {f"temporal_{name}" for name in PANELS}
    assert names == {"results.csv", "reading.txt", "changes.csv", "losses.csv", "fine_tuned.csv"} | {
        f"{name}.{ending}" for name in figures for ending in ("png", "svg", "pdf")
    }
    assert all(path.stat().st_size for path in found.files)
    assert found.reading == (tmp_path / "out" / "reading.txt").read_text().strip()
    of_frozen = describe(pd.read_csv(tmp_path / "out" / "results.csv"), changes)
    assert found.reading == f"{of_frozen} {of_tuned}"

    before = written(tmp_path / "out")
    for name in ("write_temporal_figures", "write_chart"):
        monkeypatch.setattr(temporal, name, lambda *_, **__: [])
    again = run(recipe, tmp_path / "out")
    assert again is not None
    assert again.reading == found.reading
    assert written(tmp_path / "out") == before


def losses_are_those_of_the_runs_own_classifiers(out: Path, changes: pd.DataFrame) -> None:
    """Compute CTC's last losses again from the weights in its folder, image by image."""
    folder, table = out / "runs" / "ctc-seed-0", pd.read_csv(out / "losses.csv").set_index(["run", "epoch"])
    head = load_file(folder / "checkpoints" / "epoch-0002" / "head.safetensors")
    for part, spec in (
        ("train", f"{DATA}&n=48&shared=digit"),
        ("test", f"{DATA}&n=80&shared=digit&part=test"),
    ):
        images, encoder = open_data(spec), open_encoder(run_spec(folder, 2))
        pixels = torch.from_numpy(np.stack([np.asarray(images[k][0]) for k in range(len(images))])) / 255
        mean, std = torch.tensor(PREPROCESS.mean), torch.tensor(PREPROCESS.std)
        features = encoder.module(((pixels - mean) / std).permute(0, 3, 1, 2).float())
        logits = (features @ head["weight"].T + head["bias"]).double()
        bits = torch.nn.functional.cross_entropy(logits, torch.from_numpy(images.labels)) / math.log(2)
        assert table.loc[(CTC, 2), f"{part}_loss_bits"] == pytest.approx(float(bits), rel=1e-4)
    (row,) = changes[changes["quantity"] == TEST_LOSS].itertuples()
    rise = table.loc[(VANILLA, 2), TEST_LOSS] - table.loc[(VANILLA, row.from_epoch), TEST_LOSS]
    assert row.difference == pytest.approx(rise, abs=1e-9)


def test_an_accuracy_change_is_agresti_and_mins_interval() -> None:
    one = np.array([True] * 60 + [False] * 40)
    other = np.array([True] * 50 + [False] * 50)
    made = accuracy_change(one, other)
    n, gained, lost = 102, 10, 0
    variance = ((gained + lost + 1) - (gained - lost) ** 2 / n) / n**2
    assert made.difference == pytest.approx(10 / n)
    assert made.high - made.difference == pytest.approx(1.959964 * math.sqrt(variance), rel=1e-6)
    assert made.low > 0
    same = accuracy_change(one, one)
    assert same.low < 0 < same.high
    assert same.difference == 0


def test_the_interval_of_an_accuracy_change_covers() -> None:
    """Two dependent classifiers, 0.80 and 0.74 right: 95% of intervals hold the difference."""
    rng, truth, held = np.random.default_rng(0), 0.06, 0
    for _ in range(2000):
        u = rng.random(300)
        one, other = u < 0.80, (u < 0.70) | (u > 0.96)
        made = accuracy_change(one, other)
        held += made.low <= truth <= made.high
    assert abs(held / 2000 - 0.95) < 3 * math.sqrt(0.95 * 0.05 / 2000) + 0.005


def test_the_reading_of_fine_tuning_follows_from_the_items() -> None:
    n = 100
    right = {VANILLA: np.arange(n) < 60, CTC: np.arange(n) < 80, "untrained": np.arange(n) < 50}
    rights = {"ahead": right, "level": right | {CTC: np.arange(n) < 61}, "behind": right | {CTC: ~right[CTC]}}
    text = describe_fine_tuned(tabulate_fine_tuned(rights), fine_tuned_changes(rights, 30))
    assert "on ahead 60.0% from cross-entropy alone, 80.0% from CTC and 50.0% from the untrained" in text
    assert "CTC ahead (paired difference +19.6 points" in text  # 20 of 102: one item on either side
    for said in ("on level", "61.0% from CTC", "CTC not told apart", "20.0% from CTC", "CTC behind"):
        assert said in text


def results() -> pd.DataFrame:
    rows = [
        {
            "run": run, "seed": 0, "epoch": epoch, "data": data, "recall_at_1": 0.5 + 0.01 * epoch,
            "nmi": 0.4, "logistic_acc": 0.9 - 0.01 * epoch,
            "input_warnings": "overfit, still_rising" if epoch else "",
            "label_warnings": "",
        }
        for run in (VANILLA, CTC) for epoch in (0, 10, 20, 30) for data in (SOURCE_DATA, "colour", "digits")
    ]  # fmt: skip
    return pd.DataFrame(rows)


def answers(**signs: int) -> pd.DataFrame:
    """Make changes whose intervals lie on the given sides of 0: ``fall_colour=-1``, ``remedy_input=1``..."""
    rows = []
    for question, short in (
        (FALL_QUESTION, "fall"),
        (SECOND_STAGE_QUESTION, "second"),
        (REMEDY_QUESTION, "remedy"),
    ):
        for data in (SOURCE_DATA, "colour", "digits"):
            for quantity in COMPARED_QUANTITIES:
                sign = signs.get(f"{short}_{data}", 0) if quantity.endswith("_acc") else 0
                if quantity == "input_bits" and data == SOURCE_DATA:
                    sign = signs.get(f"{short}_input", 0)
                middle = 0.1 * sign
                rows.append(
                    {
                        "question": question, "data": data, "quantity": quantity,
                        "from_epoch": 20 if short == "second" else (10 if short == "fall" else 30),
                        "to_epoch": 30, "difference": middle, "low": middle - 0.05, "high": middle + 0.05,
                    }
                )  # fmt: skip
    for data in ("colour", "digits"):
        for quantity in ("test_loss_bits", "test_acc", "train_loss_bits"):
            middle = 0.1 * signs.get(f"loss_{data}", 0) if quantity == TEST_LOSS else 0.0
            rows.append(
                {
                    "question": OVER_FITTING_QUESTION, "data": data, "quantity": quantity, "from_epoch": 10,
                    "to_epoch": 30, "difference": middle, "low": middle - 0.05, "high": middle + 0.05,
                }
            )  # fmt: skip
    found = pd.DataFrame(rows).assign(n=400)
    return found.assign(latest_from_epoch=found["from_epoch"], seeds=1)


def test_the_reading_claims_what_the_intervals_show() -> None:
    text = describe(results(), answers(fall_input=-1, fall_colour=-1, remedy_input=1, remedy_colour=1))
    assert "Over-compression was seen at this scale, as far as a lower bound can show it" in text
    assert "the bound fell, and with it transfer to colour" in text
    assert "but not to digits" in text
    assert "CTC's remedy was seen for colour" in text
    assert (
        "InfoNCE's lower bound on I(X;T) on the source changes by -0.10 bits (-0.15 to -0.05) since epoch 10"
        in text
    )
    assert "transfer to colour changes by -10.0 points (-15.0 to -5.0) since epoch 10" in text
    assert "reaches 90.0% on colour (60.0% trained)" in text
    assert "do not cover another seed" in text
    assert "of I(X;T) came with the warnings overfit (18 of 24) and still rising (18 of 24)" in text
    assert "of I(T;Y) came" not in text


@pytest.mark.parametrize(
    ("signs", "said"),
    [
        ({}, "over-compression was not seen at this scale"),
        ({}, "CTC's remedy was not seen"),
        ({"fall_colour": -1}, "over-compression as the cause was not seen"),
        ({"fall_input": -1}, "transfer to none of the targets did by both classifiers"),
        ({"remedy_colour": 1}, "less compression as the reason was not seen"),
        ({"remedy_colour": 1, "remedy_input": 1}, "where no over-compression was seen to be mended"),
        ({"remedy_digits": -1}, "it transfers worse to digits"),
        (
            {"remedy_digits": -1},
            "a gain in transfer above +5.0 points on colour and -5.0 points on digits",
        ),
        ({}, "there is nothing for over-fitting to explain"),
        ({"fall_input": -1, "fall_colour": -1, "remedy_colour": 1}, "less compression as the reason"),
    ],
)
def test_the_reading_does_not_claim_what_was_not_seen(signs: dict[str, int], said: str) -> None:
    text = describe(results(), answers(**signs))
    assert said in text
    assert "remedy was seen" not in text
    if not (signs.get("fall_colour") and signs.get("fall_input")):
        assert "Over-compression was seen" not in text


@pytest.mark.parametrize(
    ("side", "said"),
    [
        (-1, "over-fitting is ruled out as the reason for colour"),
        (
            0,
            "is not seen where colour fell, and a rise of the test loss by more than 0.050 bits",
        ),
        (1, "over-fitting is not ruled out for colour: the test loss rose as well"),
    ],
)
def test_over_fitting_is_ruled_out_by_the_test_loss_alone(side: int, said: str) -> None:
    changes = answers(fall_colour=-1, loss_colour=side)
    assert said in describe(results(), changes)
    text = describe_over_fitting(changes[changes["question"] == OVER_FITTING_QUESTION], ["colour"])
    assert said in text
    assert "digits" not in text


def test_changes_of_several_seeds_have_students_interval() -> None:
    one, other = answers(fall_colour=-1), answers(fall_colour=-1)
    other.loc[other["question"] == FALL_QUESTION, "from_epoch"] = 20
    other["difference"] += 0.02
    found = changes_over_seeds({0: one, 1: other}).set_index(["question", "data", "quantity"])
    row = found.loc[FALL_QUESTION, "colour", "frozen_acc"]
    assert (row["from_epoch"], row["latest_from_epoch"], row["seeds"]) == (10, 20, 2)
    assert row["difference"] == pytest.approx(-0.09)
    assert row["high"] == pytest.approx(-0.09 + 12.706205 * 0.02 / math.sqrt(2) / math.sqrt(2), abs=1e-6)
    text = describe(pd.concat([results(), results().assign(seed=1)]), found.reset_index())
    assert "since each seed's best epoch (10 to 20)" in text
    assert "Student's over 2 seeds" in text
    assert "do not cover another seed" not in text


def test_a_seed_that_is_best_at_its_end_did_not_fall() -> None:
    rises, falls = answers(), answers(fall_colour=-1)
    rises.loc[rises["question"] == FALL_QUESTION, ["difference", "low", "high"]] = [0.0, math.nan, math.nan]
    found = changes_over_seeds({0: rises, 1: falls}).set_index(["question", "data", "quantity"])
    assert found.loc[FALL_QUESTION, "colour", "frozen_acc"]["difference"] == pytest.approx(-0.05)
    both = changes_over_seeds({0: rises, 1: rises}).set_index(["question", "data", "quantity"])
    assert math.isnan(both.loc[FALL_QUESTION, "colour", "frozen_acc"]["low"])


def test_one_classifier_alone_is_not_enough_and_both_are_told() -> None:
    changes = answers(fall_input=-1)
    one = (
        (changes["question"] == FALL_QUESTION)
        & (changes["data"] == "colour")
        & (changes["quantity"] == "frozen_acc")
    )
    changes.loc[one, ["difference", "low", "high"]] = [-0.2, -0.25, -0.15]
    text = describe(results(), changes)
    assert "-20.0 points (-25.0 to -15.0) since epoch 10 by the SGD classifier" in text
    assert "over-compression was not seen" in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"training": {"objective": "simclr"}}, "the objective must be cross_entropy"),
        ({"training": {"keep_every": None}}, "keep_every says what is measured"),
        ({"training": {"keep_every": 2}}, "keep_every 2 must divide the epochs 2 and CTC's border 1"),
        ({"ctc": {"border": 2}}, "ctc.border 2 must lie below epochs 2"),
        ({"targets": {"source": "digits"}}, "'source' is the data trained for"),
        ({"targets": {}}, "targets"),
        ({"ctc": {"alpha": -0.1}}, "alpha"),
        ({"seeds": [3, 0, 3]}, "seed 3 is given twice"),
    ],
)
def test_wrong_recipes_are_named(changes: dict[str, Any], said: str, content: dict[str, Any]) -> None:
    for key, value in changes.items():
        content[key] = content[key] | value if key == "training" else value
    with pytest.raises(InputError, match=said):
        make_recipe(content, TemporalRecipe, "recipe")


@pytest.mark.parametrize("scale", ["smoke", "paper"])
def test_recipes_are_read(scale: str) -> None:
    path = Path(__file__).parents[3] / "analyses" / "recipes" / f"temporal.{scale}.yaml"
    recipe = read_recipe(path, TemporalRecipe)
    assert recipe.border == 2 * recipe.training.epochs // 3


def test_images_trained_on_are_not_measured_on(content: dict[str, Any], tmp_path: Path) -> None:
    content["source"] = content["training"]["data"]
    with pytest.raises(InputError, match="images trained on"):
        run(make_recipe(content, TemporalRecipe, "recipe"), tmp_path / "out")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("targets", {"one": "digits?limit=80&classes=7"}, "has 1 class"),
        ("training", {"encoder": "alexnet_half"}, "encoder alexnet_half fails on images of"),
    ],
)
def test_what_cannot_be_measured_or_read_is_one_line(
    key: str, value: dict[str, Any], said: str, content: dict[str, Any], tmp_path: Path
) -> None:
    content[key] = content[key] | value if key == "training" else value
    with pytest.raises(InputError, match=said) as caught:
        run(make_recipe(content, TemporalRecipe, "recipe"), tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out" / "runs").exists()
