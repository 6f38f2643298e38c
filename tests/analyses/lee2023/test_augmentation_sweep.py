"""The sweep of augmentations: one step at a time, the same after training, and peaks as they are found."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mitools.analyses.lee2023 import augmentation_sweep
from mitools.analyses.lee2023.augmentation_sweep import AugmentationSweepRecipe, describe, run
from mitools.core.recipes import make_recipe
from mitools.estimators.neural.variational import VariationalEstimator
from mitools.training.loop.run_folder import RunFolder
from mitools.views.recipes import AugmentationRecipe


def test_from_training_to_reading(
    training: dict[str, Any], evaluation: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def quick(*arguments: Any, **options: Any) -> VariationalEstimator:
        return VariationalEstimator(*arguments, max_steps=20, **options)

    monkeypatch.setattr("mitools.measures.critics.VariationalEstimator", quick)
    content = {
        "training": training | {"objective": "simclr", "batch_size": 16, "epochs": 1},
        "jitter": [0.5],
        "crop": [0.3],
        "evaluation": evaluation,
    }
    found = run(make_recipe(content, AugmentationSweepRecipe, "recipe"), tmp_path)
    assert found is not None
    used = {
        name: RunFolder(tmp_path / "runs" / name).recipe().augmentation for name in ("jitter-0.5", "crop-0.3")
    }
    still = {"flip": 0.0, "jitter": 1.0, "grey": 0.0}
    assert used == {
        "jitter-0.5": AugmentationRecipe(crop_area=1.0, jitter_strength=0.5, **still),
        "crop-0.3": AugmentationRecipe(crop_area=0.3, jitter_strength=0.0, **still),
    }
    kept = pd.read_csv(tmp_path / "results.csv")
    assert list(kept["task"]) == 2 * ["color", "digit", "position", "all"]
    assert (kept["i_views_bits"] <= kept["i_views_ceiling_bits"]).all()
    assert kept.groupby("augmentation")["i_views_bits"].nunique().eq(1).all()
    assert describe(kept) == found.reading
    for value in kept["linear_acc"]:
        assert f"{value:.1%}" in found.reading
    assert {path.name for path in found.files} == {
        "results.csv", "reading.txt", *(f"augmentation_sweep.{end}" for end in ("png", "svg", "pdf")),
    }  # fmt: skip


def table(worst: float = 0.5, **peaks: float) -> pd.DataFrame:
    """Three strengths, at which views share 6, 4 and 2 bits; a task is best where `peaks` says."""
    rows = [
        {
            "augmentation": "jitter", "value": value, "task": task, "i_views_bits": bits,
            "i_views_ceiling_bits": 9.0, "linear_acc": accuracy, "linear_acc_low": accuracy - 0.02,
            "linear_acc_high": accuracy + 0.02,
        }
        for value, bits in ((0.1, 6.0), (0.5, 4.0), (1.0, 2.0))
        for task, best in peaks.items()
        for accuracy in (0.9 if value == best else worst,)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_a_common_peak_is_found() -> None:
    text = describe(table(color=0.5, digit=0.5))
    assert "goes from 2.00 to 6.00 bits" in text
    assert "color 90.0% at 0.5 (4.00 bits, inside the range; at worst 50.0%)" in text
    assert "The best is told from the worst for color and digit." in text
    assert "They peak at one setting, as in Lee et al." in text


def test_different_peaks_are_told() -> None:
    text = describe(table(color=0.1, digit=0.5))
    assert "color 90.0% at 0.1 (6.00 bits, at its end;" in text
    assert "They peak at 2 different settings, unlike in Lee et al." in text


def test_peaks_within_their_intervals_are_none() -> None:
    text = describe(table(worst=0.88, color=0.1, digit=0.5))
    assert "No task's best is told from its worst" in text
    assert "peak at" not in text


def test_saturated_estimates_are_counted() -> None:
    saturated = table(color=0.5).assign(i_views_ceiling_bits=6.2)
    assert "(1 of 3 within a tenth of the ceiling of 6.20, so a floor)" in describe(saturated)


def test_nothing_leaves_the_image_as_it_is() -> None:
    import torch

    from mitools.views.augmentation.simclr import DRAWS, augmented

    images = torch.rand(4, 3, 8, 8)
    assert torch.equal(augmented(images, torch.rand(4, DRAWS), augmentation_sweep.NO_AUGMENTATION), images)
