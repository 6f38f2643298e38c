import warnings

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from mitools.core.errors import InputError
from mitools.metrics import knn as knn_module
from mitools.metrics import nearest_rows as nearest_module
from mitools.metrics import retrieval as retrieval_module
from mitools.metrics import sphere as sphere_module
from mitools.metrics import uniformity as uniformity_module
from mitools.metrics.knn import knn_accuracy
from mitools.metrics.nearest_rows import nearest_rows
from mitools.metrics.retrieval import recall_at_1
from mitools.metrics.sphere import unit_rows
from mitools.metrics.uniformity import uniformity


@pytest.fixture(scope="module")
def digits():
    features, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(features))
    # Noise keeps the task hard enough for k and the temperature to matter.
    features = features[order] - 8 + np.random.default_rng(1).normal(0, 8, features.shape)
    return features[:900], labels[order][:900], features[900:1300], labels[order][900:1300]


@pytest.mark.parametrize("temperature", [0.07, 1.0])
def test_knn_equals_scikit_learns_with_the_same_weights(digits, temperature):
    train, train_labels, report, report_labels = digits

    def weights(distance):
        return np.exp((1 - distance) / temperature)

    found = knn_accuracy(train, train_labels, report, report_labels, (1, 20, 200), temperature)
    for k, accuracy in found.items():
        peer = KNeighborsClassifier(k, weights=weights, metric="cosine", algorithm="brute")
        peer.fit(train, train_labels)
        assert accuracy == pytest.approx(peer.score(report, report_labels), abs=1e-9)
    assert len(set(found.values())) > 1
    assert 0.3 < min(found.values()) < 0.99


def test_recall_equals_scikit_learns_nearest_neighbour(digits):
    features, labels, *_ = digits
    index = NearestNeighbors(n_neighbors=2, metric="cosine").fit(features).kneighbors(return_distance=False)
    assert recall_at_1(features, labels) == pytest.approx((labels[index[:, 0]] == labels).mean(), abs=1e-12)


def test_blocks_do_not_change_the_answers(digits, monkeypatch):
    train, train_labels, report, report_labels = digits
    expected = knn_accuracy(*digits), recall_at_1(train, train_labels)
    for module in (knn_module, retrieval_module):
        monkeypatch.setattr(module, "BLOCK_ROWS", 37)
    monkeypatch.setattr(nearest_module, "BANK_ROWS", 53)
    assert knn_accuracy(train, train_labels, report, report_labels) == expected[0]
    assert recall_at_1(train, train_labels) == expected[1]


def test_a_large_array_in_a_file_gives_the_same_answers_block_by_block(digits, monkeypatch, tmp_path):
    train, train_labels, report, report_labels = digits
    parts = {"train": train, "report": report}
    mapped = {}
    for name, rows in parts.items():
        np.save(tmp_path / f"{name}.npy", rows.astype(np.float16))
        mapped[name] = np.load(tmp_path / f"{name}.npy", mmap_mode="r")

    def found():
        return (
            knn_accuracy(mapped["train"], train_labels, mapped["report"], report_labels),
            recall_at_1(mapped["train"], train_labels),
            uniformity(mapped["train"]),
        )

    held = found()
    made = []
    monkeypatch.setattr(sphere_module, "NUMBERS_IN_MEMORY", 1000)
    monkeypatch.setattr(
        sphere_module, "unit_rows", lambda rows, *of: made.append(len(rows)) or unit_rows(rows, *of)
    )
    for module in (knn_module, retrieval_module, uniformity_module):
        monkeypatch.setattr(module, "BLOCK_ROWS", 200)
    monkeypatch.setattr(nearest_module, "BANK_ROWS", 300)
    accuracies, recall, potential = found()
    assert (accuracies, recall) == held[:2]
    assert potential == pytest.approx(held[2], abs=1e-6)
    assert max(made) <= 300, "all rows were made at once"
    wrong = np.where(np.arange(900)[:, None] == 7, np.nan, train)
    with pytest.raises(InputError, match="the first at row 7"):
        recall_at_1(wrong, train_labels)


def test_nearest_over_blocks_is_a_full_sort(monkeypatch):
    monkeypatch.setattr(nearest_module, "BANK_ROWS", 4)
    rng = np.random.default_rng(0)
    queries, bank = unit_rows(rng.normal(size=(7, 3))), unit_rows(rng.normal(size=(30, 3)))
    similarity, index = nearest_rows(queries, bank, 11)
    full = queries @ bank.T
    torch.testing.assert_close(similarity, full.sort(dim=1, descending=True).values[:, :11])
    torch.testing.assert_close(full.gather(1, index), similarity)


def test_a_larger_temperature_turns_the_vote_into_a_count():
    # One near neighbour of class 1, two farther of class 0.
    train = np.array([[1.0, 0.05], [1.0, 0.9], [1.0, 1.0]])
    labels, query = [1, 0, 0], np.array([[1.0, 0.0]])
    assert knn_accuracy(train, labels, query, [1], (3,), temperature=0.07) == {3: 1.0}
    assert knn_accuracy(train, labels, query, [0], (3,), temperature=100) == {3: 1.0}
    assert knn_accuracy(train, labels, query, [1], (3,), temperature=1e-6) == {3: 1.0}


def test_k_above_the_bank_is_capped_and_said(digits):
    train, train_labels, report, report_labels = digits
    with pytest.warns(UserWarning, match="k=200 is above the 50 training rows"):
        found = knn_accuracy(train[:50], train_labels[:50], report, report_labels, (20, 200))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exact = knn_accuracy(train[:50], train_labels[:50], report, report_labels, (50,))
    assert found[200] == exact[50]


def test_classes_missing_in_train_count_as_wrong():
    features = np.eye(3)
    assert knn_accuracy(features[:2], ["cat", "dog"], features, ["cat", "dog", "cow"], (1,)) == {1: 2 / 3}


def test_recall_with_duplicates_never_answers_with_the_item_itself():
    features = np.repeat(np.eye(3), 5, axis=0)
    assert recall_at_1(features, np.repeat([0, 1, 2], 5)) == 1
    pairs = np.array([[1, 0], [1, 0.01], [0, 1], [0.01, 1.0]])
    assert recall_at_1(pairs, [0, 1, 0, 1]) == 0


def test_recall_sets_aside_items_alone_in_their_class():
    features = np.array([[1, 0], [1, 0.1], [1, 0.02], [-1, 0.0], [-1, 0.01]])
    # Items 0 and 1 have the lone item 2 as their nearest neighbour: it is no query, but in the way.
    assert recall_at_1(features, [0, 0, 1, 2, 2]) == pytest.approx(2 / 4)


def test_constant_and_dead_features_read_as_chance_and_stay_finite():
    labels = np.arange(40) % 4
    for features in (np.ones((40, 3)), np.zeros((40, 3))):
        assert knn_accuracy(features, labels, features, labels, (40,)) == {40: 0.25}
        assert 0 <= recall_at_1(features, labels) <= 0.25 + 0.05


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: knn_accuracy(np.ones((3, 2)), [0] * 3, np.ones((2, 3)), [0] * 2, (1,)), "columns"),
        (lambda: knn_accuracy(np.ones((3, 2)), [0] * 2, np.ones((2, 2)), [0] * 2, (1,)), "train_labels"),
        (lambda: knn_accuracy(np.ones((3, 2)), [0] * 3, np.ones((2, 2)), [0], (1,)), "report_labels"),
        (lambda: knn_accuracy(np.ones((3, 2)), [0] * 3, np.ones((2, 2)), [0] * 2, (0,)), "k="),
        (lambda: knn_accuracy(np.ones((3, 2)), [0] * 3, np.ones((2, 2)), [0] * 2, ()), "k="),
        (
            lambda: knn_accuracy(np.ones((3, 2)), [0] * 3, np.ones((2, 2)), [0] * 2, (1,), temperature=0),
            "temperature",
        ),
        (lambda: recall_at_1(np.ones((3, 2)), [0, 1, 2]), "no class has two"),
        (lambda: recall_at_1(np.ones((3, 2)), [0, 1]), "3 rows"),
    ],
)
def test_bad_input_is_one_line(call, words):
    with pytest.raises(InputError, match=words) as error:
        call()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("numbers", [1, 10**9])
def test_the_same_values_are_taken_whatever_the_size(monkeypatch, numbers):
    """Values beyond single precision are taken, infinite ones refused: in memory and block by block."""
    monkeypatch.setattr(sphere_module, "NUMBERS_IN_MEMORY", numbers)
    rows = np.random.default_rng(0).standard_normal((5000, 2)) * 1e300
    length = np.linalg.norm(rows / 1e300, axis=1, keepdims=True)
    taken = sphere_module.UnitRows(rows)
    np.testing.assert_allclose(taken[4990:5000], (rows / 1e300 / length)[4990:])
    rows[4500, 1] = np.inf
    with pytest.raises(InputError, match="infinite values in 1 of 5000 rows, the first at row 4500; remove"):
        sphere_module.UnitRows(rows)
