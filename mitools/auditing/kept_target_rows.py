"""Rows of earlier audits of targets in the same folder: kept there, and shown beside those of the next."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mitools.auditing.kept_rows import require_same_items
from mitools.auditing.target_audit import AuditedOnTargets, TargetAudit
from mitools.core.estimate import Estimate
from mitools.core.files import write_text
from mitools.core.result_store import sealed, unsealed

FOLDER, ROWS = "rows", "targets.json"


def require_same_targets(folder: Path, on: Mapping[str, Any]) -> None:
    """Refuse a folder whose rows are of other data, targets or another split of them.

    Raises
    ------
    InputError
        When the rows of another audit lie there.
    """
    require_same_items(folder, _read(folder), on)


def with_kept_target_rows(audit: TargetAudit, folder: Path, on: Mapping[str, Any]) -> TargetAudit:
    """Keep an audit's rows in its folder, and give it with those that earlier audits left there.

    An encoder of the same name that was audited before has its rows replaced, if its weights are the same;
    another of that name gets a number.
    """
    kept = _read(folder)
    networks: dict[str, list[AuditedOnTargets]] = {}
    for one in [] if kept is None or kept["on"] != dict(on) else map(_from_dict, kept["encoders"]):
        networks.setdefault(str(one.row["network"]), []).append(one)
    new: dict[str, list[AuditedOnTargets]] = {}
    for one in audit.encoders:
        new.setdefault(str(one.row["network"]), []).append(one)
    for name, rows in new.items():
        place, k = name, 1
        while place in networks and networks[place][0].row["digest"] != rows[0].row["digest"]:
            k += 1
            place = f"{name}#{k}"
        networks[place] = [_renamed(one, name, place) for one in rows]
    merged = replace(audit, encoders=[one for rows in networks.values() for one in rows])
    document = {"on": dict(on), "data": audit.data, "encoders": [_to_dict(one) for one in merged.encoders]}
    write_text(folder / FOLDER / ROWS, sealed(document))
    return merged


def _renamed(one: AuditedOnTargets, name: str, other: str) -> AuditedOnTargets:
    if name == other:
        return one
    title = other + str(one.row["encoder"]).removeprefix(name)
    each = [{**row, "encoder": title} for row in one.each]
    return replace(one, row={**one.row, "encoder": title, "network": other}, each=each)


def _to_dict(one: AuditedOnTargets) -> dict[str, Any]:
    return {
        "row": dict(one.row),
        "each": [dict(row) for row in one.each],
        "estimates": {name: estimate.to_dict() for name, estimate in one.estimates.items()},
        "influence_nats": one.influence_nats.tolist(),
    }


def _from_dict(values: Mapping[str, Any]) -> AuditedOnTargets:
    estimates = {name: Estimate.from_dict(kept) for name, kept in values["estimates"].items()}
    return AuditedOnTargets(values["row"], values["each"], estimates, np.array(values["influence_nats"]))


def _read(folder: Path) -> dict[str, Any] | None:
    """Read what earlier audits left; None where there is nothing, or it is damaged."""
    try:
        document = unsealed((folder / FOLDER / ROWS).read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return None
    return document if {"on", "data", "encoders"} <= document.keys() else None
