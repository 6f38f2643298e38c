"""What is measured of every kept checkpoint on a data set: retrieval, clusters, transfer, information."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from mitools.analyses.shared.evaluation import interval_columns
from mitools.backends.runtime import Runtime
from mitools.core.entropy import entropy
from mitools.core.estimate import Estimate
from mitools.core.files import digest_text
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.core.result_store import ResultStore, Values
from mitools.datasets.base import LabelledData
from mitools.datasets.in_memory import ImageArray
from mitools.datasets.open import open_data
from mitools.datasets.selection import require_classes
from mitools.encoders.open import open_encoder
from mitools.estimators.bounds.infonce import read_infonce
from mitools.estimators.class_information.class_pairs import read_label_information
from mitools.estimators.inputs.class_prior import class_prior
from mitools.estimators.inputs.splits import SMALLEST_CLASS, Parts, split
from mitools.estimators.neural.fit_many import Problem, fit_many
from mitools.estimators.neural.variational import VariationalEstimator
from mitools.features.extract import Features, extract
from mitools.features.store import FeatureStore
from mitools.measures.accuracy_on_test import accuracy_columns
from mitools.measures.certificate import fit_certificate
from mitools.measures.settings import MeasureSettings
from mitools.metrics.clustering import kmeans_nmi
from mitools.metrics.retrieval import recall_at_1
from mitools.metrics.transfer import Right, TransferProtocol, frozen_transfer
from mitools.training.loop.images_in_memory import load_images

CRITICS_AT_A_TIME = 16
"""Checkpoints whose critics are fitted at a time, all of whose features are in memory."""

CRITIC_HIDDEN = (128,)
"""Widths of the critics' hidden layers."""

READINGS = "checkpoints measured"
"""What the progress of measuring counts, each data set by itself, labels and inputs by halves."""


class MeasureRecipe(Recipe):
    """How a checkpoint is measured.

    Attributes
    ----------
    transfer_steps
        Of the classifier on frozen features; the paper's 15,000 by default.
    input_components
        Principal components of the pixels that stand for X.
    critic_steps
        Steps of the critics of I(X;T) at most; held-out items stop them.
    seed
        Of the splits, the classifiers and the critics.
    """

    transfer_steps: Annotated[int, Field(ge=3)] = TransferProtocol.steps
    input_components: Annotated[int, Field(ge=1)] = 32
    critic_steps: Annotated[int, Field(ge=1)] = 1000
    seed: Annotated[int, Field(ge=0)] = 0


class CheckpointValues(NamedTuple):
    """One checkpoint on one data set, read on the report part.

    Attributes
    ----------
    input_information, label_information
        I(X;T) and I(T;Y).
    input_influence, label_influence
        Shape (n_report,), nats: differences of two checkpoints have their intervals from them.
    input_select_nats, label_select_nats
        The same readings on *select*: by which a best epoch may be chosen.
    frozen, logistic
        Shape (n_report,): items that the classifier on frozen features gets right, by the paper's protocol
        and by logistic regression.
    recall_at_1, nmi
        Over all items.
    """

    input_information: Estimate
    label_information: Estimate
    input_influence: NDArray[np.float64]
    label_influence: NDArray[np.float64]
    input_select_nats: float
    label_select_nats: float
    frozen: Right
    logistic: Right
    recall_at_1: float
    nmi: float


def checkpoint_columns(point: CheckpointValues) -> dict[str, Any]:
    """Lay out what was measured of a checkpoint on a data set: a row of a study's table."""
    of_inputs, of_labels = point.input_information, point.label_information
    return {
        "recall_at_1": point.recall_at_1,
        "nmi": point.nmi,
        **accuracy_columns("frozen_acc", int(point.frozen.sum()), len(point.frozen)),
        **accuracy_columns("logistic_acc", int(point.logistic.sum()), len(point.logistic)),
        **interval_columns("input", of_inputs),
        "input_null_bits": of_inputs.null_bits,
        "input_ceiling_bits": of_inputs.ceiling_bits,
        "input_warnings": ", ".join(one.word for one in of_inputs.warnings),
        **interval_columns("label", of_labels),
        "label_null_bits": of_labels.null_bits,
        "label_entropy_bits": of_labels.entropy_bits,
        "label_warnings": ", ".join(one.word for one in of_labels.warnings),
        "n": of_labels.n_train + of_labels.n_select + of_labels.n_report,
        "n_report": of_labels.n_report,
    }


class CheckpointMeasurer:
    """Measures checkpoints; every number is kept in a cell.

    Parameters
    ----------
    recipe
        See :class:`MeasureRecipe`.
    image_size
        That images are brought to; None for their own.
    results, store
        Where cells and features are kept.
    runtime
        Where encoders and critics run.
    advance
        Called with what is being done, how much of it is done, and how much there is.
    """

    def __init__(
        self,
        recipe: MeasureRecipe,
        image_size: int | None,
        results: ResultStore,
        store: FeatureStore,
        runtime: Runtime,
        advance: Advance | None = None,
    ) -> None:
        self.recipe, self.image_size, self.results, self.store = recipe, image_size, results, store
        self.device, self.advance = str(runtime.device), advance
        self._readings = self._all_readings = 0

    def measure(self, specs: Sequence[str], encoders: Sequence[str]) -> list[list[CheckpointValues]]:
        """Measure encoders on data sets: a list a data set, in the order of the encoders.

        Raises
        ------
        InputError
            When an encoder or the data cannot be read, or a class is too small to split.
        """
        self._readings, self._all_readings = 0, 2 * len(specs) * len(encoders)
        return [self._measure_on(spec, encoders) for spec in specs]

    def _measure_on(self, spec: str, encoders: Sequence[str]) -> list[CheckpointValues]:
        data = self._decoded(spec)
        features = self._extracted(data, encoders)
        parts = split(len(data), data.labels, self.recipe.seed)
        quality = []
        for one in features:
            quality.append(self._quality(one, parts))
            self._count(1)
        inputs = self._inputs(data, features, parts)
        return [
            _checkpoint_values(of_labels, of_inputs)
            for of_labels, of_inputs in zip(quality, inputs, strict=True)
        ]

    def features(self, spec: str, encoders: Sequence[str]) -> list[Features]:
        """Extract the features of encoders on a data set, in order; those measured before are at hand.

        Raises
        ------
        InputError
            As :meth:`measure`.
        """
        return self._extracted(self._decoded(spec), encoders)

    def _extracted(self, data: ImageArray, encoders: Sequence[str]) -> list[Features]:
        return [
            extract(open_encoder(encoder), data, store=self.store, device=self.device, advance=self.advance)
            for encoder in encoders
        ]

    def _decoded(self, spec: str) -> ImageArray:
        """Read every image once, at the size that networks see: many checkpoints then read them."""
        data = open_data(spec)
        require_classes(data, SMALLEST_CLASS)
        size = self.image_size
        pixels = load_images(data, size, self.advance).pixels.permute(0, 2, 3, 1).contiguous().numpy()
        digest = data.digest if size is None else digest_text(f"{data.digest} at {size}")
        return ImageArray(data.name, data.classes, pixels, data.labels, digest)

    def _quality(self, features: Features, parts: Parts) -> Values:
        on = {
            "features": features.key,
            "steps": self.recipe.transfer_steps,
            "seed": self.recipe.seed,
        }
        return self.results.cell("temporal-labels", on, partial(self._measure_labels, features, parts))

    def _measure_labels(self, features: Features, parts: Parts) -> Values:
        rows, labels, seed = np.asarray(features.values[:, 0]), features.labels, self.recipe.seed
        protocol = TransferProtocol(steps=self.recipe.transfer_steps)
        frozen = frozen_transfer(rows, labels, parts, protocol, seed, self.device)
        fitted = fit_certificate(rows, labels, parts, MeasureSettings(seed=seed, device=self.device))
        prior, posterior = class_prior(labels), fitted.posterior_
        report, select = (
            read_label_information(posterior.predict_proba(rows[items]), labels[items], prior, entropy(prior))
            for items in (parts.report, parts.select)
        )
        return {
            "label_information": fitted.label_information_.to_dict(),
            "influence": report.influence.tolist(),
            "select_nats": select.nats,
            "frozen": frozen.tolist(),
            "logistic": (posterior.predict(rows[parts.report]) == labels[parts.report]).tolist(),
            # Over all images; those of an audit are over the report images alone.
            "recall_at_1": recall_at_1(rows, labels, device=self.device),
            "nmi": kmeans_nmi(rows, labels, seed),
        }

    def _inputs(self, data: LabelledData, features: Sequence[Features], parts: Parts) -> list[Values]:
        """Read I(X;T), fitting the critics of several checkpoints together."""
        recipe = self.recipe
        pixels = extract(
            open_encoder(f"builtin:pca?k={recipe.input_components}"),
            data,
            store=self.store,
            fit_on=parts.train,
            device=self.device,
            advance=self.advance,
        )
        of_all = {"inputs": pixels.key, "steps": recipe.critic_steps, "seed": recipe.seed}
        requests = [of_all | {"features": one.key} for one in features]
        kind = "temporal-inputs"
        missing = [k for k, on in enumerate(requests) if self.results.kept(kind, on) is None]
        estimator = VariationalEstimator(
            "infonce",
            hidden=CRITIC_HIDDEN,
            folds=1,
            max_steps=recipe.critic_steps,
            device=self.device,
            seed=recipe.seed,
        )
        x = np.asarray(pixels.values[:, 0])
        self._count(len(features) - len(missing))
        for start in range(0, len(missing), CRITICS_AT_A_TIME):
            group = missing[start : start + CRITICS_AT_A_TIME]
            problems = [Problem(x, np.asarray(features[k].values[:, 0]), None, parts) for k in group]
            for k, problem, fitted in zip(group, problems, fit_many(estimator, problems), strict=True):
                values = _input_values(fitted, problem, parts.select)
                self.results.cell(kind, requests[k], partial(dict, values))
            self._count(len(group))
        return [self.results.cell(kind, on, dict) for on in requests]

    def _count(self, readings: int) -> None:
        self._readings += readings
        if self.advance is not None:
            self.advance(READINGS, self._readings // 2, self._all_readings // 2)


def _input_values(fitted: VariationalEstimator, problem: Problem, select: NDArray[np.int64]) -> Values:
    x, y = (
        torch.from_numpy(scale(np.asarray(rows)[select])).to(fitted.device)
        for scale, rows in ((fitted.scale_x_, problem.x), (fitted.scale_y_, problem.y))
    )
    return {
        "input_information": fitted.estimate_.to_dict(),
        "influence": fitted.influence_.tolist(),
        "select_nats": read_infonce(fitted.critic_, x, y).nats,
    }


def _checkpoint_values(of_labels: Mapping[str, Any], of_inputs: Mapping[str, Any]) -> CheckpointValues:
    return CheckpointValues(
        input_information=Estimate.from_dict(of_inputs["input_information"]),
        label_information=Estimate.from_dict(of_labels["label_information"]),
        input_influence=np.array(of_inputs["influence"]),
        label_influence=np.array(of_labels["influence"]),
        input_select_nats=of_inputs["select_nats"],
        label_select_nats=of_labels["select_nats"],
        frozen=np.array(of_labels["frozen"]),
        logistic=np.array(of_labels["logistic"]),
        recall_at_1=of_labels["recall_at_1"],
        nmi=of_labels["nmi"],
    )
