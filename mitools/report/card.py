"""A card an encoder: its numbers in the form that model hubs read and people can paste."""

import re
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from mitools.core.errors import as_codes
from mitools.core.files import write_text
from mitools.core.run_record import command_line
from mitools.report.words import column_words, warning_words

METRICS = ("i_class_bits", "label_information_bits", "i_class_infonce_bits", "linear_acc", "knn20_acc")
"""What the head of a card has, where the audit measured it."""

_LONGEST_STEM = 180
"""Bytes of a file's name that leave room, on every disk, for what is put behind it while it is written."""


def write_cards(results: pd.DataFrame, data: str, folder: Path) -> list[Path]:
    """Write ``NAME.md`` for every row of an audit, ``NAME-2.md`` where another has that file.

    Parameters
    ----------
    results
        One row an encoder, as ``results.csv`` has them.
    data
        The name of the data.
    folder
        Made if absent.

    Returns
    -------
    list of Path
        One file a row.

    Raises
    ------
    OSError
        When the folder cannot be written.
    """
    files: dict[str, Path] = {}  # by what disks that take capitals for the same know them by
    for row in results.to_dict("records"):
        named = {str(key): value for key, value in row.items()}
        stem = re.sub(r"[^\w.@#-]+", "_", str(row["encoder"]))
        stem = stem.encode()[:_LONGEST_STEM].decode(errors="ignore")
        stems = (stem if k == 1 else f"{stem}-{k}" for k in count(1))
        free = next(one for one in stems if one.casefold() not in files)
        files[free.casefold()] = folder / f"{free}.md"
        write_text(files[free.casefold()], card(named, data))
    return list(files.values())


def card(row: Mapping[str, Any], data: str) -> str:
    """Write one encoder's card: Markdown with a YAML head, as model hubs take it (``model-index``).

    Parameters
    ----------
    row
        A row of ``results.csv``.
    data
        The name of the data.

    Examples
    --------
    >>> row = {"encoder": "net", "n": 500, "i_class_bits": 2.2, "i_class_low": 2.1, "i_class_high": 2.3}
    >>> text = card(row | {"h_c_bits": 3.32, "warnings": ""}, "digits")
    >>> "| I_class, class posterior | 2.200 | 2.100 to 2.300 |" in text
    True
    """
    measured = [name for name in METRICS if name in row and pd.notna(row[name])]
    head = {
        "library_name": "mitools",
        "tags": ["mutual-information", "representation-audit"],
        "datasets": [data],
        "model-index": [
            {
                "name": str(row["encoder"]),
                "results": [
                    {
                        "task": {"type": "feature-extraction", "name": "audit of a frozen encoder"},
                        "dataset": {"name": data, "type": data},
                        "metrics": [
                            {"type": name, "name": column_words(name), "value": round(float(row[name]), 6)}
                            for name in measured
                        ],
                    }
                ],
            }
        ],
    }
    lines = [f"| {column_words(name)} | {row[name]:.3f} | {_interval(row, name)} |" for name in measured]
    command = command_line.get()
    body = [
        f"# {_in_markdown(str(row['encoder']))} on {_in_markdown(data)}",
        "",
        f"{row['i_class_bits']:.3f} of H(C) = {row['h_c_bits']:.3f} bits of class information are certified"
        f" (95% interval {_interval(row, 'i_class_bits')}; {row['n']:,} items).",
        "",
        "| measure | value | 95% interval |",
        "|---|---|---|",
        *lines,
        *([f"\nTo be read with care: {warning_words(str(row['warnings']))}."] if row["warnings"] else []),
        *([f"\n```bash\n{command}\n```"] if command else []),
        "\nBits are lower bounds of mutual information; `mitools guide certificate` says what they promise.",
    ]
    return f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True)}---\n" + "\n".join(body) + "\n"


def _in_markdown(name: str) -> str:
    """Write a name so that it stays one line of text: no links, no tags of HTML, no emphasis."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", as_codes(name))


def _interval(row: Mapping[str, Any], name: str) -> str:
    low, high = (row.get(f"{name.removesuffix('_bits')}_{end}") for end in ("low", "high"))
    return "" if low is None or high is None or pd.isna(low) else f"{low:.3f} to {high:.3f}"
