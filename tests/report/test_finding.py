"""What is said was found is what the intervals allow."""

import pandas as pd
import pytest

from mitools.report.finding import audit_finding, plane_finding, study_finding

RESULTS = pd.DataFrame(
    {
        "encoder": ["small", "middle", "large"],
        "i_class_bits": [1.0, 2.0, 2.1],
        "i_class_low": [0.9, 1.9, 2.0],
        "i_class_high": [1.1, 2.1, 2.2],
        "h_c_bits": 3.3,
        "control_gain_low": [-0.1, 0.2, None],
    }
)


def pairs(*verdicts):
    rows = [("small", "middle"), ("small", "large"), ("middle", "large")]
    return pd.DataFrame(rows, columns=["encoder_a", "encoder_b"]).assign(verdict=verdicts)


def test_the_best_is_told_from_whom_the_paired_differences_tell_it():
    more = "b carries more"
    sentences = audit_finding(RESULTS, pairs(more, more, "not told apart"))
    assert sentences[0].startswith("large: 2.100 bits")
    assert "large carries more than small and is not told apart from middle" in sentences[1]
    assert "of all 3 pairs 2 are told apart" in sentences[1]
    assert sentences[2] == ("small certifies no more than the same network untrained, as far as can be told.")


def test_all_that_gained_by_training_are_one_sentence():
    better = RESULTS.assign(control_gain_low=[0.1, 0.2, None])
    assert audit_finding(better, None)[-1] == "Every network certifies more than itself untrained."
    assert len(audit_finding(RESULTS.drop(columns="control_gain_low"), None)) == 1


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
        "test: at epoch 4 most of the label is read at output, 2.000 bits by class_posterior"
        " (1.900 to 2.100); at epoch 0 it was 1.000."
    )
    near = table.assign(low_bits=[0.1, 0.9, 1.05])
    assert plane_finding(near)[0].endswith("at epoch 0 it was 1.000, not told from it.")
    assert plane_finding(table[table["kind"] == "point estimate"]) == []
