"""Words on accuracy over information: made tables whose every sentence is known."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mitools.analyses.shared.accuracy_by_setting import PaperSays, per_setting, shape_over
from mitools.analyses.tian2020_cmc.accuracy_figure import accuracy_chart
from mitools.analyses.tian2020_cmc.accuracy_words import describe
from mitools.core.errors import InputError

PAPER = PaperSays("falls", "In the paper accuracy falls")
BITS = np.array([1.0, 2.0, 3.0, 4.0, 5.0])


def table(accuracy: Any = (0.5, 0.45, 0.4, 0.35, 0.3), **changes: Any) -> pd.DataFrame:
    columns: dict[str, Any] = {"setting": list("abcde"), "seed": 0, "n_pairs": 4000, "infonce_ceiling": 12.0}
    for name, above in (("infonce", 0.0), ("mine_held_out", -0.2), ("mine_in_sample", 2.0)):
        columns |= {f"{name}_bits": BITS + above, f"{name}_low": BITS + above - 0.1,
                    f"{name}_high": BITS + above + 0.1, f"{name}_null": 0.0}  # fmt: skip
    right = np.asarray(accuracy)
    columns |= {"linear_acc": right, "linear_acc_low": right - 0.01, "linear_acc_high": right + 0.01}
    return pd.DataFrame(columns | {"untrained_acc": 0.3, "mine_in_sample_null": 1.5} | changes)


def test_a_fall_is_found_as_in_the_paper() -> None:
    text = describe(table(), "spaces", PAPER)
    assert (
        "By InfoNCE on 4,000 pairs of views, averaged over cells, the two views share at least, in bits: a"
        in text
    )
    assert "a 1.00 (0.90 to 1.10)" in text
    assert "the ceiling is 12.00, and permuted pairs read 0.00 to 0.00" in text
    assert (
        "MINE reads 3.00 to 7.00 bits on the pairs that it was fitted to, where permuted pairs read 1.50"
        in text
    )
    assert "for 5 of 5 spaces the in-sample number lies above the interval of the held-out one" in text
    assert (
        "Of 10 pairs of spaces, 10 are told apart by InfoNCE's intervals and 10 by those of held-out" in text
    )
    assert "in-sample MINE orders 0 of the 10 the other way" in text
    assert "highest for a (50.0%) and lowest for e (30.0%), which are told apart" in text
    assert "training adds to them beyond the intervals for 4 of 5 spaces" in text
    assert "In the paper accuracy falls; so it is here." in text
    assert "There is one run a setting" in text


def test_a_shape_that_was_there_before_training_is_told() -> None:
    same = "The untrained encoders' accuracy has the same shape"
    assert same in describe(table(untrained_acc=np.array([0.4, 0.35, 0.3, 0.25, 0.2])), "spaces", PAPER)
    assert same not in describe(table(), "spaces", PAPER)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"accuracy": (0.3, 0.35, 0.4, 0.45, 0.5)}, "In the paper accuracy falls; this is not seen here."),
        ({"accuracy": (0.3, 0.4, 0.5, 0.4, 0.3)}, "In the paper accuracy falls; this is not seen here."),
        ({"accuracy": (0.4, 0.401, 0.4, 0.402, 0.4)}, "this run neither confirms nor refutes it"),
        ({"accuracy": (0.4, 0.401, 0.4, 0.402, 0.4)}, "which are not told apart"),
        ({"infonce_low": BITS - 0.6, "infonce_high": BITS + 0.6}, "6 are told apart by InfoNCE's intervals"),
        ({"mine_in_sample_bits": BITS[::-1] + 2}, "in-sample MINE orders 10 of the 10 the other way"),
        ({"mine_in_sample_bits": BITS - 0.15}, "for 0 of 5 spaces the in-sample number lies above"),
    ],
)
def test_the_reading_says_otherwise_where_it_is(changes: dict[str, Any], said: str) -> None:
    assert said in describe(table(**changes), "spaces", PAPER)


def test_seeds_are_averaged_and_their_variance_counts() -> None:
    """Two seeds 0.04 apart have a variance of 0.0008, and their mean half of it; images add theirs."""
    one, other = table(), table().assign(seed=1)
    other[["linear_acc", "linear_acc_low", "linear_acc_high"]] += 0.04
    found = per_setting(pd.concat([one, other]))
    np.testing.assert_allclose(found["linear_acc"], one["linear_acc"] + 0.02)
    np.testing.assert_allclose(found["linear_acc_stderr"], np.hypot(0.01 / 1.96, np.sqrt(0.0008 / 2)))
    np.testing.assert_allclose(per_setting(one)["linear_acc_stderr"], 0.01 / 1.96)
    assert "There are 2 runs a setting" in describe(pd.concat([one, other]), "spaces", PAPER)


def test_a_peak_inside_is_told_with_its_place() -> None:
    found = shape_over(per_setting(table(accuracy=(0.3, 0.4, 0.5, 0.4, 0.3))), "infonce")
    assert found.shape == "peak inside"
    assert found.peak_x == pytest.approx(3.0)


def test_the_figure_shows_ceilings_that_are_near_and_no_others() -> None:
    labels = [axes.get_legend_handles_labels()[1] for axes in accuracy_chart(table())]
    assert not any("ceiling" in found for found in labels)
    near = accuracy_chart(table(infonce_ceiling=5.5))
    assert ["ceiling" in axes.get_legend_handles_labels()[1] for axes in near] == [False, False, True]
    with pytest.raises(InputError):
        accuracy_chart(table().iloc[:0])
