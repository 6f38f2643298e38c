"""``run.json``: what a folder of results is, and all that it takes to compute it again."""

import json
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mitools.core.errors import InputError
from mitools.core.files import folder_or_scratch, writable_folder, write_text

RECORD = "run.json"

LIBRARIES = (
    "mitools", "torch", "torchvision", "timm", "numpy", "scipy", "scikit-learn", "pandas", "matplotlib",
)  # fmt: skip
"""Whose versions are kept."""

WORKING = frozenset({"cells", "claims", "failures", "jobs", "rows"})
"""What a command that was stopped early leaves: it is its own, and goes on with it."""

command_line: ContextVar[str | None] = ContextVar("command_line", default=None)
"""The command that is at work; None where Python called."""


def require_own(folder: Path, kind: str, overwrite: bool = False) -> None:
    """Refuse a folder that holds anything but results of one kind.

    Parameters
    ----------
    folder
        Where results are to go; it need not be there.
    kind
        What they are: ``audit``, ``plane``, ...
    overwrite
        Take the folder as it is: files of the same names are replaced, others stay.

    Raises
    ------
    InputError
        When the folder holds something else.
    """
    if overwrite or not folder.is_dir():
        return
    found = read_record(folder)
    if found.get("kind") == kind:
        return
    content = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    if found.get("kind") is None and set(content) <= WORKING:
        return
    holds = f"the results of another command ({found['kind']})" if "kind" in found else _named(content)
    raise InputError(f"{folder} holds {holds}; name another --out, or add --overwrite")


@contextmanager
def results_folder(
    folder: str | os.PathLike[str] | None, kind: str, overwrite: bool = False
) -> Iterator[Path]:
    """Give the folder named, where it is the results' own, or one that is gone when the block ends.

    Raises
    ------
    InputError
        As :func:`require_own` and :func:`mitools.core.files.writable_folder`, before the block begins.
    """
    if folder is not None:
        require_own(writable_folder(folder), kind, overwrite)
    with folder_or_scratch(folder) as path:
        yield path


def read_record(folder: Path) -> dict[str, Any]:
    """Read a folder's ``run.json``; nothing where there is none, or none that can be read."""
    try:
        found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_record(folder: Path, kind: str, **what: Any) -> Path:
    """Write ``run.json``: kind, command line, date, versions, and what else is given.

    Parameters
    ----------
    folder
        Made if absent.
    kind
        As for :func:`require_own`.
    what
        JSON values: ``seed``, ``device``, ``data`` and ``encoders`` (digests by name), ``settings``.

    Returns
    -------
    Path
        The file. The commands that wrote into the folder before are kept in it, under ``earlier``.
    """
    before = read_record(folder)
    earlier = list(before.get("earlier", []))
    if before:
        earlier.append({key: before.get(key) for key in ("command", "date")})
    document = record(kind, **what) | {"earlier": earlier}
    write_text(folder / RECORD, json.dumps(document, indent=2) + "\n")
    return folder / RECORD


def record(kind: str, **what: Any) -> dict[str, Any]:
    """Give the content of a ``run.json``."""
    return {
        "kind": kind,
        "command": command_line.get(),
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        **what,
        "versions": {"python": platform.python_version(), **_versions()},
    }


def digests(named: Mapping[str, Any]) -> dict[str, str]:
    """Give the digest of every data set or encoder that has one, by name."""
    return {name: str(one.digest) for name, one in named.items() if hasattr(one, "digest")}


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _named(content: list[str]) -> str:
    few = ", ".join(content[:3])
    return f"other files ({few}{', ...' if len(content) > 3 else ''})"
