"""Encoders measured side by side, a share a core, before the study reads what is kept."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mitools.analyses.lee2023.quality.on_halves import measure_halves, measures_on_halves
from mitools.analyses.shared.side_by_side import side_by_side
from mitools.auditing.auditor import run_audit
from mitools.auditing.settings import AuditSettings
from mitools.backends.runtime import Runtime
from mitools.backends.streams import stream_count
from mitools.core.errors import InputError
from mitools.core.progress import Advance
from mitools.core.result_store import ResultStore
from mitools.datasets.open import open_data
from mitools.features.store import FeatureStore, default_root

MEASURED = "encoders measured"
"""What the progress of a share counts."""


class _Share(NamedTuple):
    """Encoders that one process measures."""

    data: str
    encoders: Sequence[str]
    settings: AuditSettings
    halves: int
    out: Path


def measure_in_shares(
    data: str,
    encoders: Sequence[str],
    settings: AuditSettings,
    halves: int,
    out: Path,
    runtime: Runtime,
    advance: Advance | None = None,
) -> None:
    """Measure encoders on all items and on halves of them; nothing where one process alone would do it.

    Parameters
    ----------
    data, encoders
        Specs.
    settings
        Of the audit; its seed is that of the halves.
    halves
        See :func:`.measure_halves`.
    out
        The study's folder: every number is kept in a cell there.
    runtime, advance
        As for a study's ``run``.
    """
    count = min(stream_count(runtime.device), len(encoders))
    if count > 1:
        shares = {str(k + 1): _Share(data, encoders[k::count], settings, halves, out) for k in range(count)}
        side_by_side(_measure, shares, runtime, MEASURED, advance, "share")


def _measure(share: _Share, runtime: Runtime, advance: Advance | None) -> None:
    data, store = open_data(share.data), FeatureStore(default_root())
    for done, encoder in enumerate(share.encoders):
        if advance:
            advance(MEASURED, done, len(share.encoders))
        try:
            audit = run_audit(data, [encoder], out=share.out, store=store, settings=share.settings)
        except InputError:
            continue  # the study tells of it, which audits all
        names, cells = measures_on_halves(audit), ResultStore(share.out / "cells")
        measure_halves(audit, audit.last_layers(), names, cells, share.halves, share.settings.seed)
