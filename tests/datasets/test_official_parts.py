"""Data in a training and a test part: joined, and split as their makers split them."""

import warnings

import numpy as np
import pytest
from PIL import Image

from mitools.core.errors import DataNote, InputError
from mitools.datasets import open_data
from mitools.datasets.grouped import with_groups
from mitools.measures.item_split import split_items


def folder(root, part, classes="ab", n=6, seed=0):
    rng = np.random.default_rng(seed)
    for name in classes:
        (root / part / name).mkdir(parents=True)
        for k in range(n):
            Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)).save(
                root / part / name / f"{k}.png"
            )


def test_the_test_part_reports_and_the_training_part_fits(tmp_path):
    folder(tmp_path, "train", "abc", 8)
    folder(tmp_path, "val", "cb", 5, seed=1)
    data = open_data(f"folder:{tmp_path}?train=train&test=val&classes=b,c")
    train, val = open_data(f"folder:{tmp_path}/train"), open_data(f"folder:{tmp_path}/val")
    assert (len(data), data.name, list(data.classes)) == (26, "train+val", ["b", "c"])
    for seed in range(3):
        parts = split_items(data, seed)
        assert parts.report.tolist() == np.flatnonzero(data.test_items).tolist()
        assert sorted([*parts.train, *parts.select]) == np.flatnonzero(~data.test_items).tolist()
        assert set(data.labels[parts.select]) == {0, 1}
    assert data.labels[data.test_items].tolist() == [0] * 5 + [1] * 5
    np.testing.assert_array_equal(np.asarray(data[16][0]), np.asarray(val[0][0]))
    np.testing.assert_array_equal(np.asarray(data[0][0]), np.asarray(train[8][0]))
    assert data.digest not in (train.digest, val.digest)


def test_files_beside_each_other_and_groups(tmp_path):
    for part, n in (("train", 20), ("test", 8)):
        rows = [f"{'good' if k % 2 else 'bad'} {part} {k},{k % 2},{k // 2}" for k in range(n)]
        (tmp_path / f"{part}.csv").write_text("\n".join(["text,label,author", *rows]))
    spec = f"text:{tmp_path}/train.csv?train=train.csv&test=test.csv"
    with pytest.warns(DataNote, match=r"\(4: '0', '1', '2', ...\)"):
        data = open_data(f"{spec}&groups=author")
    assert data[20][0] == "bad test 0"
    assert len(set(data.groups)) == 10
    parts = split_items(data, 0)
    assert parts.report.tolist() == list(range(20, 28))
    assert not set(data.groups[parts.train]) & set(data.groups[parts.select])


def two_tables(folder, shared):
    """Write two parts of 20 and 8 texts, of 10 and 4 authors; `shared` of them are in both."""
    for part, n, first in (("train", 20, 0), ("test", 8, 10 - shared)):
        rows = [f"{part} {k},{k % 2},{k / 7},author {first + k // 2}" for k in range(n)]
        (folder / f"{part}.csv").write_text("\n".join(["text,label,age,author", *rows]))
    return f"text:{folder}/train.csv?train=train.csv&test=test.csv"


@pytest.mark.parametrize("target", ["label=label", "label=age&target=continuous"])
def test_groups_that_lie_in_both_parts_are_told(tmp_path, target):
    """Of classes and of other targets; `groups=` of the spec, and groups that are given beside it."""
    spec = f"{two_tables(tmp_path, 2)}&{target}"
    both = r"groups lie in the training and the test part \(2: 'author 8', 'author 9'\)"
    with pytest.warns(DataNote, match=both):
        open_data(f"{spec}&groups=author")
    groups = [f"author {k // 2}" for k in range(20)] + [f"author {8 + k // 2}" for k in range(8)]
    with pytest.warns(DataNote, match=both):
        with_groups(open_data(spec), groups)


def test_a_group_of_both_parts_is_one_group_of_the_certificates_folds(tmp_path):
    spec = f"{two_tables(tmp_path, 2)}&label=label&groups=author"
    with pytest.warns(DataNote, match="groups lie in the training and the test part"):
        data = open_data(spec)
    assert len(set(data.groups)) == 12
    author = np.array([k // 2 for k in range(20)] + [8 + k // 2 for k in range(8)])
    same = author[:, None] == author
    np.testing.assert_array_equal(data.groups[:, None] == data.groups, same)
    parts = split_items(data, 0)
    assert parts.report.tolist() == list(range(20, 28)), "the official parts stay what they are"
    assert not set(author[parts.train]) & set(author[parts.select])


def test_groups_of_one_part_alone_are_no_note(tmp_path):
    spec = f"{two_tables(tmp_path, 0)}&label=label"
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataNote)
        data = open_data(f"{spec}&groups=author")
        with_groups(data, [one.split()[-1] for one in data.groups])
        with_groups(open_data("digits?limit=20"), np.arange(20) % 4)


def test_what_makes_no_two_parts_is_named(tmp_path):
    folder(tmp_path, "train")
    folder(tmp_path, "val", "abz")
    folder(tmp_path, "few", "ab", 1)
    for spec, message in {
        f"folder:{tmp_path}?train=train": "give both parts, train= and test=",
        f"folder:{tmp_path}?train=train&test=val": "the test part val has a class 'z' that train lacks",
        "digits?train=a&test=b": "digits has no parts",
        "mnist:x?train=train&test=test&part=test": "part= and train= both name a part",
        f"folder:{tmp_path}?train=train&test=nowhere": "no such folder",
    }.items():
        with pytest.raises(InputError, match=message):
            open_data(spec)
    with pytest.raises(InputError, match="class 'a' has 1 items in the test part and needs 2"):
        split_items(open_data(f"folder:{tmp_path}?train=train&test=few"), 0)
