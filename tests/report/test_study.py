"""A study's tables: one row a cell, one an encoder, in every format."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mitools.core.errors import InputError
from mitools.core.estimate import Interval
from mitools.measures.measured import Difference
from mitools.report.study import cell_table, encoder_table, markdown, write_table
from mitools.studies.definition import Cell
from mitools.studies.folder import Found


@pytest.fixture
def cells() -> pd.DataFrame:
    found = [
        Found(Cell("d", "a", "", "linear_acc", seed), "done", {"value": value, "seconds": 1.0}, "")
        for seed, value in enumerate([0.5, 0.7])
    ]
    found.append(Found(Cell("d", "b", "", "linear_acc", 0), "failed", {}, "no such file"))
    return cell_table(found, {"a": "first"})


def test_an_encoders_row_is_the_mean_over_its_seeds(cells: pd.DataFrame) -> None:
    (row,) = encoder_table(cells).to_dict("records")
    assert row == {
        "data": "d",
        "encoder": "a",
        "family": "first",
        "seeds": 2,
        "linear_acc": pytest.approx(0.6),
    }


def test_failed_cells_keep_their_error(cells: pd.DataFrame) -> None:
    assert list(cells["state"]) == ["done", "done", "failed"]
    assert cells["error"].iloc[2] == "no such file"


def test_a_difference_has_bits_and_an_interval() -> None:
    gain = Difference(np.log(2), Interval(0.0, np.log(4), 0.95))
    found = Found(Cell("d", "a", "", "control_gain", 0), "done", {"difference": gain.to_dict()}, "")
    (row,) = cell_table([found], {}).to_dict("records")
    assert (row["value"], row["unit"], row["low"], row["high"]) == (1.0, "bits", 0.0, 2.0)


@pytest.mark.parametrize("ending", ["csv", "parquet", "tex", "md"])
def test_every_format_holds_the_numbers(tmp_path: Path, ending: str) -> None:
    table = pd.DataFrame({"encoder": ["a_b", "c|d"], "mi": [1.25, float("nan")]})
    path = tmp_path / f"table.{ending}"
    write_table(table, path)
    if ending in ("csv", "parquet"):
        read = pd.read_csv(path) if ending == "csv" else pd.read_parquet(path)
        pd.testing.assert_frame_equal(read, table, check_dtype=False)
    else:
        text = path.read_text()
        assert "1.250" in text
        assert ("a\\_b" if ending == "tex" else "c\\|d") in text
        assert "nan" not in text.lower()


def test_markdown_is_a_table() -> None:
    assert markdown(pd.DataFrame({"n": [3], "x": [0.5]})) == "| n | x |\n|---|---|\n| 3 | 0.500 |\n"


def test_names_of_other_people_stay_in_their_cell(tmp_path: Path) -> None:
    names = ["a|b", "a\nb", "a\x1b[2Jb", "<b>", "a & b_c$"]
    table = pd.DataFrame({"encoder": names, "n": 1})
    rows = markdown(table).splitlines()
    assert rows[2:] == [f"| {cell} | 1 |" for cell in (r"a\|b", r"a\nb", r"a\x1b[2Jb", "&lt;b>", "a & b_c$")]
    write_table(table, tmp_path / "x.tex")
    latex = (tmp_path / "x.tex").read_text()
    assert r"a \& b\_c\$" in latex
    assert "\x1b" not in latex


def test_an_unknown_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no format 'xlsx'"):
        write_table(pd.DataFrame(), tmp_path / "table.xlsx")


def test_a_row_shows_the_name_that_its_spec_asks_for() -> None:
    found = [Found(Cell("d", "builtin:pca?k=4&name=small", "", "nmi", 0), "done", {"value": 0.5}, "")]
    (row,) = encoder_table(cell_table(found, {"builtin:pca?k=4&name=small": "pca"})).to_dict("records")
    assert (row["encoder"], row["family"]) == ("small", "pca")
