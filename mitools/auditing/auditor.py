"""The audit: frozen encoders on labelled data, with mutual information and what it is compared with."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mitools.auditing.requests import EncoderRequest
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.core.progress import Advance, silent
from mitools.core.result_store import ResultStore, Values
from mitools.datasets.base import LabelledData
from mitools.datasets.selection import Selection, require_classes
from mitools.encoders.checkpoints.load import digest_weights
from mitools.encoders.encoder import Encoder
from mitools.encoders.in_memory import give_back
from mitools.encoders.layers.taps import OUTPUT
from mitools.encoders.open import AnyEncoder
from mitools.encoders.untrained_twin import untrained_twin
from mitools.estimators.inputs.class_prior import class_prior
from mitools.estimators.inputs.splits import SMALLEST_CLASS, Parts, split
from mitools.features.extract import Features, extract_layers
from mitools.features.store import FeatureStore
from mitools.measures.certificate import certificate
from mitools.measures.control import against_untrained, control_items
from mitools.measures.critics import same_class_critic, view_critic
from mitools.measures.quality import guard, quality
from mitools.measures.settings import AuditSettings
from mitools.pairing.same_class import bracket
from mitools.training.trained_head import trained_head
from mitools.views.item_views import ItemViews
from mitools.views.registry import make_view

Measure = Callable[[Features, Parts, AuditSettings], Values]

CONTROL_COLUMNS = (
    "control_i_class_bits",
    "control_i_class_low",
    "control_i_class_high",
    "control_gain_bits",
    "control_gain_low",
    "control_gain_high",
)
"""What the untrained twin reads, and how much more the encoder does on the same items; empty without one."""


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
    """The audited encoders in the order asked for, layer by layer; and what failed, with the reason."""

    data: str
    encoders: Sequence[AuditedEncoder]
    failures: Mapping[str, str]


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
        Told what is being done, how much of it is done, and how much there is.

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
    require_classes(data, SMALLEST_CLASS)
    class_prior(data.labels, settings.prior)
    parts = split(len(data), data.labels, settings.seed)
    auditor = _Auditor(data, parts, store, ResultStore(out / "cells"), settings, advance or silent)

    audited: list[AuditedEncoder] = []
    failures: dict[str, str] = {}
    for request in requests:
        encoder = None
        try:
            encoder = request.open(data)
            audited += auditor.audit(
                encoder, _unique(encoder.name, {done.row["network"] for done in audited})
            )
        except InputError as error:
            failures[request.title] = str(error)
        finally:
            give_back(encoder)
    if not audited:
        raise InputError(
            "; ".join(dict.fromkeys(failures.values())) or "no encoder given; add --encoder SPEC"
        )
    return Audit(data.name, audited, failures)


class _Auditor(NamedTuple):
    """What all encoders of an audit share."""

    data: LabelledData
    parts: Parts
    store: FeatureStore
    results: ResultStore
    settings: AuditSettings
    advance: Advance

    def audit(self, encoder: AnyEncoder, name: str) -> list[AuditedEncoder]:
        """Extract the features of one encoder and measure every cell on each of its layers."""
        seen = self._extract(encoder, self.data)
        views = ItemViews(make_view("simclr"), count=self.settings.views, seed=self.settings.seed)
        viewed = self._extract(encoder, self.data, views) if self.settings.simclr else {}
        control = self._control(encoder)
        return [self._layer(encoder, name, layer, seen, viewed.get(layer), control) for layer in seen]

    def _layer(
        self,
        encoder: AnyEncoder,
        name: str,
        layer: str,
        seen: Mapping[str, Features],
        viewed: Features | None,
        control: "_Control",
    ) -> AuditedEncoder:
        """Measure every cell on the features of one layer."""
        features, settings = seen[layer], self.settings
        title = name if layer == OUTPUT and len(seen) == 1 else f"{name}@{layer}"
        wanted: list[tuple[str, Measure, Features]] = [
            ("certificate", certificate, features),
            ("metrics", quality, features),
            ("guard", guard, features),
        ]
        if settings.critic:
            wanted.insert(1, ("infonce", same_class_critic, features))
        if viewed is not None:
            wanted.append(("simclr", view_critic, viewed))
        is_run = settings.trained_head and layer == OUTPUT and encoder.source == "run"
        head = trained_head(encoder.spec) if is_run else None
        if head is not None:
            wanted.append(("head", partial(same_class_critic, head=head), features))
            if viewed is not None:
                wanted.append(("simclr head", partial(view_critic, head=head), viewed))
        cells = {}
        for done, (kind, measure, measured) in enumerate(wanted):
            self.advance(f"{title}: {kind}", done, len(wanted))
            on = {"features": measured.key, "prior": settings.prior, "seed": settings.seed}
            if head is not None and kind.endswith("head"):
                on["head"] = digest_weights(head)
            cells[kind] = self.results.cell(kind, on, partial(measure, measured, self.parts, settings))
        cells["control"] = control.cell(layer, features, self.results, settings)
        report = encoder.load_report if isinstance(encoder, Encoder) else None
        place = {"encoder": title, "network": name, "layer": layer, "depth": list(seen).index(layer)}
        return AuditedEncoder(
            row=_row(encoder, place, features, len(seen), cells.values()),
            estimates=_estimates(cells.values()),
            influence_nats=np.array(cells["certificate"]["influence_nats"]),
            load_report=report.to_dict() if report else None,
        )

    def _control(self, encoder: AnyEncoder) -> "_Control":
        """Encode some items by the encoder's untrained twin, where it has one."""
        try:
            twin = untrained_twin(encoder, self.settings.seed) if self.settings.control else None
        except InputError as error:  # a network in memory that cannot be copied
            return _Control(reason=str(error))
        if twin is None:
            return _Control()
        items = control_items(self.data.labels)
        kept, labels = np.unique(self.data.labels[items], return_inverse=True)
        names = [self.data.classes[label] for label in kept]
        some = Selection(self.data, items, labels.astype(np.int64), names)
        try:
            return _Control(self._extract(twin, some), items)
        except InputError as error:  # random weights may overflow; that says nothing against the encoder
            return _Control(reason=str(error))

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


class _Control(NamedTuple):
    """The features of an untrained twin by layer and the items they are of; none without a twin."""

    features: Mapping[str, Features] = {}
    items: NDArray[np.int64] = np.empty(0, dtype=np.int64)
    reason: str = ""

    def cell(self, layer: str, own: Features, results: ResultStore, settings: AuditSettings) -> Values:
        """Hold a layer against the twin's."""
        reason = self.reason
        if layer in self.features:
            twin = self.features[layer]
            on = {"features": own.key, "twin": twin.key, "prior": settings.prior, "seed": settings.seed}
            try:
                return results.cell(
                    "control", on, partial(against_untrained, own, twin, self.items, settings)
                )
            except InputError as error:  # too few items of a class, after all
                reason = str(error)
        return {"seconds": 0.0, "warnings": {"control": [f"none: {reason}"] if reason else []}}


def _estimates(cells: Iterable[Values]) -> dict[str, Estimate]:
    return {
        column: Estimate.from_dict(values)
        for cell in cells
        for column, values in cell.get("estimates", {}).items()
    }


def _row(
    encoder: AnyEncoder, place: Values, features: Features, layers: int, cells: Collection[Values]
) -> Values:
    """Lay out one row of ``results.csv``."""
    estimates = _estimates(cells)
    i_class = estimates["i_class"]
    row: Values = place | {
        "source": encoder.source,
        "digest": encoder.digest,
        "n": len(features.labels),
        "dim": features.values.shape[2],
        "h_c_bits": i_class.entropy_bits,
        "i_class_identified": bracket(i_class).identified,
    }
    for column, estimate in estimates.items():
        interval = estimate.interval_bits
        row[f"{column}_bits"] = estimate.bits
        row[f"{column}_low"], row[f"{column}_high"] = interval[:2] if interval else (None, None)
    for cell in cells:
        row |= cell.get("metrics", {})
    row |= {column: row.get(column) for column in CONTROL_COLUMNS}
    # All layers share one pass.
    row["seconds"] = sum(cell["seconds"] for cell in cells) + features.seconds / layers
    words = {
        column: [caution.word for caution in estimate.warnings]
        for column, estimate in estimates.items()
        if column != "control_i_class"  # little is what is hoped for there
    }
    for cell in cells:
        words |= cell.get("warnings", {})
    row["warnings"] = "; ".join(f"{column}: {', '.join(found)}" for column, found in words.items() if found)
    return row


def _unique(name: str, taken: Collection[str]) -> str:
    """Tell encoders of the same name apart by a number."""
    numbered = (name if k == 1 else f"{name}#{k}" for k in count(1))
    return next(candidate for candidate in numbered if candidate not in taken)
