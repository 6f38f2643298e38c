"""The audit: frozen encoders on labelled data, with mutual information and what it is compared with."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mitools.datasets.base import LabelledData
from mitools.datasets.selection import require_classes
from mitools.encoders.encoder import Encoder
from mitools.encoders.open import SOURCES, AnyEncoder, open_encoder
from mitools.errors import InputError
from mitools.estimate import Estimate
from mitools.estimators.class_prior import class_prior
from mitools.estimators.parts import SMALLEST_CLASS, Parts, split
from mitools.features.extract import Advance, Features, extract
from mitools.features.store import FeatureStore
from mitools.measurements import AuditSettings, certificate, quality, same_class_critic, view_critic
from mitools.pairing.augmented import SimCLRViews
from mitools.pairing.same_class import bracket
from mitools.results import ResultStore, Values
from mitools.specs import parse_spec

Measure = Callable[[Features, Parts, AuditSettings], Values]


@dataclass(frozen=True)
class AuditedEncoder:
    """What the audit found out about one encoder.

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
    """The audited encoders in the order asked for, and those that failed with the reason."""

    data: str
    encoders: Sequence[AuditedEncoder]
    failures: Mapping[str, str]


def run_audit(
    data: LabelledData,
    encoders: Sequence[str],
    *,
    out: Path,
    store: FeatureStore,
    settings: AuditSettings | None = None,
    advance: Advance | None = None,
) -> Audit:
    """Measure how much class information each encoder's features carry, and all it is compared with.

    Parameters
    ----------
    data
        Labelled items; split once, and alike for every encoder.
    encoders
        Encoder specs.
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
    for spec in encoders:
        parse_spec(spec, SOURCES)
    require_classes(data, SMALLEST_CLASS)
    class_prior(data.labels, settings.prior)
    parts = split(len(data), data.labels, settings.seed)
    auditor = _Auditor(data, parts, store, ResultStore(out / "cells"), settings, advance or _silent)

    audited: list[AuditedEncoder] = []
    failures: dict[str, str] = {}
    for spec in encoders:
        try:
            encoder = open_encoder(spec)
            audited.append(
                auditor.audit(encoder, _unique(encoder.name, [done.row["encoder"] for done in audited]))
            )
        except InputError as error:
            failures[spec] = str(error)
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

    def audit(self, encoder: AnyEncoder, name: str) -> AuditedEncoder:
        """Extract the features of one encoder and measure every cell on them."""
        seen = self._extract(encoder)
        wanted: list[tuple[str, Measure, Features]] = [
            ("certificate", certificate, seen),
            ("infonce", same_class_critic, seen),
            ("metrics", quality, seen),
        ]
        if self.settings.simclr:
            views = SimCLRViews(count=self.settings.views, seed=self.settings.seed)
            wanted.append(("simclr", view_critic, self._extract(encoder, views)))
        cells = {}
        for done, (kind, measure, features) in enumerate(wanted):
            self.advance(f"{name}: {kind}", done, len(wanted))
            on = {"features": features.key, "prior": self.settings.prior, "seed": self.settings.seed}
            cells[kind] = self.results.cell(kind, on, partial(measure, features, self.parts, self.settings))
        report = encoder.load_report if isinstance(encoder, Encoder) else None
        return AuditedEncoder(
            row=_row(encoder, name, seen, cells.values()),
            estimates=_estimates(cells.values()),
            influence_nats=np.array(cells["certificate"]["influence_nats"]),
            load_report=report.to_dict() if report else None,
        )

    def _extract(self, encoder: AnyEncoder, views: SimCLRViews | None = None) -> Features:
        return extract(
            encoder,
            self.data,
            store=self.store,
            views=views,
            fit_on=self.parts.train,
            device=self.settings.device,
            batch_size=self.settings.batch_size,
            workers=self.settings.workers,
            advance=self.advance,
        )


def _estimates(cells: Iterable[Values]) -> dict[str, Estimate]:
    return {
        column: Estimate.from_dict(values)
        for cell in cells
        for column, values in cell.get("estimates", {}).items()
    }


def _row(encoder: AnyEncoder, name: str, features: Features, cells: Collection[Values]) -> Values:
    """Lay out one row of ``results.csv``."""
    estimates = _estimates(cells)
    i_class = estimates["i_class"]
    row: Values = {
        "encoder": name,
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
    row["seconds"] = sum(cell["seconds"] for cell in cells) + features.seconds
    row["warnings"] = "; ".join(
        f"{column}: {', '.join(caution.word for caution in estimate.warnings)}"
        for column, estimate in estimates.items()
        if estimate.warnings
    )
    return row


def _silent(what: str, done: int, total: int) -> None:
    """Report progress to nobody."""


def _unique(name: str, taken: Collection[str]) -> str:
    """Tell encoders of the same name apart by a number."""
    numbered = (name if k == 1 else f"{name}#{k}" for k in count(1))
    return next(candidate for candidate in numbered if candidate not in taken)
