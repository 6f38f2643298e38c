"""The guide's example of a view, as a user has it: a module in her own folder, named in an audit."""

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from mitools.cli.main import run
from mitools.views.item_views import ItemViews
from mitools.views.registry import make_view

PAGE = Path(__file__).parents[2] / "mitools" / "guide" / "views.md"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    (code,) = blocks
    (tmp_path / "my_views.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    yield "python:my_views:Cutout"
    sys.modules.pop("my_views", None)


def test_the_example_hides_a_square_of_half_the_side(own: str) -> None:
    found = ItemViews(make_view(own)).of(torch.zeros(50, 3, 8, 12), np.arange(50))
    hidden = found[:, :, 0] == 0.5
    assert (hidden.sum(dim=(2, 3)) == 4 * 6).all()
    assert 1 < len({square.numpy().tobytes() for square in hidden.flatten(0, 1)}) <= 4 * 6
    meta = make_view(own)(torch.empty(2, 3, 8, 8, device="meta"), torch.empty(2, 2, device="meta"))
    assert meta.shape == (2, 3, 8, 8)


def test_the_example_is_audited_by_its_name(own: str, tmp_path: Path) -> None:
    arguments = ["audit", "--data", "digits?limit=200", "--encoder", "builtin:pixels", "--out", "out"]
    assert run([*arguments, "--pairing", f"same_class,{own}", "--device", "cpu", "--no-critic"]) == 0
    row = pd.read_csv(tmp_path / "out" / "results.csv").iloc[0]
    assert row["i_cutout_low"] <= row["i_cutout_bits"] <= row["i_cutout_high"]
    assert row["alignment_cutout"] > 0
