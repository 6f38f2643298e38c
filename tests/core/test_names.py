"""Names of other people's data are shown as they are, and move nothing and run nothing."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mitools.core import names
from mitools.core.names import printable, spreadsheet_cell, text_of_spreadsheet_cell


def test_its_examples_run() -> None:
    assert doctest.testmod(names).failed == 0


@pytest.mark.parametrize("text", ["", "red fox", "größe", "two\nlines", "狐"])
def test_ordinary_names_are_printed_as_they_are(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("a\rb", "a\\rb"),
        ("\u202egpj", "\\u202egpj"),
        ("a\tb", "a\\tb"),
        ("\x07", "\\x07"),
    ],
)
def test_what_moves_a_cursor_is_printed_as_its_code(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(text).isprintable()


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+cmd", "-x", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_is_written_as_text(text: str) -> None:
    assert spreadsheet_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-0.5", "+1e-3", "-inf", "pca?k=2", "", "'tis", "'-0.5"])
def test_numbers_and_names_stay(text: str) -> None:
    assert spreadsheet_cell(text) == text


@given(st.text(alphabet="'=+-@\t\r1a", max_size=5))
def test_the_text_of_a_cell_is_the_one_that_was_written(text: str) -> None:
    assert text_of_spreadsheet_cell(spreadsheet_cell(text)) == text
