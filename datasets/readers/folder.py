"""Images read one file at a time: decoding, and folders with one folder a class."""

import io
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.core.specs import Spec
from mitools.datasets.opened_files import OpenedFiles

IMAGE_ENDINGS = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
_DAMAGE_ERRORS = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)


def is_image_name(name: str) -> bool:
    """Whether a file name is that of an image: a known ending, and not hidden (``._x.jpg``)."""
    path = Path(name)
    return path.suffix.lower() in IMAGE_ENDINGS and not path.name.startswith(".")


def decode_image(content: bytes, where: str) -> Image.Image:
    """Decode an image file into mode RGB.

    Parameters
    ----------
    content
        The bytes of the file.
    where
        What to call the file in an error.

    Raises
    ------
    InputError
        When it is damaged or no image, or its channels have more than 8 bits (they would be clipped).
    """
    try:
        image = Image.open(io.BytesIO(content))
        image.load()
    except _DAMAGE_ERRORS as error:
        reason = str(error).partition(" <_io")[0]
        raise InputError(f"{where}: cannot be read as an image ({reason}); fetch it again") from None
    if image.mode == "F" or image.mode.startswith("I"):
        raise InputError(f"{where}: mode {image.mode} has more than 8 bits a channel; convert it to 8 bits")
    return image.convert("RGB")


class ImageFolder:
    """A folder with one folder a class; meets :class:`mitools.datasets.base.LabelledData`.

    Classes are the folders in order of name, items the image files directly inside them, likewise.
    The digest covers names, sizes and times of change (in ns) and not the content of the files, which
    would all have to be read: a file rewritten in place with its old time and size goes unnoticed.

    Raises
    ------
    InputError
        When there is no such folder, or one of its folders has no image directly inside.
    """

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise InputError(f"{root}: no such folder")
        folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
        if not folders:
            raise InputError(f"{root}: no class folders inside; put the images into one folder a class")
        self.name = root.resolve().name
        self.classes: Sequence[str] = [folder.name for folder in folders]
        self._files: list[Path] = []
        counts = []
        for folder in folders:
            files = sorted(path for path in folder.iterdir() if is_image_name(path.name) and path.is_file())
            if not files:
                raise InputError(
                    f"{folder}: no images directly inside; name the folder that has one folder a class"
                )
            counts.append(len(files))
            self._files += files
        self.labels: NDArray[np.int64] = np.repeat(np.arange(len(folders)), counts).astype(np.int64)
        self.opened = OpenedFiles(self._files)
        self.digest = digest_text("folder", *self.opened.described(root))

    def __len__(self) -> int:
        """Count the images."""
        return len(self._files)

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        """Read one image in mode RGB and its label.

        Raises
        ------
        InputError
            When the file is damaged or gone.
        """
        path = self._files[index]
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from None
        return decode_image(content, str(path)), int(self.labels[index])


def open_folder(spec: Spec) -> ImageFolder:
    """Open ``folder:PATH``.

    Raises
    ------
    InputError
        As :class:`ImageFolder`.
    """
    return ImageFolder(Path(spec.need_name("folder:path/to/images")))
