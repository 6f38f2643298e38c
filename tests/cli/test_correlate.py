import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mitools.cli.main import run


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    accuracy = rng.uniform(0.5, 1, 12)
    frame = pd.DataFrame(
        {
            "encoder": [f"encoder {k}" for k in range(12)],
            "i_class_bits": 3 * accuracy + rng.normal(0, 0.1, 12),
            "alignment": 2 - accuracy + rng.normal(0, 0.1, 12),
            "h_c_bits": 3.32,
            "linear_acc": accuracy,
        }
    )
    path = tmp_path / "results.csv"
    frame.to_csv(path, index=False)
    return path, frame


def test_the_table_shows_every_coefficient_and_the_notes_go_to_stderr(table, capsys):
    path, frame = table
    assert run(["correlate", str(path), "--target", "linear_acc"]) == 0
    shown = capsys.readouterr()
    x, y = frame.i_class_bits, frame.linear_acc
    for peer in (stats.pearsonr, stats.kendalltau, stats.spearmanr):
        assert f"{peer(x, y)[0]:.3f}" in shown.out
    assert "95% interval" in shown.out
    assert "go with linear_acc: all three coefficients are told from 0 (Holm's p below 0.05)." in " ".join(
        shown.out.split()
    )
    assert "alignment (lower is better)" in shown.out
    assert "left out, not numeric: encoder" in shown.err
    assert "left out, no measures: h_c_bits; --columns A,B names what is wanted" in shown.err


def test_json_is_one_document_and_nothing_else(table, capsys):
    path, frame = table
    assert run(["correlate", str(path), "--target", "linear_acc", "--json", "--bootstrap", "200"]) == 0
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    assert shown.err == ""
    assert document["not_numeric"] == ["encoder"]
    assert document["bootstrap"] == 200
    columns = {row["column"]: row for row in document["columns"]}
    assert list(columns) == ["i_class_bits", "alignment"]
    assert document["no_measures"] == ["h_c_bits"]
    expected = -stats.pearsonr(frame.alignment, frame.linear_acc)[0]
    assert columns["alignment"]["pearson"] == pytest.approx(expected)


def test_limits_and_seconds_are_no_measures_unless_they_are_named(table, tmp_path, capsys):
    _, frame = table
    path = tmp_path / "limits.csv"
    more = {
        "i_class_low": frame.i_class_bits - 0.1,
        "i_class_high": frame.i_class_bits + 0.1,
        "seconds": range(12),
    }
    frame.assign(**more).to_csv(path, index=False)
    command = ["correlate", str(path), "--json", "--bootstrap", "100"]
    assert run(command) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["column"] for row in document["columns"]] == ["i_class_bits", "alignment"]
    first = document["columns"][0]
    assert first["pearson_p_holm"] == pytest.approx(2 * min(row["pearson_p"] for row in document["columns"]))
    assert run([*command, "--columns", "seconds,h_c_bits"]) == 0
    columns = {row["column"]: row for row in json.loads(capsys.readouterr().out)["columns"]}
    assert list(columns) == ["h_c_bits", "seconds"] or list(columns) == ["seconds", "h_c_bits"]
    assert columns["h_c_bits"]["pearson"] is None
    assert "constant" in columns["h_c_bits"]["note"]
    assert run([*command, "--columns", "nothing"]) == 2
    assert "no column of numbers 'nothing'" in capsys.readouterr().err


def test_the_finding_is_told_at_the_level_of_the_intervals(table, capsys):
    path, _ = table
    command = ["correlate", str(path), "--target", "linear_acc", "--bootstrap", "100", "--confidence"]
    for confidence, level in (("0.5", "0.5"), ("0.999999999999", "1e-12")):
        assert run([*command, confidence]) == 0
        assert f"(Holm's p below {level})" in capsys.readouterr().out
    assert run([*command, "0.999999999999", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["finding"].startswith("No column is seen to go with")


def test_the_signs_to_turn_can_be_named(table, capsys):
    path, _ = table
    arguments = ["correlate", str(path), "--target", "linear_acc", "--json", "--bootstrap", "100"]
    assert run([*arguments, "--lower-is-better", "i_class_bits, alignment"]) == 0
    both = {row["column"]: row for row in json.loads(capsys.readouterr().out)["columns"]}
    assert run([*arguments, "--lower-is-better", ""]) == 0
    none = {row["column"]: row for row in json.loads(capsys.readouterr().out)["columns"]}
    for column in ("i_class_bits", "alignment"):
        assert both[column]["sign"] == -1
        assert none[column]["sign"] == 1
        assert both[column]["kendall"] == -none[column]["kendall"] != 0


def test_the_result_is_written_and_the_seed_repeats_it(table, tmp_path, capsys):
    path, _ = table
    files = [tmp_path / "new" / name for name in ("a.csv", "b.csv", "c.csv")]
    for file, seed in zip(files, (1, 1, 2), strict=True):
        assert (
            run(["correlate", str(path), "--target", "linear_acc", "--seed", str(seed), "--out", str(file)])
            == 0
        )
    assert files[0].read_bytes() == files[1].read_bytes() != files[2].read_bytes()
    written = pd.read_csv(files[0]).set_index("column")
    assert written.pearson_low["i_class_bits"] < written.pearson["i_class_bits"]
    assert f"written: {files[0]}" in capsys.readouterr().err


def test_few_rows_are_remarked_upon_and_the_target_is_linear_accuracy(table, tmp_path, capsys):
    _, frame = table
    path = tmp_path / "few.csv"
    frame[:4].to_csv(path, index=False)
    assert run(["correlate", str(path)]) == 0
    shown = capsys.readouterr()
    assert "fewer than 8 rows: too few for an interval" in shown.err
    assert "n too small" in shown.out
    assert " to " in shown.out, "the range without one row stays"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--target", "linear_ac"], "no column 'linear_ac'"),
        (["--target", "encoder"], "holds no numbers"),
        (["--target", "linear_acc", "--lower-is-better", "aligment"], "no column 'aligment'"),
        (["--target", "linear_acc", "--bootstrap", "5"], "bootstrap=5"),
        (["--target", "linear_acc", "--confidence", "95"], "confidence=95"),
    ],
)
def test_wrong_requests_end_with_two_one_line_and_no_file(table, tmp_path, capsys, arguments, words):
    path, _ = table
    out = tmp_path / "out.csv"
    assert run(["correlate", str(path), *arguments, "--out", str(out)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    assert words in shown.err
    assert not out.exists()


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00a", b"a,a\n1,2\n"])
def test_bad_files_end_with_two_and_one_line(tmp_path, capsys, content):
    path = tmp_path / "table.csv"
    if content is not None:
        path.write_bytes(content)
    assert run(["correlate", str(path), "--target", "a"]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert "table.csv" in shown.err
