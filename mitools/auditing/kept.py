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
from mitools.core.files import write_text
from mitools.core.result_store import sealed, unsealed
from mitools.core.run_record import write_record
from mitools.datasets.base import LabelledData
from mitools.views.registry import shown_view

FOLDER = "rows"
"""Where they lie in the folder of an audit."""

CLASS_ROWS, TARGET_ROWS = "audit.json", "targets.json"
"""Rows of an audit of classes, and of one of other targets."""

_FIELDS = {CLASS_ROWS: {"on", "data", "views", "encoders"}, TARGET_ROWS: {"on", "data", "encoders"}}
"""What each file must hold to be believed."""

_REMEDY = "one table cannot hold both; name another --out, or add --overwrite"


def require_same_rows(
    folder: Path, kind: str, on: Mapping[str, Any], meant: Mapping[str, str] | None = None
) -> None:
    """Refuse a folder whose rows are of another kind, of other items, or mean other things by a column.

    Parameters
    ----------
    folder
        Of the audit.
    kind
        `CLASS_ROWS` or `TARGET_ROWS`.
    on
        What the rows of one table have in common: data, split, precision.
    meant
        What columns hold whose names do not say it; columns of one audit alone may hold anything.

    Raises
    ------
    InputError
        With what differs.
    """
    kept = _read(folder, kind)
    if kept is not None:
        _require_same_items(folder, kept, on)
        _require_same_columns(folder, kept, meant or {})
    for other in _FIELDS.keys() - {kind}:
        if _read(folder, other) is not None:
            what = "classes" if other == CLASS_ROWS else "targets that are no classes"
            raise InputError(f"{folder} holds an audit of {what}: {_REMEDY}")


def rows_of_same_table(
    folder: Path, kind: str, on: Mapping[str, Any], meant: Mapping[str, str]
) -> dict[str, Any] | None:
    """Read what earlier audits of the same table left; None where there is none, or it is damaged.

    Parameters
    ----------
    folder, kind, on, meant
        As :func:`require_same_rows` takes them.
    """
    kept = _read(folder, kind)
    same = kept is not None and kept["on"] == dict(on) and not _redefined(kept, meant)
    return kept if same else None


def write_rows(folder: Path, kind: str, document: Mapping[str, Any]) -> None:
    """Keep the rows of an audit, whole, with a checksum; those of the other kind go."""
    write_text(folder / FOLDER / kind, sealed(dict(document)))
    for other in _FIELDS.keys() - {kind}:
        (folder / FOLDER / other).unlink(missing_ok=True)


def _read(folder: Path, kind: str) -> dict[str, Any] | None:
    try:
        document = unsealed((folder / FOLDER / kind).read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return None
    return document if document.keys() >= _FIELDS[kind] else None


def _require_same_items(folder: Path, kept: Mapping[str, Any], on: Mapping[str, Any]) -> None:
    if kept["on"] == dict(on):
        return
    keys = dict.fromkeys([*kept["on"], *on])
    differs = ", ".join(key for key in keys if kept["on"].get(key) != on.get(key))
    raise InputError(f"{folder} holds an audit of {kept['data']} with another {differs}: {_REMEDY}")


def _require_same_columns(folder: Path, kept: Mapping[str, Any], meant: Mapping[str, str]) -> None:
    for shown in _redefined(kept, meant):
        before, now = kept["named_views"][shown], meant[shown]
        raise InputError(f"{folder} holds an audit in which {shown} is {before}, not {now}: {_REMEDY}")


def _redefined(kept: Mapping[str, Any], meant: Mapping[str, str]) -> list[str]:
    """List the columns of the kept rows that hold another thing than is meant now."""
    before = kept.get("named_views", {})
    return [shown for shown, now in meant.items() if before.get(shown, now) != now]


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
