"""Rows that must not be put together are not: families, and data sets of different class entropy."""

import numpy as np
import pandas as pd
import pytest

from mitools.core.errors import InputError
from mitools.results.study import StudyResult


def study(entropies, encoders=6, families=None):
    """Cells of a study whose data sets have these class entropies: accuracy falls with bits between them."""
    rng = np.random.default_rng(0)
    rows = []
    for place, (data, entropy) in enumerate(entropies.items()):
        for number in range(encoders):
            bits = entropy - 1 + 0.1 * number
            place_of = {
                "data": data,
                "encoder": f"net{number}",
                "family": families and families[number],
                "seed": 0,
                "state": "done",
                "low": np.nan,
                "high": np.nan,
                "entropy": entropy,
            }
            rows.append(place_of | {"pairing": "same_class", "measure": "class_posterior", "value": bits})
            accuracy = 0.9 - 0.4 * place + 0.01 * number + 0.001 * rng.standard_normal()
            rows.append(place_of | {"pairing": "", "measure": "linear_acc", "value": accuracy})
    found = StudyResult.__new__(StudyResult)
    found.cells = pd.DataFrame(rows)
    return found


def scopes(found):
    return list(dict.fromkeys(found["scope"]))


def test_data_sets_of_different_entropy_are_not_pooled_unasked():
    several = study({"ten": 3.3, "hundred": 6.6})
    apart = several.correlate()
    assert scopes(apart) == ["ten, pooled", "hundred, pooled"]
    assert (apart["pearson"] > 0.9).all(), "better encoders hold more bits on each"
    pooled = several.correlate(pool_data=True)
    assert pooled[pooled["scope"] == "pooled"]["pearson"].item() < 0, (
        "harder data hold more bits and fewer hits"
    )


def test_data_sets_of_the_same_entropy_are_pooled_and_an_encoder_is_its_own_family():
    found = study({"a": 3.3, "b": 3.3}).correlate()
    assert {"pooled", "within", "between"} <= set(scopes(found))
    assert set(found.loc[found["scope"] == "pooled", "groups"]) == {6}
    assert found.loc[found["scope"] == "pooled", "pearson_p"].isna().all(), "rows of one encoder are no proof"


def test_named_families_stay():
    found = study({"a": 3.3}, families=["x", "x", "x", "y", "y", "y"]).correlate()
    assert "group: x" in scopes(found)


def test_columns_are_named_or_refused():
    one = study({"a": 3.3})
    found = one.correlate(columns="same_class:class_posterior")
    assert found["column"].tolist() == ["same_class:class_posterior"]
    with pytest.raises(InputError, match="unknown column 'bits'"):
        one.correlate(columns="bits")


def test_too_few_encoders_everywhere_are_said():
    with pytest.raises(InputError, match="a correlation needs three rows"):
        study({"a": 3.3, "b": 6.6}, encoders=2).correlate()
