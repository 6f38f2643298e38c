"""How estimates look on a terminal: value, interval, kind, ceiling, null and warnings together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mitools.cli.console import err, out, print_table

if TYPE_CHECKING:
    from mitools.core.estimate import Estimate, EstimateWarning
    from mitools.estimators.agreement import Agreement

HEADER = ["method", "bits", "95% interval", "kind", "null", "n", "entropy", "ceiling"]


def print_estimates(estimates: Sequence[Estimate]) -> None:
    """Print one line an estimate on stdout, its method in words, and the warnings on stderr."""
    from mitools.report.figures.style import method_words

    _print_lines([replace(one, method=method_words(one.method)) for one in estimates])
    _print_cautions(estimates)


def print_agreement(found: Agreement) -> None:
    """Print lower bounds, upper bounds and point estimates in tables of their own, and what they allow."""
    blocks = [("lower bounds", found.lower), ("upper bounds", found.upper), ("point estimates", found.points)]
    for title, estimates in blocks:
        if estimates:
            _print_lines(estimates, title)
    out.print(found.sentence(), markup=False)
    _print_cautions([estimate for _, estimates in blocks for estimate in estimates])


def bits(value: float | None) -> str:
    """Three decimals, or a dash where there is nothing."""
    return "-" if value is None else f"{round(value, 3) + 0.0:.3f}"  # adding 0 makes -0 plain 0


def interval(low: float | None, high: float | None) -> str:
    """Two ends, or a dash where there are none."""
    return "-" if low is None else f"{bits(low)} to {bits(high)}"


def interval_of(n: int, low: float | None, high: float | None) -> str:
    """Give the interval of a correlation over n rows, or say that they are too few for one."""
    from mitools.statistics.correlation import FEW_ROWS

    if n < FEW_ROWS:
        return "n too small"
    return "none" if low is None or high is None else interval(low, high)


def print_warnings(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print the warnings of a table's rows on stderr, those that are alike once."""
    from mitools.report.words import warning_words

    print_alike((row["encoder"], warning_words(row["warnings"])) for row in rows if row["warnings"])


def print_alike(told: Iterable[tuple[str, str]], between: str = ", ") -> None:
    """Print on stderr what is told of several things, by their names: what is alike once."""
    named: dict[str, list[str]] = {}
    for name, words in told:
        named.setdefault(words, []).append(name)
    for words, names in named.items():
        err.print(f"{between.join(names)}: {words}", markup=False)


def caution(warning: EstimateWarning) -> str:
    """Write a warning for people: its word as words, what is the matter, and the remedy."""
    from mitools.report.words import worded

    return str(warning).replace(warning.word, worded(warning.word), 1)


def _print_cautions(estimates: Sequence[Estimate]) -> None:
    """Say what was chosen and why, and every warning once, with the methods that it is of."""
    for estimate in estimates:
        if "chosen" in estimate.settings:
            chosen, because = estimate.settings["chosen"], estimate.settings["because"]
            err.print(f"{estimate.method}: {chosen}, because {because}", markup=False)
            taken = " and ".join(_taken_for(name, estimate.settings) for name in ("x", "y"))
            err.print(f"{estimate.method}: {taken}; --x-as and --y-as say otherwise", markup=False)
    told: dict[EstimateWarning, list[str]] = {}
    for estimate in estimates:
        for warning in estimate.warnings:
            told.setdefault(warning, []).append(estimate.method)
    for warning, methods in told.items():
        err.print(f"{', '.join(methods)}: {caution(warning)}", markup=False)


def _taken_for(name: str, settings: Mapping[str, Any]) -> str:
    return f"{name} is taken for {settings[name]} ({settings[f'{name}_because']})"


def _print_lines(estimates: Sequence[Estimate], title: str | None = None) -> None:
    """Print a row an estimate, without the columns in which no estimate has anything."""
    rows = [_line(estimate) for estimate in estimates]
    kept = [k for k in range(len(HEADER)) if any(row[k] != "-" for row in rows)]
    print_table([HEADER[k] for k in kept], [[row[k] for k in kept] for row in rows], title)


def _line(estimate: Estimate) -> list[str]:
    return [
        estimate.method,
        bits(estimate.bits),
        interval(*(estimate.interval_bits or (None, None))[:2]),
        estimate.kind,
        bits(estimate.null_bits),
        f"{estimate.n_report:,}",
        bits(estimate.entropy_bits),
        bits(estimate.ceiling_bits),
    ]
