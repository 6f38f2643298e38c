"""A last stage that is the output, but for its name, is not fitted a second time."""

import pandas as pd
import torch
from torch import nn

import mitools


class Pooled(nn.Module):
    """A stage whose mean over places is the output."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 6, 3, padding=1)

    def forward(self, images):
        return self.last(self.first(images).relu()).mean(dim=(2, 3))


def certificates(folder):
    return list((folder / "cells").glob("certificate-*.json"))


def test_the_output_takes_the_numbers_of_a_stage_that_it_equals(tmp_path):
    found = mitools.audit(
        {"net": Pooled()},
        "digits?limit=100",
        layers=["first", "last", "output"],
        critic=False,
        control=False,
        folder=tmp_path,
        progress=False,
    )
    table = found.table.set_index("layer")
    assert list(table.index) == ["first", "last", "output"]
    assert len(certificates(tmp_path)) == 2, "one of the first stage, one of the last two"
    same = ["i_class_bits", "i_class_low", "linear_acc", "knn20_acc", "nmi"]
    pd.testing.assert_series_equal(table.loc["last", same], table.loc["output", same], check_names=False)
    assert table.loc["first", "i_class_bits"] != table.loc["last", "i_class_bits"]
