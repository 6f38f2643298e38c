"""What a run leaves on disk: its recipe, its metrics and its checkpoints, each whole or absent."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor, nn

from mitools.core.errors import InputError, reason_of
from mitools.core.files import disk_errors, read_json, whole_folder, write_text
from mitools.core.recipes import read_recipe
from mitools.core.run_record import RECORD, record, require_own
from mitools.encoders.checkpoints.weight_files import read_weight_file
from mitools.encoders.sources.run import ENCODER, HEAD, epoch_folder, find_checkpoint, kept_epochs
from mitools.encoders.view_encoders import DESCRIPTION, ViewEncoders
from mitools.training.loop.metrics_log import read_metrics
from mitools.training.recipes import TrainingRecipe

TRAINING = "training.pt"

KIND = "run"
"""What ``run.json`` says that the folder holds."""

ANEW = "remove the folder of that epoch, and training begins anew"
"""What is left to do where the latest checkpoint is damaged: the ones before hold weights alone."""


class RunFolder:
    """A run's folder.

    ``recipe.yaml`` is the recipe with all defaults filled in; ``run.json`` says what it is computed with
    (command, number of threads, versions), so that it goes on alike; ``metrics.jsonl`` has one line a record;
    ``checkpoints/epoch-0010`` holds the weights after ten epochs (``encoder.safetensors``; where the method
    has a head, ``head.safetensors``, where it has an encoder a view, ``views.json``, and where it learns
    views, ``generator.safetensors``), and the latest one what training goes on from (``training.pt``: all
    tensors of the method, and the optimiser's state) too.

    Parameters
    ----------
    path
        The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def require_own(self, overwrite: bool = False) -> None:
        """Refuse a folder that holds anything but a run.

        Raises
        ------
        InputError
            As :func:`mitools.core.run_record.require_own`.
        """
        if not (self.path / "recipe.yaml").is_file():
            require_own(self.path, KIND, overwrite)

    def begin(self, recipe: TrainingRecipe) -> None:
        """Write the recipe, or check that the folder is this recipe's own.

        Raises
        ------
        InputError
            When the folder holds a run of another recipe.
        """
        written = self.path / "recipe.yaml"
        if not self.is_of(recipe):
            write_text(written, yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False))

    def conditions(self) -> dict[str, Any]:
        """Read what the run is computed with; nothing where it has not begun."""
        path = self.path / RECORD
        return read_json(path) if path.is_file() else {}

    def remember(self, conditions: Mapping[str, Any]) -> None:
        """Write what the run is computed with, beside the command and the date."""
        kept = self.conditions() | record(KIND) | dict(conditions)
        write_text(self.path / RECORD, json.dumps(kept, indent=2) + "\n")

    def is_of(self, recipe: TrainingRecipe) -> bool:
        """Whether the folder holds a run of the recipe; False where it holds none.

        Raises
        ------
        InputError
            When the folder holds a run of another recipe.
        """
        if not (self.path / "recipe.yaml").exists():
            return False
        if self.recipe().model_copy(update={"trackers": recipe.trackers}) != recipe:
            raise InputError(f"{self.path} holds a run of another recipe; give another --out")
        return True

    def is_finished(self, recipe: TrainingRecipe) -> bool:
        """Whether all epochs of the recipe are trained.

        Raises
        ------
        InputError
            When the folder holds a run of another recipe.
        """
        return self.is_of(recipe) and recipe.epochs in self.epochs()

    def recipe(self) -> TrainingRecipe:
        """Read the recipe.

        Raises
        ------
        InputError
            When the folder holds no run.
        """
        if not (self.path / "recipe.yaml").is_file():
            raise InputError(f"{self.path}: holds no run (no recipe.yaml)")
        return read_recipe(self.path / "recipe.yaml", TrainingRecipe)

    def epochs(self) -> list[int]:
        """Epochs whose weights are kept, in order; 0 is the untrained network."""
        return kept_epochs(self.path)

    def keep(
        self,
        epoch: int,
        encoder: nn.Module,
        head: nn.Module | None,
        training: Mapping[str, Any],
        write_beside: Callable[[Path], None] | None = None,
    ) -> None:
        """Write a checkpoint, whole or not at all; earlier ones lose what only resuming needs.

        Parameters
        ----------
        epoch
            How many are done.
        encoder
            What the run is as an encoder.
        head
            What stands on it in training; None where nothing does.
        training
            What training goes on from.
        write_beside
            Writes what else belongs to the checkpoint into its folder.

        Raises
        ------
        OSError
            When the disk is full; the earlier checkpoints stay as they were.
        """
        from safetensors.torch import save_file

        folder = epoch_folder(self.path, epoch)
        with whole_folder(folder) as unfinished:
            with disk_errors(unfinished / ENCODER):
                save_file(_contiguous(encoder), unfinished / ENCODER)
            if isinstance(encoder, ViewEncoders):
                write_text(unfinished / DESCRIPTION, json.dumps(encoder.description(), indent=2) + "\n")
            if head is not None:
                with disk_errors(unfinished / HEAD):
                    save_file(_contiguous(head), unfinished / HEAD)
            if write_beside is not None:
                write_beside(unfinished)
            state = unfinished / TRAINING
            # A stream of Python's own: of a path torch does not say what the disk said.
            with disk_errors(state), state.open("wb") as stream:
                torch.save(dict(training), stream)
            shutil.rmtree(folder, ignore_errors=True)
        for older in self.epochs():
            if older < epoch:
                (epoch_folder(self.path, older) / TRAINING).unlink(missing_ok=True)

    def drop(self, epoch: int) -> None:
        """Remove an epoch's weights."""
        shutil.rmtree(epoch_folder(self.path, epoch), ignore_errors=True)

    def training_state(self) -> tuple[int, dict[str, Any]] | None:
        """Read what the latest checkpoint goes on from, with its epoch; None where there is none.

        Raises
        ------
        InputError
            When it is damaged.
        """
        for epoch in reversed(self.epochs()):
            path = epoch_folder(self.path, epoch) / TRAINING
            if path.is_file():
                try:
                    return epoch, torch.load(path, map_location="cpu", weights_only=True)
                except Exception as error:  # of bytes that are no pickle torch raises almost anything
                    raise InputError(f"{path}: damaged ({reason_of(error, 200)}); {ANEW}") from None
        return None

    def weights(self, epoch: int | None, name: str) -> dict[str, Tensor]:
        """Read the weights of the encoder (``ENCODER``) or the head (``HEAD``) at an epoch, or at the last.

        Raises
        ------
        InputError
            When the epoch is not kept, or the file is missing or damaged.
        """
        return dict(read_weight_file(find_checkpoint(self.path, epoch) / name).content)

    def metrics(self) -> list[dict[str, Any]]:
        """Read the records of the metrics; none where nothing is logged yet."""
        path = self.path / "metrics.jsonl"
        return read_metrics(path) if path.is_file() else []


def _contiguous(module: nn.Module) -> dict[str, Tensor]:
    """Copy all weights, for the file holds no memory twice: views may share an encoder."""
    state = module.state_dict()
    return {
        name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, value in state.items()
    }
