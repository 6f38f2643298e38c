"""The words of a finding: no more than the verdicts and intervals tell."""

import pandas as pd
import pytest

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
        ([0.5, 0.4], "All carry more than the same network untrained, by 0.60 to 0.70 bits."),
        ([0.5, -0.4], "y is not seen to carry more than the same network untrained."),
        ([0.5, None], "x carries more than the same network untrained, by 0.70 bits (0.50 to 0.90)."),
    ],
)
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
    assert "a reads highest (2.200 bits, 1.950 to 2.300 over 2 seeds)" in sentence
    assert words in sentence


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
