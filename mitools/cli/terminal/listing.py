"""Lists of names, one a line, as several commands print them."""

from collections.abc import Sequence
from typing import Annotated

import typer

from mitools.cli.console import note, print_json, print_table

PatternArgument = Annotated[
    str, typer.Argument(metavar="PATTERN", help="Of names, with * and ?: *resnet50*; all without one.")
]


def print_list(rows: Sequence[Sequence[str]], header: Sequence[str], pattern: str, json: bool) -> int:
    """Print names with what is known of each; 1 where none matches, as ``grep`` has it."""
    if json:
        print_json([row[0] for row in rows])
    elif len(header) == 1:
        for row in rows:
            print(row[0])
    elif rows:
        print_table(header, rows)
    if not rows:
        hint = "without a pattern all are listed" if "*" in pattern else f"* stands for anything: *{pattern}*"
        note(f"nothing is called {pattern!r}; {hint}")
    return 0 if rows else 1
