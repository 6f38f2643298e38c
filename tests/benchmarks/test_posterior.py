"""One BLAS thread beside all of them in a fit: ``pytest tests/benchmarks/test_posterior.py``."""

from contextlib import nullcontext

import numpy as np
import pytest

from mitools.estimators.class_information import calibrated_posterior as posterior


@pytest.mark.parametrize("threads", ["one", "all"])
@pytest.mark.parametrize("d", [32, 512])
@pytest.mark.benchmark(group="logistic regression, 3,000 rows, 10 classes", min_rounds=3)
def test_fit(benchmark, monkeypatch, threads, d):
    rng = np.random.default_rng(0)
    labels = np.arange(3000) % 10
    rows = (0.3 * rng.normal(size=(10, d))[labels] + rng.normal(size=(3000, d))).astype(np.float32)
    if threads == "all":
        monkeypatch.setattr(posterior, "threadpool_limits", lambda **_: nullcontext())
    fitted = benchmark(lambda: posterior._logistic(rows, labels, 0.1, start=None))
    assert fitted.score(rows, labels) > 0.3
