"""A network and data so small that an analysis takes seconds."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mitools.analyses.shared import accuracy_by_setting
from mitools.backends.threads import threads
from mitools.encoders.architectures import build
from mitools.encoders.architectures.convnet import ConvNet
from mitools.statistics.peak import peak_test

SMALL = "cdp?size=28&background=none&colors=2&digits=2&positions=2"
"""H(C) is 1 bit an attribute, 3 bits for all."""


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know a network ``tiny``, of 128 features."""
    monkeypatch.setitem(build.NETWORKS, "tiny", partial(ConvNet, 8))


@pytest.fixture(autouse=True)
def one_core() -> Iterator[None]:
    """Train one run after the other, here: other processes do not know the tiny network."""
    with threads(1):
        yield


@pytest.fixture(autouse=True)
def fewer_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shape is refused by p < 0.025, which fifty can say."""
    monkeypatch.setattr(accuracy_by_setting, "peak_test", partial(peak_test, resamples=50))


@pytest.fixture
def training() -> dict[str, Any]:
    """A run of a second."""
    return {
        "encoder": "tiny",
        "data": f"{SMALL}&n=48",
        "objective": "class",
        "epochs": 2,
        "temperature": 0.1,
        "head_width": 16,
        "log_every": 4,
        "optimiser": {"learning_rate": 3e-3},
    }


@pytest.fixture
def evaluation() -> dict[str, Any]:
    """Images of the other part."""
    return {"data": f"{SMALL}&n=120&part=test"}


@pytest.fixture
def written() -> Callable[[Path], dict[Path, int]]:
    """When each checkpoint and each cell of an analysis was written: ``written(folder)``."""

    def times(folder: Path) -> dict[Path, int]:
        kept = [*folder.rglob("*.safetensors"), *folder.rglob("cells/*.json")]
        return {path: path.stat().st_mtime_ns for path in kept}

    return times
