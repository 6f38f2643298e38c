"""The study of task dependence: sixteen pairs, and the paper's observations as they are found."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mitools.analyses.lee2023.task_dependence import TaskDependenceRecipe, describe, run
from mitools.analyses.shared.evaluation import TASKS
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe
from mitools.training.loop.run_folder import RunFolder


def test_every_encoder_is_measured_on_every_task(
    training: dict[str, Any], evaluation: dict[str, Any], tmp_path: Path
) -> None:
    content = {"training": training | {"batch_size": 16, "epochs": 1}, "evaluation": evaluation}
    found = run(make_recipe(content, TaskDependenceRecipe, "recipe"), tmp_path)
    assert found is not None
    assert found.table.groupby("trained_on", sort=False)["task"].apply(list).to_dict() == {
        task: list(TASKS) for task in (*TASKS, "nothing")
    }
    expected = found.table["task"].map({"color": 1, "digit": 1, "position": 1, "all": 3})
    np.testing.assert_allclose(found.table["h_c_bits"], expected)
    np.testing.assert_allclose(found.table["i_class_share"], found.table["i_class_bits"] / expected)
    assert RunFolder(tmp_path / "runs" / "digit").recipe().data.endswith("&shared=digit")
    kept = pd.read_csv(tmp_path / "results.csv")
    assert describe(kept) == found.reading
    accuracy = kept.set_index(["trained_on", "task"])["linear_acc"]
    for task in ("color", "digit", "position"):
        assert f"{accuracy['all', task]:.1%} (alone {accuracy[task, task]:.1%})" in found.reading
    names = {path.name for path in found.files}
    assert names == {
        "results.csv",
        "reading.txt",
        "task_dependence.png",
        "task_dependence.svg",
        "task_dependence.pdf",
    }
    drawn = (tmp_path / "task_dependence.svg").read_text()
    assert drawn.count(f">{accuracy['all', 'color']:.2f}<") >= 1


def table(**shares: float) -> pd.DataFrame:
    """Every pair keeps 0.95, but for those named ``TRAINED_on_TASK``; accuracy is the share."""
    rows = [
        {"trained_on": a, "task": b, "i_class_share": shares.get(f"{a}_on_{b}", 0.95)}
        for a in (*TASKS, "nothing")
        for b in TASKS
    ]
    return pd.DataFrame(rows).assign(linear_acc=lambda rows: rows["i_class_share"])


def test_the_observations_are_confirmed_where_they_hold() -> None:
    text = describe(table(color_on_digit=0.3, digit_on_color=0.2, nothing_on_digit=0.5))
    assert "at least 0.95 of H(C)" in text
    assert "above 0.8, as it should" in text
    assert "that hurts no single task, as in Lee et al." in text
    assert "it survives every pairing, as in Lee et al." in text
    assert "color falls to 0.20 (trained on digit) and digit falls to 0.30 (trained on color)" in text
    assert "The untrained network holds, of H(C), color 0.95, digit 0.50 and position 0.95" in text


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ({"digit_on_digit": 0.7}, "at least 0.70 of H(C) of the task they were trained on (digit has"),
        ({"all_on_digit": 0.9}, "that hurts digit, unlike in Lee et al."),
        ({"color_on_position": 0.6}, "0.60 of H(C) is left (trained on color): it does not survive every"),
    ],
)
def test_the_reading_says_otherwise_where_they_do_not(shares: dict[str, float], said: str) -> None:
    assert said in describe(table(**shares))


@pytest.mark.parametrize("data", ["digits", "cdp?shared=color"])
def test_other_data_and_named_tasks_are_refused(
    data: str, training: dict[str, Any], evaluation: dict[str, Any]
) -> None:
    content = {"training": training | {"data": data}, "evaluation": evaluation}
    with pytest.raises(InputError, match="without shared="):
        make_recipe(content, TaskDependenceRecipe, "recipe")
