"""What tests of several rooms share: small data made on the spot, and where the real data may lie."""

import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SHARED = Path(__file__).parents[2] / "shared"


def pytest_configure(config):
    """Give each of several workers, and what it starts, one thread: more would wait for each other."""
    if getattr(config.option, "numprocesses", None):
        os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def cache_in_tmp(tmp_path, monkeypatch):
    """Keep every test's features out of the user's cache."""
    monkeypatch.setenv("MITOOLS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def shared():
    """The folder of real data and checkpoints beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("the real data are not here: no ../shared folder beside the checkout")
    return SHARED


def write_image_tar(path, counts, seed=0, size=8):
    """Write a tar of noisy grey images, class k brighter than class k - 1: images a class as in `counts`."""
    rng = np.random.default_rng(seed)
    with tarfile.open(path, "w") as archive:
        for label, count in enumerate(counts):
            for item in range(count):
                level = 60 + 60 * label + rng.normal(0, 30, (size, size))
                stream = io.BytesIO()
                Image.fromarray(np.clip(level, 0, 255).astype(np.uint8)).save(stream, "PNG")
                member = tarfile.TarInfo(f"images/class{label}/{item:04d}.png")
                member.size = stream.tell()
                stream.seek(0)
                archive.addfile(member, stream)
    return path


@pytest.fixture(scope="session")
def image_tar_writer():
    """The function that writes a tar of noisy images: ``write(path, counts)``."""
    return write_image_tar


@pytest.fixture
def image_tar(tmp_path):
    """A tar of three classes of 40 images; its spec is ``tar:PATH``."""
    return write_image_tar(tmp_path / "images.tar", [40, 40, 40])
