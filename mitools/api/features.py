"""Measures of features in memory, labelled or not."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mitools.api.arguments import listed
from mitools.core.names import whole_number

if TYPE_CHECKING:
    import pandas as pd


def measure_features(
    features: Any,
    labels: Any = None,
    *,
    views: Any = None,
    measures: str | Sequence[str] = "quick",
    prior: str = "empirical",
    seed: int = 0,
    device: str = "cpu",
) -> "pd.DataFrame":
    """Measure the quality of features by name: RankMe, LogME, neural collapse and the like.

    The numbers are those of ``mitools audit --measures`` on the same items.

    Parameters
    ----------
    features
        Shape (n, d): an array, tensor or DataFrame.
    labels
        Shape (n,), numbers or names; None where there are none.
    views
        Shape (n, V, d): features of V augmented views of every item, for measures that read them.
    measures
        Names, as :func:`list_measures` has them; ``quick`` (seconds at 10,000 items) or ``all``, which leave
        out what needs labels or views that are not given; or groups such as ``spectrum`` and
        ``neural_collapse``.
    prior
        The class distribution that is meant: ``empirical`` or ``uniform``.
    seed
        Of the split and of every random part.
    device
        Where metrics are computed.

    Returns
    -------
    pandas.DataFrame
        One row a measure: ``measure``, ``value``, ``low`` and ``high`` (of estimates), ``unit``, ``better``
        (higher, lower, or near a number), ``range``, ``source``. A measure that is not defined on such
        features has no value.

    Raises
    ------
    InputError
        When an array is malformed, there is no such measure, or one that is named needs labels or views that
        are not given.

    Examples
    --------
    >>> import numpy as np, mitools
    >>> features = np.random.default_rng(0).standard_normal((500, 4))
    >>> mitools.measure_features(features, measures="rankme,two_nn")["value"].round(0).tolist()
    [4.0, 4.0]
    """
    import pandas as pd

    from mitools.auditing.cells import GROUPS
    from mitools.auditing.row import columns
    from mitools.core.arrays import as_array
    from mitools.measures.compute import measure
    from mitools.measures.further.selection import SETS, selected_measures
    from mitools.measures.registry import MEASURES
    from mitools.measures.representation import Representation
    from mitools.measures.settings import MeasureSettings

    seed, words = whole_number(seed, "seed"), listed(measures)
    representation = Representation.of_arrays(
        as_array(features, "features"),
        None if labels is None else as_array(labels, "labels"),
        views=None if views is None else as_array(views, "views"),
        seed=seed,
    )
    named = {name for word in words for name in GROUPS.get(word, (word,))}
    chosen = [
        name
        for name in selected_measures(words, GROUPS, views is not None)
        if labels is not None or name in named or not MEASURES[name].needs_labels
    ]
    chosen += [word for word in words if word not in (*SETS, *GROUPS, *chosen)]
    found = measure(chosen, representation, MeasureSettings(prior, seed, device))
    rows = []
    for name in chosen:
        one = MEASURES[name]
        value = [*columns(name, found[name]).values()] if name in found.numbers else [None]
        low, high = value[1:] or (None, None)
        facts = {"unit": one.unit, "better": one.direction, "range": one.range, "source": one.source}
        rows.append({"measure": name, "value": value[0], "low": low, "high": high} | facts)
    return pd.DataFrame(rows).astype({"value": float, "low": float, "high": float})
