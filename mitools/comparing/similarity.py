"""How alike every two encoders see the same items, with intervals."""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mitools.comparing.encoder_set import EncoderSet
from mitools.core.names import check_name
from mitools.estimators.inputs.splits import at_most
from mitools.metrics.similarity.cka import linear_cka, rbf_cka
from mitools.metrics.similarity.mutual_neighbours import mutual_neighbours
from mitools.metrics.similarity.procrustes import procrustes
from mitools.metrics.similarity.svcca import svcca
from mitools.statistics.halves import interval_of_halves, random_halves

SIMILARITIES: dict[str, Callable[[NDArray[Any], NDArray[Any]], float]] = {
    "linear_cka": linear_cka,
    "rbf_cka": rbf_cka,
    "svcca": svcca,
    "procrustes": procrustes,
    "mutual_neighbours": mutual_neighbours,
}
"""Functions of two encoders' features of the same items, (n, d1) and (n, d2); 1 for the same features."""

DEFAULT_SIMILARITY = "linear_cka"

MOST_ITEMS = 2_000
"""Items that encoders are compared on at the most, drawn at random: kernels grow with their square."""

HALVES = 20
"""Random halves of the items behind each interval."""

SIMILARITY_COLUMNS = ("similarity", "encoder_a", "encoder_b", "value", "low", "high", "by_chance", "n")


def similarity(
    encoders: EncoderSet, kinds: Sequence[str] = (DEFAULT_SIMILARITY,), seed: int = 0, halves: int = HALVES
) -> pd.DataFrame:
    """Compare every two encoders.

    Intervals are of halves of the groups (:mod:`mitools.statistics.halves`), so that no item is its own
    neighbour.

    Parameters
    ----------
    encoders
        Two or more, on the same items.
    kinds
        Of :data:`SIMILARITIES`.
    seed
        Of the items, where there are many, and of the halves.
    halves
        So many; more make the intervals less random.

    Returns
    -------
    pandas.DataFrame
        One row a kind and pair, in the order of the encoders: ``similarity``, ``encoder_a``, ``encoder_b``,
        ``value``, ``low``, ``high`` (95%), ``by_chance``, the value of the same two with their items paired
        at random, and ``n``, the items compared.

    Raises
    ------
    InputError
        When a kind is unknown, or there are too few items.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x, other = rng.standard_normal((2, 200, 4))
    >>> encoders = EncoderSet.of_arrays({"x": x, "turned": x[:, ::-1], "other": other}, np.arange(200) % 2)
    >>> similarity(encoders)["value"].abs().round(1).tolist()
    [1.0, 0.0, 0.0]
    """
    check_similarities(kinds)
    encoders.checked()
    groups = encoders.parts.groups
    items = at_most(np.arange(len(encoders.labels)), MOST_ITEMS, np.random.default_rng([seed, 8]))
    drawn = random_halves(len(items), halves, seed, None if groups is None else groups[items])
    permuted = np.random.default_rng([seed, 16]).permutation(len(items))
    rows = {name: np.asarray(one[items], dtype=np.float64) for name, one in encoders.rows.items()}
    found = []
    for kind in kinds:
        compare = SIMILARITIES[kind]
        for a, b in combinations(rows, 2):
            value = compare(rows[a], rows[b])
            of_halves = np.array([compare(rows[a][half], rows[b][half]) for half in drawn])
            low, high, _ = interval_of_halves(value, of_halves)
            by_chance = compare(rows[a], rows[b][permuted])
            found.append((kind, a, b, value, low, high, by_chance, len(items)))
    return pd.DataFrame(found, columns=list(SIMILARITY_COLUMNS))


def check_similarities(kinds: Sequence[str]) -> None:
    """Refuse a name that is no similarity.

    Raises
    ------
    InputError
        With all there are.
    """
    for kind in kinds:
        check_name("similarity", kind, SIMILARITIES)


def similarity_matrix(table: pd.DataFrame, kind: str = DEFAULT_SIMILARITY) -> pd.DataFrame:
    """Lay one kind out as a symmetric matrix with ones on the diagonal.

    Parameters
    ----------
    table
        As :func:`similarity` returns it.
    kind
        Which of its kinds.
    """
    check_name("similarity", kind, table["similarity"].unique())
    own = table[table["similarity"] == kind]
    names = list(dict.fromkeys([*own["encoder_a"], *own["encoder_b"]]))
    matrix = pd.DataFrame(np.eye(len(names)), names, names)
    for row in own.to_dict("records"):
        matrix.loc[row["encoder_a"], row["encoder_b"]] = row["value"]
        matrix.loc[row["encoder_b"], row["encoder_a"]] = row["value"]
    return matrix
