"""Checkpoints are shared out over the cores, and every point comes back to its own checkpoint."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mitools.analyses.cui2022 import transfer_study
from mitools.analyses.cui2022.transfer_study import TransferStudyRecipe, measure_runs
from mitools.analyses.shared import side_by_side
from mitools.backends.runtime import Runtime
from mitools.core.recipes import make_recipe
from mitools.encoders.sources.run import run_spec
from mitools.training.loop.run_folder import RunFolder


@pytest.mark.parametrize(
    ("cores", "group", "sizes"), [(1, 2, [8]), (2, 3, [5, 3]), (3, 1, [3, 3, 2]), (2, 16, [8])]
)
def test_every_share_is_of_whole_groups_and_every_point_is_its_checkpoints(
    cores: int, group: int, sizes: list[int], tiny_study: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = {key: tiny_study[key] for key in TransferStudyRecipe.model_fields if key in tiny_study}
    recipe = make_recipe(content, TransferStudyRecipe, "recipe")
    runs = {(name, seed): RunFolder(Path(f"{name}-{seed}")) for name in ("a", "b") for seed in (0, 1)}
    shares: list[int] = []

    def measure(_: Any, specs: Sequence[str], encoders: Sequence[str]) -> list[list[str]]:
        shares.append(len(encoders))
        return [[f"{spec} {encoder}" for encoder in encoders] for spec in specs]

    monkeypatch.setattr(transfer_study.CheckpointMeasurer, "measure", measure)
    monkeypatch.setattr(transfer_study, "CRITICS_AT_A_TIME", group)
    monkeypatch.setattr(transfer_study, "stream_count", lambda _: cores)
    monkeypatch.setattr(side_by_side, "stream_count", lambda _: 1)  # here, one share after the other
    found = measure_runs(recipe, runs, lambda _: [0, 5], Path("out"), Runtime("cpu"))
    assert shares == sizes
    assert found.points == {
        data: {
            (name, seed, epoch): f"{spec} {run_spec(folder.path, epoch)}"
            for (name, seed), folder in runs.items()
            for epoch in (0, 5)
        }
        for data, spec in recipe.data.items()
    }
