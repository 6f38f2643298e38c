"""A small audit whose names are the worst that data can bring."""

import numpy as np
import pytest

import mitools

CLASSES = ["</script><script>alert(1)</script>", "<b>\"bold\" & 'sharp'</b>", "=1+2|x_y%"]
ENCODERS = ["<img src=x onerror=alert(1)>", "good|er", "=noise", "<!-- none"]


@pytest.fixture(scope="session")
def hostile_audit():
    """Four encoders on 240 rows of three classes: the first two see the class, the last two see little."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 240)
    signal = np.eye(3)[labels]
    strengths = dict(zip(ENCODERS, (6.0, 5.0, 0.3, 0.2), strict=True))
    encoders = {
        name: (strength * signal + rng.standard_normal((240, 3))).astype(np.float32)
        for name, strength in strengths.items()
    }
    rows = (signal.astype(np.float32), np.array(CLASSES)[labels])
    return mitools.audit(encoders, rows, critic=False, control=False, progress=False)


@pytest.fixture(scope="session")
def hostile_page(hostile_audit, tmp_path_factory):
    """The page of that audit."""
    return hostile_audit.report(tmp_path_factory.mktemp("page") / "report.html")
