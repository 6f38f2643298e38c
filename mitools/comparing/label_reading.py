"""What a linear classifier of some encoders' features together says of the label, held out."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.entropy import entropy
from mitools.core.files import digest_text
from mitools.core.result_store import ResultStore, Values
from mitools.estimators.bounds.reading import Reading, pooled
from mitools.estimators.class_information.calibrated_posterior import INVERSE_PENALTIES, CalibratedPosterior
from mitools.estimators.class_information.class_pairs import read_label_information
from mitools.estimators.inputs.row_table import RowTable
from mitools.estimators.inputs.splits import Parts


def read_label(
    rows: NDArray[Any],
    labels: NDArray[np.int64],
    splits: Sequence[Parts],
    prior: NDArray[np.float64],
    seed: int,
) -> Reading:
    """Read the Barber-Agakov bound of I(H;C), with the influence of every reported item.

    The classifier, its regularisation and its calibration are those of the certificate: the number is the
    ``label_information`` of an audit, without the null and the certificate, which take most of its time.

    Parameters
    ----------
    rows
        Shape (n, d).
    labels
        Shape (n,), 0..C-1.
    splits
        One a fold; *report* items are read once each.
    prior
        Shape (C,): the class distribution that is meant.
    seed
        As for the certificate.
    """
    table, h_c = RowTable.of(rows), entropy(prior)
    readings, penalties = [], tuple(INVERSE_PENALTIES)
    for parts in splits:
        train, select, report = parts.train, parts.select, parts.report
        posterior = CalibratedPosterior(None, seed, penalties).fit(
            table.at(train), labels[train], table.at(select), labels[select], prior, parts.groups_of(select)
        )
        if posterior.inverse_penalty_ is not None:
            penalties = (posterior.inverse_penalty_,)
        q = posterior.predict_proba(table.at(report))
        readings.append(read_label_information(q, labels[report], prior, h_c, parts.groups_of(report)))
    return pooled(readings)


def kept_reading(
    store: ResultStore | None,
    rows: NDArray[Any],
    labels: NDArray[np.int64],
    splits: Sequence[Parts],
    prior: NDArray[np.float64],
    seed: int,
) -> Reading:
    """Read as :func:`read_label`, or take what was read of the same numbers before.

    Parameters
    ----------
    store
        Where readings are kept; nowhere when None.
    rows, labels, splits, prior, seed
        As there.
    """
    if store is None:
        return read_label(rows, labels, splits, prior, seed)

    def compute() -> Values:
        found = read_label(rows, labels, splits, prior, seed)
        return {"nats": found.nats, "influence": found.influence.tolist(), "unseen": found.unseen}

    folds = [part for one in splits for part in (one.train, one.select, one.report)]
    groups = splits[0].groups
    arrays = [rows, labels, *folds, prior, *([] if groups is None else [groups])]
    on = {
        "digest": digest_text(*(sha256(np.ascontiguousarray(one).data).hexdigest() for one in arrays)),
        "seed": seed,
    }
    values = store.cell("label_reading", on, compute)
    return Reading(values["nats"], np.array(values["influence"]), values["unseen"])


def together(rows: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
    """Set the columns of several encoders beside each other; copies of a column, and constant ones, once.

    A reading must not change when a column is there twice, and a penalty on weights would let it.

    Parameters
    ----------
    rows
        Shape (n, d) each.
    """
    seen: set[bytes] = set()
    kept = []
    for one in rows:
        single = np.asarray(one, dtype=np.float32)
        for start in range(0, single.shape[1], 64):
            for column in np.ascontiguousarray(single[:, start : start + 64].T):
                mark = column.tobytes()
                if mark not in seen and np.ptp(column) > 0:
                    seen.add(mark)
                    kept.append(column)
    return np.stack(kept, axis=1) if kept else np.asarray(rows[0][:, :1], dtype=np.float32)
