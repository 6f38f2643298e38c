"""Correlation in groups: what is between families must not pass for what is within them."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr

from mitools.core.errors import InputError
from mitools.statistics.grouped_correlation import correlate_groups


@pytest.fixture
def table() -> pd.DataFrame:
    """Within every family the measure falls as accuracy rises; between families both rise."""
    rng = np.random.default_rng(0)
    family = np.repeat(["a", "b", "c", "d"], 6)
    level = np.repeat([0.0, 10.0, 20.0, 30.0], 6)
    inside = rng.standard_normal(24)
    return pd.DataFrame(
        {"family": family, "mi": level - inside + 0.1 * rng.standard_normal(24), "linear_acc": level + inside}
    )


def test_simpsons_paradox_is_shown(table: pd.DataFrame) -> None:
    found = correlate_groups(table, "linear_acc", "family", bootstrap=200).set_index("scope")
    assert list(found.index) == ["pooled", "within", "between", *(f"group: {name}" for name in "abcd")]
    assert found.loc["pooled", "pearson"] > 0.9
    assert found.loc["within", "pearson"] < -0.9
    assert found.loc["between", "pearson"] > 0.99
    centred = table[["mi", "linear_acc"]] - table.groupby("family")[["mi", "linear_acc"]].transform("mean")
    assert found.loc["within", "pearson"] == pytest.approx(pearsonr(centred["mi"], centred["linear_acc"])[0])
    assert (found["n"] == [24, 24, 4, 6, 6, 6, 6]).all()
    assert (found["groups"] == [4, 4, 4, 1, 1, 1, 1]).all()


def test_dependent_rows_have_no_p_value(table: pd.DataFrame) -> None:
    found = correlate_groups(table, "linear_acc", "family", bootstrap=200).set_index("scope")
    assert found.loc[["pooled", "within"], "pearson_p"].isna().all()
    assert found.loc[["between", "group: a"], "pearson_p"].notna().all()


def test_rows_without_a_family_are_pooled_alone(table: pd.DataFrame) -> None:
    found = correlate_groups(table.assign(family=""), "linear_acc", "family", bootstrap=200)
    assert list(found["scope"]) == ["pooled"]
    assert found["pearson_p"].notna().all()


def test_a_missing_group_column_is_named(table: pd.DataFrame) -> None:
    with pytest.raises(InputError, match=r"no column 'famly'.*family"):
        correlate_groups(table, "linear_acc", "famly")
