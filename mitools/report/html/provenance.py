"""Where the numbers of a page come from: versions, device, seed, date, command line, digests."""

import shlex
import sys
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mitools.report.html.gather import RUN_FILE, read_json
from mitools.report.html.parts import Row

LIBRARIES = ("torch", "numpy", "scikit-learn")
"""Libraries whose version may move a number."""


def run_of(folder: Path) -> Mapping[str, Any]:
    """Read what a folder says of how it was made; nothing where it says nothing."""
    found = read_json(folder / RUN_FILE, {})
    return found if isinstance(found, dict) else {}


def typed(run: Mapping[str, Any]) -> str:
    """Give the command line, quoted so that it can be pasted; empty where it is not known.

    Where the folder does not say, it is this process's own, if that is the command line's.
    """
    command = run.get("command", "")
    if not command and Path(sys.argv[0]).stem == "mitools":
        command = ["mitools", *sys.argv[1:]]
    return command if isinstance(command, str) else shlex.join(str(word) for word in command)


def provenance(run: Mapping[str, Any], conditions: Mapping[str, Any]) -> list[Row]:
    """Give seed, device, date and versions, those that are known.

    Parameters
    ----------
    run
        What the folder says, see :func:`run_of`.
    conditions
        What the results say themselves.
    """
    today = {"date": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")}
    known = {**today, **conditions, **{name: value for name, value in run.items() if value is not None}}
    rows = [
        Row(name.replace("_", " "), str(known[name]))
        for name in ("seed", "prior", "device", "precision", "date")
        if name in known
    ]
    found = run.get("versions") or installed()
    rows.append(Row("versions", ", ".join(f"{name} {number}" for name, number in found.items())))
    return rows


def installed() -> dict[str, str]:
    """Give the versions of mitools and of the libraries that its numbers depend on."""
    found = {}
    for name in ("mitools", *LIBRARIES):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
