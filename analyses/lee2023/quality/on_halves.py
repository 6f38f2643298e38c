"""Every measure of an audited encoder again, on random halves of the items: for intervals over items."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mitools.auditing.audit import Audit, AuditedEncoder
from mitools.auditing.cells import GROUPS
from mitools.auditing.row import columns
from mitools.core.files import digest_text
from mitools.core.progress import Advance, silent
from mitools.core.result_store import ResultStore, Values
from mitools.datasets.arrays import digest_array
from mitools.estimators.inputs.groups import Groups, as_groups
from mitools.measures.compute import measure
from mitools.measures.item_split import groups_record
from mitools.measures.registry import MEASURES, REVISION
from mitools.measures.representation import Representation
from mitools.measures.settings import MeasureSettings
from mitools.statistics.halves import random_halves

CLID = "clid"
"""The sum of two z-scores over the encoders compared (Lu et al. 2023)."""

CLID_PARTS = ("two_nn", "cluster_learnability")


ALWAYS = (
    "i_class", "label_information", "linear_acc", "alignment", "uniformity", "tolerance", "recall_at_1",
    "nmi", "effective_rank",
)  # fmt: skip
"""Measures of every audit that are computed on every half as well. The accuracies of neighbours are another
probe of the same thing, and are left out."""

ON_FEATURES = tuple(name for names in GROUPS.values() for name in names if not MEASURES[name].needs_views)
"""Measures on demand that are computed on every half as well: those of the features alone."""


def measures_on_halves(audit: Audit) -> list[str]:
    """Name the measures of an audit that are computed on every half as well."""
    columns = set(audit.encoders[0].row)
    asked = [name for name in MEASURES if name in columns or f"{name}_bits" in columns]
    return [name for name in asked if name in ALWAYS or name in ON_FEATURES]


def measure_halves(
    audit: Audit,
    encoders: Sequence[AuditedEncoder],
    names: Sequence[str],
    store: ResultStore,
    halves: int,
    seed: int,
    advance: Advance = silent,
) -> list[pd.DataFrame]:
    """Measure every encoder on each half: one table a half, a row an encoder, a column a measure.

    Parameters
    ----------
    audit, encoders
        The labels, and those of its encoders that are measured.
    names
        Of :data:`mitools.measures.registry.MEASURES`, without views.
    store
        Keeps what is finished.
    halves, seed
        See :func:`mitools.statistics.halves.random_halves`.
    advance
        Called with what is being done.
    """
    labels = audit.labels
    assert audit.parts is not None, "an audit that was run"
    settings, groups = MeasureSettings(audit.prior, seed), audit.parts.groups
    drawn = random_halves(len(labels), halves, seed, groups)
    tables = []
    for place, half in enumerate(drawn):
        rows = []
        for done, encoder in enumerate(encoders):
            advance(f"half {place + 1} of {halves}", done, len(encoders))
            features = np.asarray(_features(encoder)[half])
            own = None if groups is None else as_groups(groups[half], len(half))
            on = {
                "rows": digest_text("half", digest_array(features), digest_array(labels[half])),
                "seed": seed,
                "prior": audit.prior,
                "measures": list(names),
                "revision": REVISION,
            } | groups_record(own)
            measured = partial(_measured, features, labels[half], own, names, settings)
            rows.append(store.cell("half", on, measured))
        tables.append(pd.DataFrame(rows))
    return tables


def _measured(
    features: NDArray[Any],
    labels: NDArray[np.int64],
    groups: Groups | None,
    names: Sequence[str],
    settings: MeasureSettings,
) -> Values:
    """Measure features, and lay the numbers out as the columns of an audit's table."""
    found = measure(
        names, Representation.of_arrays(features, labels, groups=groups, seed=settings.seed), settings
    )
    shown = [columns(name, number) for name, number in found.numbers.items()]
    return {column: value for one in shown for column, value in one.items()}


def oriented(table: pd.DataFrame, wanted: Sequence[str]) -> pd.DataFrame:
    """Turn measures so that more is better, and add CLID where its parts are there.

    Parameters
    ----------
    table
        One row an encoder.
    wanted
        Columns to keep, those that it has.
    """
    turned = pd.DataFrame(index=table.index)
    for column in wanted:
        if column not in table:
            continue
        known = MEASURES.get(column.removesuffix("_bits"))
        value = table[column].astype(float)
        if known is not None and known.best is not None:
            value = -(value - known.best).abs()
        elif known is not None and not known.higher_is_better:
            value = -value
        turned[column] = value
    if set(CLID_PARTS) <= set(turned):
        parts = [turned[name] for name in CLID_PARTS]
        turned[CLID] = sum((part - part.mean()) / (part.std() or 1.0) for part in parts)
    return turned


def complete(tables: Sequence[pd.DataFrame]) -> list[str]:
    """Name the measures that every encoder has a finite number of, and that vary, in all of the tables."""
    names = [
        {name for name in table if np.isfinite(table[name]).all() and table[name].nunique() > 1}
        for table in tables
    ]
    return [name for name in tables[0] if all(name in some for some in names)]


def _features(encoder: AuditedEncoder) -> NDArray[Any]:
    assert encoder.features is not None, "an encoder of this audit"
    return encoder.features
