"""A run that was trained."""

from functools import cached_property
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from torch import nn

from mitools.core.errors import InputError
from mitools.core.files import writable_folder
from mitools.core.html import html_notes
from mitools.encoders.encoder import Encoder
from mitools.encoders.open import open_encoder
from mitools.encoders.sources.run import run_spec
from mitools.training.loop.run_folder import RunFolder


class TrainedRun:
    """What training has made: an encoder, its checkpoints and its metrics.

    Parameters
    ----------
    folder
        The run.
    temporary
        The folder that goes when this object does, where the caller named none.
    """

    def __init__(self, folder: RunFolder, temporary: "TemporaryDirectory[str] | None" = None) -> None:
        self._folder = folder
        self._temporary = temporary

    @property
    def folder(self) -> Path:
        """Where recipe, metrics and checkpoints lie."""
        return self._folder.path

    @property
    def spec(self) -> str:
        """The encoder's spec, for an audit or a plane: ``run:FOLDER``, trusted with its code."""
        return run_spec(self.folder)

    @cached_property
    def encoder(self) -> nn.Module:
        """The trained network without its heads, in evaluation mode: images (B, 3, H, W) to (B, d)."""
        encoder = open_encoder(self.spec)
        if not isinstance(encoder, Encoder):
            raise InputError(f"{self.folder} holds no network")
        return encoder.module

    @property
    def epochs(self) -> list[int]:
        """Epochs whose weights are kept."""
        return self._folder.epochs()

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """One row every few steps: the loss, and the in-training estimate in bits with its ceiling."""
        return pd.DataFrame(self._folder.metrics())

    @property
    def recipe(self) -> Any:
        """What was trained, on what, how."""
        return self._folder.recipe()

    def save(self, folder: str | Path) -> Path:
        """Copy the run to a folder that stays.

        Raises
        ------
        InputError
            When something lies there, or nothing can be written there.
        """
        target = writable_folder(folder)
        if target.exists() and any(target.iterdir()):
            raise InputError(f"{target}: something lies there; name another folder")
        copytree(self.folder, target, dirs_exist_ok=True)
        return target

    def __repr__(self) -> str:
        return f"<TrainedRun {self._sentence()}>"

    def _repr_html_(self) -> str:
        last = self.metrics.tail(1).to_html(index=False, na_rep="", float_format="{:.4g}".format, border=0)
        return html_notes([self._sentence()]) + last

    def _sentence(self) -> str:
        recipe = self.recipe
        return f"{recipe.encoder} on {recipe.data}, epochs {self.epochs}: the encoder {self.spec}"
