"""A pass over data that change under it is refused, and nothing of it is kept."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mitools.core.errors import InputError
from mitools.datasets.open import open_data
from mitools.encoders.open import open_encoder
from mitools.features.extract import extract
from mitools.features.store import FeatureStore


def _folder(root: Path) -> tuple[str, Path]:
    for label in "ab":
        (root / "images" / label).mkdir(parents=True)
        for item in range(4):
            grey = np.full((4, 4), 40 * item + (label == "b"), np.uint8)
            Image.fromarray(grey).save(root / "images" / label / f"{item}.png")
    return f"folder:{root}/images", root / "images" / "b" / "3.png"


def _tar(root: Path) -> tuple[str, Path]:
    import tarfile

    spec, _ = _folder(root)
    with tarfile.open(root / "images.tar", "w") as archive:
        archive.add(spec.removeprefix("folder:"), "images")
    return f"tar:{root}/images.tar", root / "images.tar"


def _npy(root: Path) -> tuple[str, Path]:
    np.save(root / "rows.npy", np.arange(24, dtype=np.float32).reshape(8, 3))
    np.save(root / "labels.npy", np.arange(8) % 2)
    return f"features:{root}/rows.npy?labels={root}/labels.npy", root / "rows.npy"


def _touch(path: Path) -> None:
    state = path.stat()
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1))


def _replace(path: Path) -> None:
    """Put another file there, with the size and the time of the one before."""
    state = path.stat()
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(state.st_atime_ns, state.st_mtime_ns))
    os.replace(other, path)


@pytest.mark.parametrize("write", [_folder, _tar, _npy])
@pytest.mark.parametrize("change", [_touch, _replace, Path.unlink])
@pytest.mark.parametrize("part", ["", "classes=a,b", "limit=6"])
def test_a_file_that_changes_during_a_pass(
    tmp_path: Path, write: Callable[[Path], tuple[str, Path]], change: Callable[[Path], None], part: str
) -> None:
    spec, file = write(tmp_path)
    if "features" in spec:
        part = part.replace("a,b", "0,1")
    data = open_data(f"{spec}{'&' if '?' in spec else '?'}{part}" if part else spec)

    def advance(name: str, done: int, total: int) -> None:
        if done == 4:
            change(file)

    store = FeatureStore(tmp_path / "cache")
    with pytest.raises(InputError, match=f"{file.name}: (changed while it was read|cannot be read)"):
        extract(open_encoder("builtin:pixels"), data, store=store, batch_size=4, advance=advance)
    assert not any((tmp_path / "cache").iterdir())


@pytest.mark.parametrize("write", [_folder, _tar, _npy])
def test_files_that_are_read_alone_are_kept(
    tmp_path: Path, write: Callable[[Path], tuple[str, Path]]
) -> None:
    spec, file = write(tmp_path)
    file.read_bytes()
    kept = extract(open_encoder("builtin:pixels"), open_data(spec), store=FeatureStore(tmp_path / "cache"))
    assert len(kept.values) == 8


def test_an_archive_that_was_decompressed_cannot_change(tmp_path: Path, image_tar: Path) -> None:
    import gzip

    packed = tmp_path / "images.tar.gz"
    packed.write_bytes(gzip.compress(image_tar.read_bytes()))
    data = open_data(f"tar:{packed}?limit=9")
    packed.unlink()
    kept = extract(open_encoder("builtin:pixels"), data, store=FeatureStore(tmp_path / "cache"))
    assert len(kept.values) == 9
