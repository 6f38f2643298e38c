"""What the table of shared factors says, in words that every seed allows."""

import pandas as pd

from mitools.analyses.shared.finding import listed

SUPERVISED, UNTRAINED = "supervised", "untrained"

LOST_SHARE = 0.5
"""Of the bits that a factor has when shared alone: with less, in every seed, it counts as overwhelmed."""

RULE = (
    "An error is told apart from chance, or from another, where the intervals over images lie apart in every"
    " seed. Bits are lower bounds, by a linear classifier."
)


def describe(table: pd.DataFrame) -> str:
    """Say which factors are learnt alone, what becomes of them together, and what supervision reaches.

    Parameters
    ----------
    table
        One row a row of Table 4, seed and factor, as ``results.csv`` has them.
    """
    singles = [name for name in table["shared"].unique() if name in set(table["factor"])]
    found = [_alone(name, table) for name in singles]
    together = [name for name in table["shared"].unique() if "," in str(name)]
    if together:
        found.append(_entropies(table))
    found += [_together(name, table) for name in together]
    if (table["shared"] == SUPERVISED).any():
        errors = listed([f"{factor} {_of(table, SUPERVISED, factor)}" for factor in table["factor"].unique()])
        found.append(f"Supervised, end to end: {errors}.")
    return "\n".join([*found, RULE])


def beyond_chance(rows: pd.DataFrame) -> bool:
    """Say whether the error lies below chance in every seed.

    Parameters
    ----------
    rows
        Of one row of the table and one factor.
    """
    return bool((rows["error_high"] < rows["chance"]).all())


def kept_share(table: pd.DataFrame, shared: str, factor: str) -> pd.Series:
    """Give, seed by seed, the bits of a factor relative to those where it is shared alone."""
    together, alone = (_rows(table, name, factor).set_index("seed") for name in (shared, factor))
    share: pd.Series = together["linear_bits"] / alone["linear_bits"]
    return share


def _alone(factor: str, table: pd.DataFrame) -> str:
    rows = _rows(table, factor, factor)
    learnt = "below chance in every seed" if beyond_chance(rows) else "not told apart from chance"
    others = [name for name in table["factor"].unique() if name != factor]
    elsewhere = [name for name in others if beyond_chance(_rows(table, factor, name))]
    text = f"Views that share the {factor} alone: error {_of(table, factor, factor)}, {learnt}"
    said = listed([f"{name} {_of(table, factor, name)}" for name in others])
    return f"{text}; of the others {said}" + (
        f" ({listed(elsewhere)} below chance in every seed)." if elsewhere else " (none below chance)."
    )


def _entropies(table: pd.DataFrame) -> str:
    bits = table.drop_duplicates("factor").set_index("factor")["shared_bits"]
    said = listed([f"{value:.1f} bits of the {factor}" for factor, value in bits.items()])
    return f"What the second view takes from the frame, when it does, is at most {said}."


def _together(shared: str, table: pd.DataFrame) -> str:
    said = []
    for factor in shared.split(", "):
        alone, together = _rows(table, factor, factor), _rows(table, shared, factor)
        text = f"{factor} {_of(table, shared, factor)}"
        if not alone.empty:
            if not beyond_chance(alone):
                text += ", which alone is not learnt either"
            elif (kept_share(table, shared, factor) < LOST_SHARE).all():
                text += f", overwhelmed: less than {LOST_SHARE:g} of the bits that it has alone"
            elif (together.set_index("seed")["error_low"] > alone.set_index("seed")["error_high"]).all():
                text += ", worse than alone"
            elif (together.set_index("seed")["error_high"] < alone.set_index("seed")["error_low"]).all():
                text += ", better than alone"
            else:
                text += ", not told apart from alone"
        said.append(text)
    return f"Views that share {shared}: {'; '.join(said)}."


def _of(table: pd.DataFrame, shared: str, factor: str) -> str:
    """Say the errors and bits of a factor over seeds."""
    rows = _rows(table, shared, factor)
    pixels = factor == "position"
    scale, unit, digits = (1.0, " pixels", 2) if pixels else (100.0, "%", 1)
    low, high = (scale * value for value in (rows["error"].min(), rows["error"].max()))
    chance = f"{scale * rows['chance'].mean():.{digits}f}{unit}"
    error = f"{low:.{digits}f} to {high:.{digits}f}{unit}" if len(rows) > 1 else f"{low:.{digits}f}{unit}"
    bits = f"{rows['linear_bits'].mean():.2f} of {rows['h_bits'].iloc[0]:.2f} bits"
    return f"{error} (chance {chance}; {bits})"


def _rows(table: pd.DataFrame, shared: str, factor: str) -> pd.DataFrame:
    return table[(table["shared"] == shared) & (table["factor"] == factor)]
