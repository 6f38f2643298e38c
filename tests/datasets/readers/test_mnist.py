import gzip
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.datasets import open_data
from mitools.datasets.readers.mnist import read_idx

MNIST = Path(__file__).parents[4] / "shared" / "data" / "mnist"
IMAGES = np.random.default_rng(0).integers(0, 256, (6, 4, 3), dtype=np.uint8)
LABELS = np.array([2, 0, 1, 1, 0, 2], dtype=np.uint8)
CODES = {"uint8": 8, "int8": 9, "int16": 11, "int32": 12, "float32": 13, "float64": 14}


def idx(array) -> bytes:
    shape = struct.pack(f">{array.ndim}I", *array.shape)
    return (
        bytes([0, 0, CODES[array.dtype.name], array.ndim])
        + shape
        + array.astype(array.dtype.newbyteorder(">")).tobytes()
    )


def write(folder, images=None, labels=None):
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx(IMAGES) if images is None else images)
    (folder / "t10k-labels.idx1-ubyte.gz").write_bytes(
        gzip.compress(idx(LABELS)) if labels is None else labels
    )
    return f"mnist:{folder}"


@pytest.mark.parametrize("dtype", CODES)
def test_idx_round_trip(tmp_path, dtype):
    array = np.random.default_rng(1).integers(0, 100, (3, 2, 5)).astype(dtype)
    (tmp_path / "x").write_bytes(idx(array))
    read = read_idx(tmp_path / "x")
    assert read.dtype == array.dtype
    np.testing.assert_array_equal(read, array)


def test_images_come_back_in_order_as_rgb(tmp_path):
    data = open_data(write(tmp_path))
    assert len(data) == 6
    assert data.labels.tolist() == LABELS.tolist()
    image, label = data[3]
    assert label == 1
    np.testing.assert_array_equal(np.asarray(image), np.repeat(IMAGES[3][:, :, None], 3, axis=2))


def test_digest_follows_images_and_labels(tmp_path):
    digests = {open_data(write(tmp_path)).digest}
    digests.add(open_data(write(tmp_path, images=idx(IMAGES + 1))).digest)
    digests.add(open_data(write(tmp_path, labels=idx(LABELS[::-1]))).digest)
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (b"\x89PNG" + idx(IMAGES)[4:], None, "no idx file (it starts with 89504e47)"),
        (b"", None, "no idx file (it starts with nothing)"),
        (idx(IMAGES)[:-1], None, "fewer bytes than the 72 that its header promises"),
        (idx(IMAGES)[:7], None, "fewer bytes than its header has"),
        (idx(LABELS), None, "1 axes of uint8, where MNIST has 3"),
        (None, gzip.compress(idx(LABELS))[:-9], "damaged gzip file"),
        (None, idx(LABELS[:-1]), "6 images and 5 labels"),
    ],
    ids=["magic", "empty", "short", "header", "axes", "gzip", "lengths"],
)
def test_a_damaged_file_is_refused(tmp_path, images, labels, message):
    with pytest.raises(InputError) as caught:
        open_data(write(tmp_path, images, labels))
    assert message in str(caught.value)


def test_a_missing_part_is_named(tmp_path):
    spec = write(tmp_path)
    with pytest.raises(InputError, match="no train-images-idx3-ubyte here"):
        open_data(f"{spec}?part=train")
    with pytest.raises(InputError, match="part=validation is unknown; accepted: train or test"):
        open_data(f"{spec}?part=validation")


@pytest.mark.skipif(not MNIST.is_dir(), reason="the MNIST files are not beside the repository")
def test_mnist_agrees_with_torchvision(tmp_path):
    from torchvision.datasets.mnist import read_image_file, read_label_file

    data = open_data(f"mnist:{MNIST}?part=test")
    for name in ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]:
        (tmp_path / name).write_bytes(gzip.decompress((MNIST / f"{name}.gz").read_bytes()))
    np.testing.assert_array_equal(data.labels, read_label_file(str(tmp_path / "t10k-labels-idx1-ubyte")))
    images = read_image_file(str(tmp_path / "t10k-images-idx3-ubyte")).numpy()
    for index in [0, 4321, 9999]:
        np.testing.assert_array_equal(np.asarray(data[index][0])[:, :, 1], images[index])


def test_a_packed_file_is_read_as_far_as_its_header_promises(tmp_path):
    header = struct.pack(">BBBBI", 0, 0, 8, 1, 1000)
    (tmp_path / "labels.gz").write_bytes(gzip.compress(header + bytes(100_000_000)))
    tracemalloc.start()
    with pytest.raises(InputError, match="more bytes than the 1,000 that its header promises"):
        read_idx(tmp_path / "labels.gz")
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


def test_a_header_that_promises_more_than_gzip_can_hold_is_refused_unread(tmp_path):
    header = struct.pack(">BBBBII", 0, 0, 8, 2, 2**32 - 1, 2**32 - 1)
    (tmp_path / "images.gz").write_bytes(gzip.compress(header + bytes(1000)))
    with pytest.raises(InputError, match="fewer bytes than the 18,446,744,065,119,617,025"):
        read_idx(tmp_path / "images.gz")
