import warnings

import numpy as np
import pandas as pd
import pytest

from mitools.core.errors import DataNote, InputError
from mitools.report.tables.read import read_csv


def test_a_table_is_read_as_it_stands(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('\ufeffencoder,acc,nmi\n"a, b",0.5,\n\nc,1,0.25\n', encoding="utf-8")
    expected = pd.DataFrame({"encoder": ["a, b", "c"], "acc": [0.5, 1.0], "nmi": [np.nan, 0.25]})
    pd.testing.assert_frame_equal(read_csv(path), expected)


def test_a_first_column_without_a_name_is_the_index(tmp_path):
    path = tmp_path / "t.csv"
    expected = pd.DataFrame({"acc": [0.5, 1.0], "nmi": [0.1, 0.2]})
    expected.to_csv(path)
    pd.testing.assert_frame_equal(read_csv(path), expected)


def test_texts_beside_an_index_stay_in_their_rows(tmp_path):
    path = tmp_path / "t.csv"
    table = pd.DataFrame({"self": ["a", "b", "NA"], "acc": [0.5, 1.0, 0.2], "told": [True, None, False]})
    table.to_csv(path)
    assert read_csv(path)["self"].tolist() == ["a", "b", "NA"]
    assert read_csv(path)["told"].dropna().tolist() == [True, False]
    pd.concat([table, table]).to_csv(path)
    assert read_csv(path)["self"].tolist() == ["a", "b", "NA"] * 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"  \n\n", "is empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "no UTF-8 text"),
        (b"a,b\n1,\x002\n", "NUL|no CSV"),
        (b"acc,nmi,acc\n1,2,3\n", "2 columns are called 'acc'"),
        (b"acc,,nmi\n1,2,3\n", "no name"),
        (b"acc,nmi\n1,2\n3\n", "line 3: 1 cells, but the header names 2"),
        (b"acc,nmi\n1,2,3\n", "line 2: 3 cells"),
        (b"acc,nmi\n", "no rows"),
        (b"acc;nmi\n1;2\n", "commas"),
        (b'acc,nmi\n"1,2\n', "no CSV|cells"),
    ],
)
def test_bad_files_are_one_line(tmp_path, content, words):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as error:
        read_csv(path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


def test_absent_files_and_folders_are_named(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_csv(tmp_path / "absent.csv")
    with pytest.raises(InputError, match="is a folder"):
        read_csv(tmp_path)


@pytest.mark.parametrize(
    ("cells", "numbers", "how"),
    [
        (["\u22120.5", "0.25", "1"], [-0.5, 0.25, 1.0], "typographic minus signs"),
        (["50%", "12.5 %", ""], [0.5, 0.125, np.nan], "percents as hundredths"),
        (['"0,5"', '"1,25"', "2"], [0.5, 1.25, 2.0], "decimal commas"),
        (['"\u221212,5 %"', '"7,25 %"', '"1,0 %"'], [-0.125, 0.0725, 0.01], "decimal commas"),
        (['"0,123"', '"0,1234"', "1"], [0.123, 0.1234, 1.0], "decimal commas"),
    ],
)
def test_numbers_in_another_notation_are_read_and_told(tmp_path, cells, numbers, how):
    path = tmp_path / "t.csv"
    path.write_text("name,acc\n" + "".join(f"x,{cell}\n" for cell in cells), encoding="utf-8")
    with pytest.warns(DataNote, match=how):
        table = read_csv(path)
    np.testing.assert_allclose(table["acc"], numbers)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (['"1,234"', '"5,678"'], "column 'acc' holds '1,234', whose comma may part decimals or thousands"),
        (['"1,5"', "2.5"], "may part decimals or thousands"),
        (["50%", "0.5"], "column 'acc' mixes percents and other numbers"),
    ],
)
def test_numbers_that_may_mean_two_things_are_refused(tmp_path, cells, words):
    path = tmp_path / "t.csv"
    path.write_text("name,acc\n" + "".join(f"x,{cell}\n" for cell in cells), encoding="utf-8")
    with pytest.raises(InputError, match=words):
        read_csv(path)


@pytest.mark.parametrize(
    "cells", [["a-b", "c"], ['"x, y"', "z"], ["1.5", "2"], ["2024-01-01", "2024-01-02"], ["100%a", "b"]]
)
def test_texts_and_plain_numbers_are_left_without_a_word(tmp_path, cells):
    path = tmp_path / "t.csv"
    path.write_text("name,acc\n" + "".join(f"x,{cell}\n" for cell in cells), encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataNote)
        assert read_csv(path)["acc"].astype(str).tolist() == [
            cell.strip('"') if cell != "2" else "2.0" for cell in cells
        ]
