"""What :func:`mitools.audit` does with continuous targets, and with several labels an item."""

from collections.abc import Sequence
from pathlib import Path

from mitools.auditing.kept import TARGET_ROWS, critic_meant, require_same_rows, write_audit_record
from mitools.auditing.kept_target_rows import with_kept_target_rows
from mitools.auditing.requests import EncoderRequest
from mitools.auditing.settings import AuditSettings
from mitools.auditing.target_audit import run_target_audit, shared_by_target_rows
from mitools.core.errors import InputError
from mitools.core.progress import Advance
from mitools.datasets.base import LabelledData
from mitools.features.store import FeatureStore
from mitools.results.target_audit import TargetAuditResult


def audit_targets(
    data: LabelledData,
    encoders: Sequence[EncoderRequest],
    settings: AuditSettings,
    *,
    out: Path,
    keep: bool,
    store: FeatureStore,
    overwrite: bool,
    refused: dict[str, bool],
    advance: Advance,
) -> TargetAuditResult:
    """Measure what encoders say of targets that are no classes.

    Parameters
    ----------
    data, encoders, settings, store, advance
        As :func:`mitools.auditing.target_audit.run_target_audit` takes them.
    out
        Where results are kept.
    keep
        Whether `out` stays: rows of earlier audits in it are then shown too.
    overwrite
        Whether it may hold an audit of other data.
    refused
        Options that go by classes, and whether they were given.

    Raises
    ------
    InputError
        When an option goes by classes, or as :func:`~mitools.auditing.target_audit.run_target_audit`.
    """
    given = next((name for name, asked in refused.items() if asked), None)
    if given is not None:
        raise InputError(f"{given} goes by classes, and {data.name} has other targets; leave it out")
    common, named = shared_by_target_rows(data, settings), critic_meant(settings)
    if keep and not overwrite:
        require_same_rows(out, TARGET_ROWS, common, named)
    found = run_target_audit(data, encoders, out=out, store=store, settings=settings, advance=advance)
    if keep:
        found = with_kept_target_rows(found, out, common, named)
        write_audit_record(out, found, data, settings)
    return TargetAuditResult(found, settings.seed)
