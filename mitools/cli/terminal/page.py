"""A page of the manual on a terminal: prose folded between words, code and names as they are."""

import re
from collections.abc import Iterator
from itertools import groupby
from textwrap import wrap

from rich.text import Text

from mitools.cli.terminal.tables import between_words, table_lines

WIDEST_PROSE = 96
"""Characters of a line of prose at the most: longer ones are hard to follow."""

_FENCE = re.compile(r"^```\w*\n(.*?)^```\n?", re.MULTILINE | re.DOTALL)
_ITEM = re.compile(r"(- |\d+\. )")


def page_lines(text: str, width: int) -> Iterator[Text]:
    """Lay out Markdown for a terminal; no line of code and no name is cut.

    Parameters
    ----------
    text
        As a page of the manual has it: headings, paragraphs, lists, tables and code between fences.
    width
        Characters of a line. A line of code that is longer is folded by the terminal, so that it can still
        be copied whole.
    """
    for number, part in enumerate(_FENCE.split(text)):
        if number % 2:
            yield from (Text(f"    {line}", style="cyan") for line in part.splitlines())
        else:
            yield from _prose(part, width)


def _prose(text: str, width: int) -> Iterator[Text]:
    for kind, lines in groupby(text.splitlines(), _kind):
        if kind == "blank":
            yield Text("")
        elif kind == "heading":
            titles = [title for line in lines for title in between_words(line.lstrip("# "), width)]
            yield from (Text(title, style="bold") for title in titles)
        elif kind == "table":
            header, _, *rows = [_cells(line) for line in lines]
            yield from (Text(line) for line in table_lines(header, rows, width))
        else:
            yield from (Text(line) for line in _folded(list(lines), min(width, WIDEST_PROSE)))


def _kind(line: str) -> str:
    if not line.strip():
        return "blank"
    return "heading" if line.startswith("#") else "table" if line.startswith("|") else "prose"


def _cells(row: str) -> list[str]:
    """Split a row of a table; a bar that a backslash precedes is no border."""
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row.strip())[1:-1]]


def _folded(lines: list[str], width: int) -> Iterator[str]:
    """Fold paragraphs and the items of lists; what is indented as code stays."""
    joined: list[str] = []
    for line in lines:
        if line.startswith("    ") or _ITEM.match(line) or not joined:
            joined.append(line)
        else:
            joined[-1] += f" {line.strip()}"
    for line in joined:
        mark = _ITEM.match(line)
        if line.startswith("    "):
            yield line
            continue
        yield from wrap(
            line,
            width,
            subsequent_indent=" " * len(mark[0]) if mark else "",
            break_long_words=False,
            break_on_hyphens=False,
        )
