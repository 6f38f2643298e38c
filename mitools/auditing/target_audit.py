"""The audit of encoders on items that have continuous targets, or several labels each, and no class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mitools.auditing.base import AuditedLayer, EncoderAudit
from mitools.auditing.course import Course
from mitools.auditing.each_encoder import Passes, audit_each, layer_place
from mitools.auditing.requests import EncoderRequest
from mitools.auditing.settings import AuditSettings
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.core.progress import Advance, silent
from mitools.core.result_store import ResultStore, Values
from mitools.datasets.arrays import digest_targets
from mitools.datasets.base import LabelledData
from mitools.datasets.official_parts import test_part_of
from mitools.datasets.targets import Targets, targets_of
from mitools.encoders.open import AnyEncoder
from mitools.estimators.inputs.splits import Parts
from mitools.features.extract import Features
from mitools.features.store import FeatureStore
from mitools.measures.item_split import groups_record, item_groups, split_items
from mitools.measures.registry import REVISION
from mitools.measures.targets.continuous import read_continuous
from mitools.measures.targets.multi_label import read_labels
from mitools.measures.targets.reading import TargetReading

FEWEST_ITEMS = 20
"""Items below which nothing is held out."""


@dataclass(frozen=True)
class AuditedOnTargets(AuditedLayer):
    """What was read of one encoder, or of one layer of it.

    Attributes
    ----------
    row, estimates, influence_nats
        As :class:`mitools.auditing.base.AuditedLayer` has them, of all targets together; the influences are
        those of ``i_target``.
    each
        Its rows of ``targets.csv``.
    """

    each: Sequence[Mapping[str, Any]]

    def in_network(self, network: str) -> Self:
        """Give it as a layer of a network of another name."""
        renamed = super().in_network(network)
        return replace(renamed, each=[{**row, "encoder": renamed.title} for row in self.each])


@dataclass(frozen=True)
class TargetAudit(EncoderAudit[AuditedOnTargets]):
    """The audited encoders in the order asked for, layer by layer; and what failed, with the reason.

    Attributes
    ----------
    data, encoders, failures
        As :class:`mitools.auditing.base.EncoderAudit` has them.
    kind
        Of the targets: ``continuous`` or ``multi-label``.
    targets
        Their names.
    conditions
        What the numbers depend on beside the encoders, as JSON values.
    """

    kind: str
    targets: Sequence[str]
    conditions: Mapping[str, Any] = field(default_factory=dict)


def run_target_audit(
    data: LabelledData,
    encoders: Sequence[EncoderRequest],
    *,
    out: Path,
    store: FeatureStore,
    settings: AuditSettings,
    advance: Advance | None = None,
) -> TargetAudit:
    """Measure what each encoder's features say of the targets of the data.

    Parameters
    ----------
    data
        Items with targets (:func:`mitools.datasets.targets.targets_of`).
    encoders
        As :func:`mitools.auditing.requests.as_requests` gives them.
    out
        Folder under which results are kept; an audit that was stopped goes on from there.
    store
        Where features are kept.
    settings
        See :class:`~mitools.auditing.settings.AuditSettings`; ``prior``, ``control`` and what goes by classes
        have no part.
    advance
        Called with what is being done, how much of it is done, and how much there is.

    Raises
    ------
    InputError
        When a setting asks for what needs classes, items are too few, or no encoder could be audited.
    """
    targets = targets_of(data)
    assert targets is not None
    _require(settings, data)
    split = split_items(data, settings.seed)
    given = None if test_part_of(data) is None else split
    advance = advance or silent
    course = Course(advance, len(encoders), 1)
    passes = Passes(split.train, store, settings, advance, course)
    results = ResultStore(out / "cells")
    auditor = _TargetAuditor(data, targets, given, item_groups(data), passes, results, settings)
    audited, failures = audit_each(encoders, data, auditor.audit, course)
    conditions = {"data_digest": data.digest, "targets": digest_targets(targets), **settings.record()}
    return TargetAudit(data.name, audited, failures, targets.kind, targets.names, conditions)


def shared_by_target_rows(data: LabelledData, settings: AuditSettings) -> dict[str, Any]:
    """Give what rows of one table have in common: items, targets, split and precision."""
    targets = targets_of(data)
    assert targets is not None
    return {
        "data": data.digest,
        "targets": digest_targets(targets),
        "seed": settings.seed,
        "revision": REVISION,
        **settings.precision_record(),
        **groups_record(item_groups(data)),
    }


def _require(settings: AuditSettings, data: LabelledData) -> None:
    """Refuse what an audit measures by classes alone."""
    asked = {
        "--pairing": bool(settings.view_pairings),
        "--measures": bool(settings.further_measures),
        "--trained-head": settings.trained_head,
        "--prior uniform": settings.prior != "empirical",
    }
    for option, given in asked.items():
        if given:
            raise InputError(
                f"{option} goes by classes, and {data.name} has other targets; leave it out, or read classes"
                " with target=class"
            )
    if len(data) < FEWEST_ITEMS:
        raise InputError(f"{data.name} has {len(data)} items; an audit needs {FEWEST_ITEMS} or more")


@dataclass(frozen=True)
class _TargetAuditor:
    """What all encoders of an audit share."""

    data: LabelledData
    targets: Targets
    parts: Parts | None
    groups: NDArray[np.int64] | None
    passes: Passes
    results: ResultStore
    settings: AuditSettings

    def audit(self, encoder: AnyEncoder, name: str) -> list[AuditedOnTargets]:
        """Extract the features of one encoder and read every layer."""
        features = self.passes.over(encoder, self.data)
        audited = []
        for depth, layer in enumerate(features):
            place = layer_place(encoder, name, features, layer)
            self.passes.course.begin_measuring(depth, len(features))
            self.passes.advance(f"{place['encoder']}: targets", depth, len(features))
            read, seconds = self._read(features[layer])
            place |= {"target": self.targets.kind, "targets": len(read.each)}
            # All layers share one pass.
            audited.append(_laid_out(place, read, seconds + features[layer].seconds / len(features)))
        return audited

    def _read(self, features: Features) -> tuple[TargetReading, float]:
        settings = self.settings.measure_settings
        read = read_continuous if self.targets.kind == "continuous" else read_labels
        on = {
            "rows": features.key,
            "targets": digest_targets(self.targets),
            "critic": self.settings.critic,
            **({"quick_critic": True} if settings.quick_critic else {}),
            "seed": settings.seed,
            "revision": REVISION,
            "test part": self.parts is not None,
            # Earlier versions did not look for copies where the split was given.
            **({"copies": "looked for"} if self.parts is not None and self.groups is None else {}),
            **groups_record(self.groups),
        }
        values = self.results.cell(
            "targets",
            on,
            lambda: read(
                features.values[:, 0], self.targets, self.parts, self.groups, settings, self.settings.critic
            ).to_dict(),
        )
        return TargetReading.from_dict(values), values["seconds"]


def _laid_out(place: Values, read: TargetReading, seconds: float) -> AuditedOnTargets:
    """Lay out the row of one layer, and those of its targets."""
    row = place | {"h_y_bits": read.estimates["i_target"].entropy_bits}
    for name, estimate in read.estimates.items():
        row |= estimate_columns(name, estimate)
    row |= dict(read.metrics)
    row |= {"seconds": seconds, "warnings": _warnings(read)}
    each = []
    for one in read.each:
        of_one: Values = {"encoder": place["encoder"], "target": one.name, "n": place["n"]}
        for name, estimate in one.estimates.items():
            of_one |= estimate_columns(name, estimate)
        words = {name: [w.word for w in estimate.warnings] for name, estimate in one.estimates.items()}
        each.append(of_one | dict(one.metrics) | {"warnings": _joined(words)})
    return AuditedOnTargets(row, read.estimates, read.influence_nats, each)


def estimate_columns(name: str, estimate: Estimate) -> Values:
    """Lay out an estimate: its value, interval, null and kind."""
    low, high = estimate.interval_bits[:2] if estimate.interval_bits else (None, None)
    return {
        f"{name}_bits": estimate.bits,
        f"{name}_low": low,
        f"{name}_high": high,
        f"{name}_null": estimate.null_bits,
        f"{name}_kind": estimate.kind,
    }


def _warnings(read: TargetReading) -> str:
    words = {name: [w.word for w in estimate.warnings] for name, estimate in read.estimates.items()}
    left_out = [f"{name} ({reason})" for name, reason in read.left_out.items()]
    return _joined(words | {"left out": left_out})


def _joined(words: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(f"{subject}: {', '.join(found)}" for subject, found in words.items() if found)
