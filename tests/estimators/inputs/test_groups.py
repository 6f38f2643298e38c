"""Groups: whole on one side of every split, and permuted as a whole."""

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.inputs.folds import chosen_folds, cross_fit_parts
from mitools.estimators.inputs.groups import as_groups, class_groups, permuted_groups
from mitools.estimators.inputs.splits import Parts, as_many_as_report, split

RNG = np.random.default_rng(0)


def uneven(n_groups: int, seed: int = 0) -> np.ndarray:
    """Groups of 1 to 20 rows, in random order."""
    rng = np.random.default_rng(seed)
    return rng.permutation(np.repeat(np.arange(n_groups), rng.integers(1, 21, n_groups)))


def pure_and_mixed(n_groups: int = 200) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    groups = uneven(n_groups)
    return {
        "pure": (groups, RNG.integers(0, 4, n_groups)[groups]),
        "mixed": (groups, RNG.integers(0, 4, len(groups))),
    }


def sets(parts: Parts) -> list[set[int]]:
    assert parts.groups is not None
    return [set(parts.groups[items]) for items in (parts.train, parts.select, parts.report)]


@pytest.mark.parametrize("kind", ["pure", "mixed", "no classes"])
@pytest.mark.parametrize("seed", range(5))
def test_a_group_is_never_on_two_sides(kind: str, seed: int) -> None:
    groups, labels = pure_and_mixed().get(kind, (uneven(200), None))
    for parts in [
        split(len(groups), labels, seed, groups),
        *cross_fit_parts(len(groups), labels, 5, seed, groups),
    ]:
        train, select, report = sets(parts)
        assert train.isdisjoint(select | report)
        assert select.isdisjoint(report)
        together = np.concatenate([parts.train, parts.select, parts.report])
        np.testing.assert_array_equal(np.sort(together), np.arange(len(groups)))
        assert len(parts.train) == pytest.approx(0.65 * len(groups), rel=0.2)
        assert len(parts.report) == pytest.approx(0.20 * len(groups), rel=0.25)
        if labels is not None:
            assert class_groups(groups[parts.report], labels[parts.report], 4).min() >= 2
            assert class_groups(groups[parts.select], labels[parts.select], 4).min() >= 1


def test_folds_report_every_item_once_and_come_to_about_as_many() -> None:
    groups, labels = pure_and_mixed()["pure"]
    folds = cross_fit_parts(len(groups), labels, 5, 3, groups)
    reported = np.concatenate([fold.report for fold in folds])
    np.testing.assert_array_equal(np.sort(reported), np.arange(len(groups)))
    sizes = [len(fold.report) for fold in folds]
    assert max(sizes) - min(sizes) < 0.1 * len(groups)


def test_five_groups_of_a_class_can_be_split_and_ten_be_folded() -> None:
    groups = np.repeat(np.arange(20), 3)
    labels = (groups >= 15).astype(np.int64)
    train, select, report = sets(split(60, labels, 0, groups))
    assert [len(part & set(range(15, 20))) for part in (train, select, report)] == [2, 1, 2]
    assert chosen_folds(60, labels, groups) == 1
    assert chosen_folds(60, groups % 2, groups) == 5
    with pytest.raises(InputError, match="class 1 lies in 5 of the groups, but in 10 it must"):
        cross_fit_parts(60, labels, 5, 0, groups)


@pytest.mark.parametrize(
    ("groups", "labels", "words"),
    [
        (np.arange(40) // 5, None, "8 groups cannot be split into three parts; give items of at least 10"),
        (np.arange(40) // 2, np.arange(40) // 20, None),
        (np.arange(40) // 2, (np.arange(40) >= 38).astype(int), "class 1 lies in 1 of the groups, but in 5"),
    ],
)
def test_too_few_groups(groups: np.ndarray, labels: np.ndarray | None, words: str | None) -> None:
    if words is None:
        assert split(40, labels, 0, groups).groups is groups
        return
    with pytest.raises(InputError, match=words):
        split(40, labels, 0, groups)


def test_groups_are_names_or_whole_numbers() -> None:
    np.testing.assert_array_equal(as_groups(["b", "a", "b"], 3), [1, 0, 1])
    np.testing.assert_array_equal(as_groups([7.0, 7.0, -2.0], 3), [1, 1, 0])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0, 1], "groups has 2 rows and the data has 3; they must describe the same items"),
        ([4, 4, 4], "groups: all 3 rows belong to the one group 4"),
        ([0.5, 1, 2], "groups are not whole numbers"),
        ([np.nan, 1, 2], "groups are not whole numbers"),
        ([[1, 2], [3, 4], [5, 6]], "groups have shape"),
    ],
)
def test_bad_groups_are_one_line(values: list, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        as_groups(values, 3)
    assert "\n" not in str(caught.value)


def test_a_permutation_moves_groups_as_a_whole() -> None:
    groups = np.repeat(np.arange(30), 4)
    moved = permuted_groups(groups, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(moved), np.arange(120))
    of_place = groups[moved].reshape(30, 4)
    assert (of_place == of_place[:, :1]).all()
    assert (of_place[:, 0] == np.arange(30)).mean() < 0.2


def test_an_uneven_permutation_uses_every_row_once_and_keeps_neighbours_together() -> None:
    groups = uneven(100)
    order = np.argsort(groups, kind="stable")
    moved = permuted_groups(groups, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(moved), np.arange(len(groups)))
    # Of a group's rows, most go to one other group together: fewer cells than rows by far.
    cells = len(np.unique(groups[order] * 100 + groups[moved[order]]))
    assert cells <= 2 * 100


def test_training_items_are_drawn_by_whole_groups() -> None:
    groups, labels = pure_and_mixed()["pure"]
    parts = split(len(groups), labels, 0, groups)
    drawn = as_many_as_report(parts, labels, np.random.default_rng(0))
    assert set(drawn) <= set(parts.train)
    whole = np.isin(groups[parts.train], groups[drawn])
    assert len(drawn) == whole.sum()
    assert len(drawn) == pytest.approx(len(parts.report), rel=0.4)
    assert class_groups(groups[drawn], labels[drawn], 4).min() >= 2


def test_the_error_of_groups_is_that_of_their_means() -> None:
    """Rows of a group are equal: the error of the mean is that of as many rows as there are groups."""
    groups = np.repeat(np.arange(50), 8)
    values = np.random.default_rng(1).standard_normal(50)
    of_rows = Reading(float(values.mean()), (values - values.mean())[groups], unseen=0.0)
    grouped = of_rows.by_group(groups)
    assert grouped.stderr == pytest.approx(values.std(ddof=1) / np.sqrt(50), rel=1e-12)
    assert grouped.stderr > 2.8 * of_rows.stderr
    assert of_rows.by_group(None) is of_rows
    with pytest.raises(InputError, match="one group"):
        of_rows.by_group(np.zeros(400, dtype=np.int64))
