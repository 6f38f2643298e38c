import json

import numpy as np
import pandas as pd
import pytest

from mitools.estimators.bounds.reading import Reading
from mitools.report.tables.write import records, write_csv, write_tables
from mitools.statistics.correlation import CORRELATION_COLUMNS, correlate
from mitools.statistics.paired_differences import COMPARISON_COLUMNS, compare

RESULTS = pd.DataFrame(
    {
        "encoder": ["pixels", "pca, 16", 'say "hi"'],
        "n": [100, 100, 100],
        "i_class_bits": [1.23456789012345678, np.nan, 2.0],
        "i_class_identified": [False, False, True],
        "i_simclr_bits": [np.nan] * 3,
        "linear_acc": [0.5, 0.625, 0.75],
        "warnings": ["", "saturated: at the ceiling", ""],
    }
)


def test_every_table_reads_back_as_it_was(tmp_path):
    correlation = correlate(RESULTS, "linear_acc", bootstrap=100)
    comparisons = compare({name: Reading(1.0, np.array([0.5, -0.5])) for name in RESULTS.encoder})
    paths = write_tables(RESULTS, correlation, comparisons, tmp_path / "new")
    assert {path.name for path in paths} == {path.name for path in (tmp_path / "new").iterdir()} == {
        "results.csv", "results.parquet", "results.json", "correlation.csv", "comparisons.csv",
    }  # fmt: skip
    folder = tmp_path / "new"
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "results.parquet"), RESULTS)
    read = pd.read_csv(
        folder / "results.csv", keep_default_na=False, na_values={"i_class_bits": "", "i_simclr_bits": ""}
    )
    pd.testing.assert_frame_equal(read, RESULTS, check_exact=True)
    read = pd.read_csv(folder / "correlation.csv").fillna({"note": ""})
    pd.testing.assert_frame_equal(read, correlation, check_dtype=False)
    assert list(pd.read_csv(folder / "comparisons.csv").columns) == list(COMPARISON_COLUMNS)
    document = json.loads((folder / "results.json").read_text())
    assert [row["encoder"] for row in document] == list(RESULTS.encoder)
    assert document[0]["i_class_bits"] == RESULTS.i_class_bits[0]
    assert document[1]["i_class_bits"] is None
    assert [row["i_class_identified"] for row in document] == [False, False, True]
    assert document[2]["n"] == 100


def test_absent_tables_replace_an_earlier_runs(tmp_path):
    (tmp_path / "correlation.csv").write_text("old")
    (tmp_path / "comparisons.csv").write_text("old")
    write_tables(RESULTS[:1], None, None, tmp_path)
    assert (tmp_path / "correlation.csv").read_text() == ",".join(CORRELATION_COLUMNS) + "\n"
    assert (tmp_path / "comparisons.csv").read_text() == ",".join(COMPARISON_COLUMNS) + "\n"


def test_a_file_that_fails_half_way_leaves_the_older_one(tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    write_csv(RESULTS, path)
    before = path.read_bytes()

    def half(self, target, **options):
        target.write_text("encod")
        raise OSError("no space left")

    monkeypatch.setattr(pd.DataFrame, "to_csv", half)
    with pytest.raises(OSError, match="no space"):
        write_csv(RESULTS, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_records_are_json_whatever_the_column_type():
    table = pd.DataFrame(
        {
            "i": np.array([1, 2], dtype=np.int32),
            "f": np.array([np.inf, 0.5], dtype=np.float32),
            "b": np.array([True, False]),
            "s": pd.array(["x", None], dtype="string"),
            "w": pd.array([1, None], dtype="Int64"),
            "o": [None, "y"],
        }
    )
    assert json.loads(json.dumps(records(table), allow_nan=False)) == [
        {"i": 1, "f": None, "b": True, "s": "x", "w": 1, "o": None},
        {"i": 2, "f": 0.5, "b": False, "s": None, "w": None, "o": "y"},
    ]


def test_names_of_other_people_run_nothing_in_a_spreadsheet(tmp_path):
    table = pd.DataFrame({"encoder": ["=1+2", "a=b", None], "bits": [-0.5, 1.0, 2.0], "-x": [1, 2, 3]})
    write_csv(table, tmp_path / "table.csv")
    lines = (tmp_path / "table.csv").read_text().splitlines()
    assert lines == ["encoder,bits,'-x", "'=1+2,-0.5,1", "a=b,1.0,2", ",2.0,3"]
    assert table["encoder"][0] == "=1+2"
