"""What every command shares: where text goes, tables, and progress with a rate and a time to go."""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mitools.core.names import printable
from mitools.core.progress import Advance, progress_bar


class _SafeConsole(Console):
    """Prints what control characters and marks of direction there are in a text as their codes."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(printable(text), **options)


out = _SafeConsole(highlight=False, soft_wrap=True, emoji=False)
err = _SafeConsole(stderr=True, highlight=False, soft_wrap=True, emoji=False)

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")
]
SeedOption = Annotated[int, typer.Option(help="Seed of everything random.", min=0)]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]


def print_json(document: Any) -> None:
    """Print one JSON document on stdout, bare of colours and line folding."""
    print(json.dumps(document, indent=2, allow_nan=False))


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None) -> None:
    """Print a table on stdout: the first column to the left, the others to the right."""
    shown = None if title is None else Text(printable(title))
    table = Table(title=shown, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for position, name in enumerate(header):
        table.add_column(name, justify="left" if position == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    # A table wider than a pipe's assumed 80 columns would lose cells: numbers matter more than folding.
    Console(highlight=False, emoji=False, width=None if out.is_terminal else 240).print(table)


def progress() -> AbstractContextManager[Advance]:
    """Show a progress bar on stderr; gives the function that moves it."""
    return progress_bar(err)
