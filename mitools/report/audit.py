"""Everything an audit leaves behind: tables, figures and the full estimates."""

import json
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from mitools.auditing.auditor import Audit
from mitools.core.files import write_text
from mitools.estimators.bounds.reading import Reading
from mitools.report.figures.brackets import bracket_chart
from mitools.report.figures.depth import depth_chart
from mitools.report.figures.scatter import scatter_against_target
from mitools.report.tables.write import write_tables
from mitools.statistics.correlation import correlate
from mitools.statistics.paired_differences import compare

TARGET = "linear_acc"
MEASURES = (
    "i_class_bits",
    "label_information_bits",
    "i_class_infonce_bits",
    "i_simclr_bits",
    "knn20_acc",
    "knn200_acc",
    "alignment",
    "alignment_simclr",
    "uniformity",
    "tolerance",
    "tolerance_all_pairs",
    "recall_at_1",
    "nmi",
)
"""The columns that are held against linear accuracy."""

LOWER_IS_BETTER = ("alignment", "alignment_simclr", "uniformity")


class AuditTables(NamedTuple):
    """The tables of an audit.

    Attributes
    ----------
    results
        One row an encoder, or a layer of it.
    correlation, comparisons
        None where there are too few encoders: correlation needs three, comparisons two. The layers of one
        encoder are no independent rows, so only its last one is correlated; all are compared.
    """

    results: pd.DataFrame
    correlation: pd.DataFrame | None
    comparisons: pd.DataFrame | None


class AuditReport(NamedTuple):
    """The tables of an audit, as :class:`AuditTables` has them, and all files that were written."""

    results: pd.DataFrame
    correlation: pd.DataFrame | None
    comparisons: pd.DataFrame | None
    files: list[Path]


def audit_tables(audit: Audit, seed: int = 0) -> AuditTables:
    """Lay out the tables of an audit, correlate its measures and compare its encoders.

    Parameters
    ----------
    audit
        With one encoder or more.
    seed
        Of the bootstrap.
    """
    results = pd.DataFrame([encoder.row for encoder in audit.encoders])
    last = results.groupby("network", sort=False).tail(1)
    measures = [name for name in MEASURES if name in results]
    # With fewer encoders, or all as accurate as each other, there is nothing to correlate.
    enough = len(last) >= 3 and last[TARGET].nunique() > 1
    turned = set(LOWER_IS_BETTER) & set(measures)
    columns = last[[TARGET, *measures]]
    correlation = correlate(columns, TARGET, lower_is_better=turned, seed=seed) if enough else None
    readings = {
        encoder.row["encoder"]: Reading.of(encoder.estimates["i_class"], encoder.influence_nats)
        for encoder in audit.encoders
    }
    comparisons = compare(readings) if len(readings) > 1 else None
    return AuditTables(results, correlation, comparisons)


def write_audit(audit: Audit, out: Path, seed: int = 0) -> AuditReport:
    """Write the tables, the figures and ``estimates.json`` of an audit.

    Parameters
    ----------
    audit
        With one encoder or more.
    out
        Where to; figures go to ``figures/`` below it.
    seed
        Of the bootstrap.

    Raises
    ------
    OSError
        When the folder cannot be written.
    """
    results, correlation, comparisons = audit_tables(audit, seed)
    last = results.groupby("network", sort=False).tail(1)
    measures = [name for name in MEASURES if name in results]
    files = write_tables(results, correlation, comparisons, out)
    files.append(_write_estimates(audit, out / "estimates.json"))
    files += bracket_chart(results, out / "figures" / "brackets")
    if len(results) > len(last):
        files += depth_chart(results, out / "figures" / "depth")
    else:
        # Of an earlier audit into this folder, it would speak of other encoders than the tables do.
        for ending in ("png", "svg"):
            (out / "figures" / f"depth.{ending}").unlink(missing_ok=True)
    files += scatter_against_target(
        last, measures, TARGET, out / "figures" / "against_linear_accuracy", LOWER_IS_BETTER
    )
    return AuditReport(results, correlation, comparisons, files)


def _write_estimates(audit: Audit, path: Path) -> Path:
    document = {
        "data": audit.data,
        "encoders": {
            encoder.row["encoder"]: {
                "estimates": {column: estimate.to_dict() for column, estimate in encoder.estimates.items()},
                "load_report": encoder.load_report,
            }
            for encoder in audit.encoders
        },
        "failures": dict(audit.failures),
    }
    write_text(path, json.dumps(document, indent=2, allow_nan=False) + "\n")
    return path
