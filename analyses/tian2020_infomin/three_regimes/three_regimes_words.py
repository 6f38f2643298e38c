"""What the table of the three regimes says, in words that the seeds allow."""

import pandas as pd

from mitools.analyses.shared.finding import listed
from mitools.analyses.tian2020_infomin.seed_means import SeedMean, over_seeds
from mitools.analyses.tian2020_infomin.three_regimes.attribute_bits import READERS

KEPT_SHARE, DROPPED_SHARE = 0.9, 0.2
"""Of the task's bits at least, and of the nuisances' at most, that a sweet spot's encoder is to keep."""

ACCURACY = "accuracy_"

BOUNDS = (
    "All bits are lower bounds, by a linear classifier and by nearest neighbours: what neither finds may"
    " still be there. Intervals are 95% over seeds."
)


def describe(table: pd.DataFrame) -> str:
    """Say what each regime's encoders keep, how near Proposition 3.1 is, and how many labels they need.

    Parameters
    ----------
    table
        One row a regime, seed, layer and variable, as ``results.csv`` has them.
    """
    trained = table[table["shared"].fillna("") != ""]
    at_loss = trained[trained["layer"] == "loss layer"]
    found = [_regime(str(shared), rows) for shared, rows in at_loss.groupby("shared", sort=False)]
    sweet = trained[trained["regime"] == "sweet spot"]
    if len(sweet):
        untrained = table[table["regime"] == "untrained"]
        found += [_verdict(sweet), _proposition(at_loss), _backbone(sweet, untrained)]
        found.append(_labels(trained))
    return "\n".join([*found, BOUNDS])


def share_of(rows: pd.DataFrame, variable: str, layer: str, reader: str) -> SeedMean:
    """Average over seeds the share of its entropy that is read of a variable.

    Parameters
    ----------
    rows
        Of one set of shared attributes, or of the untrained networks.
    variable, layer
        Values of the columns.
    reader
        One of :data:`mitools.analyses.tian2020_infomin.three_regimes.attribute_bits.READERS`.
    """
    own = rows[(rows["variable"] == variable) & (rows["layer"] == layer)]
    return over_seeds(own[f"{reader}_bits"] / own["h_bits"])


def _regime(shared: str, rows: pd.DataFrame) -> str:
    task, nuisance = (rows[rows["variable"] == variable] for variable in ("task", "nuisance"))
    first, of_nuisance = task.iloc[0], nuisance.iloc[0]
    read = listed(
        [
            f"{over_seeds(task[f'{reader}_bits'])} and {over_seeds(nuisance[f'{reader}_bits'])} ({name})"
            for reader, name in zip(READERS, ("linear", "nearest neighbours"), strict=True)
        ]
    )
    return (
        f"Views that share {_and(shared)} ({_bits(first['shared_bits'])}, {first['regime']}):"
        f" of the task's {first['h_bits']:.2f} bits and the nuisances' {of_nuisance['h_bits']:.2f}, of which"
        f" {first['predicted_bits']:.2f} and {of_nuisance['predicted_bits']:.2f} are shared, the layer that"
        f" the loss compares holds {read}."
    )


def _verdict(sweet: pd.DataFrame) -> str:
    task = [share_of(sweet, "task", "loss layer", reader) for reader in READERS]
    nuisance = [share_of(sweet, "nuisance", "loss layer", reader) for reader in READERS]
    kept, dropped = max(task, key=lambda one: one.low), max(nuisance, key=lambda one: one.high)
    if kept.low >= KEPT_SHARE:
        of_task = f"keeps {KEPT_SHARE} of the task's bits or more, {kept}"
    elif kept.high < KEPT_SHARE:
        of_task = f"keeps less than {KEPT_SHARE} of the task's bits, {kept}"
    else:
        of_task = f"is not told apart from {KEPT_SHARE} of the task's bits, {kept}"
    if dropped.high < DROPPED_SHARE:
        of_nuisance = f"less than {DROPPED_SHARE} of the nuisances' is found, {dropped} by the higher reading"
    elif dropped.low > DROPPED_SHARE:
        of_nuisance = f"more than {DROPPED_SHARE} of the nuisances' is found, {dropped} by the higher reading"
    else:
        of_nuisance = f"the nuisances' share, {dropped}, is not told apart from {DROPPED_SHARE}"
    return f"The sweet spot's encoder {of_task} at that layer, and {of_nuisance}."


def _proposition(at_loss: pd.DataFrame) -> str:
    """Say how sufficient and how minimal the encoders are, which Proposition 3.1 supposes."""
    reached, short, beyond = [], [], []
    for shared, rows in at_loss.groupby("shared", sort=False):
        task = rows[rows["variable"] == "task"]
        infonce, bits = over_seeds(task["infonce_bits"]), float(task["shared_bits"].iloc[0])
        reached.append(f"{infonce} of {_bits(bits)} where they share {_and(shared)}")
        if round(infonce.high, 2) < bits:  # as it is printed
            short.append(_and(shared))
        held = [(name, not_shared(rows, name)) for name in ("task", "nuisance")]
        more = [f"{extra} bits of the {name}" for name, extra in held if extra.low > 0]
        if more:
            beyond.append(f"those of {_and(shared)} hold {' and '.join(more)} that the views do not share")
    text = (
        "Proposition 3.1 supposes encoders that are sufficient and minimal. Sufficient: InfoNCE of held-out"
        f" pairs, by the critic that was trained, reads {listed(reached)}."
    )
    if at_loss["seed"].nunique() < 2:
        return text + " Whether they are either, one seed does not show."
    if short:
        text += f" It falls short of what is shared where that is {'; where it is '.join(short)}."
    else:
        text += " Nowhere is it seen to fall short of what is shared."
    if beyond:
        return text + (
            f" They are not minimal: {'; '.join(beyond)}. It may be that the loss gains next to nothing by"
            " removing what else is there, once the shared classes are told apart: that is a conjecture,"
            " which nothing here tests."
        )
    return text + " Minimal: beyond the intervals nothing is found that is not shared."


def not_shared(rows: pd.DataFrame, variable: str) -> SeedMean:
    """Average over seeds the bits by which the higher reading of a variable exceeds what is shared of it."""
    own = rows[rows["variable"] == variable]
    return over_seeds(own[[f"{reader}_bits" for reader in READERS]].max(axis=1) - own["predicted_bits"])


def _backbone(sweet: pd.DataFrame, untrained: pd.DataFrame) -> str:
    backbone = share_of(sweet, "nuisance", "backbone", "linear")
    text = (
        "Below the head, where no loss acts, the sweet spot's backbone holds of the nuisances'"
        f" {backbone} (linear)"
    )
    if untrained.empty:
        return text + "."
    start = share_of(untrained, "nuisance", "backbone", "linear")
    text += f"; the untrained one holds {start}"
    change = over_seeds(_shares(sweet) - _shares(untrained))
    if change.low > 0:
        return text + ": training without any use for them made nuisances easier to read there, not fewer."
    if change.high < 0:
        return text + ": training took some of them out, not all."
    return text + ": the two are not told apart."


def _shares(rows: pd.DataFrame) -> pd.Series:
    """Give the share of the nuisances that is read off the backbone, by seed."""
    own = rows[(rows["variable"] == "nuisance") & (rows["layer"] == "backbone")].set_index("seed")
    share: pd.Series = own["linear_bits"] / own["h_bits"]
    return share


def _labels(trained: pd.DataFrame) -> str:
    columns = [column for column in trained.columns if column.startswith(ACCURACY)]
    said = []
    for layer in ("loss layer", "backbone"):
        rows = trained[(trained["layer"] == layer) & (trained["variable"] == "task")]
        best = rows[rows["regime"] == "sweet spot"].set_index("seed")[columns]
        others = rows[rows["regime"] != "sweet spot"].groupby("shared", sort=False)
        by_shared = {_and(shared): own.set_index("seed")[columns] for shared, own in others}
        for column in columns:
            count = column.removeprefix(ACCURACY)
            gains = listed(
                [
                    f"{_points(over_seeds(100 * (best[column] - other[column])))} above {shared}"
                    for shared, other in by_shared.items()
                ]
            )
            accuracy = over_seeds(best[column])
            said.append(
                f"{accuracy.mean:.1%} at {count} label{'s' * (count != '1')} a class on the {layer}"
                + (f" ({gains})" if gains else "")
            )
    return f"Linear heads on the sweet spot's features get {'; '.join(said)}: points, paired by seed."


def _and(shared: object) -> str:
    """Name attributes as people do."""
    return listed(str(shared).split("+"))


def _bits(value: float) -> str:
    return f"{value:g} bit{'' if value == 1 else 's'}"


def _points(gain: SeedMean) -> str:
    interval = f" ({gain.low:.1f} to {gain.high:.1f})" if gain.low > -1e9 else ""
    return f"{gain.mean:.1f}{interval}"
