"""The page that commands write: the option to leave it out, and the line that names it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from mitools.cli.console import err

HtmlOption = Annotated[
    bool, typer.Option("--html/--no-html", help="Write report.html, a page to look at and to send.")
]


def name_page(files: Iterable[Path]) -> None:
    """Name the page among the files that a command has written, as its last line."""
    for path in files:
        if path.suffix == ".html":
            err.print(f"report: {path}", markup=False)
