"""The words of a finding: no more than the verdicts and intervals tell."""

import pandas as pd
import pytest

from mitools.report.finding import audit_finding, carries_more


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
        ([0.5, -0.4], "y is not told to carry more than the same network untrained."),
        ([0.5, None], "x carries more than the same network untrained, by 0.70 bits."),
    ],
)
def test_training_is_credited_where_its_interval_leaves_out_zero(low, words):
    table = results(i_class_bits=[1.0, 0.9], i_class_low=[0.9, 0.8], control_gain_bits=[0.7, 0.6])
    assert words in audit_finding(table.assign(control_gain_low=low), None)
