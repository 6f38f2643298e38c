"""How an estimate looks on a terminal: value, interval, kind, ceiling, null and warnings together."""

from collections.abc import Sequence

from mitools.cli.console import err, print_table
from mitools.estimate import Estimate

HEADER = ["method", "bits", "95% interval", "kind", "ceiling", "entropy", "null", "n report", "seconds"]


def print_estimates(estimates: Sequence[Estimate]) -> None:
    """Print one line an estimate on stdout, and the warnings on stderr."""
    print_table(HEADER, [_line(estimate) for estimate in estimates])
    for estimate in estimates:
        for caution in estimate.warnings:
            err.print(f"{estimate.method}: {caution}", markup=False)


def bits(value: float | None) -> str:
    """Three decimals, or a dash where there is nothing."""
    return "-" if value is None else f"{value + 0.0:.3f}"


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
