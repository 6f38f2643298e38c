import numpy as np
import pandas as pd
import pytest

from mitools.core.errors import InputError
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
