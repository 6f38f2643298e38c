"""What every measure costs: ``python tests/benchmarks/costs.py [--sizes small|large] [--measures NAME ...]``.

Each is computed on normal clouds, an axis at a time: items, columns, classes. Its CPU seconds in one thread
and the most memory that the process held meanwhile, features included, go to
``analyses/results/load/costs.csv``, and how the seconds grow between these sizes, fitted as powers, to
``costs_growth.csv``; with what they would be at a large size where the sizes measured come near it, and on
paper for 1,000 encoders of 100 million items, a hundred times what was run. At small sizes what does not grow
hides what does; and of many items some measures take a random part, so that what is on paper for those is an
upper limit.
"""

import argparse
import contextlib
import csv
import resource
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

FOLDER = Path(__file__).parents[2] / "analyses" / "results" / "load"


class Size(NamedTuple):
    """Items, columns and classes."""

    n: int
    d: int
    classes: int


COLUMNS = ("measure", *Size._fields, "cpu_seconds", "peak_mib")
"""Of ``costs.csv``. Rows of measures that are not asked for stay, where they are of the sizes asked for."""

GRIDS = {
    "tiny": ((100, 200), (4, 8), (2, 4)),
    "small": ((5_000, 10_000, 20_000), (64, 128, 256), (10, 40, 160)),
    "large": ((10_000, 100_000, 1_000_000), (64, 512, 2_048), (10, 100, 1_000)),
}
"""Items, columns and classes; the other axes then have their first value, and items their middle one."""

TOLD = Size(1_000_000, 2_048, 1_000)
"""Where the fitted growth is asked what a measure would cost."""

ON_PAPER, ENCODERS = Size(100_000_000, 2_048, 1_000), 1_000
"""What the fitted growth is asked as well, far beyond what was measured."""

FURTHEST = 10
"""How many times the largest value measured that may be on any axis."""

FEWEST_TIMES = 6
"""Times that growth is fitted to: two more than there are numbers to fit."""

LEAST_SECONDS = 0.05
"""Below which a time is that of calling, and says nothing of growth."""


def sizes(grid: str) -> list[Size]:
    """Vary an axis at a time."""
    n, d, classes = GRIDS[grid]
    middle = n[len(n) // 2]
    found = [Size(one, d[0], classes[0]) for one in n]
    found += [Size(middle, one, classes[0]) for one in d] + [Size(middle, d[0], one) for one in classes]
    return list(dict.fromkeys(found))


def measures(wanted: Iterable[str]) -> dict[str, list[str]]:
    """Give the measures of features and labels, those of one computation together by the first one's name."""
    from mitools.measures.registry import MEASURES, known_measure

    asked = [known_measure(name) for name in wanted] or [
        one
        for one in MEASURES.values()
        if "audit" in one.tables and one.computation and set(one.reads) <= {"rows", "labels"}
    ]
    found: dict[Any, list[str]] = {}
    for one in asked:
        found.setdefault(one.computation, []).append(one.name)
    return {names[0]: names for names in found.values()}


def cpu_seconds() -> float:
    """Give the CPU seconds of this process, those of the system for it as well."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def forget_peak() -> None:
    """Begin anew with what :func:`peak_mib` gives; systems other than Linux keep the old one."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_mib() -> float:
    """Give the most memory that this process has held since the last :func:`forget_peak`."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return float("nan")
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def timed(size: Size, wanted: dict[str, list[str]]) -> Iterator[tuple[str, float, float]]:
    """Compute each measure on clouds of a size, and give its CPU seconds and the peak of memory in MiB."""
    from mitools.measures.compute import measure
    from mitools.measures.representation import Representation

    rng = np.random.default_rng(0)
    labels = np.arange(size.n) % size.classes
    centres = rng.standard_normal((size.classes, size.d), dtype=np.float32) / np.sqrt(size.d / 8)
    rows = centres[labels] + rng.standard_normal((size.n, size.d), dtype=np.float32)
    representation = Representation.of_arrays(rows, labels)
    for name, together in wanted.items():
        forget_peak()
        started = cpu_seconds()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            measure(together, representation)
        yield name, cpu_seconds() - started, peak_mib()


def growth(rows: list[tuple[Size, float]]) -> tuple[float, float, float, float, float] | None:
    """Fit ``seconds = a n^p d^q C^r`` by least squares of logarithms.

    Returns
    -------
    tuple of float or None
        p, q, r; the seconds at :data:`TOLD`, NaN where that is too far from what was measured; and the hours
        of one core for :data:`ENCODERS` of :data:`ON_PAPER`. None where too few times are long enough.
    """
    kept = [(size, seconds) for size, seconds in rows if seconds >= LEAST_SECONDS]
    axes = np.array([size for size, _ in kept], dtype=float).reshape(-1, 3)
    columns = np.column_stack([np.ones(len(kept)), np.log(axes)])
    if len(kept) < FEWEST_TIMES or np.linalg.matrix_rank(columns) < columns.shape[1]:
        return None
    fitted = np.linalg.lstsq(columns, np.log([seconds for _, seconds in kept]), rcond=None)[0]
    p, q, r = (float(power) for power in fitted[1:])
    near = bool((np.array(TOLD) <= FURTHEST * axes.max(axis=0)).all())
    told, paper = (float(np.exp(fitted @ [1.0, *np.log(size)])) for size in (TOLD, ON_PAPER))
    return p, q, r, told if near else float("nan"), paper * ENCODERS / 3600


def kept_rows(path: Path, wanted: list[Size]) -> list[tuple[Any, ...]]:
    """Read the rows of a table of these sizes; none where there is no table."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or tuple(rows[0]) != COLUMNS:
        return []
    read = ((row["measure"], *(int(row[axis]) for axis in Size._fields), row) for row in rows)
    return [
        (name, *axes, row["cpu_seconds"], row["peak_mib"])
        for name, *axes, row in read
        if Size(*axes) in wanted
    ]


def write(path: Path, header: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    """Write a table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main(words: list[str] | None = None) -> int:
    """Time every measure at every size, print the times as they come, and write both tables."""
    import torch

    from mitools.measures.registry import MEASURES

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", choices=list(GRIDS), default="small")
    parser.add_argument("--measures", nargs="*", default=[], help="all that features and labels allow")
    parser.add_argument("--out", type=Path, default=FOLDER)
    asked = parser.parse_args(words)
    torch.set_num_threads(1)
    wanted = measures(asked.measures)
    for _ in timed(Size(60, 2, 2), wanted):
        """Imports and first calls are no part of the times."""
    table, order = asked.out / "costs.csv", list(MEASURES)
    rows = [row for row in kept_rows(table, sizes(asked.sizes)) if row[0] not in wanted]
    for size in sizes(asked.sizes):
        for name, seconds, peak in timed(size, wanted):
            rows.append((name, *size, f"{seconds:.3f}", f"{peak:.0f}"))
            print(f"{name}  {size.n:,} x {size.d}, {size.classes} classes  {seconds:.2f} s", flush=True)
        # After every size: what was measured stays when a larger one is stopped.
        write(table, COLUMNS, sorted(rows, key=lambda row: order.index(row[0])))
    found: dict[str, list[tuple[Size, float]]] = {}
    for name, n, d, classes, seconds, _ in kept_rows(table, sizes(asked.sizes)):
        found.setdefault(name, []).append((Size(n, d, classes), float(seconds)))
    fitted = {name: growth(times) for name, times in found.items()}
    told = f"cpu_seconds_at_{TOLD.n}_x_{TOLD.d}_{TOLD.classes}_classes"
    paper = f"core_hours_on_paper_of_{ENCODERS}_x_{ON_PAPER.n}_x_{ON_PAPER.d}_{ON_PAPER.classes}_classes"
    write(
        asked.out / "costs_growth.csv",
        ("measure", "power_of_n", "power_of_d", "power_of_classes", told, paper),
        (
            (name, *([""] * 5 if one is None else (f"{value:.3g}" for value in one)))
            for name, one in fitted.items()
        ),
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
