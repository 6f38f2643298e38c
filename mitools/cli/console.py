"""What every command shares: where text goes, tables, how much is said, and progress."""

import json
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from mitools.cli.terminal.tables import FEWEST_COLUMNS, between_words, table_lines
from mitools.core.names import printable
from mitools.core.progress import Advance, progress_bar, progress_lines, shown
from mitools.core.specs import LARGEST_SEED


class _SafeConsole(Console):
    """Prints control characters and marks of direction as their codes, and folds texts between words alone.

    In a pipe or a file lines are as long as they are.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, emoji=False, soft_wrap=True, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(printable(text), **options)

    def print(self, *objects: Any, **options: Any) -> None:
        width = self.width if self.is_terminal else None
        super().print(*(folded(one, width) if isinstance(one, str) else one for one in objects), **options)


def folded(text: str, width: int | None) -> str:
    """Fold the lines of a text between words; a word that is longer than a line stays whole."""
    if width is None:
        return text
    return "\n".join("\n".join(between_words(line, width)) or line for line in text.split("\n"))


out = _SafeConsole()
err = _SafeConsole(stderr=True)

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")
]


def _seed(value: int) -> int:
    """Refuse what no generator takes; as a range, the help would print the limit's eighteen digits."""
    if value > LARGEST_SEED:
        raise typer.BadParameter(f"{value} is not in the range 0<=x<={LARGEST_SEED}.")
    return value


SeedOption = Annotated[int, typer.Option(help="Seed of everything random.", min=0, callback=_seed)]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Write into --out whatever lies there; same names are replaced.")
]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="SPEC",
        help="Where tasks run: local?workers=2, dask:ADDRESS, dask:local?workers=2 or slurm:FILE.yaml.",
        show_default="this process",
    ),
]
HtmlOption = Annotated[
    bool, typer.Option("--html/--no-html", help="Write report.html, a page to look at and to send.")
]

_verbosity = 0


def set_verbosity(level: int) -> None:
    """Say less than usual (-1: results, warnings and errors alone), as usual (0) or every step (1)."""
    global _verbosity
    _verbosity = level


def note(text: str) -> None:
    """Print on stderr what is good to know and no warning; ``-q`` leaves it out."""
    if _verbosity >= 0:
        err.print(text, markup=False)


def written(files: Sequence[Path], folder: Path, *first: str) -> None:
    """Say where the files are, those named `first` before the others' number."""
    named = [str(folder / name) for name in first if folder / name in files]
    others = len(files) - len(named)
    if not named:
        note(f"written: {others} files under {folder}")
    else:
        note(f"written: {', '.join(named)}" + (f" and {others} more files under {folder}" if others else ""))


def print_finding(said: str | Sequence[str]) -> None:
    """Print what was found: a few sentences as they are, more as a list, with all that was said."""
    from mitools.report.paragraphs import is_list, paragraphs

    laid_out = paragraphs(said)
    mark = "- " if is_list(laid_out) else ""
    for one in laid_out:
        _print_item(one.text, mark)
        for part in one.parts:
            _print_item(part, "  - ")


def _print_item(text: str, mark: str) -> None:
    """Print an item of a list, its further lines below the first one's text."""
    width = out.width if out.is_terminal else None
    lines = folded(printable(text), width and width - len(mark)).split("\n")
    out.print(Text(mark + f"\n{' ' * len(mark)}".join(lines)))


def name_page(files: Iterable[Path]) -> None:
    """Name the page among the files that a command has written, as its last line."""
    for path in files:
        if path.suffix == ".html":
            note(f"report: {path}")


def print_json(document: Any) -> None:
    """Print one JSON document on stdout, bare of colours and line folding."""
    print(json.dumps(document, indent=2, allow_nan=False))


def print_table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    title: str | None = None,
    file: str | Path | None = None,
    fewest: int = FEWEST_COLUMNS,
) -> None:
    """Print a table on stdout, in the width of the terminal: no number and no name is cut.

    Parameters
    ----------
    header
        Names of the columns, the most important first: the last are left out first where all are too wide.
    rows
        Their cells.
    title
        Printed above.
    file
        Where all columns are kept; None where they are nowhere, so that none may be left out.
    fewest
        Columns that are never left out: where these are too wide, each row is printed as a block.
    """
    header = [printable(name) for name in header]
    cells = [[printable(cell) for cell in row] for row in rows]
    width = out.width if out.is_terminal else None
    lines = table_lines(header, cells, width, None if file is None else printable(str(file)), fewest)
    if title is not None:
        out.print(Text(folded(printable(title), width), style="italic"))
    for number, line in enumerate(lines):
        is_header = number == 0 and bool(header[0]) and line.startswith(header[0])
        out.print(Text(line, style="bold" if is_header else ""))


def progress() -> AbstractContextManager[Advance]:
    """Show progress on stderr: a bar on a terminal, a line a step with ``-v``, nothing with ``-q``."""
    if _verbosity < 0:
        return shown(False)
    return progress_lines(err) if _verbosity > 0 else progress_bar(err)
