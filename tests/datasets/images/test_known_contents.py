"""Large sets of files are read once to be known; whatever changed is read again."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mitools.datasets.images import known_contents
from mitools.datasets.open import open_data
from mitools.datasets.readers.folder import ImageFolder


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(known_contents, "REMEMBERED_FROM", 1)
    for label in "ab":
        (tmp_path / "images" / label).mkdir(parents=True)
        for item in range(3):
            grey = np.full((4, 4, 4), 10 * item + 100 * (label == "b"), np.uint8)
            Image.fromarray(grey).save(tmp_path / "images" / label / f"{item}.png")
    return tmp_path / "images"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The images whose bytes were read."""
    places: list[int] = []
    content = ImageFolder.content

    def counted(self: Any, place: int) -> bytes:
        places.append(place)
        return content(self, place)

    monkeypatch.setattr(ImageFolder, "content", counted)
    return places


def _open(images: Path, options: str = "") -> ImageFolder:
    with pytest.warns(match="6 of 6 images with transparency"):
        data = open_data(f"folder:{images}{options}")
    assert isinstance(data, ImageFolder)
    return data


def test_the_second_time_no_byte_is_read_and_all_is_known_alike(images: Path, read: list[int]) -> None:
    first = _open(images)
    assert read == [0, 1, 2, 3, 4, 5]
    read.clear()
    second = _open(images)
    assert read == []
    assert (second.digest, second.notes) == (first.digest, first.notes)
    assert second[5][0].getpixel((0, 0)) == first[5][0].getpixel((0, 0))


def test_an_image_that_is_rewritten_with_its_old_size_and_time_is_read_again(
    images: Path, read: list[int]
) -> None:
    before = _open(images)
    path = images / "b" / "2.png"
    state, content = path.stat(), bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (state.st_size, state.st_mtime_ns)
    read.clear()
    assert _open(images).digest != before.digest
    assert len(read) == 6


def test_a_damaged_note_counts_as_none(images: Path, tmp_path: Path, read: list[int]) -> None:
    before = _open(images)
    (note,) = (tmp_path / "cache" / "contents").iterdir()
    for damage in (b"{", note.read_bytes().replace(before.digest[:6].encode(), b"000000")[:-3], b""):
        note.write_bytes(damage)
        read.clear()
        assert _open(images).digest == before.digest
        assert len(read) == 6


def test_where_damaged_images_are_left_out_all_are_decoded(images: Path, read: list[int]) -> None:
    _open(images)
    read.clear()
    _open(images, "?on_error=skip")
    assert len(read) == 6


def test_small_sets_leave_no_note(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_contents, "REMEMBERED_FROM", 1 << 26)
    _open(images)
    assert not (tmp_path / "cache").exists()


def test_a_cache_that_takes_no_note_is_no_obstacle(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MITOOLS_CACHE", str(tmp_path / "file"))
    assert len(_open(images)) == 6
