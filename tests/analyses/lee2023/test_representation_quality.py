"""The study of measures: which encoders it takes, and which measure it names."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mitools.analyses.lee2023 import representation_quality
from mitools.analyses.lee2023.quality import in_shares, shelf
from mitools.analyses.lee2023.quality.on_halves import measure_halves, oriented
from mitools.analyses.lee2023.quality.together import Quality, correlate_together
from mitools.analyses.lee2023.quality.words import ONE_CLASSIFIER, describe
from mitools.analyses.lee2023.representation_quality import (
    RepresentationQualityRecipe,
    find_checkpoints,
    run,
)
from mitools.analyses.shared import side_by_side
from mitools.backends.runtime import Runtime
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe
from mitools.core.result_store import ResultStore
from mitools.measures.compute import measure
from mitools.measures.representation import Representation
from mitools.statistics.correlation_differences import NOT_TOLD, JointCorrelations
from mitools.training.loop.trainer import train
from mitools.training.recipes import TrainingRecipe


@pytest.fixture
def runs(training: dict[str, Any], tmp_path: Path) -> Path:
    """Two finished runs of another analysis, of three epochs with the untrained network in common."""
    for name, objective in (("a", "class"), ("b", "cross_entropy")):
        changes = {"keep_every": 1, "epochs": 1, "batch_size": 16, "objective": objective}
        recipe = make_recipe(training | changes, TrainingRecipe, name)
        train(recipe, tmp_path / "other" / "runs" / name)
    return tmp_path


def test_checkpoints_are_found_once_each(runs: Path) -> None:
    found = find_checkpoints(runs, at_most=9)
    names = [spec.removeprefix(f"run:{runs}/other/runs/") for spec in found]
    assert names == ["a@epoch=0", "a@epoch=1", "b@epoch=1"], "the two untrained networks are one"
    assert find_checkpoints(runs, at_most=2) == [found[0], found[2]]


def test_two_runs_of_one_method_are_two_on_the_shelf(
    training: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, TrainingRecipe] = {}
    monkeypatch.setattr(shelf, "train_all", lambda recipes, *_: asked.update(recipes) or {})
    sizes = {"class": 16, "simclr": 16, "class again": 8}
    recipes = [
        make_recipe(training | {"objective": name.split()[0], "batch_size": size}, TrainingRecipe, name)
        for name, size in sizes.items()
    ]
    shelf.fill_shelf(recipes, (0, 7), tmp_path, Runtime())
    assert {name: (one.batch_size, one.seed) for name, one in asked.items()} == {
        "class-0": (16, 0), "class-7": (16, 21), "simclr-0": (16, 1), "simclr-7": (16, 22),
        "class_2-0": (8, 2), "class_2-7": (8, 23),
    }, "no two start from one network"  # fmt: skip


def test_clid_is_the_sum_of_two_z_scores() -> None:
    table = pd.DataFrame(
        {"two_nn": [4.0, 6.0, 8.0], "cluster_learnability": [0.9, 0.5, 0.7], "nc1": [1, 2, 3]}
    )
    found = oriented(table, ["two_nn", "cluster_learnability", "nc1"])
    # Means 6 and 0.7, standard deviations (of a sample) 2 and 0.2.
    assert found["clid"].tolist() == pytest.approx([-1 + 1, 0 - 1, 1 + 0])
    assert found["nc1"].tolist() == [-1, -2, -3]
    assert "clid" not in oriented(table, ["two_nn", "nc1"])


@pytest.fixture(scope="module")
def measured() -> list[str]:
    """A few quick measures, so that the study takes seconds."""
    return ["rankme", "logme", "alpha_req", "two_nn", "cluster_learnability"]


@pytest.mark.slow
def test_from_an_empty_folder_to_the_reading(
    training: dict[str, Any],
    evaluation: dict[str, Any],
    measured: list[str],
    tmp_path: Path,
    written: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = {"encoder": "convnet_half", "keep_every": 1, "epochs": 1, "batch_size": 16}  # known to workers too
    shelf = [training | own | {"objective": name}
             for name in ("class", "cross_entropy")]  # fmt: skip
    content = {"shelf": shelf, "shelf_seeds": [0, 1], "measures": measured, "critics": False, "halves": 2}
    recipe = make_recipe(evaluation | content, RepresentationQualityRecipe, "recipe")
    out = tmp_path / "quality"
    found = run(recipe, out)
    assert found is not None
    assert len(found.table) == 8, "four untrained networks, and what they became"
    table = pd.read_csv(out / "measures.csv").set_index("measure")
    assert {"i_class_bits", "rankme", "alpha_req", "clid"} <= set(table.index)
    assert {"within_pearson", "between"} <= set(table.columns)
    own = table.loc["rankme"]
    assert own["pearson"] == pytest.approx(found.table["rankme"].corr(found.table["linear_acc"]))
    distance = -(found.table["alpha_req"] - 1).abs()
    assert table.loc["alpha_req", "pearson"] == pytest.approx(distance.corr(found.table["linear_acc"]))
    differences = pd.read_csv(out / "differences.csv")
    assert len(differences) == len(table) * (len(table) - 1) / 2
    assert found.reading.startswith("Over 8 encoders of 4 runs")
    assert (out / "reading.txt").read_text().strip() == found.reading
    assert {"measures.csv", "differences.csv", "differences_apart.csv", "representation_quality.png"} <= {
        one.name for one in found.files
    }
    assert table["apart_pearson"].between(-1, 1).all()
    before = written(tmp_path)
    again = run(recipe, out)
    assert again is not None
    assert again.reading == found.reading
    assert written(tmp_path) == before, "nothing is trained or measured twice"
    for module in (in_shares, side_by_side):
        monkeypatch.setattr(module, "stream_count", lambda _: 2)
    cells: list[int] = []

    def counted(*arguments: Any) -> None:
        in_shares.measure_in_shares(*arguments)
        cells.append(len(list((tmp_path / "quality in shares" / "cells").iterdir())))

    monkeypatch.setattr(representation_quality, "measure_in_shares", counted)
    shared = run(recipe, tmp_path / "quality in shares")
    assert shared is not None
    assert shared.reading == found.reading, "two processes measure what one does"
    after = len(list((tmp_path / "quality in shares" / "cells").iterdir()))
    assert cells == [after], "and leave nothing to measure"


def test_without_encoders_it_says_what_to_do(evaluation: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run other analyses into folders beside"):
        run(make_recipe(evaluation, RepresentationQualityRecipe, "recipe"), tmp_path / "quality")


def test_runs_trained_on_the_data_are_refused(runs: Path, training: dict[str, Any]) -> None:
    content = {"data": training["data"], "encoders": find_checkpoints(runs, 9) * 2}
    recipe = make_recipe(content, RepresentationQualityRecipe, "recipe")
    with pytest.raises(InputError, match="images trained on"):
        run(recipe, runs / "quality")


def audited(rows: list[np.ndarray], labels: np.ndarray, groups: np.ndarray | None, specs: list[str]) -> Any:
    """What the study reads of an audit, with every measure's column."""
    encoders = [
        SimpleNamespace(
            spec=spec, features=own, row={"linear_acc": float(number), "logme": 0.0, "rankme": 1.0}
        )
        for number, (spec, own) in enumerate(zip(specs, rows, strict=True))
    ]
    parts = SimpleNamespace(groups=groups)
    return SimpleNamespace(
        labels=labels, parts=parts, prior="empirical", encoders=encoders, last_layers=lambda: encoders
    )


def test_halves_keep_groups_in_one_part(tmp_path: Path) -> None:
    """Copies of an item in both parts would tell its label, which is drawn at random."""
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.standard_normal((80, 60)), 4, axis=0).astype(np.float32)
    labels, groups = np.repeat(rng.integers(0, 2, 80), 4), np.repeat(np.arange(80), 4)
    accuracies = []
    for own in (None, groups):
        audit = audited([rows], labels, own, ["a"])
        store = ResultStore(tmp_path / str(own is None))
        halves = measure_halves(audit, audit.encoders, ["linear_acc"], store, 4, 0)
        accuracies.append(np.mean([half["linear_acc"].iloc[0] for half in halves]))
    assert accuracies[0] > 0.7
    assert 0.3 < accuracies[1] < 0.7


def test_what_lies_within_families_is_told_from_what_lies_between(tmp_path: Path) -> None:
    """Rows that tell the labels, by a scale of the family and a clarity of the encoder."""
    rng = np.random.default_rng(0)
    labels = np.arange(160) % 4
    runs, specs, rows = tmp_path / "runs", [], []
    for number in range(12):
        method, clarity = ("class", "simclr")[number % 2], rng.uniform(0.2, 2.0)
        folder = runs / str(number)
        folder.mkdir(parents=True)
        (folder / "recipe.yaml").write_text(f"encoder: convnet\nmethod: {method}\ndata: digits\n")
        specs.append(f"run:{folder}")
        own = clarity * np.eye(8)[labels] + 0.5 * rng.standard_normal((160, 8))
        rows.append((own * (1 + 9 * (number % 2))).astype(np.float32))
    audit = audited(rows, labels, None, specs)
    for encoder, own in zip(audit.encoders, rows, strict=True):
        found = measure(["linear_acc", "logme", "rankme"], Representation.of_arrays(own, labels)).numbers
        encoder.row = dict(found)
    found = correlate_together(audit, ResultStore(tmp_path / "cells"), 2, 0)
    assert found.within is not None
    assert found.within.clusters == 12
    results = pd.DataFrame([encoder.row for encoder in audit.encoders])
    centred = results - results.groupby(np.arange(12) % 2).transform("mean")
    table = found.table.set_index("measure")
    for name in ("logme", "rankme"):
        assert table.loc[name, "within_pearson"] == pytest.approx(centred[name].corr(centred["linear_acc"]))
        assert table.loc[name, "pearson"] == pytest.approx(results[name].corr(results["linear_acc"]))
    assert {"same_half_pearson", "apart_pearson_low", "between"} <= set(table.columns)
    assert "Within families" in describe(found)


def correlations(pearson: dict[str, float]) -> JointCorrelations:
    names = sorted(pearson, key=lambda name: -pearson[name])
    table = pd.DataFrame(
        {"measure": names, "pearson": [pearson[name] for name in names]}
        | {
            f"pearson_{end}": [pearson[name] + move for name in names]
            for end, move in (("low", -0.1), ("high", 0.1))
        }
    )
    rows = [
        (a, b, "a goes better" if pearson[a] - pearson[b] > 0.3 else NOT_TOLD)
        for place, a in enumerate(names) for b in names[place + 1 :]
    ]  # fmt: skip
    differences = pd.DataFrame(rows, columns=["measure_a", "measure_b", "verdict"])
    return JointCorrelations(table, differences, 10, 5)


APART = (
    f" {ONE_CLASSIFIER} a 0.55 and 0.50 (0.40 to 0.60). 0 of 0 pairs of measures are told apart (95% for all"
    " together, Holm)."
)


def quality(apart: dict[str, float] | None = None, **pearson: float) -> Quality:
    joint, other = correlations(pearson), correlations(apart or {"a": 0.5})
    table = other.measures.assign(same_half_pearson=other.measures["pearson"] + 0.05)
    return Quality(joint, other, None, table, (0.5, 0.9), [], [])


def test_the_words_follow_what_is_told_apart() -> None:
    clear = describe(quality(alignment=0.1, i_class_bits=0.97, tolerance=0.3))
    assert "I_class 0.97 (0.87 to 1.07), tolerance 0.30" in clear
    assert "2 of 3 pairs of measures are told apart" in clear
    assert clear.endswith(f"; I_class goes better with accuracy than tolerance and alignment.{APART}")
    assert "accuracy (50.0% to 90.0%)" in clear
    near = describe(quality(i_class_bits=0.97, tolerance=0.9, uniformity=0.1))
    assert near.endswith(
        f"I_class goes better with accuracy than uniformity; it is not told apart from tolerance.{APART}"
    )
    other = describe(quality(i_class_bits=0.5, tolerance=0.9, uniformity=0.45))
    assert "worse with accuracy than tolerance; it is not told apart from uniformity." in other
    assert "is not told apart from any other." in describe(quality(i_class_bits=0.5, rankme=0.4))
    apart = describe(quality({"i_class_bits": 0.9, "rankme": 0.2}, i_class_bits=0.5, rankme=0.4))
    assert "is not told apart from any other. Linear accuracy" in apart
    values = "I_class 0.95 and 0.90 (0.80 to 1.00) and rankme 0.25 and 0.20 (0.10 to 0.30)"
    assert f"{ONE_CLASSIFIER} {values}" in apart
    assert apart.endswith("Holm); I_class goes better with accuracy than rankme.")
    more = quality(i_class_bits=0.5, rankme=0.4)._replace(
        within=correlations({"rankme": 0.9, "i_class_bits": 0.1}), left_out=["nc1"]
    )
    assert (
        "Not compared, since some encoder has no number of it: nc1. Within families (a method on its data),"
        " whose means are taken off, it is rankme 0.90 (0.80 to 1.00) and I_class 0.10 (0.00 to 0.20). 1 of 1"
    ) in describe(more)
    assert "I_class goes worse with accuracy than rankme" in describe(more)
    many = describe(quality(i_class_bits=0.9, **{f"m{k}": k / 20 for k in range(12)}))
    assert "; least is m0 0.00 (-0.10 to 0.10)" in many
