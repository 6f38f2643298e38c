"""Rows of earlier audits in the same folder: kept there, and shown beside those of the next audit."""

import io
import math
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mitools.auditing.audit import Audit, AuditedEncoder
from mitools.auditing.kept import FOLDER, merged_rows, read_kept, require_same_items
from mitools.auditing.settings import AuditSettings
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.core.files import whole_file, write_text
from mitools.core.result_store import sealed
from mitools.datasets.base import LabelledData
from mitools.estimators.class_information.item_readings import ITEM_FIELDS, ItemReadings
from mitools.measures.item_split import groups_record, item_groups
from mitools.measures.registry import REVISION
from mitools.views.registry import make_view
from mitools.views.specs import split_name

ROWS, INFLUENCE = "audit.json", "audit.npz"


def shared_by_rows(data: LabelledData, settings: AuditSettings) -> dict[str, Any]:
    """Give what rows of one table have in common: the items, their split and the class distribution."""
    return {
        "data": data.digest,
        "prior": settings.prior,
        "seed": settings.seed,
        "revision": REVISION,
        **groups_record(item_groups(data)),
    }


def named_views(settings: AuditSettings) -> dict[str, str]:
    """Say what columns hold whose names do not: views by ``name=``, the schedule of SGD, and the critic."""
    named = {split_name(spec)[1]: spec for spec in settings.view_pairings}
    meant = {shown: f"the view {make_view(spec).name}" for shown, spec in named.items() if shown}
    if settings.test_schedule is not None:
        meant["sgd_test_acc"] = f"of the schedule {settings.test_schedule}"
    if settings.critic:
        meant["infonce"] = "of the quick critic" if settings.quick_critic else "of the full critic"
    return meant


def require_same_table(folder: Path, on: Mapping[str, Any], named: Mapping[str, str] | None = None) -> None:
    """Refuse a folder whose rows are of other data, of another split, or call another view by the same name.

    Parameters
    ----------
    folder
        Of the audit.
    on
        As :func:`shared_by_rows` gives it.
    named
        As :func:`named_views` gives it.

    Raises
    ------
    InputError
        When the rows of another audit lie there.
    """
    kept = _read(folder)
    require_same_items(folder, kept, on)
    before = (kept or {}).get("named_views", {})
    for shown, view in (named or {}).items():
        if before.get(shown, view) != view:
            raise InputError(
                f"{folder} holds an audit in which {shown} is {before[shown]}, not {view}; name another"
                " --out, or another name= of a view"
            )


def with_kept_rows(
    audit: Audit, folder: Path, on: Mapping[str, Any], named: Mapping[str, str] | None = None
) -> Audit:
    """Keep an audit's rows in its folder, and give it with those that earlier audits left there.

    See :func:`mitools.auditing.kept.merged_rows`.

    Parameters
    ----------
    audit
        What was found out now.
    folder
        Of the audit.
    on
        As :func:`shared_by_rows` gives it. Rows of another table are dropped, and those of which a column
        holds something else.
    named
        As :func:`named_views` gives it.
    """
    kept = _read(folder)
    meant = (kept or {}).get("named_views", {})
    redefined = any(meant.get(shown, view) != view for shown, view in (named or {}).items())
    before = [] if kept is None or kept["on"] != dict(on) or redefined else _encoders(folder, kept)
    views = dict.fromkeys([*(kept["views"] if before and kept else ()), *audit.views])
    merged = replace(audit, encoders=merged_rows(before, audit.encoders), views=list(views))
    _write(merged, folder, on, {**(meant if before else {}), **(named or {})})
    return merged


def _write(audit: Audit, folder: Path, on: Mapping[str, Any], named: Mapping[str, str]) -> None:
    documents = [
        {
            "row": {key: _json(value) for key, value in one.row.items()},
            "estimates": {name: estimate.to_dict() for name, estimate in one.estimates.items()},
            "load_report": one.load_report,
        }
        for one in audit.encoders
    ]
    arrays = {str(k): one.influence_nats for k, one in enumerate(audit.encoders)}
    for k, one in enumerate(audit.encoders):
        if one.items is not None:
            arrays |= {f"{k}_{name}": np.asarray(values) for name, values in one.items.to_dict().items()}
    with whole_file(folder / FOLDER / INFLUENCE) as temporary:
        content = io.BytesIO()
        np.savez_compressed(content, **arrays)  # type: ignore[arg-type]
        temporary.write_bytes(content.getvalue())
    document = {
        "on": dict(on),
        "data": audit.data,
        "views": list(audit.views),
        "named_views": dict(named),
        "encoders": documents,
    }
    write_text(folder / FOLDER / ROWS, sealed(document))


def _json(value: Any) -> Any:
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


def _read(folder: Path) -> dict[str, Any] | None:
    return read_kept(folder / FOLDER / ROWS, {"on", "data", "views", "encoders"})


def _encoders(folder: Path, kept: Mapping[str, Any]) -> list[AuditedEncoder]:
    try:
        with np.load(folder / FOLDER / INFLUENCE) as arrays:
            influence = [arrays[str(k)] for k in range(len(kept["encoders"]))]
            items = [_items(arrays, k) for k in range(len(influence))]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return []
    return [
        AuditedEncoder(
            one["row"],
            {name: Estimate.from_dict(values) for name, values in one["estimates"].items()},
            rows,
            one["load_report"],
            of_items,
        )
        for one, rows, of_items in zip(kept["encoders"], influence, items, strict=True)
    ]


def _items(arrays: Mapping[str, Any], k: int) -> ItemReadings | None:
    """Read what was said of every item; None in results that were kept before it was."""
    if f"{k}_items" not in arrays:
        return None
    return ItemReadings.from_dict({name: arrays[f"{k}_{name}"] for name in ITEM_FIELDS})
