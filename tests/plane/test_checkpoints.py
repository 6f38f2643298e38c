"""Which encoders a plane is of."""

from pathlib import Path

import pytest
from torch import nn

from mitools.core.errors import InputError
from mitools.plane.checkpoints import (
    Checkpoint,
    checkpoints_and_data,
    checkpoints_of_run,
    checkpoints_of_specs,
)


def test_a_run_gives_its_kept_epochs_in_order_with_their_stages(run_folder: Path) -> None:
    assert checkpoints_of_run(run_folder) == [
        Checkpoint(f"run:{run_folder}@epoch=0", 0, "aggregation"),
        Checkpoint(f"run:{run_folder}@epoch=1", 1, "aggregation"),
        Checkpoint(f"run:{run_folder}@epoch=3", 3, "revitalisation"),
    ]


def test_a_run_without_metrics_names_no_stage(run_folder: Path) -> None:
    (run_folder / "metrics.jsonl").unlink()
    assert [one.stage for one in checkpoints_of_run(run_folder)] == [None, None, None]


def test_a_folder_without_checkpoints_says_so(run_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no run lies there"):
        checkpoints_of_run(tmp_path / "nothing")
    for folder in (run_folder / "checkpoints").iterdir():
        folder.rename(tmp_path / folder.name)
    with pytest.raises(InputError, match="no checkpoint is kept there"):
        checkpoints_of_run(run_folder)


def test_specs_keep_their_epochs_where_all_have_one() -> None:
    assert [one.epoch for one in checkpoints_of_specs(["run:a@epoch=4", "run:a@epoch=9?image_size=8"])] == [
        4,
        9,
    ]
    assert [one.epoch for one in checkpoints_of_specs(["run:a@epoch=4", "timm:resnet18"])] == [0, 1]
    with pytest.raises(InputError, match="--encoder SPEC"):
        checkpoints_of_specs([])


@pytest.mark.parametrize("wrong", [nn.Linear(2, 2), 3, None, [nn.Linear(2, 2)], {"run": "runs/a"}])
def test_what_has_no_checkpoints_is_refused_with_what_has(wrong: object) -> None:
    with pytest.raises(
        InputError, match=r"has no checkpoints to follow; give a run .* or a list of encoder specs"
    ):
        checkpoints_and_data(wrong, "digits")  # type: ignore[arg-type]
