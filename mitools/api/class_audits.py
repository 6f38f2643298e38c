"""What :func:`mitools.audit` does with classes."""

from collections.abc import Sequence
from pathlib import Path

from mitools.auditing.auditor import run_audit, views_of_pairings
from mitools.auditing.kept import CLASS_ROWS, require_same_rows, write_audit_record
from mitools.auditing.kept_rows import named_views, shared_by_rows, with_kept_rows
from mitools.auditing.requests import EncoderRequest
from mitools.auditing.settings import AuditSettings
from mitools.auditing.spread import AuditedData, measure_on
from mitools.backends.engines.base import Engine
from mitools.core.progress import Advance, silent, writing
from mitools.datasets.base import LabelledData
from mitools.features.store import FeatureStore
from mitools.report.html.audit.page import audit_page
from mitools.report.html.render import page_of_folder
from mitools.results.audit import AuditResult


def audit_classes(
    data: LabelledData,
    encoders: Sequence[EncoderRequest],
    settings: AuditSettings,
    *,
    test: LabelledData | None,
    out: Path,
    keep: bool,
    store: FeatureStore,
    overwrite: bool,
    spread: tuple[Engine, AuditedData] | None,
    advance: Advance,
) -> AuditResult:
    """Measure what encoders say of the classes of items.

    Parameters
    ----------
    data, encoders, settings, test, store, advance
        As :func:`mitools.auditing.auditor.run_audit` takes them.
    out
        Where results are kept.
    keep
        Whether `out` stays: rows of earlier audits in it are then shown too.
    overwrite
        Whether it may hold an audit of other data.
    spread
        The engine whose workers extract and measure, and the data as they open them; None for this process.

    Raises
    ------
    InputError
        As :func:`mitools.auditing.auditor.run_audit`, or when the folder holds an audit of other data.
    EngineLostError
        When the engine has gone; what was finished is kept.
    """
    views_of_pairings(settings.view_pairings)  # what cannot be paired is refused before rows are compared
    common, named = shared_by_rows(data, settings), named_views(settings, test)
    if not overwrite:
        require_same_rows(out, CLASS_ROWS, common, named)
    if spread is not None:
        encoders = measure_on(*spread, encoders, out, store, settings, advance)
        advance = silent
    found = run_audit(data, encoders, out=out, store=store, settings=settings, test=test, advance=advance)
    if keep:
        found = with_kept_rows(found, out, common, named)
        write_audit_record(out, found, data, settings)
    return AuditResult(found, settings.seed)


def save_with_comparisons(
    result: AuditResult,
    folder: Path,
    html: bool,
    complement: bool,
    similarity: Sequence[str],
    progress: bool | Advance,
) -> None:
    """Write an audit, what its encoders add to each other and how alike they are, as far as it is asked for.

    Parameters
    ----------
    result
        Its ``files`` and ``complemented`` are set.
    folder
        Where to.
    html
        Write the page, which shows the comparisons too.
    complement, similarity
        What is asked for; kinds of similarity.
    progress
        Show a bar; or a function (what, done, total).
    """
    further = complement or bool(similarity)
    with writing(progress):
        result.save(folder, html=html and not further)
    if complement:
        result.complemented = result.complement(progress, folder)
    if further:
        with writing(progress):
            if result.complemented is not None:
                result.files += result.complemented.save(folder, result.data)
            if similarity:
                result.files += result.similarity(similarity).save(folder, result.data)
            # Written last, since it shows what lies in the folder.
            result.files += page_of_folder(audit_page, folder, html)
