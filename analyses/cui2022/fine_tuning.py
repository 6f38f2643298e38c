"""Transfer with the backbone unfrozen: both runs' last networks, trained on (Cui et al. 2022, Table 6)."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from mitools.analyses.cui2022.changes import CTC, REMEDY_QUESTION, VANILLA, accuracy_change
from mitools.analyses.shared.finding import listed
from mitools.backends.runtime import Runtime
from mitools.core.errors import InputError
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.core.result_store import ResultStore, Values
from mitools.datasets.base import LabelledData
from mitools.datasets.open import open_data
from mitools.encoders.encoder import Encoder
from mitools.encoders.open import open_encoder
from mitools.estimators.inputs.splits import Parts, split
from mitools.measures.accuracy_on_test import accuracy_columns
from mitools.metrics.transfer import Right
from mitools.training.loop.fine_tuning import FineTuning, fine_tuned_transfer

UNTRAINED = "untrained"
"""The network that both runs start from: what it reaches does not come from their training."""

FINE_TUNED_QUANTITY = "fine_tuned_acc"

START_NAMES = {VANILLA: "from cross-entropy alone", CTC: "from CTC", UNTRAINED: "from the untrained network"}


class FineTuningRecipe(Recipe):
    """How the last networks are trained on a target; see :class:`.FineTuning`.

    Attributes
    ----------
    epochs, batch_size, learning_rate
        The paper's for CUB-200 and Aircraft by default (A.6).
    """

    epochs: Annotated[int, Field(ge=1)] = FineTuning.epochs
    batch_size: Annotated[int, Field(ge=1)] = FineTuning.batch_size
    learning_rate: Annotated[float, Field(gt=0)] = FineTuning.learning_rate

    def protocol(self) -> FineTuning:
        """Give the protocol, images trained on as they are."""
        return FineTuning(**self.model_dump())


def fine_tune(
    protocol: FineTuning,
    encoders: Mapping[str, str],
    targets: Mapping[str, str],
    seed: int,
    results: ResultStore,
    runtime: Runtime,
    advance: Advance | None = None,
) -> dict[str, dict[str, Right]]:
    """Train a copy of every network on every target; every outcome is kept in a cell.

    Parameters
    ----------
    protocol
        See :class:`mitools.training.loop.fine_tuning.FineTuning`.
    encoders
        Specs by the name of what they come from.
    targets
        Specs of data by name, split as for the classifiers on frozen features.
    seed
        Of the split, the batches and the augmentations.
    results, runtime
        Where cells are kept, and networks trained.
    advance
        Called with what is being done, how much of it is done, and how much there is.

    Returns
    -------
    dict
        By target and there by network: shape (n_report,), which items of *report* are classified right.

    Raises
    ------
    InputError
        When a network or data cannot be read, or training diverges.
    """
    found: dict[str, dict[str, Right]] = {}
    for target, spec in targets.items():
        data = open_data(spec)
        parts = split(len(data), data.labels, seed)
        for name, encoder_spec in encoders.items():
            encoder = open_encoder(encoder_spec)
            if not isinstance(encoder, Encoder):
                raise InputError(f"encoder {encoder_spec} has no weights to train")
            on = {"encoder": encoder.digest, "data": data.digest, "seed": seed} | asdict(protocol)
            train = partial(_train, encoder, data, parts, protocol, seed, runtime, advance)
            cell = results.cell("temporal-fine-tuned", on, train)
            found.setdefault(target, {})[name] = np.array(cell["right"])
    return found


def tabulate_fine_tuned(rights: Mapping[str, Mapping[str, Right]]) -> pd.DataFrame:
    """Lay out one row a target and network: accuracy, Wilson's interval, and n."""
    return pd.DataFrame(
        [
            {
                "run": name,
                "data": target,
                **accuracy_columns(FINE_TUNED_QUANTITY, int(right.sum()), len(right)),
                "n": len(right),
            }
            for target, found in rights.items()
            for name, right in found.items()
        ]
    )


def fine_tuned_changes(rights: Mapping[str, Mapping[str, Right]], epoch: int) -> pd.DataFrame:
    """Compare CTC with cross-entropy alone, as rows of :func:`.paired_changes`.

    Parameters
    ----------
    rights
        As :func:`fine_tune` gives them.
    epoch
        The last of both runs.
    """
    return pd.DataFrame(
        [
            {
                "question": REMEDY_QUESTION,
                "data": target,
                "quantity": FINE_TUNED_QUANTITY,
                "from_epoch": epoch,
                "to_epoch": epoch,
                **accuracy_change(found[CTC], found[VANILLA])._asdict(),
                "n": len(found[CTC]),
            }
            for target, found in rights.items()
        ]
    )


def describe_fine_tuned(table: pd.DataFrame, changes: pd.DataFrame) -> str:
    """Say what fine-tuning reaches, and whether CTC is ahead.

    Parameters
    ----------
    table
        As :func:`tabulate_fine_tuned` gives it.
    changes
        As :func:`fine_tuned_changes` gives them.
    """
    sentences = []
    for row in changes.itertuples():
        reached = table[table["data"] == row.data].set_index("run")[FINE_TUNED_QUANTITY]
        side = "ahead" if row.low > 0 else "behind" if row.high < 0 else "not told apart"
        sentences.append(
            f"on {row.data} "
            + listed([f"{reached[name]:.1%} {START_NAMES[name]}" for name in reached.index])
            + f", CTC {side} (paired difference {100 * row.difference:+.1f} points,"
            f" {100 * row.low:+.1f} to {100 * row.high:+.1f})"
        )
    return f"With the backbone fine-tuned on the target, accuracy is {'; '.join(sentences)}."


def _train(
    encoder: Encoder,
    data: LabelledData,
    parts: Parts,
    protocol: FineTuning,
    seed: int,
    runtime: Runtime,
    advance: Advance | None,
) -> Values:
    return {"right": fine_tuned_transfer(encoder, data, parts, protocol, seed, runtime, advance).tolist()}
