"""``mitools.audit`` and the command on continuous targets, and on several labels an item."""

import json
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

import mitools
from mitools.core.errors import InputError

RNG = np.random.default_rng(0)
N = 300
ROWS = RNG.standard_normal((N, 4)).astype(np.float32)
NOISE = RNG.standard_normal((N, 4)).astype(np.float32)
AGE = ROWS.sum(axis=1) / 2 + 0.5 * RNG.standard_normal(N)
LABELS = (ROWS[:, :2] + 0.3 * RNG.standard_normal((N, 2)) > 0).astype(int)
TRUTH = np.log2(5) / 2  # bits about AGE


def audit(encoders, data, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mitools.audit(encoders, data, critic=False, progress=False, **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("targets")


@pytest.fixture(scope="module")
def continuous(folder):
    return audit({"rows": ROWS, "noise": NOISE, "half": ROWS[:, :2]}, (ROWS, AGE), folder=folder / "age")


def test_the_table_has_the_bound_its_null_and_the_score(continuous):
    rows = continuous.table.set_index("encoder")
    assert rows.loc["rows", "i_target_low"] < TRUTH
    assert rows.loc["rows", "i_target_bits"] > 0.8 * TRUTH
    assert rows.loc["noise", "i_target_low"] <= 0
    assert set(rows["i_target_kind"]) == {"lower bound"}
    assert (rows["i_target_null"].abs() < 0.05).all()
    assert rows.loc["rows", "r2"] == pytest.approx(0.8, abs=0.05)
    assert list(continuous.targets["target"]) == ["y"] * 3


def test_encoders_are_compared_on_the_same_items_and_correlated_with_r2(continuous):
    first = continuous.comparisons.iloc[0]
    assert (first["encoder_a"], first["encoder_b"], first["verdict"]) == ("rows", "noise", "a carries more")
    assert set(continuous.correlation["column"]) == {"i_target_bits", "i_predicted_bits"}
    assert mitools.correlate(continuous.table, target="r2").table["column"].tolist()
    assert "From most to least target information, every two told apart: rows, half and noise." in " ".join(
        continuous.finding
    )


def test_the_folder_has_tables_figure_and_page(continuous, folder):
    names = {path.name for path in continuous.files}
    assert {"results.csv", "targets.csv", "estimates.json", "targets.png", "report.html"} <= names
    written = pd.read_csv(folder / "age" / "results.csv")
    np.testing.assert_allclose(written["i_target_bits"], continuous.table["i_target_bits"])
    page = (folder / "age" / "report.html").read_text()
    assert "What 3 encoders say of the targets of rows" in page
    assert "certified" in page
    assert json.loads((folder / "age" / "estimates.json").read_text())["kind"] == "continuous"
    assert continuous.report(folder / "alone.html").is_file()


def test_a_second_audit_adds_its_rows_and_other_targets_are_refused(folder, continuous):
    again = audit({"two": ROWS[:, :3]}, (ROWS, AGE), folder=folder / "age")
    assert list(again.table["encoder"]) == ["rows", "noise", "half", "two"]
    np.testing.assert_array_equal(again.table["i_target_bits"][:3], continuous.table["i_target_bits"])
    with pytest.raises(InputError, match="holds an audit of rows with another data, targets"):
        audit({"rows": ROWS}, (ROWS, AGE + 1), folder=folder / "age")


def test_several_labels_are_read_one_by_one_and_together(folder):
    frame = pd.DataFrame(ROWS).assign(cat=LABELS[:, 0], dog=LABELS[:, 1])
    found = audit({"rows": ROWS}, frame, label=["cat", "dog"], target="multi-label", folder=folder / "pets")
    row, each = found.table.iloc[0], found.targets.set_index("target")
    assert row["i_target_bits"] == pytest.approx(each["i_target_bits"].sum(), abs=0.02)  # independent labels
    assert row["h_y_bits"] == pytest.approx(2, abs=0.02)
    assert row["mean_average_precision"] == pytest.approx(each["average_precision"].mean())
    assert row["mean_average_precision"] > 0.95 > 0.6 > row["mean_prevalence"]
    assert (each["i_class_bits"] < each["i_target_bits"]).all()
    assert "Target by target" in (folder / "pets" / "report.html").read_text()
    assert "multi-label" in repr(found)
    assert "<table" in found._repr_html_()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"pairing": "same_class,simclr"}, "--pairing goes by classes"),
        ({"measures": "quick"}, "--measures goes by classes"),
        ({"prior": "uniform"}, "--prior uniform goes by classes"),
        ({"similarity": "linear_cka", "encoders": [ROWS, ROWS]}, "similarity goes by classes"),
        ({"test_data": (ROWS, AGE)}, "test_data goes by classes"),
        ({"encoders": {"rows": ROWS[:9]}, "data": (ROWS[:9], AGE[:9])}, "needs 20 or more"),
    ],
)
def test_what_goes_by_classes_is_refused_in_one_line(options, said):
    given = {"encoders": {"rows": ROWS}, "data": (ROWS, AGE)} | options
    with pytest.raises(InputError) as caught:
        audit(**given)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_the_command_prints_what_python_finds(tmp_path):
    np.savez(tmp_path / "a.npz", features=ROWS, labels=AGE, clip=np.arange(N) // 2)
    run = [sys.executable, "-P", "-m", "mitools", "audit", "--encoder", f"features:{tmp_path}/a.npz"]
    done = subprocess.run(
        [*run, "--no-critic", "--out", tmp_path / "out"], capture_output=True, text=True, check=True
    )
    assert "label is read as continuous; say otherwise with target=class" in done.stderr
    assert "bits about the target, a lower bound" in done.stdout
    document = subprocess.run(
        [*run, "--no-critic", "--out", tmp_path / "out", "--json"], capture_output=True, text=True, check=True
    )
    expected = audit({"a": ROWS}, (ROWS, AGE)).table["i_target_bits"][0]
    assert json.loads(document.stdout)["results"][0]["i_target_bits"] == pytest.approx(expected, abs=1e-6)


def test_encoders_whose_copies_differ_are_left_out_of_the_pairs():
    age = AGE.copy()
    age[250:] = age[:50]
    copied = ROWS.copy()
    copied[250:] = copied[:50]
    found = audit({"rows": ROWS, "half": ROWS[:, :2], "copied": copied}, (ROWS, age))
    assert set(found.comparisons["encoder_a"]) | set(found.comparisons["encoder_b"]) == {"rows", "half"}
    assert len(found.table) == 3
    assert not any("copied" in sentence for sentence in found.finding[1:])


@pytest.mark.parametrize("copied", [True, False])
def test_test_items_that_are_copies_of_training_items_are_told(tmp_path, copied):
    rows, age = ROWS.copy(), AGE.copy()
    if copied:
        rows[200:280], age[200:280] = rows[:80], age[:80]
    for part, places in (("train", slice(200)), ("test", slice(200, N))):
        np.savez(tmp_path / f"{part}.npz", features=rows[places], labels=age[places])
    data = f"features:{tmp_path}/train.npz?train=train.npz&test=test.npz&target=continuous"
    row = audit("builtin:pixels", data, cache=None).table.iloc[0]
    assert ("copies" in row["warnings"]) is copied


def test_a_quick_critic_is_one_and_a_schedule_is_refused():
    found = mitools.audit(
        {"rows": ROWS}, (ROWS, AGE), quick_critic=True, control=False, progress=False, cache=None
    )
    settings = found.estimates["rows"]["i_target_infonce"].settings
    assert list(settings["hidden"]) == [128, 128]
    with pytest.raises(InputError, match="test_schedule goes by classes"):
        audit({"rows": ROWS}, (ROWS, AGE), test_schedule="imsvd")
