"""The check of the regimes' claims: exact truths, counts of right and wrong, and a figure."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from mitools.analyses.checks.regime_claims import (
    RegimeClaimsRecipe,
    claims_chart,
    describe,
    run,
    truths,
    verdicts,
)
from mitools.datasets.open import open_data

WORLD = "cdp?n=100&size=24&background=none&digits=2&positions=1&shared=color&partners=color,none"


@pytest.mark.parametrize(
    ("shared", "expected"),
    [
        (("color",), (2.0, 2.0)),
        ((), (0.0, 0.0)),
        (("digit",), (2.0, 0.5)),
        (("digit", "position"), (4.0, 0.5)),
        (("color", "digit"), (3.5, 2.0)),
    ],
)
def test_truths_are_those_of_the_stated_table(shared: tuple[str, ...], expected: tuple[float, float]) -> None:
    """Colour and digit, two bits each, have half a bit in common; the label is the colour."""
    data = open_data("cdp?n=10&dependency=color:digit:0.5&shared=color")
    found = truths(data.truth, ("color",), shared)  # type: ignore[attr-defined]
    assert found["truth_image"] == pytest.approx(2.0)
    assert (found["truth_shared"], found["truth_view2"]) == pytest.approx(expected, abs=1e-6)


def made(*rows: tuple[str, bool, bool, float]) -> pd.DataFrame:
    """Rows of a claimed regime, whether information is missing and in excess, and what is shared."""
    return pd.DataFrame(
        {
            "world": "colour", "seed": seed, "shared": "color", "regime": regime,
            "missing_claimed": "missing" in regime, "missing_true": missing,
            "excess_claimed": "excess" in regime, "excess_true": excess,
            "truth_shared": shared, "truth_image": 2.0, "shared_info_bits": shared - 0.1,
            "shared_info_low": shared - 0.2, "shared_info_high": shared - 0.05,
            "shared_info_up_to": None if excess else shared + (0.1 if missing else -0.01),
            "image_low": 1.5, "image_up_to": 2.0 if missing else 1.9,
            "truth_view2": 1.0, "view2_low": 1.1 if excess else 0.5, "view2_up_to": 1.2,
        }
        for seed, (regime, missing, excess, shared) in enumerate(rows)
    )  # fmt: skip


def test_claims_are_counted() -> None:
    table = made(
        ("sweet spot", False, False, 2.0),
        ("sweet spot", False, True, 2.2),
        ("missing information", False, False, 2.0),
        ("missing information and excess", True, True, 4.0),
        ("missing information", True, False, 0.0),
    )
    found = verdicts(table)
    assert found["missing information"].tolist() == ["right", "right", "wrong", "right", "right"]
    assert found["excess"].tolist() == ["right", "not seen", "right", "right", "right"]
    text = describe(table)
    assert "missing information is claimed in 2 of the 2 pairs where it is so, and wrongly in 1 of 3" in text
    assert "excess is claimed in 1 of the 2 pairs where it is so, and wrongly in 0 of 3" in text
    assert (
        "Sweet spot is said of 2, of which 1 share the task and nothing else; of 2 such pairs 1 are" in text
    )
    assert "lies above the truth, by its lower limit, in 0 of 5, and is at most 0.10 bits short" in text
    # Two have no upper end; of the others the one of missing information reaches the truth.
    assert "What is not excluded holds the truth in 3 of 5: in 1 of the 3 where an upper end is told" in text
    # Two images are read right, and the three second views that are no excess.
    assert "of what images and second views say of the label, in 5 of 10." in text
    (axes,) = claims_chart(table)
    assert {text.get_text() for text in axes.get_yticklabels()} == {"colour: color"}


def test_from_images_to_reading(tmp_path: Path, written: Callable[[Path], dict[Path, int]]) -> None:
    recipe = RegimeClaimsRecipe(
        worlds={"colour": WORLD}, seeds=(3,), steps=5, batch_size=16, width=8, embedding=4
    )
    found = run(recipe, tmp_path)
    assert found is not None
    assert found.table["shared"].tolist() == ["color", "nothing"]
    assert found.table["missing_true"].tolist() == [False, True]
    assert (found.table["view2_up_to"] >= found.table["view2_low"]).all()
    before = written(tmp_path / "cells")
    run(recipe, tmp_path)
    assert written(tmp_path / "cells") == before


@pytest.mark.parametrize("spec", ["digits", "cdp?n=100&shared=color"])
def test_worlds_without_partners_are_one_line(spec: str) -> None:
    with pytest.raises(ValueError, match="must be cdp with partners"):
        RegimeClaimsRecipe(worlds={"colour": spec}, seeds=(0,))
