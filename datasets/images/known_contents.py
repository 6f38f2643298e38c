"""What was read of large sets of files before: files that have not changed are not read again to be known."""

import os
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from mitools.core.files import digest_text, write_text
from mitools.core.result_store import sealed, unsealed
from mitools.datasets.opened_files import OpenedFiles

REMEMBERED_FROM = 1 << 26
"""Bytes of a set of files from which it is worth a note: smaller ones are read in a moment."""


class Contents(NamedTuple):
    """What reading all bytes once tells.

    Attributes
    ----------
    digest
        Of all bytes, in order.
    facts
        How many images have which facts in their headers, by the sum of
        :func:`mitools.datasets.images.decode.header_facts`.
    """

    digest: str
    facts: Counter[int]


class KnownContents:
    """A note of what was read, in ``contents`` below the folder of the cache.

    The note is found again by the names of the files and by the size, time of change, number on the disk and
    time of the last write of each: the last is set by the system alone, so that a file which was rewritten
    and given its old time is read again.

    Parameters
    ----------
    opened
        The files.
    names
        What else the note depends on.
    """

    def __init__(self, opened: OpenedFiles, names: Sequence[str]) -> None:
        self._large = opened.bytes >= REMEMBERED_FROM
        self._key = digest_text("contents 1", opened.digest, *names)
        folder = os.environ.get("MITOOLS_CACHE")
        root = Path(folder) if folder else Path.home() / ".cache" / "mitools"
        self._path = root / "contents" / f"{self._key}.json"

    def read(self) -> Contents | None:
        """Give what was read of the same files before; None where nothing was, or the note is damaged."""
        with suppress(OSError, ValueError, TypeError, LookupError, AttributeError):
            note = unsealed(self._path.read_text(encoding="utf-8"))
            if note["key"] == self._key:
                return Contents(note["digest"], Counter({int(k): v for k, v in note["facts"].items()}))
        return None

    def keep(self, contents: Contents) -> None:
        """Write the note, where the files are large and the cache takes it."""
        if self._large:
            facts = {str(fact): count for fact, count in contents.facts.items()}
            with suppress(OSError):
                note = {"key": self._key, "digest": contents.digest, "facts": facts}
                write_text(self._path, sealed(note))
