"""A run of four kept checkpoints, made of random weights: measuring asks for no training."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import yaml

from mitools.encoders.architectures import build
from mitools.encoders.architectures.build import build_architecture
from mitools.training.loop.metrics_log import MetricsLog
from mitools.training.loop.run_folder import RunFolder

DATA = "digits?limit=200"


class Small(torch.nn.Module):
    """Two stages that read 8x8 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Conv2d(3, 4, 3, stride=2)
        self.second = torch.nn.Linear(36, 6)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(images).relu().flatten(1))


@pytest.fixture(autouse=True, scope="package")
def small() -> Iterator[None]:
    """Know a network ``small``, with the layers ``first``, ``second`` and ``output``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(build.NETWORKS, "small", Small)
        yield


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A run with checkpoints at the epochs 0, 1 and 3, the last of which belongs to a second stage."""
    return make_run(tmp_path / "run")


def make_run(path: Path) -> Path:
    """Write such a run."""
    folder = RunFolder(path)
    path.mkdir()
    recipe = {"encoder": "small", "data": DATA, "objective": "cross_entropy", "keep_every": 1}
    (path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    for epoch in (0, 1, 3):
        network = build_architecture("small", seed=epoch).module
        folder.keep(epoch, network, torch.nn.Linear(6, 10), {})
    log = MetricsLog(path, 0)
    for epoch, stage in enumerate(["aggregation", "revitalisation", "revitalisation"]):
        log.add({"step": epoch, "epoch": epoch, "stage": stage})
    log.close()
    return path


@pytest.fixture(scope="package")
def shared_run(small: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run for tests that leave it as it is."""
    return make_run(tmp_path_factory.mktemp("plane") / "run")
