"""Every class keeps a folder of its own, inside the folder that was asked for."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mitools.core.errors import InputError
from mitools.core.progress import silent
from mitools.datasets.in_memory import ImageArray
from mitools.datasets.open import open_data
from mitools.datasets.output.class_folders import class_folder
from mitools.datasets.output.export import export_folder

AWKWARD = ["a b", "a_b", "a/b", ".h", "..", ".", "", "%", "%2E", "a\nb", "\u202ebc", "100%", "\\", "~", "-x"]


def _images(classes: list[str]) -> ImageArray:
    pixels = np.zeros((2 * len(classes), 4, 4, 3), dtype=np.uint8)
    labels = np.arange(2 * len(classes)) % len(classes)
    pixels[:, 0, 0, 0] = labels
    return ImageArray("own", classes, pixels, labels, "0")


@given(st.text(), st.text())
def test_two_classes_have_two_folders(one: str, other: str) -> None:
    assert (class_folder(one) == class_folder(other)) == (one == other)


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_a_folder_is_one_step_down_and_seen(name: str) -> None:
    folder = class_folder(name)
    assert len(Path(folder).parts) == 1
    assert not folder.startswith(".")
    assert folder.isprintable()


def test_awkward_classes_are_written_inside_and_read_back_apart(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    export_folder(_images(AWKWARD), tmp_path / "images" / "out", silent)
    assert [path.name for path in tmp_path.iterdir()] == ["images"]
    assert [path.name for path in (tmp_path / "images").iterdir()] == ["out"]
    back = open_data(f"folder:{tmp_path}/images/out")
    assert len(back) == 2 * len(AWKWARD)
    # The pixel says which class an image was written as.
    seen = {(int(np.asarray(image)[0, 0, 0]), label) for image, label in (back[k] for k in range(len(back)))}
    assert len(seen) == len(AWKWARD) == len(back.classes)


def test_the_table_of_an_export_names_files_that_are_there(tmp_path: Path) -> None:
    """Classes that a spreadsheet would run have files as all others do, and are told apart by the table."""
    classes = ["=cmd", "-x", "+1", "@a", "a b", "a_b", "é"]
    export_folder(_images(classes), tmp_path / "out", silent)
    back = open_data(f"csv:{tmp_path}/out/labels.csv?image=file&label=class")
    seen = {(int(np.asarray(image)[0, 0, 0]), label) for image, label in (back[k] for k in range(len(back)))}
    assert len(seen) == len(classes) == len(back.classes)
    assert not [line for line in (tmp_path / "out/labels.csv").read_text().splitlines() if line[0] in "=+-@"]


def test_a_class_whose_folder_no_disk_can_hold_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"class 'xxx.*cannot have a folder"):
        export_folder(_images(["x" * 300, "y"]), tmp_path / "out", silent)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_takes_two_names_for_one_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A disk that ignores case cannot be had here: the function names one folder for both.
    monkeypatch.setattr("mitools.datasets.output.export.class_folder", str.lower)
    with pytest.raises(InputError, match="differs in case or accents alone"):
        export_folder(_images(["A", "a"]), tmp_path / "out", silent)
    assert list(tmp_path.iterdir()) == []
