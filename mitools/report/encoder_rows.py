"""What the reports of all audits make of one row an encoder: correlations, comparisons, estimates.json."""

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mitools.auditing.base import AuditedLayer, EncoderAudit
from mitools.core.files import write_text
from mitools.estimators.bounds.reading import Reading
from mitools.statistics.correlation import correlate
from mitools.statistics.paired_differences import compare

FEWEST_CORRELATED = 3
"""Encoders below which nothing is correlated."""


def result_table(audit: EncoderAudit[Any]) -> pd.DataFrame:
    """Lay out one row an encoder, or a layer of it: the columns of ``results.csv``."""
    return pd.DataFrame([one.row for one in audit.encoders])


def last_layers(results: pd.DataFrame) -> pd.DataFrame:
    """Leave out all layers of an encoder but its last: they are no independent rows."""
    return results.groupby("network", sort=False).tail(1) if "network" in results else results


def correlated(
    results: pd.DataFrame, target: str, measures: Sequence[str], negated: Collection[str], seed: int
) -> pd.DataFrame | None:
    """Correlate measures with a target column over the last layers; None where there is nothing to correlate.

    Parameters
    ----------
    results
        One row an encoder or layer.
    target
        The column to correlate with.
    measures
        The columns that are correlated.
    negated
        Those of which lower is better.
    seed
        Of the bootstrap.
    """
    last = last_layers(results)
    # With fewer encoders, or all as good as each other, there is nothing to correlate.
    if len(last) < FEWEST_CORRELATED or last[target].nunique() < 2:
        return None
    return correlate(last[[target, *measures]], target, lower_is_better=negated, seed=seed)


def readings_of(encoders: Sequence[AuditedLayer], column: str) -> dict[str, Reading]:
    """Give the reading behind an estimate of every encoder, with the influence of its items, by title."""
    return {one.title: Reading.of(one.estimates[column], one.influence_nats) for one in encoders}


def compared(readings: Mapping[str, Reading]) -> pd.DataFrame | None:
    """Compare every two encoders that were read on the same items; None of a single one."""
    return compare(readings) if len(readings) > 1 else None


def write_estimates(audit: EncoderAudit[Any], about: Mapping[str, Any], path: Path) -> Path:
    """Write ``estimates.json``: the full estimates of every encoder, and what failed.

    Parameters
    ----------
    audit
        With one encoder or more.
    about
        What else is told of the audit, as JSON values.
    path
        Where to.

    Raises
    ------
    OSError
        When the folder cannot be written.
    """
    document = {
        "data": audit.data,
        **about,
        "encoders": {one.title: one.document() for one in audit.encoders},
        "failures": dict(audit.failures),
    }
    write_text(path, json.dumps(document, indent=2, allow_nan=False) + "\n")
    return path
