"""The columns of a table of results as people see them: names, units, decimals and what they are."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pandas as pd

from mitools.measures.base import Measure
from mitools.measures.registry import MEASURES, find_measure
from mitools.report.figures.style import AXIS_LABELS
from mitools.report.html.parts import Chart, Choice, Column

COEFFICIENTS = {"pearson": "Pearson's r", "kendall": "Kendall's tau", "spearman": "Spearman's rho"}

SHARES = ("linear_acc", "knn20_acc", "knn200_acc", "recall_at_1", "one_hot_share", "one_hot_share_99")
"""Columns that are shown as per cent."""

WHOLE = ("n", "dim", "depth", "constant_dims", "dead_units", "duplicate_rows", "nonfinite_rows", "seeds")

LABELS = {
    "encoder": "encoder",
    "network": "network",
    "layer": "layer",
    "depth": "depth",
    "source": "source",
    "family": "family",
    "data": "data",
    "seeds": "seeds",
    "digest": "digest of the encoder",
    "n": "items",
    "dim": "dimensions",
    "h_c_bits": "H(C)",
    "verdict": "verdict",
    "i_class_bits": "I_class",
    "i_class_nwj_bits": "I_class, NWJ",
    "label_information_bits": "label information",
    "i_class_infonce_bits": "I_class, InfoNCE",
    "i_class_head_bits": "I_class, trained head",
    "i_simclr_bits": "I_SimCLR",
    "i_simclr_head_bits": "I_SimCLR, trained head",
    "control_i_class_bits": "I_class untrained",
    "control_gain_bits": "more than untrained",
    "h_y_bits": "H(Y)",
    "i_xt_bits": "I(X;T)",
    "i_ty_bits": "I(T;Y)",
    "view1_bits": "label, view 1",
    "view2_bits": "label, view 2",
    "image_bits": "label, image",
    "read_by": "method",
    "warning_words": "warnings",
    "i_target_bits": "targets, lower bound",
    "i_target_null": "targets permuted",
    "i_target_kind": "kind of bound",
    "i_target_infonce_bits": "targets, InfoNCE",
    "i_predicted_bits": "ridge prediction, neighbours",
    "r2": "R2, held out",
    "linear_acc": "linear accuracy",
    "knn20_acc": "kNN-20",
    "knn200_acc": "kNN-200",
    "tolerance_all_pairs": "tolerance, all pairs",
    "recall_at_1": "recall@1",
    "nmi": "k-means NMI",
    "constant_dims": "constant dimensions",
    "dead_units": "dead units",
    "duplicate_rows": "duplicate rows",
    "nonfinite_rows": "rows not finite",
    "effective_rank": "effective rank",
    "alignment_simclr": "alignment of views",
    "shared_up_to": "shared, not excluded up to",
    "up_to_bits": "not excluded up to",
    "seconds": "seconds",
    "warnings": "warnings",
}
"""Headers, where they are not the name of the column with spaces."""

HELP = {
    "encoder": "What was measured. Press a name to mark it everywhere in the page.",
    "h_c_bits": "The entropy of the classes in bits. No information about the class exceeds it.",
    "verdict": (
        "identified: the certificate reaches H(C), so that the truth is known. bracketed: the truth lies"
        " between what is certified and H(C)."
    ),
    "i_target_bits": "A lower bound of what the features say of the targets, in bits, with the 95% interval.",
    "i_target_null": "The same reading with the targets permuted: what it reads when there is nothing.",
    "i_target_infonce_bits": "A trained critic's lower bound on the same, at most log2 of the items.",
    "i_predicted_bits": (
        "What the held-out ridge prediction says of the target, by nearest neighbours: a point estimate."
    ),
    "r2": "Share of a target's variance that ridge regression predicts of other items; mean over targets.",
    "mean_average_precision": "Mean over the labels of average precision on items held out.",
    "mean_prevalence": "Mean share of items that have a label: the average precision of a guess.",
    "shared_up_to": (
        "Upper end of what is not excluded: what the views may be read to share with more images, by fits to"
        " half of them and to all. Empty where no end is told."
    ),
    "up_to_bits": (
        "Upper end of what is not excluded: what may be read with more images, by fits to half of them and to"
        " all. Empty where no end is told."
    ),
    "h_y_bits": "The entropy of the combinations of labels, as counted.",
    "n": "Items of the data that the number is read on.",
    "dim": "Length of the feature vector.",
    "depth": "Place of the layer, from the input.",
    "digest": "SHA-256 of weights, architecture, preprocessing and layers.",
    "seconds": "Time that the numbers of the row took when they were computed.",
    "warnings": "Reasons not to take a number of the row at its face value; explained below the table.",
    "source": "Where the encoder comes from.",
    "seeds": "How many seeds the measure with the fewest finished cells has.",
}
"""What columns are that are no measures."""


SMALL = 0.01
"""Columns of numbers that are all smaller than this are shown by their leading digits."""


def describe(frame: pd.DataFrame, shown: Iterable[str], first: str = "encoder") -> list[Column]:
    """Describe the columns of a table of results; limits of intervals stand in their value's cell.

    Parameters
    ----------
    frame
        One row an encoder, a layer or a cell.
    shown
        What is seen before anyone asks for more.
    first
        The name of the row.
    """
    wanted, names = set(shown), [str(name) for name in frame]
    limits = {limit for name in names for limit in interval_of(name, names)}
    rest = [name for name in names if name not in limits and name != first]
    found = [column(name, names, name == first or name in wanted) for name in (first, *rest)]
    return [replace(one, digits=_digits(frame[one.key])) if one.digits is None else one for one in found]


def _digits(values: pd.Series) -> int | None:
    """Give the decimals of a column that is no known measure: none of whole numbers, three of others.

    Learning rates and p-values, which three decimals would make 0, are shown by their leading digits (None).
    """
    if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
        return None
    known = values.dropna()
    if (known % 1 == 0).all():
        return 0
    small = known.abs().max() < SMALL or str(values.name).endswith(("_p", "p_value", "p_holm"))
    return None if small else 3


def column(name: str, names: Iterable[str], shown: bool = True) -> Column:
    """Describe one column of those that a table has."""
    low, high = interval_of(name, names)
    number = name in SHARES or name in WHOLE or name.endswith("_bits") or _measure(name) is not None
    number |= name in ("seconds", "h_c_bits")
    digits = None if not number else 0 if name in WHOLE else 1 if name in (*SHARES, "seconds") else 3
    return Column(name, label(name), _help(name), low, high, digits, percent=name in SHARES, shown=shown)


def interval_of(name: str, names: Iterable[str]) -> tuple[str, str]:
    """Name the columns of a column's interval; empty where the table has none.

    Examples
    --------
    >>> interval_of("i_class_bits", ["i_class_bits", "i_class_low", "i_class_high"])
    ('i_class_low', 'i_class_high')
    """
    stem, known = name.removesuffix("_bits"), set(names)
    for low, high in ((f"{stem}_low", f"{stem}_high"), (f"{name}_low", f"{name}_high")):
        if low in known and high in known and low != name:
            return low, high
    return "", ""


def choices(frame: pd.DataFrame, names: Iterable[str]) -> list[Choice]:
    """Offer columns for an axis: those that the table has, with more than one number in them."""
    known = [str(name) for name in frame]
    return [
        Choice(name, AXIS_LABELS.get(name, label(name)), *interval_of(name, known))
        for name in names
        if name in known and frame[name].notna().any()
    ]


def coefficients_chart(note: str, **further: Any) -> Chart:
    """Draw the forest plot of the table ``correlation``: a row a measure, a choice of coefficient.

    Parameters
    ----------
    note
        Said below it.
    **further
        Of the chart's options, such as ``filters``.
    """
    options = {
        "label": "label",
        "y": [Choice(key, name, f"{key}_low", f"{key}_high") for key, name in COEFFICIENTS.items()],
        "zero": 0,
        "domain": [-1.05, 1.05],
        "n": "n",
        **further,
    }
    title = "Correlation of each measure with linear accuracy"
    return Chart("coefficients", "forest", "correlation", title, options, note)


def label(name: str) -> str:
    """Name a column with spaces."""
    return LABELS.get(name, name.removesuffix("_bits").replace("_", " "))


def study_label(name: str) -> str:
    """Name a column of a study, ``pairing:estimator`` or a metric, with spaces.

    Examples
    --------
    >>> study_label("same_class:class_posterior"), study_label("linear_acc")
    ('I_class', 'linear accuracy')
    """
    known = study_measure(name)
    return label(f"{known}_bits" if known in MEASURES and MEASURES[known].kind != "metric" else known)


def study_measure(name: str) -> str:
    """Give the registered measure of a study's column, or the column's own name."""
    pairing, _, estimator = name.rpartition(":")
    measure = find_measure(pairing, estimator) if pairing else None
    return measure.name if measure else name


def _help(name: str) -> str:
    if name in HELP:
        return HELP[name]
    measure = _measure(name)
    if measure is None:
        return ""
    said = measure.what[0].upper() + measure.what[1:] + "."
    if measure.kind != "metric":
        said += " In bits, with the 95% interval."
    return f"{said} Source: {measure.source}."


def _measure(name: str) -> Measure | None:
    """Find the measure of a column: by its name, or that of the view it is named after."""
    return MEASURES.get(name.removesuffix("_bits")) or MEASURES.get(name)
