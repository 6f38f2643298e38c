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
from mitools.auditing.kept import (
    CLASS_ROWS,
    FOLDER,
    critic_meant,
    merged_rows,
    rows_of_same_table,
    views_meant,
    write_rows,
)
from mitools.auditing.settings import AuditSettings
from mitools.core.estimate import Estimate
from mitools.core.files import whole_file
from mitools.datasets.base import LabelledData
from mitools.estimators.class_information.item_readings import ITEM_FIELDS, ItemReadings
from mitools.measures.accuracy_on_test import SGD_ACCURACY, TEST_ACCURACY
from mitools.measures.item_split import groups_record, item_groups
from mitools.measures.registry import REVISION
from mitools.views.registry import make_view
from mitools.views.specs import split_name

INFLUENCE = "audit.npz"


def shared_by_rows(data: LabelledData, settings: AuditSettings) -> dict[str, Any]:
    """Give what rows of one table have in common: items, split, class distribution and precision."""
    return {
        "data": data.digest,
        "prior": settings.prior,
        "seed": settings.seed,
        "revision": REVISION,
        **settings.precision_record(),
        **groups_record(item_groups(data)),
    }


def named_views(settings: AuditSettings, test: LabelledData | None = None) -> dict[str, str]:
    """Say what columns hold whose names do not: views, test items, the schedule of SGD, and the critic."""
    named = {split_name(spec)[1]: spec for spec in settings.view_pairings}
    meant = {shown: f"the view {make_view(spec).name}" for shown, spec in named.items() if shown}
    if settings.test_schedule is not None:
        meant[SGD_ACCURACY] = f"of the schedule {settings.test_schedule}"
    if test is not None:
        meant[TEST_ACCURACY] = f"on the test items {test.name} ({test.digest[:12]})"
    return meant | views_meant(settings) | critic_meant(settings)


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
    kept = rows_of_same_table(folder, CLASS_ROWS, on, named or {})
    before = [] if kept is None else _encoders(folder, kept)
    earlier = kept if before and kept else {}
    views = dict.fromkeys([*earlier.get("views", ()), *audit.views])
    merged = replace(audit, encoders=merged_rows(before, audit.encoders), views=list(views))
    _write(merged, folder, on, {**earlier.get("named_views", {}), **(named or {})})
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
    write_rows(folder, CLASS_ROWS, document)


def _json(value: Any) -> Any:
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


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
