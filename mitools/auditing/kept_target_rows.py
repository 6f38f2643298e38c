"""Rows of earlier audits of targets in the same folder: kept there, and shown beside those of the next."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mitools.auditing.kept import TARGET_ROWS, merged_rows, rows_of_same_table, write_rows
from mitools.auditing.target_audit import AuditedOnTargets, TargetAudit
from mitools.core.estimate import Estimate


def with_kept_target_rows(
    audit: TargetAudit, folder: Path, on: Mapping[str, Any], named: Mapping[str, str] | None = None
) -> TargetAudit:
    """Keep an audit's rows in its folder, and give it with those that earlier audits left there.

    See :func:`mitools.auditing.kept.merged_rows`.

    Parameters
    ----------
    audit
        What was found out now.
    folder
        Of the audit.
    on
        As :func:`mitools.auditing.target_audit.shared_by_target_rows` gives it.
    named
        As :func:`mitools.auditing.kept.critic_meant` gives it.
    """
    kept = rows_of_same_table(folder, TARGET_ROWS, on, named or {}) or {}
    before = [_from_dict(one) for one in kept.get("encoders", ())]
    merged = replace(audit, encoders=merged_rows(before, audit.encoders))
    document = {
        "on": dict(on),
        "data": audit.data,
        "named_views": {**kept.get("named_views", {}), **(named or {})},
        "encoders": [_to_dict(one) for one in merged.encoders],
    }
    write_rows(folder, TARGET_ROWS, document)
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
