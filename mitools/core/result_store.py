"""Results kept on disk: one JSON a cell, named by all it depends on, written whole."""

import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mitools.core.files import digest_text, parse_json, write_text

Values = dict[str, Any]

CHECKSUM = "checksum"
"""The key of a kept document under which its checksum stands."""

LIBRARIES = ("numpy", "scikit-learn", "scipy", "torch")
"""Libraries whose version may move a number; recorded with every cell."""


class ResultStore:
    """A folder of cells. A killed process loses at most the cell it was computing.

    A cell is named by what was measured on what: the same request finds it again, and a changed feature,
    setting or version of mitools is another cell, never a stale hit. One that is damaged, or was changed by
    hand, is computed again.

    Parameters
    ----------
    folder
        Where the cells lie; made when the first is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def cell(self, kind: str, on: Mapping[str, Any], compute: Callable[[], Values]) -> Values:
        """Return a cell's values: read when they are kept, else computed and kept.

        Parameters
        ----------
        kind
            What is measured, such as ``certificate``; begins the file's name.
        on
            Everything it depends on, as JSON values.
        compute
            Makes the values, JSON as well; the seconds it took are added to them.
        """
        kept = self.kept(kind, on)
        if kept is not None:
            return kept
        started = time.perf_counter()
        values = compute() | {"seconds": time.perf_counter() - started}
        request = _request(kind, on)
        document = {"request": request, "versions": _versions(), "values": values}
        write_text(self.path(kind, on), sealed(document))
        return values

    def kept(self, kind: str, on: Mapping[str, Any]) -> Values | None:
        """Return a cell's values, or None where it is still to be computed."""
        return _read(self.path(kind, on), _request(kind, on))

    def path(self, kind: str, on: Mapping[str, Any]) -> Path:
        """Where a cell lies, or would lie."""
        return self.folder / f"{kind}-{digest_text(_request(kind, on))[:24]}.json"


def _request(kind: str, on: Mapping[str, Any]) -> str:
    return json.dumps({"kind": kind, "mitools": version("mitools"), "on": on}, sort_keys=True)


def _read(path: Path, request: str) -> Values | None:
    """Values of a cell that is there and is the one asked for; a damaged file counts as absent."""
    try:
        document = unsealed(path.read_text(encoding="utf-8"))
        values = document["values"] if document["request"] == request else None
        return values if isinstance(values, dict) else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def sealed(document: Mapping[str, Any]) -> str:
    """Write a document as JSON with a checksum of all that it says.

    Raises
    ------
    TypeError or ValueError
        When it holds what JSON cannot.
    """
    as_read = json.loads(json.dumps(document, allow_nan=False))
    return json.dumps(as_read | {CHECKSUM: _checksum(as_read)})


def unsealed(text: str) -> Values:
    """Read a document that :func:`sealed` wrote.

    Raises
    ------
    ValueError or TypeError
        When it is damaged, or another text than was written.
    """
    document = parse_json(text)
    found = document.pop(CHECKSUM, None) if isinstance(document, dict) else None
    if found is None or found != _checksum(document):
        raise ValueError("the document is not what was written")
    checked: Values = document
    return checked


def _checksum(document: Values) -> str:
    return digest_text(json.dumps(document, sort_keys=True))


@cache
def _versions() -> dict[str, str]:
    return {name: version(name) for name in LIBRARIES}
