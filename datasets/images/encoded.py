"""Labelled images of which each is bytes somewhere: decoded when asked for, known by all their bytes."""

import hashlib
import warnings
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mitools.core.errors import DataNote, InputError
from mitools.core.files import digest_text
from mitools.datasets.images.decode import Reading, decode_image, facts_told, header_facts
from mitools.datasets.images.known_contents import Contents, KnownContents
from mitools.datasets.opened_files import OpenedFiles
from mitools.datasets.targets import Targets

_NAMED_AT_MOST = 3


class EncodedImages(ABC):
    """Images read as bytes, decoded one by one; meets :class:`mitools.datasets.base.LabelledData`.

    A subclass says where the bytes lie and calls :meth:`look_through` when it knows how many there are: this
    reads all bytes once, for the digest, and decodes nothing unless damaged images are to be left out.

    Attributes
    ----------
    name, classes, labels, digest
        As :class:`mitools.datasets.base.LabelledData` has them.
    kept
        Shape (n,): which of the source's images the items are.
    notes
        What was changed or left out, one sentence each.
    skipped
        The damaged images that were left out, each with the reason.
    opened
        The files that images are read from on demand; None where others cannot change them.
    targets
        What the items are compared with where that is not one class each.
    files
        The file of every image of the source, by its path; none where images have no files of their own.
    """

    name: str
    classes: Sequence[str]
    labels: NDArray[np.int64]
    digest: str
    kept: NDArray[np.int64]
    targets: Targets | None = None
    files: Sequence[str] = ()

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.notes: list[str] = []
        self.skipped: list[str] = []
        self.opened: OpenedFiles | None = None

    @abstractmethod
    def content(self, place: int) -> bytes:
        """Read the bytes of one of the source's images."""

    @abstractmethod
    def where(self, place: int) -> str:
        """Say what one of the source's images is called in messages."""

    def look_through(self, *identity: str, digest_bytes: bool = True, column: str = "") -> None:
        """Read all bytes once: the digest, what reading changes, and which images are damaged.

        Large sets of files that were read before and have not changed are not read again.

        `classes` and `labels` are those of all images of the source when this is called.

        Parameters
        ----------
        *identity
            What else the data depend on.
        digest_bytes
            Whether the bytes of the images are part of the digest; else `identity` covers them.
        column
            Which of several columns or arrays of the files the images are.
        """
        names = list(identity)
        if self.targets is not None:
            names += [self.targets.kind, *self.targets.names]
        noted = [*names, column] if column else names
        known = KnownContents(self.opened, noted) if self.opened and not self.reading.skip else None
        contents = known.read() if known else None
        if contents is None:
            contents = self._read_all(digest_bytes)
            if known:
                known.keep(contents)
        else:
            self.kept = np.arange(len(self.labels))
        self.notes += facts_told(contents.facts, self.reading)
        if self.skipped:
            self._leave_out()
        # Data that are read as they always were keep the digest that they always had.
        changed = [self.reading.key] if set(contents.facts) - {0} else []
        left_out = [self.kept.tobytes().hex()] if self.skipped else []
        content_digest = [contents.digest] if digest_bytes else []
        self.digest = digest_text(*names, *content_digest, *changed, *left_out)
        for note in self.notes:
            warnings.warn(DataNote(f"{self.name}: {note}"), stacklevel=3)

    def _read_all(self, digest_bytes: bool) -> Contents:
        """Read every image's bytes."""
        state = hashlib.sha256()
        facts: Counter[int] = Counter()
        good = []
        for place in range(len(self.labels)):
            try:
                content = self.content(place)
                if self.reading.skip:
                    decode_image(content, self.where(place), self.reading)
            except InputError as error:
                if not self.reading.skip:
                    raise
                self.skipped.append(str(error))
                continue
            good.append(place)
            facts[header_facts(content)] += 1
            if digest_bytes:
                state.update(len(content).to_bytes(8, "little"))
                state.update(content)
        self.kept = np.array(good, dtype=np.int64)
        return Contents(state.hexdigest(), facts)

    def _leave_out(self) -> None:
        count = len(self.skipped)
        shown = "; ".join(self.skipped[:_NAMED_AT_MOST])
        more = f"; and {count - _NAMED_AT_MOST} more" if count > _NAMED_AT_MOST else ""
        self.notes.append(
            f"{count:,} of {len(self.labels):,} images are damaged and were left out: {shown}{more}"
        )
        if self.targets is not None:
            self.targets = self.targets.at(self.kept)
        labels = self.labels[self.kept]
        present = np.unique(labels)
        gone = [name for label, name in enumerate(self.classes) if label not in present]
        if gone:
            self.notes.append(f"{len(gone)} classes have no image left: {', '.join(gone[:_NAMED_AT_MOST])}")
        self.classes = [self.classes[int(label)] for label in present]
        self.labels = np.searchsorted(present, labels).astype(np.int64)

    def __len__(self) -> int:
        """Count the images."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        """Read one image in mode RGB and its label.

        Raises
        ------
        InputError
            When the image is damaged or gone.
        """
        place = int(self.kept[index])
        return decode_image(self.content(place), self.where(place), self.reading), int(self.labels[index])

    @property
    def item_files(self) -> list[str] | None:
        """The file of every item, by its path; None where items have no files of their own."""
        return [self.files[int(place)] for place in self.kept] if self.files else None

    def column(self, name: str) -> NDArray[Any]:
        """Give a column that the source has beside images and labels, one value an item.

        Raises
        ------
        InputError
            When it has none of that name.
        """
        raise InputError(
            f"{self.name} has no columns beside its images, and so none called {name!r}; write a table with"
            " the columns path and group, and name it: groups=FILE.csv"
        )
