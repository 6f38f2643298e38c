import hashlib
import pickle
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats
from torch.utils.data import DataLoader, Dataset

from mitools.core.errors import InputError
from mitools.datasets import open_data
from mitools.datasets.synthetic.cdp import ATTRIBUTES, CDP, COLORS
from mitools.datasets.synthetic.glyphs import open_glyphs

SUBSETS = [s for size in range(4) for s in combinations(ATTRIBUTES, size)]
SHARED_DATA = Path(__file__).parents[4] / "shared" / "data"


def clean(**options) -> CDP:
    return CDP(background="none", **options)


class Tensors(Dataset):
    """Items as arrays, for the loader's collation."""

    def __init__(self, data: CDP) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int):  # no __getitems__ here: one item at a time
        image, label = self.data[index]
        return np.asarray(image).transpose(2, 0, 1).copy(), label


def test_meets_the_contract_of_labelled_data():
    data = clean(n=50, shared=("digit", "color"))
    image, label = data[7]
    assert (image.mode, image.size) == ("RGB", (64, 64))
    assert label == data.labels[7]
    assert data.labels.shape == (50,)
    assert data.labels.dtype == np.int64
    assert len(data.classes) == 16
    assert data.classes[1] == "red 3"
    assert len(list(data)) == 50, "iteration ends"


@pytest.mark.parametrize("shared", SUBSETS)
def test_classes_follow_the_stated_uniform_table(shared):
    data = clean(n=20_000, seed=1)
    counts = np.bincount(data.label_of(shared), minlength=4 ** len(shared))
    assert data.entropy_bits(shared) == pytest.approx(2 * len(shared), abs=1e-9)
    assert len(counts) == 4 ** len(shared)
    if shared:
        assert stats.chisquare(counts).pvalue > 1e-3


def test_classes_follow_any_stated_table():
    joint = np.random.default_rng(0).dirichlet(np.full(64, 0.3)).reshape(4, 4, 4)
    data = clean(n=20_000, joint=joint)
    expected = joint.ravel() * len(data)
    common = expected > 5
    counts = np.bincount(data.labels, minlength=64)
    observed = np.append(counts[common], counts[~common].sum())
    assert stats.chisquare(observed, np.append(expected[common], expected[~common].sum())).pvalue > 1e-3
    assert data.entropy_bits() == pytest.approx(stats.entropy(joint.ravel(), base=2), abs=1e-9)


def test_a_dependency_shares_the_stated_bits():
    data = clean(dependency=("color", "position", 1.25))
    parts = data.entropy_bits(("color",)) + data.entropy_bits(("position",))
    assert parts - data.entropy_bits(("color", "position")) == pytest.approx(1.25, abs=1e-9)
    assert data.entropy_bits(("color", "digit")) == pytest.approx(4, abs=1e-9)


def test_up_to_ten_bits_and_more():
    data = clean(n=4000, size=128, counts=(16, 8, 8))
    assert data.entropy_bits() == pytest.approx(10, abs=1e-9)
    assert len(data.classes) == 1024
    assert clean(size=128, counts=(16, 10, 16)).entropy_bits() == pytest.approx(8 + np.log2(10), abs=1e-9)


def read_off(images: np.ndarray, columns: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Colour by the channels' means, position by where the mass lies: no learning."""
    images = images.astype(np.float64)
    color = images.sum(axis=(2, 3))
    palette = np.array(list(COLORS.values())) / np.linalg.norm(list(COLORS.values()), axis=1, keepdims=True)
    n, _, height, width = images.shape
    used = height - height % rows, width - width % columns
    mass = images.sum(axis=1)[:, : used[0], : used[1]]
    mass = mass.reshape(n, rows, used[0] // rows, columns, used[1] // columns).sum(axis=(2, 4)).reshape(n, -1)
    return (color @ palette.T).argmax(axis=1), mass.argmax(axis=1)


def test_colour_and_corner_can_be_read_off_clean_pixels_without_error():
    data = clean(n=1000, seed=3)
    color, position = read_off(data.compose(np.arange(1000)).numpy(), 2, 2)
    assert np.array_equal(color, data.attributes[:, 0])
    assert np.array_equal(position, data.attributes[:, 2])


def test_so_can_sixteen_colours_and_sixteen_places():
    data = clean(n=1000, size=128, counts=(16, 10, 16))
    color, position = read_off(data.compose(np.arange(1000)).numpy(), 4, 4)
    assert np.array_equal(color, data.attributes[:, 0])
    assert np.array_equal(position, data.attributes[:, 2])


def test_the_digit_is_that_of_the_nearest_glyph():
    data = clean(n=200, seed=4)
    glyphs = open_glyphs("digits", "train")
    digits = np.repeat(np.arange(10), glyphs.counts)
    images = data.compose(np.arange(200)).numpy().max(axis=1)
    row, column = np.divmod(data.attributes[:, 2], 2)
    fields = np.stack(
        [
            i[32 * r + 2 : 32 * r + 30, 32 * c + 2 : 32 * c + 30]
            for i, r, c in zip(images, row, column, strict=True)
        ]
    )
    distance = np.abs(fields[:, None].astype(np.int16) - glyphs.images[None].astype(np.int16)).sum(
        axis=(2, 3)
    )
    assert np.array_equal(digits[distance.argmin(axis=1)], data.attributes[:, 1] + 2)
    assert distance.min(axis=1).max() == 0, "every glyph is one of the pool's"


@pytest.mark.parametrize("shared", SUBSETS)
def test_pairs_agree_in_exactly_the_named_attributes(shared):
    data = clean(n=20_000, seed=5)
    pairs = data.pairs(shared)
    first, second = pairs.attributes(np.arange(len(pairs)))
    assert np.array_equal(first, data.attributes)
    assert pairs.entropy_bits == pytest.approx(2 * len(shared), abs=1e-9)
    for axis, name in enumerate(ATTRIBUTES):
        if name in shared:
            assert np.array_equal(first[:, axis], second[:, axis])
        else:
            table = np.histogram2d(first[:, axis], second[:, axis], bins=4)[0]
            assert stats.chi2_contingency(table).pvalue > 1e-3, "the others are independent"
            assert stats.chisquare(table.sum(axis=0)).pvalue > 1e-3, "and follow their table"


def test_pairs_of_dependent_attributes_are_independent_given_what_they_share():
    data = clean(n=40_000, dependency=("color", "digit", 1.0))
    first, second = data.pairs(("color",)).attributes(np.arange(len(data)))
    table = np.histogram2d(second[:, 0], second[:, 1], bins=4)[0]
    assert (
        stats.chisquare(table.ravel(), data.truth.marginal(("color", "digit")).ravel() * len(data)).pvalue
        > 1e-3
    )
    for color in range(4):
        of_color = first[:, 0] == color
        given = np.histogram2d(first[of_color, 1], second[of_color, 1], bins=4)[0]
        assert stats.chi2_contingency(given).pvalue > 1e-3


def test_pair_items_show_what_their_attributes_say():
    data = clean(n=400)
    pairs = data.pairs(("position",))
    x, y = pairs.compose(np.arange(400))
    assert torch.equal(x, data.compose(np.arange(400)))
    color, position = read_off(y.numpy(), 2, 2)
    assert np.array_equal(color, pairs.attributes(np.arange(400))[1][:, 0])
    assert np.array_equal(position, data.attributes[:, 2])
    first, second, label = pairs[9]
    assert np.array_equal(np.asarray(first), x[9].permute(1, 2, 0).numpy())
    assert np.array_equal(np.asarray(second), y[9].permute(1, 2, 0).numpy())
    assert label == data.attributes[9, 2]


@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.parametrize("batch", [1, 7, 64])
def test_items_are_the_same_for_any_workers_and_batches(workers, batch):
    data = CDP(n=96, seed=6)
    whole = data.compose(np.arange(96))
    loaded = list(DataLoader(Tensors(data), batch_size=batch, num_workers=workers))
    assert torch.equal(torch.cat([images for images, _ in loaded]), whole)
    assert np.array_equal(torch.cat([labels for _, labels in loaded]).numpy(), data.labels)


def test_batches_in_any_order_and_copies_of_the_data_set_give_the_same_pixels():
    data = CDP(n=300)
    whole = data.compose(torch.arange(300))
    order = np.random.default_rng(0).permutation(300)
    assert torch.equal(data.compose(order), whole[order])
    assert torch.equal(data.compose([-1]), whole[-1:])
    assert torch.equal(pickle.loads(pickle.dumps(data)).compose(np.arange(300)), whole)
    assert torch.equal(CDP(n=10**9).compose(np.arange(300)), whole), "n does not change the images"
    items = data.__getitems__([5, 2, 290])
    assert [label for _, label in items] == data.labels[[5, 2, 290]].tolist()
    assert np.array_equal(np.asarray(items[2][0]).transpose(2, 0, 1), whole[290].numpy())
    with pytest.raises(IndexError):
        data.compose([300])


def test_golden_pixels():
    """Whole-number arithmetic from the draws to the pixels: the same on every machine."""
    images = clean(n=64, seed=11).compose(np.arange(64))
    assert hashlib.sha256(images.numpy()).hexdigest() == GOLDEN_CLEAN
    images = clean(n=64, seed=11, part="test", counts=(16, 10, 9), size=97).compose(np.arange(64))
    assert hashlib.sha256(images.numpy()).hexdigest() == GOLDEN_MANY


def test_golden_pixels_over_photographs():
    """As above, after scikit-learn's sample photographs, which libjpeg-turbo decodes alike everywhere."""
    images = CDP(n=64, seed=11).compose(np.arange(64))
    assert hashlib.sha256(images.numpy()).hexdigest() == GOLDEN_PHOTOGRAPHS


def test_strength_mixes_the_photograph_into_the_background():
    weak, strong, black = (CDP(n=20, strength=s).compose(np.arange(20)).int() for s in (0.25, 0.5, 0.0))
    assert torch.equal(black, clean(n=20).compose(np.arange(20)).int())
    outside = black.sum(dim=1, keepdim=True).expand_as(black) == 0
    assert ((strong - 2 * weak)[outside].abs() <= 1).all()
    assert strong[outside].float().mean() > 20


def test_train_and_test_share_neither_glyphs_nor_draws():
    train, test = (clean(n=500, part=part) for part in ("train", "test"))
    assert (train.labels == test.labels).mean() < 0.1
    images = [{i.tobytes() for i in data.compose(np.arange(500)).numpy()} for data in (train, test)]
    assert not images[0] & images[1]


def test_the_digest_changes_with_every_choice():
    choices = [
        {}, {"seed": 1}, {"part": "test"}, {"n": 11}, {"size": 65}, {"shared": ("color",)},
        {"counts": (4, 4, 5)}, {"dependency": ("color", "digit", 0.1)}, {"strength": 0.4},
        {"background": "none"}, {"transform": np.asarray},
    ]  # fmt: skip
    digests = [CDP(**({"n": 10} | choice)).digest for choice in choices]
    assert len(set(digests)) == len(choices)
    assert CDP(n=10).digest == digests[0]


def test_a_transform_is_applied_to_items_and_pairs():
    data = CDP(n=5, transform=lambda image: image.size)
    assert data[0][0] == (64, 64)
    assert data.pairs()[0][:2] == ((64, 64), (64, 64))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_cuda_device_composes_the_same_pixels():
    data = CDP(n=256)
    here = data.compose(np.arange(256))
    there = data.to("cuda").compose(np.arange(256))
    assert there.device.type == "cuda"
    assert torch.equal(there.cpu(), here)


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="no shared data beside the repository")
def test_mnist_digits_over_a_tar_of_photographs():
    data = CDP(
        n=100,
        part="test",
        glyphs=f"mnist:{SHARED_DATA}/mnist",
        background=f"tar:{SHARED_DATA}/backgrounds-96.tar.gz",
    )
    images = data.compose(np.arange(100)).int()
    assert images.shape == (100, 3, 64, 64)
    ink = torch.tensor(list(COLORS.values()))[data.attributes[:, 0]]
    peak = (images - ink[:, :, None, None]).abs().sum(dim=1).amin(dim=(1, 2))
    assert (peak <= 6).all(), "every image has a pixel in its own colour"


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"n": 0}, "n=0"),
        ({"size": 16}, "too small"),
        ({"size": 48, "counts": (4, 4, 16)}, "too small for 4 digits in a row"),
        ({"strength": 1.5}, "strength"),
        ({"shared": ("colour",)}, "accepted: color"),
        ({"counts": (4, 11, 4)}, "digits=11"),
        ({"counts": (17, 4, 4)}, "colors=17"),
        ({"joint": np.full((4, 4, 4), 1 / 63)}, "sum to one"),
        ({"joint": np.full((4, 4), 1 / 16)}, "shape"),
        ({"joint": np.full((4, 4, 4), 1 / 64), "dependency": ("color", "digit", 1.0)}, "one of them"),
        ({"dependency": ("color", "color", 1.0)}, "two of"),
        ({"dependency": ("color", "digit", 3.0)}, "between 0 and 2 bits"),
        ({"part": "valid"}, "part"),
        ({"glyphs": "letters"}, "unknown source"),
        ({"background": "folder:/nowhere"}, "no such folder"),
    ],
)
def test_bad_arguments(options, match):
    with pytest.raises(InputError, match=match):
        clean(**options) if "background" not in options else CDP(**options)


def test_specs_open_what_they_say(tmp_path):
    joint = np.zeros((4, 4, 4))
    joint[0, 0, 0] = joint[1, 1, 1] = 0.5
    np.save(tmp_path / "joint.npy", joint)
    data = open_data(f"cdp?shared=digit,color&n=100&background=none&joint={tmp_path}/joint.npy&seed=2")
    assert isinstance(data, CDP)
    assert data.entropy_bits() == pytest.approx(1, abs=1e-12)
    assert set(data.labels.tolist()) == {0, 5}
    same = clean(n=100, seed=2, joint=joint, shared=("color", "digit"))
    assert same.digest == data.digest
    wide = open_data(
        "cdp?n=10&size=128&background=none&colors=16&digits=8&positions=8&dependency=color:digit:1.5"
    )
    assert wide.entropy_bits() == pytest.approx(8.5, abs=1e-9)
    assert len(open_data("cdp?n=1000&shared=color&limit=40&background=none")) == 40


@pytest.mark.parametrize(
    ("spec", "match"),
    [
        ("cdp:name", "takes no name"),
        ("cdp?colour=3", "unknown option 'colour'"),
        ("cdp?strength=lots", "no number"),
        ("cdp?dependency=color:digit", "like color:digit:1.0"),
        ("cdp?joint=nowhere.npy", "no such file"),
        ("cdp?size=1e3", "whole number"),
    ],
)
def test_bad_specs(spec, match):
    with pytest.raises(InputError, match=match):
        open_data(spec)


def test_a_broken_table_file(tmp_path):
    (tmp_path / "joint.npy").write_bytes(b"not numpy")
    with pytest.raises(InputError, match="no readable npy"):
        open_data(f"cdp?joint={tmp_path}/joint.npy")


GOLDEN_CLEAN = "bddf3390db81d773a1784d39e212446d5645201edab51596f84e1c3ab296c047"
GOLDEN_MANY = "739404c6d65a35a1fd60046813d1bb7db960fa020d9955beecf096b052534cbb"
GOLDEN_PHOTOGRAPHS = "3b0a2017ffdbf462243c86226dfcd3fe50c3e244a9bfda6a36e31b4a4730a165"
