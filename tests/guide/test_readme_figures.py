"""The README's figures and numbers are those of the commands beside them."""

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from mitools.analyses.registry import ANALYSES
from mitools.core.specs import parse_spec, shown_name
from mitools.encoders.open import SOURCES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
AUDIT = ROOT / "analyses" / "results" / "cifar10_audit"


@pytest.fixture(scope="module")
def results():
    return pd.read_csv(AUDIT / "results.csv")


@pytest.fixture(scope="module")
def command():
    """The options of the audit whose numbers the README shows."""
    code = next(
        block for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL) if "cifar10_audit" in block
    )
    return shlex.split(code.replace("\\\n", " "))


def test_every_figure_is_there_and_a_picture():
    figures = re.findall(r"!\[.*?\]\((.*?)\)", README)
    assert len(figures) == 2
    for path in figures:
        with Image.open(ROOT / path) as picture:
            assert min(picture.size) > 200


def test_the_command_names_the_encoders_and_the_options_of_the_kept_audit(command, results):
    specs = [value for option, value in pairwise(command) if option == "--encoder"]
    assert [shown_name(spec) for spec in specs] == results["encoder"].tolist()
    assert {parse_spec(spec, SOURCES).source for spec in specs} == set(results["source"])
    assert ("--no-control" in command) == results["control_i_class_bits"].isna().all()
    assert ("--no-critic" in command) == ("i_class_infonce_bits" not in results)
    assert ("--pairing" in command) == any("simclr" in name for name in results)


def test_the_table_has_the_numbers_of_the_kept_audit(results):
    rows = re.findall(r"^\| (resnet\d+) \| (.*) \|$", README, re.MULTILINE)
    assert [
        (
            row.encoder,
            f"{row.i_class_bits:.3f} | {row.i_class_low:.3f} to {row.i_class_high:.3f} |"
            f" {row.label_information_bits:.3f} | {row.i_class_infonce_bits:.3f} | {row.linear_acc:.1%}",
        )
        for row in results.itertuples()
    ] == rows
    assert f"H(C) = {results['h_c_bits'].iloc[0]:.3f} bits" in README


def test_the_figure_of_an_analysis_is_the_one_that_its_command_writes():
    (name,) = re.findall(r"\*`mitools run (\w+)`:", README)
    assert name in ANALYSES
    assert f"(analyses/results/{name}/{name}.png)" in README
    reading = (ROOT / "analyses" / "results" / name / "reading.txt").read_text()
    most = max(float(bits) for bits in re.findall(r"by (\d+\.\d+) bits", reading))
    assert f"up to {most:.1f} bits of I(X;T)" in README
    assert "8 of 8 networks" in reading
    assert "5 of 8 networks" in reading
    assert "three of the eight ReLU networks" in README.replace("\n", " ")


def test_the_accuracy_of_auto_is_that_of_its_kept_benchmark():
    kept = pd.read_csv(ROOT / "analyses" / "results" / "estimator_benchmark_auto" / "summary.csv").iloc[0]
    said = README.replace("\n ", "")
    assert f"{kept.tasks} of them, read since on a fresh seed" in said.replace("  ", " ")
    assert f"by {kept.max_abs_error:.3f} at most" in said.replace("  ", " ")
    assert abs(kept.mean_abs_error - 0.009) < 0.001


def test_every_row_of_the_studies_is_an_analysis_and_every_analysis_has_a_row():
    table = README.split("| name | asks |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(ANALYSES)
