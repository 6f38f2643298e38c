"""Whether transfer falls for other networks and targets too, and CTC mends it there (Figs. 9 to 11)."""

import re
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field, field_validator, model_validator
from torch import nn

from mitools.analyses.cui2022.changes import CTC, VANILLA
from mitools.analyses.cui2022.networks.figure import grid_of_networks
from mitools.analyses.cui2022.networks.peaks import peaks
from mitools.analyses.cui2022.networks.words import describe
from mitools.analyses.cui2022.settings_table import measured_settings
from mitools.analyses.cui2022.transfer_study import TransferStudyRecipe
from mitools.analyses.shared.figure_subject import subject_of
from mitools.analyses.shared.finding import Finding, write_finding
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance
from mitools.core.recipes import make_recipe
from mitools.datasets.open import open_data
from mitools.datasets.selection import Selection
from mitools.report.figures.save import write_chart
from mitools.report.tables.write import write_csv
from mitools.training.loop.images_in_memory import load_images
from mitools.training.methods.ctc import CTCOptions
from mitools.training.networks.build import build_network
from mitools.training.recipes import TrainingRecipe


class NetworksAndTargetsRecipe(TransferStudyRecipe):
    """What the analysis is made from; the rest is :class:`.TransferStudyRecipe`'s.

    Attributes
    ----------
    networks
        By name, as ``training.encoder`` takes them, which is the first of them.
    ctc
        Of a CTC run beside each (A.3, where alpha is 0.5); no such runs when None.
    """

    networks: Annotated[tuple[str, ...], Field(min_length=1)]
    ctc: CTCOptions | None = None

    @field_validator("networks")
    @classmethod
    def _name_a_network_once(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({name for name in networks if networks.count(name) > 1})
        if twice:
            raise ValueError(f"network {twice[0]} is given twice; name it once")
        return networks

    @model_validator(mode="after")
    def _settings_can_be_made(self) -> "NetworksAndTargetsRecipe":
        if self.training.encoder != self.networks[0]:
            raise ValueError(
                f"training.encoder {self.training.encoder} must be the first of networks, {self.networks[0]}"
            )
        self.settings()
        return self

    def settings(self) -> dict[str, TrainingRecipe]:
        """Give the training of every network by every method, by name."""
        made = {}
        for network in self.networks:
            plain = self.training.model_dump() | {"encoder": network}
            contents = {VANILLA: plain}
            if self.ctc is not None:
                contents[CTC] = plain | {"method": "ctc", "options": self.ctc.model_dump()}
            for method, content in contents.items():
                made[setting_name(network, method)] = make_recipe(content, TrainingRecipe, network)
        return made


def setting_name(network: str, method: str) -> str:
    """Name a network's run by a method, as its folder is called.

    Examples
    --------
    >>> setting_name("timm:resnet18", "ctc")
    'timm-resnet18-ctc'
    """
    return f"{re.sub(r'[^A-Za-z0-9_.-]', '-', network)}-{method}"


def run(
    recipe: NetworksAndTargetsRecipe,
    out: Path,
    advance: Advance | None = None,
    runtime: Runtime | None = None,
) -> Finding | None:
    """Train every network, and set its best epoch beside its last one on every target.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`; ``peaks.csv``
    has each network's best epoch and what changes from there to the last.
    """
    require_readable(recipe)
    measured = measured_settings(recipe, recipe.settings(), out, runtime or Runtime(), advance)
    if measured is None:
        return None
    table = with_networks(measured, recipe)
    found = peaks(table)
    write_csv(found, out / "peaks.csv")
    subject = subject_of(recipe.source, table, recipe.seeds)
    figures = write_chart(out / "networks_and_targets", grid_of_networks, table, subject=subject)
    return write_finding(table, describe(table, found), out, [out / "peaks.csv", *figures])


def require_readable(recipe: NetworksAndTargetsRecipe) -> None:
    """Refuse a network that does not read images of the recipe's size, before anything is trained.

    Raises
    ------
    InputError
        When it does not, or is unknown; when the data cannot be read.
    """
    data = open_data(recipe.training.data)
    first = Selection(data, np.array([0]), data.labels[:1], data.classes)
    shape = load_images(first, recipe.training.image_size).pixels.shape[1:]
    for network in recipe.networks:
        build_network(network, tuple(shape), nn.Identity)


def with_networks(table: pd.DataFrame, recipe: NetworksAndTargetsRecipe) -> pd.DataFrame:
    """Add ``network`` and ``method`` to every row."""
    names = {setting_name(n, method): (n, method) for n in recipe.networks for method in (VANILLA, CTC)}
    networks, methods = zip(*(names[name] for name in table["setting"]), strict=True)
    return table.assign(network=networks, method=methods)
