"""Tables as text of a given width in which no number and no name is ever cut.

A table that is too wide for its place is first folded (the longest column of prose, between words), then
loses its last columns, where a file has them all, and says which; at last each row becomes a block of lines.
"""

import re
from collections.abc import Iterator, Sequence
from textwrap import wrap

from rich.cells import cell_len

GAP = 2
"""Spaces between two columns."""

NARROWEST_PROSE = 18
"""Characters below which a column of prose is not folded: a word a line is no table."""

FEWEST_COLUMNS = 3
"""A table that would keep fewer columns than these is printed a block a row."""

_VALUE = r"[-+~<>]?[\d.,]+(?:e[-+]?\d+)?(?: ?(?:%|s|/s|[kMG]?B))?|inf|nan|none"
_NUMBER = re.compile(rf"(?:{_VALUE})(?: to (?:{_VALUE}))?|-|", re.IGNORECASE)


def table_lines(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int | None = None,
    file: str | None = None,
    fewest: int = FEWEST_COLUMNS,
) -> list[str]:
    r"""Lay out a table as lines; columns of numbers to the right, all others to the left.

    Parameters
    ----------
    header
        Names of the columns, the most important first: the last ones are left out first.
    rows
        The cells of each row.
    width
        Characters of a line at the most; None where lines have no end, as in a pipe or a file. A single
        name that is longer still stands on a line of its own.
    file
        The file that holds every column, so that columns may be left out here; None where there is none.
    fewest
        Columns that are never left out of a table.

    Returns
    -------
    list of str
        The lines, the header first, or blocks of lines.

    Examples
    --------
    >>> rows = [["resnet20", "2.128", "2.090 to 2.166"], ["resnet56", "2.199", "2.159 to 2.238"]]
    >>> print("\n".join(table_lines(["encoder", "bits", "95% interval"], rows)))
    encoder    bits    95% interval
    resnet20  2.128  2.090 to 2.166
    resnet56  2.199  2.159 to 2.238
    >>> print("\n".join(table_lines(["encoder", "bits", "95% interval"], rows[:1], width=24)))
    resnet20
      bits          2.128
      95% interval  2.090 to 2.166
    """
    cells = [[" ".join(cell.split()) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(header, *cells, strict=True)]
    right = [_is_numeric(column) for column in zip(*cells, strict=True)] or [False] * len(header)
    if width is None or _total(widths) <= width:
        return list(_grid(header, cells, widths, right))
    folded = _folded(header, cells, widths, right, width)
    if folded is not None:
        return list(_grid(header, cells, folded, right))
    kept = sum(_total(widths[: k + 1]) <= width for k in range(len(header)))
    if file is not None and kept >= min(fewest, len(header)):
        lines = list(_grid(header[:kept], [row[:kept] for row in cells], widths[:kept], right[:kept]))
        left_out = f"not shown at this width: {', '.join(header[kept:])}; see {file}"
        return [*lines, *between_words(left_out, width)]
    return list(_blocks(header, cells, width))


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _is_numeric(column: Sequence[str]) -> bool:
    return any(character.isdigit() for cell in column for character in cell) and all(
        _NUMBER.fullmatch(cell) for cell in column
    )


def _folded(
    header: Sequence[str],
    cells: Sequence[Sequence[str]],
    widths: Sequence[int],
    right: Sequence[bool],
    width: int,
) -> list[int] | None:
    """Give the widths with the longest column of prose made narrower, or None where that does not do."""
    prose = [k for k in range(len(header)) if not right[k] and any(" " in row[k] for row in cells)]
    if not prose:
        return None
    longest = max(prose, key=lambda k: widths[k])
    room = widths[longest] - (_total(widths) - width)
    words = [word for row in cells for word in row[longest].split()]
    if room < max(NARROWEST_PROSE, cell_len(header[longest]), *map(cell_len, words)):
        return None
    return [room if k == longest else one for k, one in enumerate(widths)]


def _grid(
    header: Sequence[str], cells: Sequence[Sequence[str]], widths: Sequence[int], right: Sequence[bool]
) -> Iterator[str]:
    for row in [header, *cells]:
        columns = [
            wrap(cell, room, break_long_words=False, break_on_hyphens=False)
            if cell_len(cell) > room
            else [cell]
            for cell, room in zip(row, widths, strict=True)
        ]
        for line in range(max(map(len, columns), default=0)):
            parts = [column[line] if line < len(column) else "" for column in columns]
            aligned = (
                " " * (room - cell_len(part)) + part if to_right else part + " " * (room - cell_len(part))
                for part, room, to_right in zip(parts, widths, right, strict=True)
            )
            yield (" " * GAP).join(aligned).rstrip()


def between_words(text: str, width: int) -> list[str]:
    """Fold a text between its words alone; no line where there is none."""
    return wrap(text, width, break_long_words=False, break_on_hyphens=False)


def _blocks(header: Sequence[str], cells: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Give each row as its first cell and a line for each of the others that holds something."""
    names = max(map(cell_len, header[1:]), default=0)
    for first, *rest in cells:
        if first:
            yield first
        for name, cell in zip(header[1:], rest, strict=True):
            if cell in ("", "-"):
                continue
            begin = " " * GAP + name + " " * (names - cell_len(name) + GAP)
            room = max(width - len(begin), NARROWEST_PROSE)
            for number, line in enumerate(between_words(cell, room)):
                yield (begin if number == 0 else " " * len(begin)) + line
