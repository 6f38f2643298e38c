from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
)

from mitools.core.errors import InputError
from mitools.datasets.accepted import as_labelled_data
from mitools.datasets.selection import Selection
from mitools.datasets.torch_items import whole_batch

N = 12
RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (N, 4, 5, 3), dtype=np.uint8)
ROWS = RNG.standard_normal((N, 6)).astype(np.float32)
LABELS = np.arange(N) % 3
NAMES = np.array(["cat", "dog", "owl"])[LABELS]


class Items(Dataset):
    """Items made by a function of their number, and labels; counts what is read."""

    def __init__(self, make, labels=LABELS, classes=None):
        self.make, self.labels, self.read = make, labels, Counter()
        if classes:
            self.classes = classes

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        self.read[index] += 1
        return self.make(index), self.labels[index]


def picture(index):
    return Image.fromarray(PIXELS[index])


def normalised(index):
    return torch.from_numpy(PIXELS[index]).permute(2, 0, 1) / 255 - 0.5


def in_pairs(batch):
    """A collate function of one's own: two tensors by name."""
    inputs = torch.stack([normalised(0) if isinstance(one, Image.Image) else one for one, _ in batch])
    return {"pixels": inputs, "mask": torch.ones(len(batch))}, torch.tensor([label for _, label in batch])


@pytest.mark.parametrize(
    "data",
    [
        (ROWS, LABELS),
        (ROWS.tolist(), LABELS.tolist()),
        (torch.from_numpy(ROWS).requires_grad_(), torch.from_numpy(LABELS)),
        (ROWS.astype(np.float64), LABELS.astype(float)),
        (pd.DataFrame(ROWS), pd.Series(LABELS, index=range(5, 5 + N))),
        pd.DataFrame(ROWS).assign(label=LABELS),
        Items(lambda index: torch.from_numpy(ROWS[index])),
        TensorDataset(torch.from_numpy(ROWS), torch.from_numpy(LABELS)),
        [(row, label) for row, label in zip(ROWS, LABELS, strict=True)],
        DataLoader(TensorDataset(torch.from_numpy(ROWS), torch.from_numpy(LABELS)), batch_size=5),
    ],
    ids=lambda data: type(data).__name__,
)
def test_rows_come_as_rows(data):
    found = as_labelled_data(data)
    assert (len(found), list(found.classes)) == (N, ["0", "1", "2"])
    np.testing.assert_array_equal(found.labels, LABELS)
    item, label = found[4]
    assert isinstance(item, np.ndarray)
    np.testing.assert_array_equal(item, ROWS[4])
    assert (item.dtype, label) == (np.float32, 1)


@pytest.mark.parametrize(
    "data",
    [
        (PIXELS, NAMES),
        (np.moveaxis(PIXELS, 3, 1), NAMES.tolist()),
        (torch.from_numpy(PIXELS), pd.Series(NAMES)),
        ([Image.fromarray(pixels) for pixels in PIXELS], NAMES),
        Items(picture, NAMES),
        Items(lambda index: PIXELS[index], NAMES),
        Items(lambda index: torch.from_numpy(PIXELS[index]).permute(2, 0, 1), NAMES),
        Items(picture, LABELS, classes=["cat", "dog", "owl"]),
        Subset(Items(picture, torch.from_numpy(LABELS), classes=["cat", "dog", "owl"]), range(N)),
        ConcatDataset(
            [Items(picture, LABELS[:6], ["cat", "dog", "owl"]), Subset(Items(picture), range(6, N))]
        ),
    ],
    ids=lambda data: type(data).__name__,
)
def test_pixels_come_as_images_of_named_classes(data):
    found = as_labelled_data(data)
    assert list(found.classes) == ["cat", "dog", "owl"]
    np.testing.assert_array_equal(found.labels, LABELS)
    item, label = found[7]
    assert (item.mode, label) == ("RGB", 1)
    np.testing.assert_array_equal(np.asarray(item), PIXELS[7])


def test_grey_pixels_are_images_of_three_equal_channels():
    for data in [(PIXELS[..., 0], LABELS), (PIXELS[..., :1], LABELS), Items(lambda k: PIXELS[k, ..., 0])]:
        item = as_labelled_data(data)[3][0]
        np.testing.assert_array_equal(np.asarray(item), np.repeat(PIXELS[3, ..., :1], 3, axis=2))


@pytest.mark.parametrize(
    "data",
    [
        (torch.stack([normalised(k) for k in range(N)]), LABELS),
        (np.stack([normalised(k) for k in range(N)]), LABELS),
        ([normalised(k) for k in range(N)], LABELS),
        Items(normalised),
        DataLoader(Items(normalised), batch_size=5),
    ],
    ids=lambda data: type(data).__name__,
)
def test_tensors_of_a_transform_come_as_they_are(data):
    item = as_labelled_data(data)[5][0]
    assert torch.equal(item, normalised(5))


def test_texts():
    texts = [f"text {k}" for k in range(N)]
    for data in [(texts, LABELS), pd.DataFrame({"text": texts, "labels": LABELS}), Items(texts.__getitem__)]:
        assert as_labelled_data(data)[2] == ("text 2", 2)


def test_a_spec_and_labelled_data_are_taken_as_they_are():
    digits = as_labelled_data("digits")
    assert as_labelled_data(digits) is digits
    assert len(digits) == 1797


def test_the_order_of_classes_is_that_of_numbers_or_else_of_names():
    assert as_labelled_data((ROWS, [10, 9] * 6)).classes == ["9", "10"]
    assert as_labelled_data((ROWS, ["10", "9"] * 6)).classes == ["9", "10"]
    assert as_labelled_data((ROWS, ["b", "a"] * 6)).classes == ["a", "b"]
    assert as_labelled_data(Items(picture, [5, 3] * 6, classes=list("abcdef"))).classes == ["d", "f"]


def test_the_digest_is_of_content():
    digests = {
        as_labelled_data(data).digest
        for data in [
            Items(picture),
            Items(picture, LABELS[::-1]),
            Items(lambda k: picture(N - 1 - k)),
            Items(normalised),
            Items(lambda k: 2 * normalised(k)),
            (ROWS, LABELS),
            (ROWS + 1, LABELS),
            (ROWS, NAMES),
        ]
    }
    assert len(digests) == 8
    again = [Items(picture), Subset(Items(picture), range(N)), DataLoader(Items(picture), 5, shuffle=True)]
    again[2].collate_fn = torch.utils.data.default_collate
    assert len({as_labelled_data(data).digest for data in again}) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"shuffle": True},
        {"batch_size": 5, "drop_last": True},
        {"sampler": WeightedRandomSampler([1.0] * N, 100)},
        {"batch_sampler": [[3, 1], [0, 2, 4], list(range(11, 4, -1))]},
        {"num_workers": 2, "batch_size": 3},
    ],
    ids=lambda options: ", ".join(options),
)
def test_a_loaders_items_come_once_and_in_the_order_of_its_dataset(options):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    found = as_labelled_data(DataLoader(Items(normalised), **options))
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(found.labels, LABELS)
    assert all(torch.equal(found[k][0], normalised(k)) for k in range(N))


def test_a_loader_of_some_items_gives_these():
    found = as_labelled_data(DataLoader(Items(normalised), sampler=[9, 2, 5, 2, 1]))
    np.testing.assert_array_equal(found.labels, LABELS[[1, 2, 5, 9]])


def test_a_collate_function_of_ones_own_makes_the_batches():
    found = as_labelled_data(DataLoader(Items(normalised), batch_size=4, collate_fn=in_pairs))
    np.testing.assert_array_equal(found.labels, LABELS)
    batch = whole_batch(found, [3, 1])
    assert torch.equal(batch["pixels"], torch.stack([normalised(3), normalised(1)]))
    some = Selection(found, np.array([1, 3, 5]), found.labels[[1, 3, 5]], found.classes)
    assert torch.equal(whole_batch(some, [1])["pixels"], normalised(3)[None])
    assert found[6][0]["pixels"].shape == (3, 4, 5)


def test_items_are_read_once_and_progress_is_told():
    items, told = Items(picture), []
    as_labelled_data(items, advance=lambda what, done, total: told.append((what, done, total)))
    assert max(items.read.values()) <= 3  # the first few are read again, to see whether they stay the same
    assert sum(items.read.values()) == N + 8
    assert told[-1] == ("reading the data", N, N)


class Stream(IterableDataset):
    def __iter__(self):
        return iter([(ROWS[0], 0)])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (3, "data is a int; give a spec such as 'tar:images.tar', a torch Dataset or DataLoader"),
        (None, "data is a NoneType; give a spec"),
        ({"a": ROWS}, "data is a dict; give a spec"),
        (ROWS, "data is a ndarray; give a spec"),
        (Path("images"), "data is a path; say what lies there in a spec, such as 'folder:images'"),
        ("images.tar", "unknown source 'images.tar'"),
        ((ROWS, LABELS, LABELS), "data is a tuple of 3; give (X, y)"),
        ((ROWS, LABELS[:5]), "X has 12 items and y has 5 labels; they must pair up"),
        ((ROWS, 3), "data is (ndarray, int)"),
        ((ROWS, np.eye(12) + 1), "labels have shape (12, 12); give one class number or name an item"),
        ((ROWS, np.where(LABELS[0] == LABELS, np.inf, LABELS)), "labels are not whole numbers"),
        ((ROWS * np.nan, LABELS), "X is not finite as float32, first in row 0"),
        ((PIXELS[:, :, :, :2], LABELS), "images in uint8 have 1 or 3 channels"),
        (pd.DataFrame(ROWS), "no column 'label'; name the column of labels as label=NAME: 0, 1"),
        (pd.DataFrame({"label": LABELS}), "the table has no column beside 'label'"),
        (pd.DataFrame({"label": LABELS, "a": 1, "b": NAMES}), "column 'b' holds no numbers"),
        (
            pd.DataFrame(ROWS).assign(label=LABELS, labels=LABELS),
            "columns 'label' and 'labels'; name the one",
        ),
        (pd.DataFrame([[1, 2, 0]] * N, columns=["label", "label", "a"]), "several columns 'label'; rename"),
        ([], "data is an empty list; give a spec"),
        ([ROWS, LABELS], "data is a list of two; items and their labels must be a tuple (X, y)"),
        ([ROWS.tolist(), LABELS.tolist()], "must be a tuple (X, y)"),
        ([torch.from_numpy(ROWS), LABELS.tolist()], "must be a tuple (X, y)"),
        (Stream(), "Stream has no numbered items; give a map-style Dataset"),
        (DataLoader(Stream()), "Stream has no numbered items; give a map-style Dataset"),
        (DataLoader(Items(normalised), batch_size=None), "makes no batches"),
        (Items(picture, []), "Items has no items"),
        ([(ROWS[0], 0, 1)], "item 0 of list is a tuple of 3; it must be a pair (item, label)"),
        (Items(lambda index: [ROWS[index], ROWS[index]]), "item 0 of Items holds a list"),
        (Items(picture, np.eye(12) + 1), "labels have shape (12, 12); give one class number or name an item"),
        (
            Items(picture, np.full(12, np.inf)),
            "has a float for its label; give one class number or name an item",
        ),
        (Items(lambda index: torch.rand(3, 2, 2)), "item 0 of Items differs when it is read again"),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, str) else type(value).__name__,
)
def test_what_is_no_data_is_refused_in_one_sentence(data, words):
    with pytest.raises(InputError) as caught:
        as_labelled_data(data)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_column_of_labels():
    table = pd.DataFrame(ROWS).assign(species=NAMES)
    assert as_labelled_data(table, label="species").classes == ["cat", "dog", "owl"]
    with pytest.raises(InputError, match="no column 'specis'"):
        as_labelled_data(table, label="specis")
    with pytest.raises(InputError, match="names a column of a DataFrame, and data is a tuple"):
        as_labelled_data((ROWS, LABELS), label="species")


def broken(index):
    if index == 9:
        raise OSError("no such\nfile")
    return normalised(index)


def broken_in_pairs(batch):
    raise RuntimeError("sizes differ")


class WithoutLength(Items):
    def __len__(self):
        raise RuntimeError("not opened")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (Items(broken), "item 9 of Items cannot be read (OSError: no such file)"),
        (DataLoader(Items(broken)), "item 9 of Items cannot be read (OSError: no such file)"),
        (DataLoader(Items(broken), num_workers=1), "item 9 of Items cannot be read (OSError: no such file)"),
        (
            Items([normalised(0)].__getitem__),
            "item 1 of Items cannot be read (IndexError: list index out of range; its length is 12)",
        ),
        (
            DataLoader(Items(normalised), collate_fn=broken_in_pairs),
            "item 0 of Items: the collate function fails (RuntimeError: sizes differ)",
        ),
        (WithoutLength(normalised), "WithoutLength does not say its length (RuntimeError: not opened)"),
    ],
    ids=["dataset", "loader", "workers", "too long", "collate", "no length"],
)
def test_an_error_of_the_callers_own_code_names_the_item_in_one_line(data, words):
    with pytest.raises(InputError) as caught:
        as_labelled_data(data)
    assert str(caught.value) == words


def test_an_error_of_the_callers_own_dataset_is_the_callers_to_see():
    def mine(index):
        raise KeyError("mine")

    with pytest.raises(InputError, match="item 0 of Items") as caught:
        as_labelled_data(Items(mine))
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize(
    "held", [ROWS, pd.DataFrame(ROWS), "itself", {"a": 1}], ids=lambda v: type(v).__name__
)
def test_what_a_dataset_holds_under_the_name_of_a_dataset_is_its_own_affair(held):
    items = Items(picture)
    items.dataset = items.datasets = items if isinstance(held, str) else held
    assert as_labelled_data(items).classes == ["0", "1", "2"]
