"""Rows of earlier audits of targets in the same folder: kept there, and shown beside those of the next."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mitools.auditing.kept import (
    CLASS_ROWS,
    FOLDER,
    TARGET_ROWS,
    merged_rows,
    read_kept,
    redefines,
    require_no_rows,
    require_same_columns,
    require_same_items,
)
from mitools.auditing.target_audit import AuditedOnTargets, TargetAudit
from mitools.core.estimate import Estimate
from mitools.core.files import write_text
from mitools.core.result_store import sealed


def require_same_targets(folder: Path, on: Mapping[str, Any], named: Mapping[str, str] | None = None) -> None:
    """Refuse a folder whose rows are of other data, targets, split or precision, or of another critic.

    Parameters
    ----------
    folder
        Of the audit.
    on
        As :func:`mitools.auditing.target_audit.shared_by_target_rows` gives it.
    named
        As :func:`mitools.auditing.kept.critic_meant` gives it.

    Raises
    ------
    InputError
        When the rows of another audit lie there.
    """
    kept = _read(folder)
    require_same_items(folder, kept, on)
    require_same_columns(folder, kept, named or {})
    require_no_rows(folder / FOLDER / CLASS_ROWS)


def with_kept_target_rows(
    audit: TargetAudit, folder: Path, on: Mapping[str, Any], named: Mapping[str, str] | None = None
) -> TargetAudit:
    """Keep an audit's rows in its folder, and give it with those that earlier audits left there.

    See :func:`mitools.auditing.kept.merged_rows`.
    """
    kept = _read(folder)
    other = kept is None or kept["on"] != dict(on) or redefines(kept, named or {})
    before = [] if kept is None or other else [_from_dict(one) for one in kept["encoders"]]
    merged = replace(audit, encoders=merged_rows(before, audit.encoders))
    document = {
        "on": dict(on),
        "data": audit.data,
        "named_views": {**((kept or {}).get("named_views", {}) if before else {}), **(named or {})},
        "encoders": [_to_dict(one) for one in merged.encoders],
    }
    write_text(folder / FOLDER / TARGET_ROWS, sealed(document))
    (folder / FOLDER / CLASS_ROWS).unlink(missing_ok=True)
    return merged


def _to_dict(one: AuditedOnTargets) -> dict[str, Any]:
    return {
        "row": dict(one.row),
        "each": [dict(row) for row in one.each],
        "estimates": {name: estimate.to_dict() for name, estimate in one.estimates.items()},
        "influence_nats": one.influence_nats.tolist(),
    }


def _from_dict(values: Mapping[str, Any]) -> AuditedOnTargets:
    estimates = {name: Estimate.from_dict(kept) for name, kept in values["estimates"].items()}
    return AuditedOnTargets(values["row"], estimates, np.array(values["influence_nats"]), values["each"])


def _read(folder: Path) -> dict[str, Any] | None:
    return read_kept(folder / FOLDER / TARGET_ROWS, {"on", "data", "encoders"})
