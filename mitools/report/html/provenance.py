"""Where the numbers of a page come from: versions, device, seed, date, command line, digests."""

from collections.abc import Mapping
from typing import Any

from mitools.core.run_record import record
from mitools.report.html.parts import Row

LIBRARIES = ("mitools", "python", "torch", "numpy", "scikit-learn")
"""Whose versions a page tells; ``run.json`` has more."""

SHOWN = ("seed", "seeds", "prior", "device", "precision")


def provenance(run: Mapping[str, Any], conditions: Mapping[str, Any]) -> list[Row]:
    """Give seed, device, date and versions, those that are known.

    Parameters
    ----------
    run
        The folder's ``run.json``; where there is none, as of an audit in memory, versions and date are those
        of now.
    conditions
        What the results say themselves.
    """
    told = run or record("page")
    known = {**told.get("settings", {}), **conditions, **told}
    rows = [Row(name, _shown(known[name])) for name in SHOWN if known.get(name) is not None]
    versions = [f"{name} {told['versions'][name]}" for name in LIBRARIES if name in told.get("versions", {})]
    rows.append(Row("date", str(told.get("date", ""))[:16].replace("T", " ")))
    return [*rows, Row("versions", ", ".join(versions))]


def typed(run: Mapping[str, Any]) -> str:
    """Give the command line, as it can be pasted; empty where Python called."""
    return str(run.get("command") or "")


def digests(run: Mapping[str, Any]) -> list[Row]:
    """Give the digests of data and encoders that ``run.json`` has."""
    return [
        Row(str(name), str(digest), code=True)
        for what in ("data", "encoders")
        if isinstance(run.get(what), dict)
        for name, digest in run[what].items()
    ]


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
