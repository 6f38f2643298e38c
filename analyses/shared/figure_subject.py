"""The line above a study's figure: the data, how many items of them, how many seeds, and what bars are."""

from collections.abc import Collection

import pandas as pd

from mitools.datasets.open import open_data

INTERVALS = "bars: 95% intervals"


def subject_of(
    spec: str, table: pd.DataFrame | None = None, seeds: Collection[int] = (), bars: str = INTERVALS
) -> str:
    """Say what a figure is drawn from, by the data that its numbers are read on.

    Parameters
    ----------
    spec
        A data spec.
    table
        Whose ``n_report`` says on how many of the items the numbers are read; all when None, or without it.
    seeds
        One run of everything each; not mentioned when there are none.
    bars
        What the bars of the figure are.

    Raises
    ------
    InputError
        When the data cannot be read.

    Examples
    --------
    >>> subject_of("digits", seeds=(0, 1, 2))
    'digits, n = 1,797, 3 seeds; bars: 95% intervals'
    """
    data = open_data(spec)
    read = [] if table is None or "n_report" not in table else sorted(table["n_report"].dropna().unique())
    counted = " to ".join(f"{int(count):,}" for count in dict.fromkeys([read[0], read[-1]])) if read else ""
    part = f" ({counted} of them reported)" if counted and int(read[-1]) < len(data) else ""
    return subject_line(data.name, f"n = {len(data):,}{part}", seeds, bars)


def subject_line(data: str, n: int | str, seeds: Collection[int] = (), bars: str = INTERVALS) -> str:
    """Join the parts of the line; `n` is a number of items, or says itself what is counted.

    Examples
    --------
    >>> subject_line("CDP", 2000, (0, 1))
    'CDP, n = 2,000, 2 seeds; bars: 95% intervals'
    """
    counted = n if isinstance(n, str) else f"n = {n:,}"
    of_seeds = f"{len(seeds)} seed{'s' * (len(seeds) > 1)}" if len(seeds) else ""
    return "; ".join(filter(None, [", ".join(filter(None, [data, counted, of_seeds])), bars]))
