"""Images in one folder a class."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mitools.core.errors import InputError
from mitools.core.specs import Spec
from mitools.datasets.images.decode import UPRIGHT_ON_WHITE, Reading, image_reading, is_image_name
from mitools.datasets.images.encoded import EncodedImages
from mitools.datasets.opened_files import OpenedFiles

LEFT_BY_ARCHIVERS = frozenset({"__MACOSX"})
"""Folders that programs put beside the data; they hold no images of a class."""

_BYTES_AT_ONCE = 1 << 20


class ImageFolder(EncodedImages):
    """A folder with one folder a class; meets :class:`mitools.datasets.base.LabelledData`.

    Classes are the folders in order of name, items the image files directly inside them, likewise; hidden
    folders and ``__MACOSX`` are none. Links are followed, and told where they lead out of the folder. The
    digest covers names and contents of the files.

    Parameters
    ----------
    root
        The folder.
    reading
        How the files are decoded. Where damaged ones are left out, so are folders without images.

    Raises
    ------
    InputError
        When there is no such folder, or one of its folders has no image directly inside.
    """

    def __init__(self, root: Path, reading: Reading = UPRIGHT_ON_WHITE) -> None:
        super().__init__(reading)
        if not root.is_dir():
            raise InputError(f"{root}: no such folder")
        folders = sorted(
            path
            for path in root.iterdir()
            if path.is_dir() and not path.name.startswith(".") and path.name not in LEFT_BY_ARCHIVERS
        )
        if not folders:
            raise InputError(f"{root}: no class folders inside; put the images into one folder a class")
        self.name = root.resolve().name
        self.files: list[str] = []
        links = [str(folder) for folder in folders if folder.is_symlink()]
        classes, counts, names = [], [], ["folder"]
        for folder in folders:
            images = [entry for entry in os.scandir(folder) if is_image_name(entry.name) and entry.is_file()]
            if images:
                images.sort(key=lambda entry: entry.path)
                classes.append(folder.name)
                counts.append(len(images))
                self.files += [entry.path for entry in images]
                links += [entry.path for entry in images if entry.is_symlink()]
                names += [f"{folder.name}/{entry.name}" for entry in images]
            elif reading.skip:
                self.notes.append(f"class {folder.name!r} has no images and was left out")
            else:
                raise InputError(
                    f"{folder}: no images directly inside; name the folder that has one folder a class, or"
                    " leave empty classes out with on_error=skip"
                )
        if not classes:
            raise InputError(f"{root}: none of its folders has an image")
        self.classes = classes
        self.labels = np.repeat(np.arange(len(classes)), counts).astype(np.int64)
        self.opened = OpenedFiles(self.files)
        if away := _led_out(root, links):
            self.notes.append(
                f"{len(away):,} of its folders and files are links that lead out of it: {away[0]}"
            )
        self.look_through(*names)

    def content(self, place: int) -> bytes:
        """Read one file."""
        path = self.files[place]
        try:
            # Twice as fast as opening a stream, which counts for small images.
            file = os.open(path, os.O_RDONLY)
            try:
                content = start = os.read(file, _BYTES_AT_ONCE)
                while len(start) == _BYTES_AT_ONCE:
                    start = os.read(file, _BYTES_AT_ONCE)
                    content += start
            finally:
                os.close(file)
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from None
        return content

    def where(self, place: int) -> str:
        """Give the path of one file."""
        return self.files[place]


def _led_out(root: Path, links: Sequence[str]) -> list[str]:
    """Name the links that lead out of a folder."""
    inside = root.resolve()
    return [path for path in links if not Path(path).resolve().is_relative_to(inside)]


def open_folder(spec: Spec) -> ImageFolder:
    """Open ``folder:PATH``, with the options of :func:`mitools.datasets.images.decode.image_reading`.

    Raises
    ------
    InputError
        As :class:`ImageFolder`.
    """
    return ImageFolder(Path(spec.need_name("folder:path/to/images")), image_reading(spec))
