"""What learned views share and are worth beside raw ones, in words that the intervals allow."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from mitools.analyses.shared.finding import listed
from mitools.statistics.holm import holm
from mitools.statistics.peak import FEWEST_POINTS, peak_test

RAW = "raw"
"""What is done to raw views."""

Z95 = 1.96
"""Standard errors in half of a 95% interval."""

LEVEL = 0.05
"""At which a difference is told, after Holm's adjustment for all that are asked for together."""

MEASURED = {"shared": "shared_bits", "weaker": "weaker_bits", "linear_acc": "linear_acc"}
"""What is averaged over seeds with an error, and its column."""

CALLED = {
    "shared": "Information shared",
    "weaker": "Label information of the weaker view",
    "linear_acc": "Linear accuracy",
}


class Difference(NamedTuple):
    """Of two settings' means.

    Attributes
    ----------
    value
        The first minus the second.
    p
        Of no difference, two-sided.
    """

    value: float
    p: float


def with_weaker_view(table: pd.DataFrame) -> pd.DataFrame:
    """Add what the view says that says less of the label: ``weaker_bits`` with ``_low`` and ``_high``."""
    first = table["view1_bits"] <= table["view2_bits"]
    columns = {
        f"weaker_{end}": table[f"view1_{end}"].where(first, table[f"view2_{end}"])
        for end in ("bits", "low", "high")
    }
    return table.assign(**columns)


def of_own_encoder(table: pd.DataFrame) -> pd.DataFrame:
    """Choose the rows of the network that is trained on all views, which stand first."""
    return table[table["encoder"] == table["encoder"].iloc[0]]


def per_setting(table: pd.DataFrame) -> pd.DataFrame:
    """Average the seeds of every setting.

    Parameters
    ----------
    table
        One row a setting and seed of one network, as ``results.csv`` has them.

    Returns
    -------
    DataFrame
        One row a setting, in order: its first row, with means of the numbers, and for ``shared``, ``weaker``
        (:func:`with_weaker_view`) and ``linear_acc`` the columns ``_images``, the standard error of the
        images, which are the same for all seeds; ``_seeds``, the variance of the mean over seeds; and
        ``_stderr`` of both together, with ``_margin``, half of its 95% interval by Student's t with the
        degrees of freedom of Welch and Satterthwaite.
    """
    table = with_weaker_view(table)
    groups = table.groupby("setting", sort=False)
    found = groups.first()
    numbers = [*MEASURED.values(), "untrained_acc", "image_bits"]
    found[numbers] = groups[numbers].mean()
    found["seeds"] = groups.size()
    for name, column in MEASURED.items():
        half = (table[f"{name}_high"] - table[f"{name}_low"]) / (2 * Z95)
        found[f"{name}_images"] = half.groupby(table["setting"], sort=False).mean()
        found[f"{name}_seeds"] = (groups[column].var() / groups.size()).fillna(0.0)
        found[f"{name}_stderr"] = np.sqrt(found[f"{name}_images"] ** 2 + found[f"{name}_seeds"])
        found[f"{name}_margin"] = [
            row[f"{name}_stderr"] * _freedom([row], name).ppf(0.975) for _, row in found.iterrows()
        ]
    return found.reset_index()


def difference(one: pd.Series, other: pd.Series, name: str) -> Difference:
    """Compare two settings by Welch's test, with the images' errors beside those of seeds.

    Both are read on the same images, so that their errors add up to no less than that of the difference.

    Parameters
    ----------
    one, other
        Rows of :func:`per_setting`.
    name
        A key of :data:`MEASURED`.
    """
    value = float(one[MEASURED[name]] - other[MEASURED[name]])
    variance = one[f"{name}_stderr"] ** 2 + other[f"{name}_stderr"] ** 2
    return Difference(value, float(2 * _freedom([one, other], name).sf(abs(value) / np.sqrt(variance))))


def _freedom(rows: Sequence[pd.Series], name: str) -> Any:
    """Give the distribution of a sum's error over its standard error: Student's by Welch and Satterthwaite.

    The errors of images are known from thousands of them, those of seeds from a few: where these are none,
    it is the normal distribution.
    """
    variance = sum(row[f"{name}_stderr"] ** 2 for row in rows)
    spread = sum(row[f"{name}_seeds"] ** 2 / max(row["seeds"] - 1, 1) for row in rows)
    return stats.t(variance**2 / spread) if spread > 0 else stats.norm()


def describe(table: pd.DataFrame) -> str:
    """Say what is told apart of learned and raw views, and what shape accuracy has over information.

    Parameters
    ----------
    table
        One row a setting and seed, as ``results.csv`` has them.
    """
    own = of_own_encoder(table)
    found = per_setting(own)
    against_raw = [_against_raw(found, name) for name in MEASURED]
    parts = [
        _information(found), *against_raw, _among_learned(found), _untrained(found), _shape(found),
        _other_encoders(table), _inverse(own), _seeds(own),
    ]  # fmt: skip
    return " ".join(filter(None, parts))


def _information(found: pd.DataFrame) -> str:
    readings = [
        f"{row['setting']} {row['shared_bits']:.2f} (+-{row['shared_margin']:.2f})"
        for _, row in found.iterrows()
    ]
    rising = found["shared_warnings"].fillna("").str.contains("still_rising").any()
    more = "; some fits ended while they still rose, so that more steps would read more" if rising else ""
    return (
        f"By InfoNCE on {int(found['n_pairs'].iloc[0]):,} held-out images, the two views share at least, in"
        f" bits: {listed(readings)}; the ceiling is {found['shared_ceiling'].min():.2f}, and permuted pairs"
        f" read {found['shared_null'].min():.2f} to {found['shared_null'].max():.2f}{more}."
    )


def _against_raw(found: pd.DataFrame, name: str) -> str:
    """Compare every learned setting with the raw views of its space."""
    raw = {row["space"]: row for _, row in found.iterrows() if row["learn"] == RAW}
    learned = [row for _, row in found.iterrows() if row["learn"] != RAW]
    differences = [difference(row, raw[row["space"]], name) for row in learned]
    told = holm([one.p for one in differences]) < LEVEL
    more = [_named(row, one, name) for row, one, is_told in zip(learned, differences, told, strict=True)
            if is_told and one.value > 0]  # fmt: skip
    less = [_named(row, one, name) for row, one, is_told in zip(learned, differences, told, strict=True)
            if is_told and one.value < 0]  # fmt: skip
    rest = [row["setting"] for row, is_told in zip(learned, told, strict=True) if not is_told]
    said = [f"is {word} for {listed(some)}" for word, some in (("lower", less), ("higher", more)) if some]
    if rest:
        said.append(f"cannot be told from theirs for {listed(rest)}")
    return f"{CALLED[name]}, against the raw views of the same space, {'; it '.join(said)}."


def _named(row: pd.Series, one: Difference, name: str) -> str:
    size = f"{one.value:+.2f} bits" if name != "linear_acc" else f"{100 * one.value:+.1f} points"
    return f"{row['setting']} ({size})"


def _among_learned(found: pd.DataFrame) -> str:
    """Hold semi-supervised views against the two other kinds, as Table 5 does."""
    asked, differences = [], []
    for _, semi in found[found["learn"] == "semi_supervised"].iterrows():
        same = (found["space"] == semi["space"]) & (found["coupling"] == semi["coupling"])
        for learn in ("supervised", "unsupervised"):
            for _, other in found[same & (found["learn"] == learn)].iterrows():
                asked.append(f"{semi['setting']} over {other['setting']}")
                differences.append(difference(semi, other, "linear_acc"))
    if not asked:
        return ""
    adjusted = holm([one.p for one in differences])
    readings = [
        f"{what} {100 * one.value:+.1f} points ({'told' if p < LEVEL else 'not told'}, p = {p:.2g})"
        for what, one, p in zip(asked, differences, adjusted, strict=True)
    ]
    return f"In accuracy, {'; '.join(readings)}. In Table 5 semi-supervised views are the best of the three."


def _untrained(found: pd.DataFrame) -> str:
    gain = found["linear_acc"] - found["untrained_acc"]
    above = int((gain > 2**0.5 * found["linear_acc_margin"]).sum())
    best = found.loc[found["linear_acc"].idxmax()]
    reached, untrained = (
        f"{found[name].min():.1%} to {found[name].max():.1%}" for name in ("linear_acc", "untrained_acc")
    )
    return (
        f"Accuracy is {reached}, highest for {best['setting']}; untrained encoders of the same views reach"
        f" {untrained}, and training adds to them beyond the intervals for {above} of {len(found)} settings."
    )


def _shape(found: pd.DataFrame) -> str:
    if len(found) < FEWEST_POINTS:
        return ""
    # As wide as their intervals, which few seeds make wider than normal errors are.
    accuracy, shared = (found[f"{name}_margin"] / Z95 for name in ("linear_acc", "shared"))
    shape = peak_test(found["shared_bits"], found["linear_acc"], accuracy, shared)
    verdict = {
        "peak inside": "so it is here",
        "cannot be told": "this run neither confirms nor refutes it",
    }.get(shape.shape, "this is not seen here")
    return f"Accuracy over the bits shared: {shape}. In Fig. 7 accuracy peaks inside; {verdict}."


def _other_encoders(table: pd.DataFrame) -> str:
    """Hold semi-supervised views against raw ones for every network, as Fig. 8 does."""
    if table["encoder"].nunique() < 2:
        return ""
    asked, differences = [], []
    for encoder, rows in table.groupby("encoder", sort=False):
        found = per_setting(rows)
        raw = {row["space"]: row for _, row in found.iterrows() if row["learn"] == RAW}
        for _, row in found[found["learn"] == "semi_supervised"].iterrows():
            asked.append(f"{row['setting']} over {raw[row['space']]['setting']} by {encoder}")
            differences.append(difference(row, raw[row["space"]], "linear_acc"))
    adjusted = holm([one.p for one in differences])
    readings = [
        f"{what} {100 * one.value:+.1f} points ({'told' if p < LEVEL else 'not told'}, p = {p:.2g})"
        for what, one, p in zip(asked, differences, adjusted, strict=True)
    ]
    above = sum(p < LEVEL and one.value > 0 for one, p in zip(differences, adjusted, strict=True))
    return (
        f"By network, in accuracy: {'; '.join(readings)}. In Fig. 8 semi-supervised views are above raw ones"
        f" for larger networks too; here they are told to be for {above} of {len(asked)}."
    )


def _inverse(table: pd.DataFrame) -> str:
    errors = table["inversion_error"].dropna()
    if errors.empty:
        return ""
    within = "all" if errors.max() < 1e-5 else f"{int((errors < 1e-5).sum())} of {len(errors)}"
    return (
        f"The inverse of a generator misses its input by {errors.max():.1g} at the most ({within} are"
        " invertible to 1e-5)."
    )


def _seeds(table: pd.DataFrame) -> str:
    count = int(table.groupby("setting").size().min())
    if count == 1:
        return "There is one run a setting: the errors are those of images alone."
    spread = table.groupby("learn", sort=False).apply(
        lambda rows: 100 * np.sqrt(rows.groupby("setting")["linear_acc"].var().mean())
    )
    readings = [f"{learn} {value:.1f}" for learn, value in spread.items()]
    return (
        f"There are {count} runs a setting, and the errors are those of images and of runs; the standard"
        f" deviation of accuracy over runs is, in points, {listed(readings)}."
    )
