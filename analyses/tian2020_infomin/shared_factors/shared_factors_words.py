"""What the table of shared factors says, in words that every seed allows."""

import pandas as pd

from mitools.analyses.shared.finding import listed

SUPERVISED, UNTRAINED = "supervised", "untrained"
"""Rows beside those of contrast. The untrained network is where every other one of its seed begins."""

LEARNT = "learnt"

LOST_SHARE = 0.5
"""Of the bits that a factor has when shared alone: with less, in every seed, it counts as overwhelmed."""

RULE = (
    "Learnt: the error lies below chance and below the same seed's untrained network. Overwhelmed: less than"
    f" {LOST_SHARE:g} of the bits that the factor has alone. Both, like better and worse, where the 95%"
    " intervals over images say so in every seed. Bits are lower bounds, by a linear classifier."
)


def describe(table: pd.DataFrame) -> str:
    """Say which factors are learnt alone, what becomes of them together, and what supervision reaches.

    Parameters
    ----------
    table
        One row a row of Table 4, seed and factor, as ``results.csv`` has them, the untrained network's among
        them.
    """
    factors = list(table["factor"].unique())
    found = [_start(table, factors)]
    found += [_alone(name, table, factors) for name in table["shared"].unique() if name in factors]
    together = [name for name in table["shared"].unique() if "," in str(name)]
    if together:
        found.append(_entropies(table))
    found += [_together(name, table) for name in together]
    if (table["shared"] == SUPERVISED).any():
        said = [f"{_of(table, SUPERVISED, name)}, {standing(table, SUPERVISED, name)}" for name in factors]
        found.append(f"Supervised, end to end: {'; '.join(said)}.")
    return "\n".join([*found, RULE])


def standing(table: pd.DataFrame, shared: str, factor: str) -> str:
    """Say how a trained network's error lies to chance and to the untrained network of the same seed.

    Parameters
    ----------
    table
        As :func:`describe` has it.
    shared, factor
        Which row of the table, and which factor.

    Returns
    -------
    str
        ``learnt`` or ``worse than untrained``, in every seed; ``learnt in 1 of 2 seeds``; or ``not learnt``.
    """
    trained, untrained = _by_seed(table, shared, factor), _by_seed(table, UNTRAINED, factor)
    is_learnt = trained["error_high"] < untrained["error_low"].clip(upper=trained["chance"])
    if is_learnt.any():
        return LEARNT if is_learnt.all() else f"{LEARNT} in {is_learnt.sum()} of {len(is_learnt)} seeds"
    if (trained["error_low"] > untrained["error_high"]).all():
        return "worse than untrained"
    return "not learnt"


def is_overwhelmed(table: pd.DataFrame, shared: str, factor: str) -> bool:
    """Say whether a factor keeps less than `LOST_SHARE` of the bits that it has alone, in every seed."""
    together, alone = (_by_seed(table, name, factor) for name in (shared, factor))
    return bool((together["linear_high"] < LOST_SHARE * alone["linear_low"]).all())


def _start(table: pd.DataFrame, factors: list[str]) -> str:
    chances = [_in_units(factor, _by_seed(table, UNTRAINED, factor)["chance"].mean()) for factor in factors]
    chance = listed([f"{factor} {value}" for factor, value in zip(factors, chances, strict=True)])
    return f"Chance: {chance}. Untrained: {listed([_of(table, UNTRAINED, factor) for factor in factors])}."


def _alone(shared: str, table: pd.DataFrame, factors: list[str]) -> str:
    own, *others = (
        f"{_of(table, shared, factor)}, {standing(table, shared, factor)}"
        for factor in sorted(factors, key=lambda factor: factor != shared)
    )
    text = f"Views that share the {shared} alone: {own}"
    return f"{text}; of the others {'; '.join(others)}." if others else f"{text}."


def _entropies(table: pd.DataFrame) -> str:
    bits = table.drop_duplicates("factor").set_index("factor")["shared_bits"]
    said = listed([f"{value:.1f} bits of the {factor}" for factor, value in bits.items()])
    return f"What the second view takes from the frame, when it does, is at most {said}."


def _together(shared: str, table: pd.DataFrame) -> str:
    said = []
    for factor in shared.split(", "):
        text = f"{_of(table, shared, factor)}, {standing(table, shared, factor)}"
        if factor in set(table["shared"]):
            text += f", {_beside_alone(table, shared, factor)}"
        said.append(text)
    return f"Views that share {shared}: {'; '.join(said)}."


def _beside_alone(table: pd.DataFrame, shared: str, factor: str) -> str:
    """Set a factor that is shared with others beside the same factor alone."""
    together, alone = (_by_seed(table, name, factor) for name in (shared, factor))
    if standing(table, factor, factor) != LEARNT:
        return f"alone {standing(table, factor, factor)}"
    if is_overwhelmed(table, shared, factor):
        return "overwhelmed"
    if (together["error_low"] > alone["error_high"]).all():
        return "worse than alone"
    if (together["error_high"] < alone["error_low"]).all():
        return "better than alone"
    return "not told apart from alone"


def _of(table: pd.DataFrame, shared: str, factor: str) -> str:
    """Say the errors and bits of a factor over seeds."""
    rows = _by_seed(table, shared, factor)
    low, high = (_in_units(factor, value) for value in (rows["error"].min(), rows["error"].max()))
    error = high if low == high else f"{low.removesuffix('%').removesuffix(' pixels')} to {high}"
    return f"{factor} {error} ({rows['linear_bits'].mean():.2f} of {rows['h_bits'].iloc[0]:.2f} bits)"


def _in_units(factor: str, error: float) -> str:
    return f"{error:.2f} pixels" if factor == "position" else f"{100 * error:.1f}%"


def _by_seed(table: pd.DataFrame, shared: str, factor: str) -> pd.DataFrame:
    return table[(table["shared"] == shared) & (table["factor"] == factor)].set_index("seed")
