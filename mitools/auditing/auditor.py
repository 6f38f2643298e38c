"""The audit: frozen encoders on labelled data, with mutual information and what it is compared with."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mitools.auditing.audit import Audit, AuditedEncoder
from mitools.auditing.cells import CELLS, GROUPS, asked_cells, asked_of, asked_view_cells, step_words
from mitools.auditing.course import Course
from mitools.auditing.each_encoder import Passes, audit_each, layer_place
from mitools.auditing.examples import examples
from mitools.auditing.requests import EncoderRequest
from mitools.auditing.row import layout
from mitools.auditing.settings import AuditSettings
from mitools.core.errors import InputError
from mitools.core.names import check_name
from mitools.core.progress import Advance, silent
from mitools.core.result_store import ResultStore, Values
from mitools.datasets.base import LabelledData
from mitools.datasets.selection import require_classes
from mitools.encoders.encoder import Encoder
from mitools.encoders.layers.taps import OUTPUT
from mitools.encoders.open import AnyEncoder
from mitools.encoders.sources.precomputed import PrecomputedFeatures
from mitools.estimators.inputs.class_prior import class_prior
from mitools.estimators.inputs.splits import SMALLEST_CLASS, Parts
from mitools.features.extract import Features
from mitools.features.store import FeatureStore
from mitools.measures.accuracy_on_test import kept_sgd_accuracy, kept_test_accuracy, require_test_part
from mitools.measures.compute import kept_measure
from mitools.measures.control import control_of
from mitools.measures.further.selection import selected_measures
from mitools.measures.item_split import split_items
from mitools.measures.measured import Measured
from mitools.measures.representation import Representation
from mitools.measures.view_names import named_after_view, require_own_columns
from mitools.metrics.protocols.sgd_linear import SCHEDULES
from mitools.pairing.view_pairs import paired_view
from mitools.training.trained_head import trained_head
from mitools.training.trained_variables import trained_variables
from mitools.views.base import View
from mitools.views.item_views import ItemViews
from mitools.views.registry import shown_view


def run_audit(
    data: LabelledData,
    encoders: Sequence[str | EncoderRequest],
    *,
    out: Path,
    store: FeatureStore,
    settings: AuditSettings | None = None,
    test: LabelledData | None = None,
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
    test
        Items of the same classes, such as the official test part: a linear classifier fitted to all of `data`
        is read on them too.
    advance
        Called with what is being done, how much of it is done, and how much there is.

    Raises
    ------
    InputError
        When the data cannot be audited, the test items are of other classes or the data themselves, a spec
        names no source, or no encoder could be audited. A single encoder's error is kept in ``failures``
        while others succeed.
    """
    settings = settings or AuditSettings()
    requests = [EncoderRequest.of_spec(one) if isinstance(one, str) else one for one in encoders]
    if settings.trained_head and "run" not in {request.source for request in requests}:
        raise InputError("only a run: has a trained head, and no encoder is one; leave --trained-head out")
    further = selected_measures(settings.further_measures, GROUPS, bool(settings.view_pairings))
    settings = replace(settings, further_measures=further)
    views = views_of_pairings(settings.view_pairings)
    require_classes(data, SMALLEST_CLASS)
    class_prior(data.labels, settings.prior)
    if test is not None:
        require_test_part(data, test)
    if settings.test_schedule is not None:
        check_name("schedule", settings.test_schedule, list(SCHEDULES))
        if test is None:
            raise InputError(f"test_schedule {settings.test_schedule!r} reads test items; give test_data")
    parts = split_items(data, settings.seed)
    advance = advance or silent
    course = Course(advance, len(requests), 1 + len(views) + settings.control)
    passes = Passes(parts.train, store, settings, advance, course)
    auditor = _Auditor(data, test, parts, passes, ResultStore(out / "cells"), settings, views)
    audited, failures = audit_each(requests, data, auditor.audit, course)
    audit = Audit(
        data.name,
        audited,
        failures,
        list(views),
        data.classes,
        data.labels,
        parts,
        settings.prior,
        {"data_digest": data.digest, **settings.record()},
    )
    read = [one.items for one in audit.last_layers() if one.items is not None]
    return replace(audit, examples=examples(data, read))


def views_of_pairings(pairings: Sequence[str]) -> dict[str, View]:
    """Make the views that pairings are named after, by the names that their columns have.

    Raises
    ------
    InputError
        When there is no such view, nothing in it is random, or two pairings name one.
    """
    views = [paired_view(name, ["same_class"]) for name in pairings]
    named = {shown_view(name): view for name, view in zip(pairings, views, strict=True)}
    if len({view.name for view in views}) < len(views) or len(named) < len(views):
        raise InputError(f"the pairings {', '.join(pairings)} name one view twice")
    for shown in named:
        require_own_columns(shown)
    return named


class _Untrained(NamedTuple):
    """The features of an untrained twin by layer and the items they are of; none, and why, without one."""

    features: Mapping[str, Features] = {}
    items: NDArray[np.int64] = np.empty(0, dtype=np.int64)
    reason: str = ""


class _Auditor(NamedTuple):
    """What all encoders of an audit share."""

    data: LabelledData
    test: LabelledData | None
    parts: Parts
    passes: Passes
    results: ResultStore
    settings: AuditSettings
    views: Mapping[str, View]

    def audit(self, encoder: AnyEncoder, name: str) -> list[AuditedEncoder]:
        """Extract the features of one encoder and measure every cell on each of its layers."""
        features = self.passes.over(encoder, self.data)
        tested = self._of_test_part(encoder)
        viewed = {
            shown: self.passes.over(
                encoder, self.data, ItemViews(view, self.settings.views, self.settings.seed)
            )
            for shown, view in self.views.items()
        }
        is_run = self.settings.trained_head and encoder.source == "run"
        head = trained_head(encoder.spec) if is_run else None
        of_variables = any(name in self.settings.further_measures for name in CELLS["discrete"])
        variables = trained_variables(encoder.spec) if of_variables and encoder.source == "run" else None
        untrained = self._untrained(encoder)
        report = encoder.load_report if isinstance(encoder, Encoder) else None
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
            place = layer_place(encoder, name, features, layer)
            self.passes.course.begin_measuring(depth, len(features))
            of_views = {view: representation.with_views(found[layer]) for view, found in viewed.items()}
            if before is not None and _same_numbers(representation, before) and not viewed:
                seconds = 0.0  # the last stage, pooled, often is the output: nothing is fitted twice
            else:
                measured, seconds = self._measure(
                    place["encoder"], representation, of_views, untrained.reason
                )
            before = representation
            # All layers share one pass.
            row = layout(place, measured, seconds + features[layer].seconds / len(features))
            if tested:
                row |= self._accuracy_on_test(features[layer], tested[layer])
            assert measured.influence_nats is not None
            audited.append(
                AuditedEncoder(
                    row,
                    measured.estimates,
                    measured.influence_nats,
                    report.to_dict() if report else None,
                    measured.items,
                    representation.rows,
                    encoder.spec,
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
        of_pairs = [asked_view_cells(pairs, self.settings) for pairs in of_views.values()]
        has_twin = representation.untrained is not None
        steps, done = len(asked) + sum(map(len, of_pairs)) + has_twin, 0

        def tell(cell: str, of: str = "") -> None:
            nonlocal done
            self.passes.advance(f"{title}: {step_words(cell)}{of}", done, steps)
            done += 1

        found = []
        for cell in asked:
            tell(cell)
            measured, seconds = kept_measure(self.results, cell, CELLS[cell], representation, settings)
            found.append((measured.only(asked_of(cell, self.settings)), seconds))
        for (view, pairs), cells in zip(of_views.items(), of_pairs, strict=True):
            for cell in cells:
                tell(cell, f" ({view})")
                drawn, seconds = kept_measure(self.results, cell, CELLS[cell], pairs, settings)
                found.append((named_after_view(drawn, view), seconds))
        if has_twin:
            tell("control")
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
            return _Untrained(self.passes.over(control.twin, control.data), control.items)
        # Random weights may overflow, and not every network can be copied: that says nothing against it.
        except InputError as error:
            return _Untrained(reason=str(error))

    def _of_test_part(self, encoder: AnyEncoder) -> dict[str, Features]:
        """Encode the test items, where there are any, by an encoder that is fitted to the data's own."""
        if self.test is None:
            return {}
        if isinstance(encoder, PrecomputedFeatures):
            raise InputError(
                f"{encoder.spec}: rows already computed are of the data alone, and none are of the test part;"
                " leave the test data out"
            )
        return self.passes.over(encoder.fitted(self.data, self.parts.train), self.test)

    def _accuracy_on_test(self, features: Features, tested: Features) -> Values:
        """Read linear classifiers on the test items: columns of the row."""
        asked = self.settings
        found = kept_test_accuracy(self.results, features, tested, asked.seed, self.parts.groups)
        if asked.test_schedule:
            found |= kept_sgd_accuracy(
                self.results, features, tested, asked.test_schedule, asked.seed, asked.device
            )
        return {name: value for name, value in found.items() if name != "seconds"}


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
