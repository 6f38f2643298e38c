"""What every pair of views shares, what each view and the image say of the label, and what follows."""

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch.nn.functional import adaptive_avg_pool2d

from mitools.backends.seeding import derive_seed
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate, EstimateWarning, Interval
from mitools.core.names import check_name
from mitools.core.progress import Advance, silent, tell_whole, uncounted
from mitools.core.result_store import ResultStore, Values
from mitools.datasets.base import LabelledData
from mitools.datasets.selection import groups_of, require_classes
from mitools.encoders.inputs.modalities import require_modality
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.dependence.copies import copy_groups
from mitools.estimators.dependence.dependent_rows import dependence_warnings
from mitools.estimators.inputs.folds import cross_fit_parts
from mitools.estimators.inputs.groups import as_groups
from mitools.estimators.inputs.splits import SMALLEST_CLASS, Parts
from mitools.estimators.inputs.validation import as_table
from mitools.estimators.registry import ESTIMATORS
from mitools.measures.item_split import groups_record
from mitools.shared_information.fit import FittedViews, fit_views
from mitools.shared_information.half_images import half_of
from mitools.shared_information.more_images import Doubled, difference_interval, entropy_limit
from mitools.shared_information.readings import LabelReading, ReadFolds, read_label, read_shared
from mitools.shared_information.regimes import Regime, regime_of
from mitools.shared_information.settings import ViewSettings
from mitools.shared_information.view_pair import ViewPair
from mitools.training.loop.images_in_memory import load_images
from mitools.training.loop.modalities_in_memory import load_modality
from mitools.training.training_data import Modality, TrainingData
from mitools.views.base import View, modality_of, view_key
from mitools.views.registry import make_view

THUMBNAIL = 8
"""Rows and columns to which images are brought where near copies are looked for."""

REVISION = 7
"""Raised when a number changes for the same request; kept results of another are not read."""


class MeasuredViews(NamedTuple):
    """All pairs of views of one data set.

    Attributes
    ----------
    pairs
        In the order in which they were asked for.
    warnings
        Of images that depend on each other and that nobody named.
    """

    pairs: list["MeasuredPair"]
    warnings: tuple[EstimateWarning, ...]


class MeasuredPair(NamedTuple):
    """What two views share, what each says of the label, and what follows.

    Attributes
    ----------
    pair
        The views, and where in a sweep they stand.
    shared
        I(v1;v2), one estimate a method.
    shared_up_to
        For each, the upper end of what is not excluded, in nats; None where no end is told.
    of_view
        I(v1;y) and I(v2;y); the same reading twice for two draws of one view.
    image
        I(x;y).
    lacks
        I(x;y) - I(v;y) for both views, in bits: see :func:`.difference_interval`.
    regime
        See :func:`.regime_of`.
    """

    pair: ViewPair
    shared: list[Estimate]
    shared_up_to: list[float | None]
    of_view: tuple[LabelReading, LabelReading]
    image: LabelReading
    lacks: tuple[Interval, Interval]
    regime: Regime

    @property
    def judged_by(self) -> int:
        """Which of `shared` the regime is judged by."""
        return _first_lower_bound(self.shared)


def measure_view_pairs(
    data: LabelledData,
    pairs: Sequence[ViewPair],
    *,
    out: Path,
    settings: ViewSettings | None = None,
    image_size: int | None = None,
    advance: Advance = silent,
) -> MeasuredViews:
    """Measure pairs of views: I(v1;v2), I(v1;y), I(v2;y) and I(x;y), each on items held out in turn.

    Small networks are fitted to the views of the items of all folds but one, and read on that one: what is
    learnt of an item is never read on it, nor on its group's. A pair that was measured is kept, so that what
    was stopped goes on from there.

    Parameters
    ----------
    data
        Labelled images.
    pairs
        What is measured.
    out
        Folder under which the readings are kept.
    settings
        See :class:`ViewSettings`.
    image_size
        Images are brought to this size; None for their own.
    advance
        Told what is done.

    Raises
    ------
    InputError
        When the data hold no images, have one class, or a class is too small; when they lack what a view is
        drawn from, a method is unknown, or none is a lower bound.
    """
    settings = settings or ViewSettings()
    for method in settings.methods:
        check_name("method", method, [name for name, row in ESTIMATORS.items() if not row.needs_labels])
    if all(ESTIMATORS[method].kind != "lower bound" for method in settings.methods):
        raise InputError(
            f"methods {', '.join(settings.methods)}: none is a lower bound, by which regimes are judged; add"
            " infonce"
        )
    for name in dict.fromkeys(name for pair in pairs for name in pair.views):
        if (modality := modality_of(make_view(name))) != "image":
            require_modality(data, modality)
    require_classes(data, SMALLEST_CLASS * settings.folds)
    measurer = _Measurer(data, out, settings, image_size, advance)
    measurer.plan(1 + len(pairs))
    image = measurer.label_of_image()
    return MeasuredViews([measurer.pair(pair, image) for pair in pairs], measurer.warnings)


class _Measurer:
    """What all pairs share: the images, the folds, and where readings are kept."""

    def __init__(
        self,
        data: LabelledData,
        out: Path,
        settings: ViewSettings,
        image_size: int | None,
        advance: Advance,
    ) -> None:
        self.labelled, self.image_size, self.advance = data, image_size, advance
        self.settings, self.results = settings, ResultStore(out / "cells")
        self.data = self._load()
        named = groups_of(data)
        self.warnings: tuple[EstimateWarning, ...] = ()
        if named is None:
            rows = self.data.pixels.cpu().numpy().reshape(len(data), -1)
            # Equal images stay together; every other is a group of its own, and none is looked for again.
            self.groups = copy_groups(as_table(rows, "images"))
            small = adaptive_avg_pool2d(self.data.pixels.float(), THUMBNAIL).flatten(1)
            self.warnings = dependence_warnings(small.cpu().numpy(), data.labels, settings.seed)
        else:
            self.groups = as_groups(named, len(data))
        self.folds = cross_fit_parts(len(data), data.labels, settings.folds, settings.seed, self.groups)
        self._subjects, self._begun, self._what = 1, 0, ""

    def plan(self, subjects: int) -> None:
        """Take how many subjects (the images, and each pair) will be measured."""
        self._subjects, self._begun = subjects, 0

    def label_of_image(self) -> LabelReading:
        """Read I(x;y)."""
        view = make_view("image")
        self._begin("the images")
        kept = self.results.cell("image", self._on([view]), lambda: self._measure([view]))
        return _label_reading(kept["labels"][0])

    def pair(self, pair: ViewPair, image: LabelReading) -> MeasuredPair:
        """Measure one pair and compare it with the images."""
        views = [make_view(name) for name in pair.views]
        self._begin(f"pair {self._begun} of {self._subjects - 1}")
        kept = self.results.cell("views", self._on(views), lambda: self._measure(views))
        shared = [Estimate.from_dict(values) for values in kept["shared"]["estimates"]]
        shared_up_to = kept["shared"]["up_to"]
        first, second = (_label_reading(values) for values in kept["labels"])
        lacks = (_lack(image, first), _lack(image, second))
        of_label, same_label = image.estimates
        judge = _first_lower_bound(shared)
        regime = regime_of(shared[judge], shared_up_to[judge], of_label, image.up_to[0], same_label, lacks)
        return MeasuredPair(pair, shared, shared_up_to, (first, second), image, lacks, regime)

    def _begin(self, subject: str) -> None:
        self._begun += 1
        self._what = subject
        tell_whole(self.advance, subject, self._begun - 1, self._subjects)

    def _measure(self, views: Sequence[View]) -> Values:
        """Fit the networks of all folds, and read what each holds out."""
        started = time.perf_counter()
        whole, half = self._fit_folds(views)
        settings = self.settings
        found: Values = {"labels": []}
        if len(views) == 2:
            shared = read_shared(whole, half, settings, started)
            found["shared"] = {
                "estimates": [estimate.to_dict() for estimate in shared.estimates],
                "up_to": shared.up_to,
            }
        limit = entropy_limit(self.labelled.labels, len(np.unique(self.groups)))
        for number in range(len(views)):
            label = read_label(whole, half, number, settings, limit, started)
            found["labels"].append(
                {
                    "estimates": [estimate.to_dict() for estimate in label.estimates],
                    "up_to": label.up_to,
                    "reading": _reading_values(label.reading),
                    "doubled": label.doubled and [_reading_values(one) for one in label.doubled],
                }
            )
        return found

    def _fit_folds(self, views: Sequence[View]) -> tuple[ReadFolds, ReadFolds | None]:
        """Fit networks to all that each fold may fit to, and in the first fold to half of it."""
        whole, half = ReadFolds([], [], []), ReadFolds([], [], [])
        names, folds = " and ".join(view.name for view in views), len(self.folds)
        for number, parts in enumerate(self.folds):
            settings = replace(self.settings, seed=derive_seed(self.settings.seed, number))
            what = f"{names}, fold {number + 1} of {folds}"
            whole.append(self._fit(views, parts, settings, number, what), parts)
        settings = replace(self.settings, seed=derive_seed(self.settings.seed, 0), steps=whole.fits[0].steps)
        some = half_of(self.folds[0], self.labelled.labels, settings.seed)
        if some is None:
            return whole, None
        half.append(self._fit(views, some, settings, folds, f"{names}, half of the images"), some)
        return whole, half

    def _fit(
        self, views: Sequence[View], parts: Parts, settings: ViewSettings, number: int, what: str
    ) -> FittedViews:
        share = 1 / (len(self.folds) + 1)
        tell_whole(self.advance, self._what, self._begun - 1 + number * share, self._subjects, share)
        return fit_views(self.data, views, parts, settings, self.advance, what)

    def _load(self) -> TrainingData:
        with uncounted(self.advance):
            images = load_images(self.labelled, self.image_size, self.advance)
        device = self.settings.device

        def load(name: str) -> Modality:
            found = load_modality(self.labelled, name, self.image_size, self.advance)
            return found._replace(values=found.values.to(device))

        classes = len(self.labelled.classes)
        pixels, labels = images.pixels.to(device), images.labels.to(device)
        return TrainingData(pixels, labels, classes, load_modality=load)

    def _on(self, views: Sequence[View]) -> dict[str, Any]:
        """Everything that the readings of views depend on."""
        every = asdict(self.settings)
        del every["device"]
        return {
            "data": self.labelled.digest,
            "image_size": self.image_size,
            "views": [view_key(view) for view in views],
            "settings": every,
            "revision": REVISION,
            **groups_record(self.groups),
        }


def _first_lower_bound(shared: Sequence[Estimate]) -> int:
    """Say which reading comes first of those that no truth lies below; the first where there is none.

    A method may turn out to be none on the rows that it is given, as Barber-Agakov's without a known entropy.
    """
    return next((place for place, one in enumerate(shared) if one.kind == "lower bound"), 0)


def _label_reading(values: Values) -> LabelReading:
    estimates = [Estimate.from_dict(one) for one in values["estimates"]]
    doubled = values["doubled"] and Doubled(*map(_reading, values["doubled"]))
    return LabelReading(estimates, values["up_to"], _reading(values["reading"]), doubled)


def _lack(image: LabelReading, view: LabelReading) -> Interval:
    """Give how much less of the label a view says than the image, in bits."""
    doubled, up_to = (image.doubled, view.doubled), (image.up_to[0], view.up_to[0])
    lack = difference_interval(image.reading, view.reading, doubled, up_to)
    most = image.estimates[0].entropy_bits
    return lack if most is None else lack._replace(low=min(lack.low, most), high=min(lack.high, most))


def _reading_values(reading: Reading) -> Values:
    return {"nats": reading.nats, "influence": reading.influence.tolist(), "unseen": reading.unseen}


def _reading(values: Values) -> Reading:
    return Reading(values["nats"], np.array(values["influence"]), values["unseen"])
