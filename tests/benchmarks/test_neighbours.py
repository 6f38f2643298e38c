"""KSG beside scikit-learn's on the same rows: ``pytest tests/benchmarks/test_neighbours.py``.

Ours is the whole estimate, with its null and its standard error: two readings against one.
"""

import numpy as np
import pytest
from scipy.special import digamma
from sklearn.feature_selection import mutual_info_regression
from sklearn.neighbors import KDTree, NearestNeighbors

from mitools.datasets.known_information.elliptical import Gaussian
from mitools.estimators.classical.ksg import KSG

N, K = 10_000, 3


def rows(d):
    joint = Gaussian.dense(1, 1, 0.75) if d == 1 else Gaussian.sparse(d, d, 2, 0.8)
    return joint.draw(N, np.random.default_rng(0))


def scikit_learn_trees(x, y):
    """What scikit-learn does in one dimension a side, with its trees in any."""
    search = NearestNeighbors(metric="chebyshev", n_neighbors=K).fit(np.hstack([x, y]))
    radii = np.nextafter(search.kneighbors()[0][:, -1], 0)
    counts = [KDTree(v, metric="chebyshev").query_radius(v, radii, count_only=True) for v in (x, y)]
    return digamma(N) + digamma(K) - sum(digamma(count).mean() for count in counts)


@pytest.mark.parametrize("who", ["ours", "scikit-learn"])
@pytest.mark.benchmark(group="KSG, 10,000 rows, 1+1 dimensions")
def test_one_dimension_each(benchmark, who):
    x, y = rows(1)
    if who == "ours":
        reading = benchmark(lambda: KSG(K, margins="scaled").estimate(x, y).nats)
    else:
        reading = benchmark(lambda: mutual_info_regression(x, y[:, 0], n_neighbors=K)[0])
    assert reading == pytest.approx(0.4133, abs=0.04)


@pytest.mark.parametrize("who", ["ours", "scikit-learn"])
@pytest.mark.parametrize("d", [3, 25])
@pytest.mark.benchmark(group="KSG, 10,000 rows, many dimensions")
def test_many_dimensions(benchmark, who, d):
    x, y = rows(d)
    read = (lambda: KSG(K).estimate(x, y).nats) if who == "ours" else (lambda: scikit_learn_trees(x, y))
    reading = benchmark.pedantic(read, rounds=2, iterations=1)
    assert reading == pytest.approx({3: 0.97, 25: 0.16}[d], abs=0.05)
