"""Images in one folder a class inside a tar archive, which is not extracted."""

from pathlib import Path, PurePosixPath

import numpy as np

from mitools.core.errors import InputError
from mitools.core.specs import Spec
from mitools.datasets.images.decode import UPRIGHT_ON_WHITE, Reading, image_reading, is_image_name
from mitools.datasets.images.encoded import EncodedImages
from mitools.datasets.readers.archive import Archive
from mitools.datasets.readers.folder import LEFT_BY_ARCHIVERS


class ImageArchive(EncodedImages):
    """A tar of class folders; meets :class:`mitools.datasets.base.LabelledData`.

    The class of an image is the folder it lies in, however deep (``cifar10/test/cat/0001.jpg`` is a cat);
    items come in order of class and name, as from a folder. The digest covers the whole uncompressed content.

    Parameters
    ----------
    path
        ``.tar``, or a ``.tar`` compressed by gzip, bzip2 or xz.
    under
        Take the images below this folder of the archive alone.
    reading
        How the images are decoded.

    Raises
    ------
    InputError
        When it is no tar archive, is cut short, has no images, or two class folders share their name.
    """

    def __init__(self, path: Path, under: str = "", reading: Reading = UPRIGHT_ON_WHITE) -> None:
        super().__init__(reading)
        self._archive = Archive(path)
        self.opened = self._archive.opened
        members = {
            name: place
            for name, place in self._archive.members().items()
            if is_image_name(name) and _has_class(name) and _is_below(name, under)
        }
        if not members:
            raise InputError(f"{path}: no images in class folders{f' below {under}' if under else ''}")
        folders: dict[str, PurePosixPath] = {}
        for name in members:
            folder = PurePosixPath(name).parent
            other = folders.setdefault(folder.name, folder)
            if other != folder:
                raise InputError(
                    f"{path}: class folders {other} and {folder} share their name; choose with under=FOLDER"
                )
        self.name = path.name.partition(".")[0]
        self.classes = sorted(folders)
        label = {name: k for k, name in enumerate(self.classes)}
        self.files = sorted(members, key=lambda name: (PurePosixPath(name).parent.name, name))
        self._places = np.array([members[name] for name in self.files], dtype=np.int64)
        self.labels = np.array(
            [label[PurePosixPath(name).parent.name] for name in self.files], dtype=np.int64
        )
        self.look_through("tar", self._archive.digest, under, digest_bytes=False)

    def content(self, place: int) -> bytes:
        """Read one member."""
        offset, size = self._places[place]
        return self._archive.read((int(offset), int(size)))

    def where(self, place: int) -> str:
        """Give the archive and the name of one member."""
        return f"{self._archive.path}: {self.files[place]}"


def open_tar(spec: Spec) -> ImageArchive:
    """Open ``tar:PATH?under=FOLDER``.

    Raises
    ------
    InputError
        As :class:`ImageArchive`.
    """
    path = Path(spec.need_name("tar:path/to/images.tar.gz"))
    return ImageArchive(path, spec.options.get("under", ""), image_reading(spec))


def _has_class(name: str) -> bool:
    folders = PurePosixPath(name).parts[:-1]
    return bool(folders) and not LEFT_BY_ARCHIVERS & set(folders)


def _is_below(name: str, under: str) -> bool:
    return PurePosixPath(name).is_relative_to(under.strip("/"))
