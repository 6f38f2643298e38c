"""The words of a finding: no more than the verdicts and intervals tell."""

import pandas as pd
import pytest

from mitools.report.correlation_finding import correlation_finding
from mitools.report.finding import audit_finding, carries_more, plane_finding
from mitools.report.study_finding import study_finding


def compared(verdicts):
    rows = [{"encoder_a": a, "encoder_b": b, "verdict": verdict} for (a, b), verdict in verdicts.items()]
    return pd.DataFrame(rows)


A, B, NOT = "a carries more", "b carries more", "not told apart"


def test_two_that_beat_a_third_are_not_told_apart():
    said = carries_more(["x", "y", "z"], compared({("z", "x"): B, ("z", "y"): B, ("x", "y"): NOT}))
    assert said == ["x and y carry more class information than z; they are not told apart from each other."]


def test_a_chain_names_every_pair_that_is_open():
    pairs = {("a", "b"): NOT, ("a", "c"): A, ("a", "d"): A, ("b", "c"): NOT, ("b", "d"): A, ("c", "d"): NOT}
    assert carries_more(list("abcd"), compared(pairs)) == [
        "a carries more class information than c and d.",
        "b carries more class information than d.",
        "Not told apart: a and b; b and c; c and d.",
    ]


def test_nobody_is_said_to_carry_more_where_no_verdict_says_so():
    assert carries_more(["x", "y"], compared({("x", "y"): NOT})) == ["x and y are not told apart."]


def test_many_encoders_are_counted():
    names = [f"e{k}" for k in range(10)]
    pairs = {
        (a, b): A if a == "e0" and b != "e1" else NOT for k, a in enumerate(names) for b in names[k + 1 :]
    }
    assert carries_more(names, compared(pairs)) == [
        "8 of 45 pairs of encoders are told apart.",
        "e0 reads most, and is not told apart from e1.",
    ]


def results(**columns):
    return pd.DataFrame({"encoder": ["x", "y"], "h_c_bits": 2.0, **columns})


def test_an_interval_at_zero_certifies_nothing():
    table = results(i_class_bits=[0.1, 0.05], i_class_low=[-0.1, 0.0])
    assert audit_finding(table, None) == [
        "No class information is certified in any encoder: every interval reaches down to 0."
    ]
    alone = audit_finding(table.assign(i_class_low=[0.06, -0.1]).head(1), None)
    assert alone == ["x holds at least 0.06 of the 2.00 bits of H(C), the entropy of the classes."]


@pytest.mark.parametrize(
    ("low", "words"),
    [
        ([0.5, 0.4], "All carry more than the same network untrained, by 0.60 bits (0.40 to 0.80) to"
         " 0.70 bits (0.50 to 0.90)."),
        ([0.5, -0.4], "y is not seen to carry more than the same network untrained."),
        ([0.5, None], "x carries more than the same network untrained, by 0.70 bits (0.50 to 0.90)."),
    ],
)  # fmt: skip
def test_training_is_credited_where_its_interval_leaves_out_zero(low, words):
    table = results(i_class_bits=[1.0, 0.9], i_class_low=[0.9, 0.8], control_gain_bits=[0.7, 0.6])
    table["control_gain_high"] = [0.9, 0.8]
    assert words in audit_finding(table.assign(control_gain_low=low), None)


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (B, "Of the 2 layers of net, conv1 reads least (0.10 bits, 0.05 to 0.15) and output"
         " most (1.00 bits, 0.90 to 1.10)."),
        (NOT, "The layers of net that read least and most (conv1 and output) are not told apart."),
    ],
)  # fmt: skip
def test_layers_are_ordered_where_the_verdict_orders_them(verdict, words):
    table = results(i_class_bits=[0.1, 1.0], i_class_low=[0.05, 0.9], i_class_high=[0.15, 1.1])
    layered = table.assign(network="net", layer=["conv1", "output"])
    assert audit_finding(layered, compared({("x", "y"): verdict}))[-1] == words
    assert len(audit_finding(table, compared({("x", "y"): verdict}))) == 2  # two encoders of one layer each


@pytest.mark.parametrize(("high", "words"), [(1.9, "lies above that of b"), (2.0, "overlaps with that of b")])
def test_a_study_tells_intervals_that_overlap_from_those_that_do_not(high, words):
    same = {
        "data": "digits",
        "pairing": "same_class",
        "measure": "class_posterior",
        "seed": 0,
        "state": "done",
    }
    cells = pd.DataFrame(
        [
            same | {"encoder": "a", "value": 2.1, "low": 1.95, "high": 2.3},
            same | {"encoder": "b", "value": 1.8, "low": 1.7, "high": high},
        ]
    )
    (sentence,) = study_finding(cells)
    assert "a reads highest (2.100 bits, 1.950 to 2.300)" in sentence
    assert words in sentence
    assert study_finding(cells[:1]) == []
    other = cells.assign(seed=1, value=[2.3, 1.9], low=[2.0, 1.6])
    (sentence,) = study_finding(pd.concat([cells, other]))
    assert "highest (2.200 bits on average over 2 seeds, with intervals from 1.950 to 2.300)" in sentence
    assert f"that range {words}" in sentence
    (sentence,) = study_finding(pd.concat([cells, other[:1]]))  # b has no second seed
    assert "a reads highest (2.100 bits, 1.950 to 2.300)" in sentence
    assert study_finding(pd.concat([cells[:1], other[1:]])) == []


def test_a_layer_that_reads_most_names_those_beside_it():
    table = pd.DataFrame(
        {
            "encoder": ["net:a", "net:b", "net:c"],
            "h_c_bits": 2.0,
            "i_class_bits": [0.1, 0.9, 1.0],
            "i_class_low": [0.05, 0.8, 0.9],
            "i_class_high": [0.15, 1.0, 1.1],
            "network": "net",
            "layer": ["a", "b", "c"],
        }
    )
    verdicts = {("net:a", "net:b"): B, ("net:a", "net:c"): B, ("net:b", "net:c"): NOT}
    assert audit_finding(table, compared(verdicts))[-1] == (
        "Of the 3 layers of net, a reads least (0.10 bits, 0.05 to 0.15) and c most (1.00 bits, 0.90 to 1.10;"
        " not told apart from b)."
    )
    reversed_verdict = compared(verdicts | {("net:a", "net:c"): A})
    assert audit_finding(table, reversed_verdict)[-1].endswith("(a and c) are not told apart.")


def test_a_column_of_few_rows_goes_with_nothing():
    rows = pd.DataFrame({"column": ["a", "d"], "n": [12, 5], "pearson": [0.2, 1.0]})
    for name in ("pearson", "kendall", "spearman"):
        rows[f"{name}_p_holm"] = [0.6, 0.001]
    assert correlation_finding(rows, "acc").startswith("No column is seen to go with acc")
    assert correlation_finding(rows[1:], "acc") == "Fewer than 8 rows do not tell which columns go with acc."
    undefined = rows[:1].assign(pearson=None)
    assert correlation_finding(undefined, "acc") == "No column has a correlation with acc."


def test_what_goes_with_a_target_is_told_at_the_level_asked_for():
    rows = pd.DataFrame({"column": ["a", "b"], "n": 12, "pearson": [0.7, 0.1]})
    for name in ("pearson", "kendall", "spearman"):
        rows[f"{name}_p_holm"] = [0.04, 0.6]
    assert correlation_finding(rows, "acc") == (
        "a (Pearson 0.70) goes with acc: all three coefficients are told from 0 (Holm's p below 0.05)."
        " 1 other column is not seen to."
    )
    assert correlation_finding(rows, "acc", 0.99).endswith("by all three coefficients (Holm's p below 0.01).")
    doubtful = rows.assign(kendall_p_holm=[0.07, 0.6])
    assert correlation_finding(doubtful, "acc").startswith("No column")
    assert correlation_finding(doubtful, "acc", 0.9).startswith("a (Pearson 0.70) goes with acc")


def test_a_plane_speaks_of_a_lower_bound_and_of_no_point_estimate():
    same = {"quantity": "I(T;Y)", "data": "test", "layer": "output"}
    bound = same | {"method": "class_posterior", "kind": "lower bound"}
    point = same | {
        "method": "binned",
        "kind": "point estimate",
        "bits": 3.3,
        "low_bits": 0.1,
        "high_bits": 3.3,
    }
    table = pd.DataFrame(
        [
            point | {"epoch": 4},
            bound | {"epoch": 0, "bits": 1.0, "low_bits": 0.9, "high_bits": 1.1},
            bound | {"epoch": 4, "bits": 2.0, "low_bits": 1.9, "high_bits": 2.1},
        ]
    )
    (sentence,) = plane_finding(table)
    assert sentence == (
        "test: at epoch 4 most of the label is read at output, 2.000 bits by class posterior"
        " (1.900 to 2.100); at epoch 0 it was 1.000 (0.900 to 1.100)."
    )
    near = table.assign(low_bits=[0.1, 0.9, 1.05])
    assert plane_finding(near)[0].endswith(
        "at epoch 0 it was 1.000 (0.900 to 1.100), and the two intervals overlap."
    )
    assert plane_finding(table[table["kind"] == "point estimate"]) == []
