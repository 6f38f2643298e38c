"""What the script of a page reads: its tables and charts as JSON that no content can break out of."""

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from mitools.report.html.parts import Chart, Page, Table

DIGITS = 7
"""Significant digits of a number in a page; the files of the folder have all."""

_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def embedded_json(page: Page) -> str:
    """Give all tables and charts of a page as JSON that is safe inside a script element.

    Examples
    --------
    >>> table = Table("results", pd.DataFrame({"encoder": ["</script>"]}))
    >>> from mitools.report.html.parts import Section
    >>> text = embedded_json(Page("audit", "", [], [], [Section("main", "Main", [table])]))
    >>> "</script>" in text, json.loads(text)["tables"]["results"]["rows"]
    (False, [['</script>']])
    """
    pieces = [piece for section in page.sections for piece in section.pieces]
    document = {
        "tables": {one.name: _table(one) for one in pieces if isinstance(one, Table)},
        "charts": {one.name: _chart(one) for one in pieces if isinstance(one, Chart)},
    }
    text = json.dumps(document, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    return "".join(_ESCAPED.get(character, character) for character in text)


def _table(table: Table) -> dict[str, Any]:
    frame = table.frame
    rows = [[_value(value) for value in row] for row in frame.astype(object).itertuples(index=False)]
    shown = [
        {"key": one.key, "label": one.label, "low": one.low, "high": one.high, "digits": one.digits}
        for one in table.columns
    ]
    return {"link": table.link, "keys": [str(name) for name in frame], "rows": rows, "columns": shown}


def _chart(chart: Chart) -> dict[str, Any]:
    options = {name: _option(value) for name, value in chart.options.items()}
    return {"kind": chart.kind, "table": chart.table, "title": chart.title} | options


def _option(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        return {name: part for name, part in value._asdict().items() if part != ""}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_option(one) for one in value]
    return value


def _value(value: Any) -> Any:
    """Give a cell as a JSON value: absent and infinite ones None, numbers rounded."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    return str(value)
