"""Small pieces of HTML by which results show themselves in a notebook."""

from collections.abc import Iterable, Sequence
from html import escape


def html_table(header: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> str:
    """Lay out a table; the first column to the left, the others to the right. Everything is escaped.

    Examples
    --------
    >>> html_table(["method", "bits"], [["ksg", "1.5"]], "I(X;Y)").count("<tr>")
    2
    """
    lines = ["<table>"]
    if caption:
        lines.append(f'<caption style="text-align: left">{escape(caption)}</caption>')
    lines += [_row("th", header), *(_row("td", row) for row in rows), "</table>"]
    return "".join(lines)


def html_notes(notes: Iterable[str]) -> str:
    """Lay out sentences, one a line."""
    return "".join(f"<div>{escape(note)}</div>" for note in notes)


def _row(kind: str, cells: Sequence[str]) -> str:
    sides = ["left", *["right"] * (len(cells) - 1)]
    shown = (
        f'<{kind} style="text-align: {side}">{escape(cell)}</{kind}>'
        for side, cell in zip(sides, cells, strict=True)
    )
    return f"<tr>{''.join(shown)}</tr>"
