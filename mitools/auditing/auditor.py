"""The audit: frozen encoders on labelled data, with mutual information and what it is compared with."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mitools.auditing.cells import CELLS, GROUPS, asked_cells, asked_of, asked_view_cells
from mitools.auditing.requests import EncoderRequest
from mitools.auditing.row import layout
from mitools.auditing.settings import AuditSettings
from mitools.comparing.encoder_set import EncoderSet
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
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
from mitools.measures.further.selection import selected_measures
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
    features
        Shape (n, d): of all items, possibly mapped from a file.
    spec
        As the encoder was named; what lies in memory has its name.
    """

    row: Mapping[str, Any]
    estimates: Mapping[str, Estimate]
    influence_nats: NDArray[np.float64]
    load_report: Mapping[str, Any] | None
    features: NDArray[Any]
    spec: str


@dataclass(frozen=True)
class Audit:
    """The audited encoders in the order asked for, layer by layer; and what failed, with the reason.

    `labels`, shape (n,), and `parts` are those of every encoder; `views` names the views whose pairs were
    measured.
    """

    data: str
    encoders: Sequence[AuditedEncoder]
    failures: Mapping[str, str]
    labels: NDArray[np.int64]
    parts: Parts
    prior: str
    views: Sequence[str] = ()

    def last_layers(self) -> list[AuditedEncoder]:
        """Give the last layer of every network: the layers of one are no independent encoders."""
        return list({one.row["network"]: one for one in self.encoders}.values())

    def encoder_set(self) -> EncoderSet:
        """Give the features of every network's last layer, to compare them on the same items.

        Raises
        ------
        InputError
            When there is one network.
        """
        rows = {one.row["encoder"]: one.features for one in self.last_layers()}
        return EncoderSet(rows, self.labels, self.parts).checked()


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
    further = selected_measures(settings.further_measures, GROUPS, bool(settings.view_pairings))
    settings = replace(settings, further_measures=further)
    views = [paired_view(name, ["same_class"]) for name in settings.view_pairings]
    if len({view.name for view in views}) < len(views):
        raise InputError(f"the pairings {', '.join(settings.view_pairings)} name one view twice")
    require_classes(data, SMALLEST_CLASS)
    class_prior(data.labels, settings.prior)
    parts = split_items(data, settings.seed)
    auditor = _Auditor(data, parts, store, ResultStore(out / "cells"), settings, views, advance or silent)

    audited: list[AuditedEncoder] = []
    failures: dict[str, str] = {}
    for request in requests:
        encoder = None
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
    return Audit(
        data.name, audited, failures, data.labels, parts, settings.prior, [view.name for view in views]
    )


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
        of_variables = any(name in self.settings.further_measures for name in CELLS["discrete"])
        variables = trained_variables(encoder.spec) if of_variables and encoder.source == "run" else None
        untrained = self._untrained(encoder)
        audited = []
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
            of_views = {view: representation.with_views(found[layer]) for view, found in viewed.items()}
            measured, seconds = self._measure(title, representation, of_views, untrained.reason)
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
                    row,
                    measured.estimates,
                    measured.influence_nats,
                    report.to_dict() if report else None,
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
        found = []
        for done, cell in enumerate(asked):
            self.advance(f"{title}: {cell}", done, len(asked))
            measured, seconds = kept_measure(self.results, cell, CELLS[cell], representation, settings)
            found.append((measured.only(asked_of(cell, self.settings)), seconds))
        for view, pairs in of_views.items():
            for cell in asked_view_cells(pairs, self.settings):
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


def _unique(name: str, taken: Collection[str]) -> str:
    """Give encoders of the same name numbers."""
    numbered = (name if k == 1 else f"{name}#{k}" for k in count(1))
    return next(candidate for candidate in numbered if candidate not in taken)
