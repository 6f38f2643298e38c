"""The audit: frozen encoders on labelled data, with mutual information and what it is compared with."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mitools.auditing.cells import CELLS, ON_DEMAND, asked_cells, asked_view_cells
from mitools.auditing.course import Course
from mitools.auditing.requests import EncoderRequest
from mitools.auditing.row import layout
from mitools.auditing.settings import AuditSettings
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.core.names import check_name
from mitools.core.progress import Advance, silent
from mitools.core.result_store import ResultStore
from mitools.datasets.base import LabelledData
from mitools.datasets.selection import require_classes
from mitools.encoders.encoder import Encoder
from mitools.encoders.in_memory import give_back
from mitools.encoders.layers.taps import OUTPUT
from mitools.encoders.open import AnyEncoder
from mitools.estimators.inputs.class_prior import class_prior
from mitools.estimators.inputs.splits import SMALLEST_CLASS, Parts
from mitools.features.extract import Features, extract_layers
from mitools.features.store import FeatureStore
from mitools.measures.compute import kept_measure
from mitools.measures.control import control_of
from mitools.measures.item_split import split_items
from mitools.measures.measured import Measured
from mitools.measures.representation import Representation
from mitools.measures.view_names import named_after_view
from mitools.pairing.view_pairs import paired_view
from mitools.training.trained_head import trained_head
from mitools.training.trained_variables import trained_variables
from mitools.views.base import View
from mitools.views.item_views import ItemViews


@dataclass(frozen=True)
class AuditedEncoder:
    """What the audit found out about one encoder, or about one layer of it.

    Attributes
    ----------
    row
        One row of ``results.csv``.
    estimates
        The full estimates behind it, by column.
    influence_nats
        Shape (n_report,), of the certificate: differences between encoders on one split have intervals
        from these.
    load_report
        How a checkpoint was read, or None.
    """

    row: Mapping[str, Any]
    estimates: Mapping[str, Estimate]
    influence_nats: NDArray[np.float64]
    load_report: Mapping[str, Any] | None


@dataclass(frozen=True)
class Audit:
    """The audited encoders in the order asked for, layer by layer; and what failed, with the reason.

    `views` names the views whose pairs were measured.
    """

    data: str
    encoders: Sequence[AuditedEncoder]
    failures: Mapping[str, str]
    views: Sequence[str] = ()


def run_audit(
    data: LabelledData,
    encoders: Sequence[str | EncoderRequest],
    *,
    out: Path,
    store: FeatureStore,
    settings: AuditSettings | None = None,
    advance: Advance | None = None,
) -> Audit:
    """Measure how much class information each encoder's features carry, and all it is compared with.

    Every layer of an encoder that returns several is measured, on features from one pass.

    Parameters
    ----------
    data
        Labelled items; split once, and alike for every encoder.
    encoders
        Encoder specs, or whatever :func:`mitools.auditing.requests.as_requests` takes.
    out
        Folder under which the cells of the audit are kept; an audit that was stopped goes on from there.
    store
        Where features are kept.
    settings
        See :class:`AuditSettings`.
    advance
        Called with what is being done, how much of it is done, and how much there is.

    Raises
    ------
    InputError
        When the data cannot be audited, a spec names no source, or no encoder could be audited. A single
        encoder's error is kept in ``failures`` while others succeed.
    """
    settings = settings or AuditSettings()
    requests = [EncoderRequest.of_spec(one) if isinstance(one, str) else one for one in encoders]
    if settings.trained_head and "run" not in {request.source for request in requests}:
        raise InputError("only a run: has a trained head, and no encoder is one; leave --trained-head out")
    for name in settings.further_measures:
        check_name("measures", name, ON_DEMAND)
    views = [paired_view(name, ["same_class"]) for name in settings.view_pairings]
    if len({view.name for view in views}) < len(views):
        raise InputError(f"the pairings {', '.join(settings.view_pairings)} name one view twice")
    require_classes(data, SMALLEST_CLASS)
    class_prior(data.labels, settings.prior)
    parts = split_items(data, settings.seed)
    advance = advance or silent
    course = Course(advance, len(requests), 1 + len(views) + settings.control)
    results = ResultStore(out / "cells")
    auditor = _Auditor(data, parts, store, results, settings, views, advance, course)

    audited: list[AuditedEncoder] = []
    failures: dict[str, str] = {}
    for request in requests:
        encoder = None
        course.begin_encoder()
        try:
            encoder = request.open(data)
            taken = {done.row["network"] for done in audited} | failures.keys()
            audited += auditor.audit(encoder, _unique(encoder.name, taken))
        except InputError as error:
            taken = {done.row["network"] for done in audited} | failures.keys()
            failures[_unique(request.title, taken)] = str(error)
        finally:
            give_back(encoder)
    if not audited:
        raise InputError(
            "; ".join(dict.fromkeys(failures.values())) or "no encoder given; add --encoder SPEC"
        )
    return Audit(data.name, audited, failures, [view.name for view in views])


class _Untrained(NamedTuple):
    """The features of an untrained twin by layer and the items they are of; none, and why, without one."""

    features: Mapping[str, Features] = {}
    items: NDArray[np.int64] = np.empty(0, dtype=np.int64)
    reason: str = ""


class _Auditor(NamedTuple):
    """What all encoders of an audit share."""

    data: LabelledData
    parts: Parts
    store: FeatureStore
    results: ResultStore
    settings: AuditSettings
    views: Sequence[View]
    advance: Advance
    course: Course

    def audit(self, encoder: AnyEncoder, name: str) -> list[AuditedEncoder]:
        """Extract the features of one encoder and measure every cell on each of its layers."""
        features = self._extract(encoder, self.data)
        viewed = {
            view.name: self._extract(
                encoder, self.data, ItemViews(view, self.settings.views, self.settings.seed)
            )
            for view in self.views
        }
        is_run = self.settings.trained_head and encoder.source == "run"
        head = trained_head(encoder.spec) if is_run else None
        of_variables = "discrete" in self.settings.further_measures
        variables = trained_variables(encoder.spec) if of_variables and encoder.source == "run" else None
        untrained = self._untrained(encoder)
        audited = []
        before: Representation | None = None
        for depth, layer in enumerate(features):
            representation = Representation.of_features(
                features[layer],
                self.parts,
                head=head if layer == OUTPUT else None,
                untrained=untrained.features.get(layer),
                untrained_items=untrained.items,
                variables=variables if layer == OUTPUT else None,
            )
            title = name if layer == OUTPUT and len(features) == 1 else f"{name}@{layer}"
            self.course.begin_measuring(depth, len(features))
            of_views = {view: representation.with_views(found[layer]) for view, found in viewed.items()}
            if before is not None and _same_numbers(representation, before) and not viewed:
                seconds = 0.0  # the last stage, pooled, often is the output: nothing is fitted twice
            else:
                measured, seconds = self._measure(title, representation, of_views, untrained.reason)
            before = representation
            place = {
                "encoder": title,
                "network": name,
                "layer": layer,
                "depth": depth,
                "source": encoder.source,
                "digest": encoder.digest,
                "n": len(representation.labels),
                "dim": representation.rows.shape[1],
            }
            # All layers share one pass.
            row = layout(place, measured, seconds + features[layer].seconds / len(features))
            report = encoder.load_report if isinstance(encoder, Encoder) else None
            assert measured.influence_nats is not None
            audited.append(
                AuditedEncoder(
                    row, measured.estimates, measured.influence_nats, report.to_dict() if report else None
                )
            )
        return audited

    def _measure(
        self,
        title: str,
        representation: Representation,
        of_views: Mapping[str, Representation],
        why_no_twin: str,
    ) -> tuple[Measured, float]:
        """Measure every cell of one layer: the numbers, and the seconds they took."""
        settings = self.settings.measure_settings
        asked = asked_cells(representation, self.settings)
        found = []
        for done, cell in enumerate(asked):
            self.advance(f"{title}: {cell}", done, len(asked))
            found.append(kept_measure(self.results, cell, CELLS[cell], representation, settings))
        for view, pairs in of_views.items():
            for cell in asked_view_cells(pairs):
                self.advance(f"{title}: {view}", len(asked), len(asked))
                drawn, seconds = kept_measure(self.results, cell, CELLS[cell], pairs, settings)
                found.append((named_after_view(drawn, view), seconds))
        if representation.untrained is not None:
            try:
                found.append(
                    kept_measure(self.results, "control", CELLS["control"], representation, settings)
                )
            except InputError as error:  # too few items of a class, after all
                why_no_twin = str(error)
        if why_no_twin:
            found.append((Measured({}, warnings={"control": [f"none: {why_no_twin}"]}), 0.0))
        return Measured.together(measured for measured, _ in found), sum(seconds for _, seconds in found)

    def _untrained(self, encoder: AnyEncoder) -> _Untrained:
        """Encode some items by the encoder's untrained twin, where it has one."""
        if not self.settings.control:
            return _Untrained()
        try:
            control = control_of(encoder, self.data, self.settings.seed)
            if control is None:
                return _Untrained()
            return _Untrained(self._extract(control.twin, control.data), control.items)
        # Random weights may overflow, and not every network can be copied: that says nothing against it.
        except InputError as error:
            return _Untrained(reason=str(error))

    def _extract(
        self, encoder: AnyEncoder, data: LabelledData, views: ItemViews | None = None
    ) -> dict[str, Features]:
        self.course.begin_pass()
        return extract_layers(
            encoder,
            data,
            store=self.store,
            views=views,
            fit_on=self.parts.train,
            device=self.settings.device,
            batch_size=self.settings.batch_size,
            workers=self.settings.workers,
            precision=self.settings.precision,
            kept_as=self.settings.kept_as,
            advance=self.advance,
        )


def _same_numbers(one: Representation, other: Representation) -> bool:
    """Whether two layers are the same rows, of the trained network and of its untrained twin."""
    if one.head is not None or one.variables is not None or one.rows.shape != other.rows.shape:
        return False
    twins = [representation.untrained for representation in (one, other)]
    if (twins[0] is None) != (twins[1] is None):
        return False
    pairs = [(one.rows, other.rows)]
    if twins[0] is not None and twins[1] is not None:
        pairs.append((np.asarray(twins[0].rows), np.asarray(twins[1].rows)))
    return all(a.shape == b.shape and np.array_equal(a, b) for a, b in pairs)


def _unique(name: str, taken: Collection[str]) -> str:
    """Give encoders of the same name numbers."""
    numbered = (name if k == 1 else f"{name}#{k}" for k in count(1))
    return next(candidate for candidate in numbered if candidate not in taken)
