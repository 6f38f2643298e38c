"""What a frozen encoder keeps of each task, on images that it was not trained on."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from mitools.backends.runtime import Runtime
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.core.result_store import ResultStore
from mitools.datasets.base import LabelledData
from mitools.datasets.open import open_data
from mitools.datasets.selection import require_classes
from mitools.datasets.synthetic.base import SyntheticImages
from mitools.datasets.synthetic.cdp import ATTRIBUTES
from mitools.encoders.open import open_encoder
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.inputs.splits import SMALLEST_CLASS, split
from mitools.features.extract import Features, extract
from mitools.features.store import FeatureStore, default_root
from mitools.measures.accuracy_on_test import (
    accuracy_columns,
    kept_nearest_accuracy,
    kept_test_accuracy,
    require_test_part,
)
from mitools.measures.compute import kept_measure
from mitools.measures.item_split import item_groups
from mitools.measures.measured import Measured
from mitools.measures.representation import Representation
from mitools.measures.settings import MeasureSettings
from mitools.views.item_views import ItemViews

TASKS: dict[str, tuple[str, ...]] = {**{name: (name,) for name in ATTRIBUTES}, "all": ATTRIBUTES}
"""The four tasks on CDP: the attributes whose combination is the class."""

CERTIFIED = ("i_class", "label_information", "linear_acc")
"""What :class:`Certified` lays out."""


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
    """Measures encoders on held-out images as an audit does; every cell is kept.

    Parameters
    ----------
    recipe
        Data, prior and seed.
    out
        Folder of the analysis; cells lie in ``OUT/cells``.
    runtime
        Where encoders and critics run.
    advance
        Called with how many images are encoded.

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
        self.settings = MeasureSettings(prior=recipe.prior, seed=recipe.seed, device=str(runtime.device))
        self.results = ResultStore(out / "cells")
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
        return self._features(encoder, self.data, task, views)

    def _features(
        self,
        encoder: str,
        data: LabelledData,
        task: Sequence[str] | None = None,
        views: ItemViews | None = None,
    ) -> Features:
        found = extract(
            open_encoder(encoder),
            data,
            store=self._store,
            views=views,
            device=self.settings.device,
            advance=self._advance,
        )
        if task is None:
            return found
        if not isinstance(data, SyntheticImages):
            raise InputError(f"{data.name} has no attributes that make tasks; evaluate on cdp")
        return replace(found, labels=data.label_of(task))

    def representation(self, features: Features, views: Features | None = None) -> Representation:
        """Split the images evenly over the classes, alike for every encoder.

        Parameters
        ----------
        features
            With the labels of the task.
        views
            Features of augmented views of every image.
        """
        parts = split(len(features.labels), features.labels, self.settings.seed)
        return Representation.of_features(features, parts, views=views)

    def certify(self, encoder: str, task: Sequence[str] | None = None) -> "Certified":
        """Certify what an encoder carries of a task, and read the linear probe off the same classifier."""
        return self.certify_features(self.features(encoder, task), task)

    def certify_features(self, features: Features, task: Sequence[str] | None = None) -> "Certified":
        """Certify features that are there already; `task` names whose labels they have."""
        kept, _ = kept_measure(
            self.results, "certificate", CERTIFIED, self.representation(features), self.settings, task=task
        )
        return Certified(kept)

    def test_accuracy(
        self, encoder: str, test: str, task: Sequence[str] | None = None, neighbours: Sequence[int] = ()
    ) -> dict[str, float]:
        """Fit a linear classifier to all images, and read it on others, such as the official test part.

        Parameters
        ----------
        encoder
            An encoder spec.
        test
            A data spec, with the classes of the evaluation's own data.
        task
            As for :meth:`features`.
        neighbours
            Numbers K of neighbours, by whose vote the others are classified as well.

        Returns
        -------
        dict
            ``linear_test_acc`` with ``_low`` and ``_high``, ``n_test``, and for every number of neighbours
            ``knnK_test_acc`` with ``_low`` and ``_high``.

        Raises
        ------
        InputError
            When the encoder or the data cannot be had, the classes are others, or the images the same.
        """
        data = open_data(test)
        require_test_part(self.data, data)
        train, tested = self.features(encoder, task), self._features(encoder, data, task)
        found = kept_test_accuracy(
            self.results, train, tested, self.settings.seed, item_groups(self.data), task
        )
        if neighbours:
            found |= kept_nearest_accuracy(self.results, train, tested, neighbours, task)
        return {name: value for name, value in found.items() if name != "seconds"}

    def view_information(self, encoder: str, views: ItemViews) -> Estimate:
        """Estimate what two views of an image share after training."""
        representation = self.representation(self.features(encoder), self.features(encoder, views=views))
        kept, _ = kept_measure(self.results, "views", ["i_simclr"], representation, self.settings)
        return kept.estimates["i_simclr"]


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

    def __init__(self, measured: Measured) -> None:
        assert measured.influence_nats is not None
        estimate, accuracy = measured.estimates["i_class"], measured.metrics["linear_acc"]
        n = estimate.n_report
        self.columns: dict[str, Any] = {
            "h_c_bits": estimate.entropy_bits,
            **interval_columns("i_class", estimate),
            "label_information_bits": measured.estimates["label_information"].bits,
            **accuracy_columns("linear_acc", round(accuracy * n), n),
            "n_report": n,
            "warnings": ", ".join(warning.word for warning in estimate.warnings),
        }
        self.reading = Reading.of(estimate, measured.influence_nats)


def interval_columns(name: str, estimate: Estimate) -> dict[str, float | None]:
    """Lay out an estimate as ``NAME_bits``, ``NAME_low`` and ``NAME_high``."""
    interval = estimate.interval_bits
    return {
        f"{name}_bits": estimate.bits,
        f"{name}_low": interval.low if interval else None,
        f"{name}_high": interval.high if interval else None,
    }
