"""How results look at a prompt and in a notebook: a short table, and what there is to say about it."""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from mitools.core.html import html_notes


def as_text(table: pd.DataFrame, columns: Sequence[str], sentence: str) -> str:
    """Lay out some columns of a table as text, those that it has, and a sentence below."""
    return f"{_short(table, columns).to_string(index=False, na_rep='')}\n{sentence}"


def as_html(
    table: pd.DataFrame, columns: Sequence[str], notes: Iterable[str], failures: Mapping[str, str]
) -> str:
    """Lay out some columns of a table as HTML, those that it has, and sentences below."""
    shown = _short(table, columns).to_html(
        index=False, na_rep="", float_format="{:.3f}".format, border=0, max_rows=60
    )
    return shown + html_notes([*notes, *(f"failed: {name}: {reason}" for name, reason in failures.items())])


def _short(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    return table[[name for name in columns if name in table]] if columns else table
