"""What every single item says in an audit, as files: all readings, and some items to look at."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from mitools.auditing.audit import Audit
from mitools.core.entropy import LOG2
from mitools.core.files import whole_file, write_text

ITEMS, EXAMPLES = "items.parquet", "examples.json"
"""The files: a row an encoder and item, and the items that a page shows."""


def write_items(audit: Audit, out: Path) -> list[Path]:
    """Write ``items.parquet`` (the last layer of every network) and ``examples.json``.

    Where no network has readings of its items, as in results that an earlier version kept, neither is
    written, and none of an earlier audit into this folder stays.

    Raises
    ------
    OSError
        When the folder cannot be written.
    """
    table = items_table(audit)
    paths = [out / ITEMS, out / EXAMPLES]
    if table.empty:
        for path in paths:
            path.unlink(missing_ok=True)
        return []
    with whole_file(paths[0]) as temporary:
        table.to_parquet(temporary, index=False)
    shown = [example._asdict() for example in audit.examples]
    write_text(paths[1], json.dumps(shown, indent=1) + "\n")
    return paths


def items_table(audit: Audit) -> pd.DataFrame:
    """Lay out one row an encoder and item.

    Returns
    -------
    pandas.DataFrame
        ``encoder``; ``item``, its number in the data; ``label`` and ``predicted``, classes by number;
        ``label_bits``, the pointwise information of the item's own label: below 0 the features speak for
        another class.
    """
    last = {encoder.row["network"]: encoder for encoder in audit.encoders}  # layers come in order
    tables = [
        pd.DataFrame(
            {
                "encoder": encoder.row["encoder"],
                "item": encoder.items.items.astype(np.int32),
                "label": audit.labels[encoder.items.items].astype(np.int32),
                "predicted": encoder.items.predicted.astype(np.int32),
                "label_bits": (encoder.items.label_nats / LOG2).astype(np.float32),
            }
        )
        for encoder in last.values()
        if encoder.items is not None
    ]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
