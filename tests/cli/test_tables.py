"""No number and no name is cut, whatever the width."""

import pytest

from mitools.cli.terminal.tables import table_lines

HEADER = ["encoder", "I_class", "95% interval", "verdict", "linear"]
ROWS = [
    ["checkpoint:resnet20.th?arch=cifar_resnet20", "2.128", "2.090 to 2.166", "bracketed", "83.4%"],
    ["pca16", "-0.003", "none to 1.0", "bracketed", "-"],
]


@pytest.mark.parametrize("width", [None, 120, 80, 60, 40])
@pytest.mark.parametrize("file", [None, "results.csv"])
def test_every_cell_that_is_shown_is_whole_and_what_is_not_is_named(width, file):
    lines = table_lines(HEADER, ROWS, width, file)
    text = "\n".join(lines)
    assert "…" not in text
    hidden = next((line for line in lines if line.startswith("not shown")), "")
    for position, name in enumerate(HEADER):
        if name in hidden:
            assert file in text
        else:
            assert all(row[position] in text for row in ROWS if row[position] != "-")
    names = {row[0] for row in ROWS}
    assert width is None or all(len(line) <= width for line in lines if line not in names)


def test_a_wide_table_in_a_pipe_is_one_line_a_row():
    assert len(table_lines(HEADER, ROWS)) == 3


def test_the_last_columns_are_left_out_first():
    lines = table_lines(HEADER, [["pca16", *ROWS[0][1:]]], width=40, file="results.csv")
    assert lines[0] == "encoder  I_class    95% interval"
    assert "verdict, linear; see" in " ".join(lines)


def test_without_a_file_rows_become_blocks():
    lines = table_lines(HEADER, ROWS, width=60)
    assert lines[0] == ROWS[0][0]
    assert "  95% interval  2.090 to 2.166" in lines
    assert not any(line.strip() == "linear" for line in lines)  # a dash says nothing


def test_numbers_stand_to_the_right_and_words_to_the_left():
    lines = table_lines(["name", "n", "kind"], [["a", "1", "lower bound"], ["bc", "1,000", "-"]])
    assert lines == ["name      n  kind", "a         1  lower bound", "bc    1,000  -"]


def test_prose_is_folded_between_words_before_anything_is_left_out():
    rows = [["ksg", "continuous rows of a few dimensions", "0.1"]]
    lines = table_lines(["method", "take it for", "bits"], rows, width=38, file="methods.csv")
    assert " ".join(" ".join(lines[1:]).split()) == "ksg continuous rows of a few 0.1 dimensions"
    assert not any("not shown" in line for line in lines)


def test_wide_characters_count_as_two():
    lines = table_lines(["name", "n"], [["日本", "1"], ["abcd", "2"]])
    assert lines[1:] == ["日本  1", "abcd  2"]
