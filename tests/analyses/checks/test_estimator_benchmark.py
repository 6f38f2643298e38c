"""The benchmark of estimators: right by hand, goes on where it stopped, blanks have reasons."""

import numpy as np
import pandas as pd
import pytest

from mitools.analyses.checks.estimator_benchmark import describe, main, run, summarise, why_left_out
from mitools.core.errors import InputError
from mitools.datasets.known_information.tasks import find_task

TASKS = ["normal 1x1", "symmetric channel 8 symbols", "labelled intervals"]
METHODS = ["auto", "gaussian", "discrete", "mixed_ksg"]


def test_from_tasks_to_files_and_again(tmp_path):
    found = run(METHODS, tmp_path, TASKS, n=500, seed=5)
    table = found.table.set_index(["task", "method"])
    known = find_task("normal 1x1").sample(500, seed=5)
    cell = table.loc[("normal 1x1", "auto")]
    assert cell["truth"] == known.nats
    assert cell["error"] == pytest.approx(cell["nats"] - known.nats)
    assert abs(cell["error"]) < 0.15
    assert cell["low"] < cell["nats"] < cell["high"]
    assert (cell["d_x"], cell["d_y"], cell["chosen"]) == (1, 1, "ksg")
    applies = table["nats"].notna().unstack()
    assert applies["auto"].all()
    assert list(applies.loc[TASKS, "gaussian"]) == [True, False, False]
    assert list(applies.loc[TASKS, "discrete"]) == [False, True, False]
    assert list(applies.loc[TASKS, "mixed_ksg"]) == [False, False, True]
    assert (table["left_out"].notna() == table["nats"].isna()).all()
    assert all(path.stat().st_size for path in found.files)
    names = {path.name for path in found.files}
    assert names == {"results.csv", "summary.csv", "reading.txt", "errors.png", "errors.svg", "errors.pdf"}

    written = {path: path.stat().st_mtime_ns for path in tmp_path.glob("cells/*.json")}
    assert len(written) == len(TASKS) * len(METHODS)
    again = run(METHODS, tmp_path, TASKS, n=500, seed=5)
    assert again.reading == found.reading
    pd.testing.assert_frame_equal(again.table, found.table)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("cells/*.json")} == written


def readings(**errors):
    rows = []
    for method, values in errors.items():
        for task, error in enumerate(values):
            nats = None if error is None else 1 + error
            low, high = (None, None) if error is None else (nats - 0.1, nats + 0.1)
            rows.append(
                {"task": f"task {task}", "method": method, "truth": 1.0, "nats": nats, "low": low}
                | {"high": high, "error": error, "seconds": 2.0 * task}
            )
    return pd.DataFrame(rows)


def test_the_summary_by_hand():
    summary = summarise(readings(far=[0.3, -0.1], near=[0.02, -0.06], partly=[None, 0.2], never=[None, None]))
    assert list(summary["method"]) == ["near", "far", "partly"] or list(summary["method"]) == [
        "near",
        "partly",
        "far",
    ]
    far = summary.set_index("method").loc["far"]
    assert far["tasks"] == 2
    assert far["mean_abs_error"] == pytest.approx(0.2)
    assert far["max_abs_error"] == pytest.approx(0.3)
    assert far["mean_error"] == pytest.approx(0.1)
    assert far["worst_task"] == "task 0"
    assert far["covered"] in (0.0, 0.5)
    assert far["median_seconds"] == 1.0
    assert summary.set_index("method").loc["partly", "tasks"] == 1


def test_the_reading_says_who_stays_within_the_aim():
    text = describe(summarise(readings(near=[0.02, -0.04], far=[0.3, 0.1])))
    assert "near is off by 0.030 nats on average over 2 tasks, and by 0.040 at most (task 1)" in text
    assert "Of these near stays within" in text
    assert "Of these none stays within" in describe(summarise(readings(far=[0.3, 0.1])))
    assert "Of these one and two stay within" in describe(summarise(readings(one=[0.01], two=[0.02])))


@pytest.mark.parametrize(
    ("method", "task", "reason"),
    [
        ("auto", "symmetric channel 8 symbols", ""),
        ("ksg", "normal 1x1", ""),
        ("ksg", "labelled intervals", "needs numbers, and one side is symbols"),
        ("label_information", "normal 1x1", "needs labels"),
        ("label_information", "labelled intervals", ""),
        ("class_posterior", "labelled intervals", "bounds what two items of one class share, and not I(X;Y)"),
        ("mixed_ksg", "symmetric channel 8 symbols", "needs numbers beside the labels"),
        ("barber_agakov", "dense normal 2x2", "needs one column y"),
        ("barber_agakov", "normal 1x1", ""),
        ("nt_xent", "swiss roll 2x1", "needs as many columns on both sides"),
        ("pairwise_upper", "labelled intervals", "bounds what rows with noise share, and not these rows"),
    ],
)
def test_why_a_method_is_left_out(method, task, reason):
    assert why_left_out(method, find_task(task).sample(50)) == reason


def test_the_command(tmp_path, capsys):
    arguments = ["--methods", "gaussian", "--tasks", "normal 1x1", "--n", "300", "--out", str(tmp_path)]
    assert main(arguments) == 0
    assert "gaussian is off by" in capsys.readouterr().out
    assert np.isfinite(pd.read_csv(tmp_path / "results.csv")["error"]).all()
    assert main([*arguments[:1], "gausian", *arguments[2:]]) == 2
    assert "did you mean gaussian" in capsys.readouterr().err


def test_unknown_tasks_are_refused(tmp_path):
    with pytest.raises(InputError, match="unknown task"):
        run(["ksg"], tmp_path, ["normal"])
