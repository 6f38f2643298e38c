"""Several settings and seeds in one table, and what is read off it: ends, best epochs, paired differences."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from mitools.analyses.cui2022.changes import SOURCE_DATA, TRANSFER_QUANTITIES
from mitools.analyses.cui2022.checkpoint_values import checkpoint_columns
from mitools.analyses.cui2022.classifier_losses import losses_of_runs
from mitools.analyses.cui2022.over_fitting import tabulate_losses
from mitools.analyses.cui2022.transfer_study import TransferStudyRecipe, measure_runs, require_targets
from mitools.analyses.shared.paired_seeds import OverSeeds, over_seeds
from mitools.analyses.shared.runs_by_setting import train_every_seed
from mitools.analyses.shared.training_runs import require_held_out
from mitools.backends.runtime import Runtime
from mitools.core.entropy import nats_to_bits
from mitools.core.progress import Advance
from mitools.training.recipes import TrainingRecipe

CLASSIFIERS = {"frozen_acc": "the SGD classifier", "logistic_acc": "logistic regression"}


def measured_settings(
    recipe: TransferStudyRecipe,
    settings: Mapping[str, TrainingRecipe],
    out: Path,
    runtime: Runtime,
    advance: Advance | None = None,
    last_alone: Callable[[str], bool] = lambda _: False,
) -> pd.DataFrame | None:
    """Train every setting with every seed, and measure kept checkpoints on the source and on every target.

    Parameters
    ----------
    recipe
        Names seeds, data and measures.
    settings
        The training of each, by name.
    out, runtime, advance
        As for a study's ``run``.
    last_alone
        Of which settings no checkpoint but the last is measured.

    Returns
    -------
    DataFrame or None
        One row a ``setting``, ``seed``, ``epoch`` and ``data``: what is measured there, the readings on
        *select* by which an epoch may be chosen, and on every row the losses of the run's own classifier on
        the source (``test_acc`` is the source accuracy). None in all processes but the first.

    Raises
    ------
    InputError
        When data cannot be read, are those trained on, or have one class; when a network does not read the
        images.
    """
    require_held_out(recipe.training.data, recipe.source)
    require_targets(recipe.targets)
    runs = train_every_seed(settings, recipe.seeds, out, runtime, advance)
    if not runtime.is_main:
        return None

    def epochs(name: str) -> list[int]:
        every, last = settings[name].keep_every or settings[name].epochs, settings[name].epochs
        return [last] if last_alone(name) else list(range(0, last + 1, every))

    measured = measure_runs(recipe, runs, epochs, out, runtime, advance)
    losses = losses_of_runs(measured, runs, epochs, recipe.training.data, recipe.source)
    own = tabulate_losses(losses).rename(columns={"run": "setting"})
    rows = pd.DataFrame(
        {
            "setting": setting,
            "seed": seed,
            "epoch": epoch,
            "data": data,
            **checkpoint_columns(point),
            "input_select_bits": nats_to_bits(point.input_select_nats),
            "label_select_bits": nats_to_bits(point.label_select_nats),
        }
        for data, found in measured.points.items()
        for (setting, seed, epoch), point in found.items()
    )
    return rows.merge(own, on=["setting", "seed", "epoch"], how="left", validate="many_to_one")


def targets_of(table: pd.DataFrame) -> list[str]:
    """Give the names of the targets, in order."""
    return [name for name in dict.fromkeys(table["data"]) if name != SOURCE_DATA]


def at_end(table: pd.DataFrame, setting: str, data: str, column: str) -> pd.Series:
    """Give a column at a setting's last epoch on a data set, by seed."""
    own = table[(table["setting"] == setting) & (table["data"] == data)]
    return own[own["epoch"] == own["epoch"].max()].set_index("seed")[column]


def best_rows(table: pd.DataFrame, setting: str, data: str, by: str = "label_select_bits") -> pd.DataFrame:
    """Give the row of each seed's best trained epoch, chosen on *select*, by seed."""
    own = table[(table["setting"] == setting) & (table["data"] == data) & (table["epoch"] > 0)]
    return own.loc[own.groupby("seed")[by].idxmax()].set_index("seed")


def fall(table: pd.DataFrame, setting: str, data: str, column: str) -> pd.Series:
    """Give the last epoch minus the best one, by seed; each is read on images that did not choose it."""
    by = "input_select_bits" if column == "input_bits" else "label_select_bits"
    change = at_end(table, setting, data, column) - best_rows(table, setting, data, by)[column]
    return change.rename(column)


def falls_of(table: pd.DataFrame, setting: str, data: str) -> Callable[[str], pd.Series]:
    """Give what :func:`fall` gives, by column."""
    return lambda column: fall(table, setting, data, column)


def gains_of(table: pd.DataFrame, one: str, other: str, data: str) -> Callable[[str], pd.Series]:
    """Give one setting minus the other, both at their last epoch, by column: a value a seed."""
    return lambda column: at_end(table, one, data, column) - at_end(table, other, data, column)


class Transfer(NamedTuple):
    """A change of transfer, by both classifiers.

    Attributes
    ----------
    frozen_acc, logistic_acc
        Shares of right items, over seeds.
    """

    frozen_acc: OverSeeds
    logistic_acc: OverSeeds

    @classmethod
    def of(cls, change: Callable[[str], pd.Series], confidence: float = 0.95) -> "Transfer":
        """Average what a function gives for the column of each classifier, one value a seed."""
        return cls(*(over_seeds(change(column).dropna(), confidence) for column in TRANSFER_QUANTITIES))

    @property
    def sign(self) -> int:
        """1 or -1 where both intervals lie on that side of 0, else 0."""
        one, other = self.frozen_acc.sign, self.logistic_acc.sign
        return one if one == other else 0

    @property
    def largest(self) -> float:
        """The greatest gain that either interval allows."""
        return max(self.frozen_acc.high, self.logistic_acc.high)

    def __str__(self) -> str:
        """Name both, in points."""
        frozen, logistic = points(self.frozen_acc), points(self.logistic_acc)
        if frozen == logistic:
            return frozen
        return f"{frozen} by {CLASSIFIERS['frozen_acc']} and {logistic} by {CLASSIFIERS['logistic_acc']}"


def excluded_above(gains: Sequence[Transfer]) -> str:
    """Say how large a gain none of the intervals allows; nothing where one seed has no interval."""
    most = max((one.largest for one in gains), default=np.nan)
    return "" if np.isnan(most) else f"a gain above {100 * most:.1f} points is excluded"


def points(found: OverSeeds) -> str:
    """Write a difference of shares in points, with its interval.

    Examples
    --------
    >>> points(OverSeeds(0.1, 0.05, 0.15))
    '+10.0 points (+5.0 to +15.0)'
    """
    mean, low, high = (100 * value for value in found)
    return f"{mean:+.1f} points" + ("" if np.isnan(low) else f" ({low:+.1f} to {high:+.1f})")


def bits(found: OverSeeds) -> str:
    """Write a difference in bits, with its interval."""
    interval = "" if np.isnan(found.low) else f" ({found.low:+.2f} to {found.high:+.2f})"
    return f"{found.mean:+.2f} bits{interval}"


def epochs_span(epochs: Sequence[int] | pd.Series) -> str:
    """Write the epochs of several seeds: ``epoch 2``, or ``epochs 2 to 6``."""
    first, last = int(min(epochs)), int(max(epochs))
    return f"epoch {first}" if first == last else f"epochs {first} to {last}"


def seeds_said(table: pd.DataFrame) -> str:
    """Say what the intervals are those of."""
    seeds = int(table["seed"].nunique())
    if seeds == 1:
        return "There is one seed: differences have no interval, and nothing is told from it."
    return f"Differences are paired by seed; intervals are Student's over {seeds} seeds."
