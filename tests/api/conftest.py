"""Data and networks that a caller holds in memory, and the folders where nothing may appear."""

import io
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Dataset

from mitools.encoders.architectures import CifarResNet


class TarImages(Dataset):
    """A tar of class folders, as anyone would write it: items in order of class and name."""

    def __init__(self, path, transform=None):
        with tarfile.open(path) as archive:
            members = sorted(
                (member for member in archive if member.isfile()),
                key=lambda member: (member.name.split("/")[-2], member.name),
            )
            self.files = [archive.extractfile(member).read() for member in members]
        names = [member.name.split("/")[-2] for member in members]
        self.classes = sorted(set(names))
        self.targets = [self.classes.index(name) for name in names]
        self.transform = transform

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        image = Image.open(io.BytesIO(self.files[index])).convert("RGB")
        return (self.transform(image) if self.transform else image), self.targets[index]


@pytest.fixture
def images(image_tar):
    """Make the torch Dataset over the tar of images, with or without a transform."""
    return lambda transform=None: TarImages(image_tar, transform)


def make_network():
    """Make a small network of one's own, part of it frozen, in training mode; the same at every call."""
    torch.manual_seed(0)
    net = CifarResNet(8).train()
    net.layer1.eval().requires_grad_(False)
    return net


@pytest.fixture(scope="session")
def network_maker():
    """The function that makes the network."""
    return make_network


@pytest.fixture
def network():
    """A small network of one's own, part of it frozen, in training mode."""
    return make_network()


@pytest.fixture(scope="session")
def rows():
    """Rows of three overlapping classes, and their labels."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 240)
    return (2 * np.eye(3)[y] + rng.standard_normal((240, 3))).astype(np.float32), y


@pytest.fixture
def untouched(tmp_path, monkeypatch):
    """Work in an empty folder, with an empty home and cache, and check that they are empty afterwards."""
    folders = {name: tmp_path / name for name in ("cwd", "home", "cache", "scratch")}
    for folder in folders.values():
        folder.mkdir()
    monkeypatch.chdir(folders["cwd"])
    monkeypatch.setenv("HOME", str(folders["home"]))
    monkeypatch.setenv("MITOOLS_CACHE", str(folders["cache"]))
    monkeypatch.setattr("tempfile.tempdir", str(folders["scratch"]))
    yield
    assert {name: list(folder.rglob("*")) for name, folder in folders.items()} == {
        name: [] for name in folders
    }
