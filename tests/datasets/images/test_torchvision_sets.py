"""torchvision's sets by name, from tiny files written here; CIFAR's pickles without unpickling."""

import pickle
import struct

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.datasets import open_data
from mitools.datasets.images.torchvision_sets import classification_sets

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
FINE = [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]


class Canary:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return self.path.touch, ()


def cifar100(folder, **more):
    """Write what the authors' Python 2 wrote: strings and lists beside an array."""
    (folder / "cifar-100-python").mkdir()
    content = {
        "filenames": [f"x{k}.png" for k in range(12)],
        "batch_label": "testing batch 1 of 1",
        "fine_labels": FINE,
        "coarse_labels": [0] * 12,
        "data": PIXELS.transpose(0, 3, 1, 2).reshape(12, 3072),
    }
    (folder / "cifar-100-python" / "test").write_bytes(pickle.dumps(content | more, protocol=2))
    names = {"fine_label_names": ["ant", "bee", "cow"], "coarse_label_names": ["animal"]}
    (folder / "cifar-100-python" / "meta").write_bytes(pickle.dumps(names, protocol=2))
    return f"torchvision:CIFAR100?root={folder}&split=test"


def test_cifar_is_read_without_unpickling(tmp_path):
    data = open_data(cifar100(tmp_path, extra=Canary(tmp_path / "canary")))
    assert not (tmp_path / "canary").exists()
    assert (list(data.classes), data.labels.tolist()) == (["ant", "bee", "cow"], FINE)
    np.testing.assert_array_equal(np.stack([np.asarray(data[k][0]) for k in range(12)]), PIXELS)


def test_cifar_10_is_joined_of_its_batches(tmp_path):
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    flat = PIXELS.transpose(0, 3, 1, 2).reshape(12, 3072)
    for number in range(5):
        part = slice(2 * number, 2 * number + 2)
        content = {b"data": flat[part], b"labels": FINE[part]}
        (folder / f"data_batch_{number + 1}").write_bytes(pickle.dumps(content, protocol=2))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": ["a", "b", "c"]}, protocol=2))
    data = open_data(f"torchvision:CIFAR10?root={folder}&split=train")
    assert data.labels.tolist() == FINE[:10]
    np.testing.assert_array_equal(np.stack([np.asarray(data[k][0]) for k in range(10)]), PIXELS[:10])


def test_a_damaged_cifar_is_refused(tmp_path):
    spec = cifar100(tmp_path, fine_labels=FINE[:-1])
    with pytest.raises(InputError, match="damaged, or no file of CIFAR100"):
        open_data(spec)
    path = tmp_path / "cifar-100-python" / "test"
    path.write_bytes(path.read_bytes()[:20000])
    with pytest.raises(InputError, match="damaged"):
        open_data(spec)


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "KMNIST"])
def test_relatives_of_mnist_are_read_by_torchvision(tmp_path, name):
    raw = tmp_path / name / "raw"
    raw.mkdir(parents=True)
    grey = PIXELS[..., 0]
    for prefix, n in (("train", 12), ("t10k", 8)):
        images = struct.pack(">4I", 0x803, n, 32, 32) + grey[:n].tobytes()
        (raw / f"{prefix}-images-idx3-ubyte").write_bytes(images)
        labels = struct.pack(">2I", 0x801, n) + bytes(FINE[:n])
        (raw / f"{prefix}-labels-idx1-ubyte").write_bytes(labels)
    test = open_data(f"torchvision:{name}?root={tmp_path}")
    train = open_data(f"torchvision:{name}?root={tmp_path}&split=train")
    assert (len(test), len(train), test.name) == (8, 12, f"{name}-test")
    np.testing.assert_array_equal(np.asarray(test[3][0])[..., 0], grey[3])
    assert test.labels.tolist() == FINE[:8]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("torchvision:CIFAR1000", "no classification set 'CIFAR1000'; nearest: "),
        ("torchvision:VOCDetection", "no classification set 'VOCDetection'"),
        ("torchvision:MNIST?root={}", "download=yes fetches it"),
        ("torchvision:MNIST?root={}&split=val", "split=val is unknown; accepted: train, test"),
        ("torchvision:MNIST?root={}&download=no&kind=letters", "MNIST takes no kind="),
        ("torchvision:MNIST?root={}&download=maybe", "accepted: yes, no"),
        ("torchvision:SVHN?root={}&split=valid", "valid"),
        ("torchvision:EuroSAT?root={}&split=test", "has no splits"),
        ("torchvision:CIFAR10?root={}", "cannot be read"),
    ],
)
def test_what_cannot_be_had_is_named_and_nothing_is_downloaded(tmp_path, spec, message):
    with pytest.raises(InputError, match=message) as caught:
        open_data(spec.format(tmp_path))
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_sets_of_an_image_and_a_class_are_offered_and_no_others():
    names = set(classification_sets())
    assert {"CIFAR10", "CIFAR100", "STL10", "SVHN", "Food101", "DTD", "EuroSAT", "ImageNet", "GTSRB"} <= names
    assert not names & {"VOCDetection", "Kitti", "Sintel", "FlyingThings3D", "CREStereo", "LSUN", "FakeData"}
