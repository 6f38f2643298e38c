"""How a value looks in a cell of a page's table."""

import math
import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from mitools.core.names import printable
from mitools.report.html.parts import Column

ABSENT = "–"

_PARTS = re.compile(r"[^-_./:@?=&]*[-_./:@?=&]+|[^-_./:@?=&]+$")


def shown_cell(row: Mapping[str, Any], column: Column) -> str:
    """Give the text of a cell: decimals as the column has them; an absent value is a dash.

    Examples
    --------
    >>> shown_cell({"bits": 2.12791}, Column("bits", "bits", digits=3))
    '2.128'
    >>> shown_cell({"linear_acc": 0.834}, Column("linear_acc", "linear", digits=1, percent=True))
    '83.4%'
    """
    return _shown(row.get(column.key), column)


def shown_interval(row: Mapping[str, Any], column: Column) -> str:
    """Give the text of a cell's interval; nothing where there is none.

    Examples
    --------
    >>> row = {"bits": 2.1, "bits_low": 2.0, "bits_high": 2.2}
    >>> shown_interval(row, Column("bits", "bits", low="bits_low", high="bits_high", digits=2))
    '2.00 to 2.20'
    """
    low, high = row.get(column.low), row.get(column.high)
    return "" if _is_absent(low) or _is_absent(high) else f"{_shown(low, column)} to {_shown(high, column)}"


def sort_key(row: Mapping[str, Any], column: Column) -> str:
    """Give what a cell is sorted by: all digits of a number, nothing where it is absent."""
    value = row.get(column.key)
    return "" if _is_absent(value) else str(value)


def breakable(name: str) -> Markup:
    """Let a long name be folded where its parts end, before it is folded anywhere.

    Examples
    --------
    >>> breakable("vit_base.in1k")
    Markup('vit_<wbr>base.<wbr>in1k')
    """
    return Markup("<wbr>").join(_PARTS.findall(printable(name)))


def _shown(value: Any, column: Column) -> str:
    if _is_absent(value):
        return ABSENT
    if isinstance(value, str | bool):
        return str(value)
    if column.digits is None:
        return f"{value:,}" if float(value).is_integer() else f"{value:.4g}"
    if column.percent:
        return f"{100 * value:.{column.digits}f}%"
    return f"{round(value, column.digits) + 0.0:.{column.digits}f}"  # adding 0 makes -0 plain 0


def _is_absent(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    return value is None
