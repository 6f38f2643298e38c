"""What a frozen encoder keeps of each task, on images that it was not trained on."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.stats import binomtest

from mitools.backends.runtime import Runtime
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.core.result_store import ResultStore, Values
from mitools.datasets.open import open_data
from mitools.datasets.selection import require_classes
from mitools.datasets.synthetic.base import SyntheticImages
from mitools.datasets.synthetic.cdp import ATTRIBUTES
from mitools.encoders.open import open_encoder
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.inputs.splits import SMALLEST_CLASS, Parts, split
from mitools.features.extract import Features, extract
from mitools.features.store import FeatureStore, default_root
from mitools.measures.certificate import certificate
from mitools.measures.settings import AuditSettings
from mitools.views.item_views import ItemViews

TASKS: dict[str, tuple[str, ...]] = {**{name: (name,) for name in ATTRIBUTES}, "all": ATTRIBUTES}
"""The four tasks on CDP: the attributes whose combination is the class."""

CELLS = "cells"


class EvaluationRecipe(Recipe):
    """On what, and how, frozen encoders are measured.

    Attributes
    ----------
    data
        A data spec, of other images than those trained on.
    prior
        The class distribution meant: CDP's own is ``uniform``.
    seed
        Of the split and of critics.
    """

    data: Annotated[str, Field(min_length=1)]
    prior: Literal["empirical", "uniform"] = "uniform"
    seed: Annotated[int, Field(ge=0)] = 0


class Evaluation:
    """Measures encoders on held-out images with the audit's own measures; every cell is kept.

    Parameters
    ----------
    recipe
        Data, prior and seed.
    out
        Folder of the analysis; cells lie in ``OUT/cells``.
    runtime
        Where encoders and critics run.
    advance
        Told how many images are encoded.

    Raises
    ------
    InputError
        When the data cannot be read, or a class of theirs is too small to split.
    """

    def __init__(
        self, recipe: EvaluationRecipe, out: Path, runtime: Runtime, advance: Advance | None = None
    ) -> None:
        self.data = open_data(recipe.data)
        require_classes(self.data, SMALLEST_CLASS)
        self.settings = AuditSettings(prior=recipe.prior, seed=recipe.seed, device=str(runtime.device))
        self._results = ResultStore(out / CELLS)
        self._store = FeatureStore(default_root())
        self._advance = advance

    def features(
        self, encoder: str, task: Sequence[str] | None = None, views: ItemViews | None = None
    ) -> Features:
        """Encode all images once, or views of them.

        Parameters
        ----------
        encoder
            An encoder spec.
        task
            Attributes whose combination is the label; the data's own labels when None.
        views
            Of every image; the image itself when None.

        Raises
        ------
        InputError
            When the encoder cannot be had, or the data have no attributes.
        """
        found = extract(
            open_encoder(encoder),
            self.data,
            store=self._store,
            views=views,
            device=self.settings.device,
            advance=self._advance,
        )
        if task is None:
            return found
        if not isinstance(self.data, SyntheticImages):
            raise InputError(f"{self.data.name} has no attributes that make tasks; evaluate on cdp")
        return replace(found, labels=self.data.label_of(task))

    def parts(self, labels: NDArray[np.int64]) -> Parts:
        """Split the images, evenly over the classes: alike for every encoder."""
        return split(len(labels), labels, self.settings.seed)

    def cell(
        self, kind: str, features: Features, on: Values, measure: Callable[[Features, Parts], Values]
    ) -> Values:
        """Measure features once; what was measured before is read.

        Parameters
        ----------
        kind
            What is measured.
        features
            With the labels of the task.
        on
            What it depends on beside the features: the task, and settings of the measure's own.
        measure
            Makes the values.
        """
        settings = {"prior": self.settings.prior, "seed": self.settings.seed}
        request = {"features": features.key} | settings | on
        parts = self.parts(features.labels)
        return self._results.cell(kind, request, partial(measure, features, parts))

    def certify(self, encoder: str, task: Sequence[str] | None = None) -> "Certified":
        """Certify what an encoder carries of a task, and read the linear probe off the same classifier."""
        features = self.features(encoder, task)
        kept = self.cell("certificate", features, {"task": task}, self._certificate)
        return Certified(kept)

    def _certificate(self, features: Features, parts: Parts) -> Values:
        return certificate(features, parts, self.settings)


class Certified:
    """A certificate as columns of a table, and what differences of two have their intervals from.

    Attributes
    ----------
    columns
        ``h_c_bits``, ``i_class_bits`` with ``_low`` and ``_high``, ``label_information_bits``,
        ``linear_acc`` with ``_low`` and ``_high``, ``n_report`` and ``warnings``.
    reading
        I_class, and the influence of each report image on it.
    """

    def __init__(self, values: Values) -> None:
        estimate = Estimate.from_dict(values["estimates"]["i_class"])
        accuracy, n = values["metrics"]["linear_acc"], estimate.n_report
        self.columns: dict[str, Any] = {
            "h_c_bits": estimate.entropy_bits,
            **interval_columns("i_class", estimate),
            "label_information_bits": values["estimates"]["label_information"]["bits"],
            **accuracy_columns("linear_acc", round(accuracy * n), n),
            "n_report": n,
            "warnings": ", ".join(caution.word for caution in estimate.warnings),
        }
        self.reading = Reading.of(estimate, np.array(values["influence_nats"]))


def interval_columns(name: str, estimate: Estimate) -> dict[str, float | None]:
    """Lay out an estimate as ``NAME_bits``, ``NAME_low`` and ``NAME_high``."""
    interval = estimate.interval_bits
    return {
        f"{name}_bits": estimate.bits,
        f"{name}_low": interval.low if interval else None,
        f"{name}_high": interval.high if interval else None,
    }


def accuracy_columns(name: str, right: int, n: int) -> dict[str, float]:
    """Lay out an accuracy as ``NAME``, and Wilson's interval for n independent trials around it."""
    low, high = binomtest(right, n).proportion_ci(method="wilson")
    return {name: right / n, f"{name}_low": float(low), f"{name}_high": float(high)}
