"""Linear heads on a frozen network: errors of digit, background and place, as Table 4 has them."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mitools.core.result_store import Values

CLASSES = ("digit", "background")
"""Factors that are classified; the position is found in pixels."""

POSITION = "position"

MOST_ITERATIONS = 500

NORMAL_95 = 1.96


class FactorRows(NamedTuple):
    """Rows of images, and what the images show.

    Attributes
    ----------
    rows
        Shape (n, d).
    labels
        By the factor's name, shape (n,): digit, background, and the position's cell.
    places
        Shape (n, 2): row and column of the glyph's corner, in pixels.
    """

    rows: NDArray[np.floating]
    labels: dict[str, NDArray[np.int64]]
    places: NDArray[np.int64]


def factor_errors(train: FactorRows, test: FactorRows) -> dict[str, Values]:
    """Fit a linear head a factor, and read its error on other images.

    Features are standardised; logistic regression finds classes, and ridge regression the place.

    Returns
    -------
    dict
        By factor the columns ``error``, ``error_low``, ``error_high``, a 95% interval over images, and
        ``chance``: share wrong of a head that knows no image, or for the position the mean distance in
        pixels of the mean place.
    """
    found: dict[str, Values] = {}
    for factor in CLASSES:
        head = make_pipeline(StandardScaler(), LogisticRegression(max_iter=MOST_ITERATIONS))
        decided = head.fit(train.rows, train.labels[factor]).predict(test.rows)
        found[factor] = wrong_share(decided != test.labels[factor])
        found[factor]["chance"] = 1 - 1 / len(np.unique(train.labels[factor]))
    place = make_pipeline(StandardScaler(), Ridge()).fit(train.rows, train.places)
    found[POSITION] = mean_distance(place.predict(test.rows), test.places)
    found[POSITION]["chance"] = mean_distance(train.places.mean(axis=0), test.places)["error"]
    return found


def wrong_share(wrong: NDArray[np.bool_]) -> Values:
    """Lay out a share of errors with Wilson's interval."""
    interval = binomtest(int(wrong.sum()), len(wrong)).proportion_ci(method="wilson")
    return {"error": float(wrong.mean()), "error_low": interval.low, "error_high": interval.high}


def mean_distance(places: NDArray[np.floating], truth: NDArray[np.int64]) -> Values:
    """Lay out the mean distance of places, shape (n, 2) or (2,), in pixels, with a normal interval."""
    distance = np.hypot(*(places - truth).T)
    mean, reach = float(distance.mean()), float(NORMAL_95 * distance.std() / math.sqrt(len(distance)))
    return {"error": mean, "error_low": mean - reach, "error_high": mean + reach}
