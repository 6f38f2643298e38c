"""Rows that earlier audits left in a folder: read, checked to be of the same items, and added to."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

from mitools.auditing.base import EncoderAudit, Layer
from mitools.auditing.settings import AuditSettings
from mitools.core.errors import InputError
from mitools.core.result_store import unsealed
from mitools.core.run_record import write_record
from mitools.datasets.base import LabelledData
from mitools.views.registry import shown_view

FOLDER = "rows"
"""Where they lie in the folder of an audit."""

CLASS_ROWS, TARGET_ROWS = "audit.json", "targets.json"
"""Rows of an audit of classes, and of one of other targets."""


def read_kept(path: Path, fields: Collection[str]) -> dict[str, Any] | None:
    """Read what earlier audits left; None where there is nothing, or it is damaged or lacks a field."""
    try:
        document = unsealed(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return None
    return document if set(fields) <= document.keys() else None


def require_same_items(folder: Path, kept: Mapping[str, Any] | None, on: Mapping[str, Any]) -> None:
    """Refuse rows that are kept in a folder, where there are some, if they have something else in common.

    Raises
    ------
    InputError
        With what differs.
    """
    if kept is None or kept["on"] == dict(on):
        return
    keys = dict.fromkeys([*kept["on"], *on])
    differs = ", ".join(key for key in keys if kept["on"].get(key) != on.get(key))
    raise InputError(
        f"{folder} holds an audit of {kept['data']} with another {differs}: one table cannot hold both; name"
        " another --out, or add --overwrite"
    )


def require_no_rows(path: Path) -> None:
    """Refuse a folder that holds rows of the other kind of audit: of other targets, or of classes.

    Raises
    ------
    InputError
        With the kind.
    """
    if read_kept(path, {"on", "data"}) is not None:
        kind = "classes" if path.name == CLASS_ROWS else "targets that are no classes"
        raise InputError(
            f"{path.parent.parent} holds an audit of {kind}: one table cannot hold both; name another --out,"
            " or add --overwrite"
        )


def critic_meant(settings: AuditSettings) -> dict[str, str]:
    """Say which critic the column ``infonce`` is of; nothing where none is fitted."""
    return {"infonce": f"of the {_critic(settings)} critic"} if settings.critic else {}


def views_meant(settings: AuditSettings) -> dict[str, str]:
    """Say what the column of every view is read from, beside the view itself."""
    names = [shown_view(spec) for spec in settings.view_pairings]
    how = f"of the {_critic(settings)} critic on {settings.views} draws an item"
    return {f"i_{name}": how for name in names}


def _critic(settings: AuditSettings) -> str:
    return "quick" if settings.quick_critic else "full"


def require_same_columns(folder: Path, kept: Mapping[str, Any] | None, meant: Mapping[str, str]) -> None:
    """Refuse rows that are kept in a folder, where there are some, if a column of them holds another thing.

    Parameters
    ----------
    folder, kept
        As :func:`require_same_items` takes them.
    meant
        What columns hold whose names do not say it; columns of one audit alone may hold anything.

    Raises
    ------
    InputError
        With what the column holds in either.
    """
    before = (kept or {}).get("named_views", {})
    for shown, now in meant.items():
        if before.get(shown, now) != now:
            raise InputError(
                f"{folder} holds an audit in which {shown} is {before[shown]}, not {now}: one table cannot"
                " hold both; name another --out, or add --overwrite"
            )


def redefines(kept: Mapping[str, Any], meant: Mapping[str, str]) -> bool:
    """Whether a column of the kept rows holds another thing than is meant now."""
    before = kept.get("named_views", {})
    return any(before.get(shown, now) != now for shown, now in meant.items())


def merged_rows(before: Sequence[Layer], now: Sequence[Layer]) -> list[Layer]:
    """Add the rows of an audit to those of earlier ones.

    An encoder that was audited before, with the same digest and whatever number behind its name, has its
    rows replaced; another of the same name gets a number.
    """
    networks = _by_network(before)
    earlier = {name: str(rows[0].row["digest"]) for name, rows in networks.items()}
    for name, rows in _by_network(now).items():
        place = _own_name(name, str(rows[0].row["digest"]), earlier) or _free_name(name, networks)
        earlier.pop(place, None)  # two of one audit never share their rows
        networks[place] = [one if place == name else one.in_network(place) for one in rows]
    return [one for rows in networks.values() for one in rows]


def write_audit_record(
    folder: Path, audit: EncoderAudit[Any], data: LabelledData, settings: AuditSettings
) -> None:
    """Write ``run.json``: command line, versions, settings, and the digests of data and encoders."""
    write_record(
        folder,
        "audit",
        seed=settings.seed,
        device=settings.device,
        data={audit.data: data.digest},
        encoders={one.title: one.row["digest"] for one in audit.encoders},
        settings=asdict(settings),
    )


def _by_network(encoders: Sequence[Layer]) -> dict[str, list[Layer]]:
    found: dict[str, list[Layer]] = {}
    for one in encoders:
        found.setdefault(one.network, []).append(one)
    return found


def _own_name(name: str, digest: str, earlier: Mapping[str, str]) -> str | None:
    """Find the name under which an encoder was audited before, by the digests of earlier ones."""
    own = [one for one, known in earlier.items() if known == digest and _unnumbered(one) == _unnumbered(name)]
    return name if name in own else next(iter(own), None)


def _free_name(name: str, taken: Collection[str]) -> str:
    numbered = (name if k == 1 else f"{_unnumbered(name)}#{k}" for k in count(1))
    return next(one for one in numbered if one not in taken)


def _unnumbered(name: str) -> str:
    return re.sub(r"#\d+$", "", name)
