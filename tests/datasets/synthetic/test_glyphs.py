import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.datasets.synthetic.glyphs import GLYPH_SIDE, open_glyphs, resize_glyphs

SHARED_DATA = Path(__file__).parents[4] / "shared" / "data"


def write_idx(
    folder: Path, part: str, images: np.ndarray, labels: np.ndarray, magic: int = 0x803, pack=bytes
) -> None:
    end = ".gz" if pack is gzip.compress else ""
    head = struct.pack(">4I", magic, *images.shape)
    (folder / f"{part}-images-idx3-ubyte{end}").write_bytes(pack(head + images.tobytes()))
    (folder / f"{part}-labels-idx1-ubyte{end}").write_bytes(
        pack(struct.pack(">2I", 0x801, len(labels)) + labels.astype(np.uint8).tobytes())
    )


def test_embedded_digits_have_ten_classes_and_disjoint_parts():
    train, test = open_glyphs("digits", "train"), open_glyphs("digits", "test")
    assert train.classes == test.classes == tuple("0123456789")
    assert train.counts.sum() + test.counts.sum() == 1797
    assert min(train.counts.min(), test.counts.min()) > 30
    assert train.images.shape == (train.counts.sum(), GLYPH_SIDE, GLYPH_SIDE)
    assert not {g.tobytes() for g in train.images} & {g.tobytes() for g in test.images}


def test_embedded_digits_keep_the_class_of_their_source():
    """A classifier fitted to scikit-learn's own 8x8 images reads the upsampled glyphs, sampled down again."""
    from sklearn.datasets import load_digits
    from sklearn.neighbors import KNeighborsClassifier

    pool = open_glyphs("digits", "test")
    digits = load_digits()
    reader = KNeighborsClassifier(1, metric="cosine").fit(digits.data[:1347], digits.target[:1347])
    small = resize_glyphs(pool.images[:, 4:24, 4:24], 8).reshape(len(pool.images), -1)
    assert (reader.predict(small) == np.repeat(np.arange(10), pool.counts)).mean() > 0.9


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx_files_are_grouped_by_digit_in_their_own_order(tmp_path, pack):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (40, 28, 28), dtype=np.uint8)
    labels = np.arange(40) % 10
    write_idx(tmp_path, "train", images, labels, pack=pack)
    write_idx(tmp_path, "t10k", images[::-1], labels[::-1], pack=pack)
    pool = open_glyphs(f"mnist:{tmp_path}", "train")
    assert pool.counts.tolist() == [4] * 10
    assert np.array_equal(pool.images[8:12], images[labels == 2])
    words = np.full(10, 2**32 - 1, dtype=np.uint64)
    assert np.array_equal(pool.pick(np.arange(10), words), np.arange(3, 40, 4))
    assert pool.choice_bits == pytest.approx(np.log2(40))
    assert np.array_equal(
        open_glyphs(f"mnist:{tmp_path}", "test").images[8:12], images[::-1][labels[::-1] == 2]
    )


def test_idx_file_with_a_wrong_magic(tmp_path):
    write_idx(tmp_path, "train", np.zeros((10, 28, 28), np.uint8), np.arange(10), magic=0x01020304)
    with pytest.raises(InputError, match="no idx file"):
        open_glyphs(f"mnist:{tmp_path}", "train")


def test_a_missing_digit_and_a_wrong_size(tmp_path):
    write_idx(tmp_path, "train", np.zeros((9, 28, 28), np.uint8), np.arange(9))
    with pytest.raises(InputError, match="every one present"):
        open_glyphs(f"mnist:{tmp_path}", "train")
    write_idx(tmp_path, "train", np.zeros((10, 20, 20), np.uint8), np.arange(10))
    with pytest.raises(InputError, match="28x28"):
        open_glyphs(f"mnist:{tmp_path}", "train")


@pytest.mark.parametrize("spec", ["letters", "mnist", "mnist:/nowhere", "digits?part=test"])
def test_bad_specs(spec):
    with pytest.raises(InputError):
        open_glyphs(spec, "train")


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="no shared data beside the repository")
def test_mnist_itself():
    pool = open_glyphs(f"mnist:{SHARED_DATA}/mnist", "test")
    assert pool.counts.tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
