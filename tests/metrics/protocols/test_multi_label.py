"""Average precision against loops and scikit-learn; VOC07's SVMs on planted labels."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from mitools.core.errors import InputError
from mitools.metrics.protocols.average_precision import average_precision
from mitools.metrics.protocols.multi_label import svm_on_test

RNG = np.random.default_rng(0)


def precision_and_recall(scores: np.ndarray, has: np.ndarray) -> list[tuple[float, float]]:
    return [
        (float(has[scores >= least].mean()), float(has[scores >= least].sum() / has.sum()))
        for least in np.unique(scores)
    ]


@pytest.mark.parametrize("decimals", [1, 6])
def test_average_precision_is_that_of_its_definition(decimals: int) -> None:
    for _ in range(20):
        scores = RNG.standard_normal(40).round(decimals)  # with one decimal, many are alike
        has = RNG.random(40) < 0.3
        has[0] = True
        curve = precision_and_recall(scores, has)

        def at(recall: float) -> float:
            return max(p for p, r in curve if r >= recall - 1e-9)  # noqa: B023

        eleven = np.mean([at(k / 10) for k in range(11)])
        area = np.mean([at(k / has.sum()) for k in range(1, has.sum() + 1)])
        assert average_precision(scores, has) == pytest.approx(eleven, abs=1e-12)
        assert average_precision(scores, has, "all_points") == pytest.approx(area, abs=1e-12)
        # Scikit-learn's takes the precision of the moment, which is never higher.
        assert average_precision(scores, has, "all_points") >= average_precision_score(has, scores) - 1e-12


def test_a_perfect_ranking_has_one_and_a_random_one_the_share_of_positives() -> None:
    has = np.arange(4000) % 4 == 0
    assert average_precision(has.astype(float), has) == 1.0
    assert average_precision(RNG.standard_normal(4000), has, "all_points") == pytest.approx(0.25, abs=0.03)


def planted(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Label 0 is shown, label 1 by a noisy column, label 2 by none."""
    targets = (RNG.random((n, 3)) < 0.3).astype(int)
    rows = RNG.standard_normal((n, 6))
    rows[:, 0] += 12 * targets[:, 0]
    rows[:, 1] += 1.5 * targets[:, 1]
    return rows, targets


def test_labels_are_read_as_far_as_the_features_show_them() -> None:
    (train, of_train), (test, of_test) = planted(300), planted(500)
    found = svm_on_test(train, of_train, test, of_test, costs=(0.01, 1.0, 100.0))
    clear, noisy, none = found.average_precisions
    assert clear > 0.99
    assert 0.4 < noisy < clear
    assert abs(none - of_test[:, 2].mean()) < 0.12
    assert found.mean_average_precision == pytest.approx((clear + noisy + none) / 3)
    assert set(found.costs) <= {0.01, 1.0, 100.0}


def test_an_item_that_is_not_counted_changes_nothing() -> None:
    (train, of_train), (test, of_test) = planted(150), planted(100)
    of_train[:30, 0] = of_test[:20, 0] = -1
    found = svm_on_test(train, of_train[:, :1], test, of_test[:, :1], costs=(1.0,))
    without = svm_on_test(train[30:], of_train[30:, :1], test[20:], of_test[20:, :1], costs=(1.0,))
    assert found.mean_average_precision == without.mean_average_precision


def test_bad_input_is_one_line() -> None:
    rows, targets = planted(60)
    with pytest.raises(InputError, match="must be a table"):
        svm_on_test(rows, targets[:, 0], rows, targets)
    with pytest.raises(InputError, match="must be a table"):
        svm_on_test(rows, targets + 1, rows, targets)
    with pytest.raises(InputError, match="label 0: 2 of 60 training items have it"):
        svm_on_test(rows, np.arange(60)[:, None] < 2, rows, targets[:, :1])
    with pytest.raises(InputError, match="label 1: no test item has it"):
        svm_on_test(rows, targets, rows, targets * [1, 0, 1], costs=(1.0,))
    with pytest.raises(InputError, match="no item has the label"):
        average_precision([1.0, 2.0], [0, 0])
