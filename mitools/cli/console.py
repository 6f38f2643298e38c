"""What every command shares: where text goes, tables, estimates, progress with a rate and a time to go."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mitools.core.progress import Advance, progress_bar

if TYPE_CHECKING:
    from mitools.core.estimate import Estimate
    from mitools.estimators.agreement import Agreement

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")
]
SeedOption = Annotated[int, typer.Option(help="Seed of everything random.", min=0)]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]

ESTIMATE_HEADER = [
    "method",
    "bits",
    "95% interval",
    "kind",
    "ceiling",
    "entropy",
    "null",
    "n report",
    "seconds",
]


def print_json(document: Any) -> None:
    """Print one JSON document on stdout, bare of colours and line folding."""
    print(json.dumps(document, indent=2, allow_nan=False))


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None) -> None:
    """Print a table on stdout: the first column to the left, the others to the right."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for position, name in enumerate(header):
        table.add_column(name, justify="left" if position == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    # A table wider than a pipe's assumed 80 columns would lose cells: numbers matter more than folding.
    Console(highlight=False, width=None if out.is_terminal else 240).print(table)


def progress() -> AbstractContextManager[Advance]:
    """Show a progress bar on stderr; gives the function that moves it."""
    return progress_bar(err)


def print_estimates(estimates: Sequence[Estimate]) -> None:
    """Print one line an estimate on stdout, and the warnings on stderr."""
    print_table(ESTIMATE_HEADER, [_line(estimate) for estimate in estimates])
    _print_cautions(estimates)


def print_agreement(found: Agreement) -> None:
    """Print lower bounds, upper bounds and point estimates in tables of their own, and what they allow."""
    blocks = [("lower bounds", found.lower), ("upper bounds", found.upper), ("point estimates", found.points)]
    for title, estimates in blocks:
        if estimates:
            print_table(ESTIMATE_HEADER, [_line(estimate) for estimate in estimates], title)
    out.print(found.sentence(), markup=False)
    _print_cautions([estimate for _, estimates in blocks for estimate in estimates])


def bits(value: float | None) -> str:
    """Three decimals, or a dash where there is nothing."""
    return "-" if value is None else f"{value + 0.0:.3f}"


def _print_cautions(estimates: Sequence[Estimate]) -> None:
    for estimate in estimates:
        if "chosen" in estimate.settings:
            chosen, because = estimate.settings["chosen"], estimate.settings["because"]
            err.print(f"{estimate.method}: {chosen}, because {because}", markup=False)
            taken = " and ".join(_taken_for(name, estimate.settings) for name in ("x", "y"))
            err.print(f"{estimate.method}: {taken}; --x-as and --y-as say otherwise", markup=False)
        for warning in estimate.warnings:
            err.print(f"{estimate.method}: {warning}", markup=False)


def _taken_for(name: str, settings: Mapping[str, Any]) -> str:
    return f"{name} is taken for {settings[name]} ({settings[f'{name}_because']})"


def _line(estimate: Estimate) -> list[str]:
    interval = estimate.interval_bits
    return [
        estimate.method,
        bits(estimate.bits),
        f"{bits(interval.low)} to {bits(interval.high)}" if interval else "-",
        estimate.kind,
        bits(estimate.ceiling_bits),
        bits(estimate.entropy_bits),
        bits(estimate.null_bits),
        f"{estimate.n_report:,}",
        f"{estimate.seconds:.1f}",
    ]
