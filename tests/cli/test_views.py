"""``mitools views`` from images to tables and a figure, and what it says to wrong requests."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mitools.cli.main import run
from mitools.cli.measuring.views import _print_readings

QUICK = ["--methods", "infonce", "--steps", "5", "--batch-size", "16", "--width", "8", "--device", "cpu"]


def test_a_sweep_from_images_to_table_and_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["views", "--data", "digits?limit=120", "--views", "simclr?blur=0", *QUICK]
    arguments += ["--sweep", "crop_area=0.2:1:2", "--out", str(tmp_path)]
    assert run(arguments) == 0
    said = capsys.readouterr()
    text = said.out.replace("\n  - ", " ")  # parts of a long sentence are a list
    warned = [line for line in said.err.splitlines() if "still rising" in line]
    # A line a pair at the most, and one for the images, which are read once for all pairs.
    assert len(warned) <= 3
    assert sum("I(x;y)" in line for line in warned) == sum("the images" in line for line in warned) == 1
    table = pd.read_csv(tmp_path / "views.csv")
    assert table["value"].tolist() == [0.2, 1.0]
    assert "(crop_area = 0.2)" in text
    assert "not excluded" in text
    assert table["image_up_to"].ge(table["image_low"]).all()
    assert (tmp_path / "figures" / "regimes.png").is_file()
    # An untrained reading claims nothing about what views share.
    assert all(sentence in text for sentence in table["sentence"])
    assert run([*arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert len(document["readings"]) == 2 * (1 + 3 * 2)


def test_warnings_are_said_by_pair_and_word(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    def row(views: str, quantity: str, method: str, warnings: str) -> dict[str, Any]:
        numbers = dict.fromkeys(("low_bits", "up_to_bits", "high_bits", "null_bits", "ceiling_bits", "value"))
        named = {"views": views, "quantity": quantity, "method": method, "warnings": warnings}
        return numbers | named | {"option": None, "bits": 1.0}

    rows = []
    for views in ("simclr", "lab:l, lab:ab", "image, blur"):
        rising = "" if views == "image, blur" else "still_rising"
        rows += [
            row(views, "I(v1;v2)", "infonce", rising),
            row(views, "I(v1;v2)", "mine", "overfit"),
            row(views, "I(v1;y)", "label_information", f"{rising} rises_with_n"),
            row(views, "I(v1;y)", "class_posterior", rising),
            row(views, "I(x;y)", "label_information", "still_rising"),
        ]
    _print_readings(rows, tmp_path)
    assert capsys.readouterr().err.splitlines() == [
        "simclr; lab:l, lab:ab: still rising: I(v1;v2) by InfoNCE, I(v1;y); overfit: I(v1;v2) by MINE; rises"
        " with n: I(v1;y) by label information",
        "image, blur: overfit: I(v1;v2) by MINE; rises with n: I(v1;y) by label information",
        "the images: still rising: I(x;y)",
    ]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (["--views", "smclr"], "simclr"),
        (["--views", "lab:l,lab:ab,rgb:r"], "give one view, or two"),
        (["--views", "lab:l"], "nothing in lab:l is random"),
        (["--views", "simclr", "--sweep", "sigma=1:2:3"], "sweep over sigma"),
        (["--views", "simclr", "--sweep", "crop_area=1"], "between 2 and"),
        (["--views", "image,depth"], "depth"),
        (["--views", "image,frame:20"], "clip"),
        (["--views", "image,partner:1"], "partner:1"),
        (["--views", "patch?size=8&distance=8#0,patch?size=8&distance=8#1"], "patch"),
        (["--views", "flow:nowhere#0,flow:nowhere#1"], "nowhere"),
        (["--views", "simclr", "--methods", "infnce"], "infonce"),
        (["--views", "simclr", "--methods", "club,ksg"], "methods club, ksg: none is a lower bound"),
        (["--views", "blur?sigma=0,image"], "sigma"),
        (["--views", "simclr", "--width", "12"], "multiple of 8"),
        (["--views", "simclr", "--folds", "100"], "needs at least 500"),
    ],
)
def test_wrong_requests_are_one_line(
    changed: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["views", "--data", "digits?limit=200", *QUICK, "--out", str(tmp_path / "out")]
    assert run([*arguments, *changed]) == 2
    text = capsys.readouterr().err.strip()
    assert message in text
    assert len(text.splitlines()) == 1
    assert not (tmp_path / "out" / "views.csv").exists()
