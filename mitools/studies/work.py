"""The work of a study: every cell once, by as many processes as there are, and none lost."""

import errno
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, NamedTuple

from mitools.backends.processes import process_rank
from mitools.core.claims import ClaimFolder
from mitools.core.errors import InputError
from mitools.core.files import digest_text, write_text
from mitools.core.progress import Advance
from mitools.core.result_store import ResultStore, Values
from mitools.datasets.base import LabelledData
from mitools.datasets.open import open_data
from mitools.datasets.selection import require_classes
from mitools.encoders.open import AnyEncoder, open_encoder
from mitools.encoders.sources.precomputed import PrecomputedFeatures
from mitools.estimators.inputs.class_prior import class_prior
from mitools.estimators.inputs.splits import SMALLEST_CLASS, split
from mitools.features.extract import Features, extract
from mitools.features.store import FeatureStore
from mitools.measures import registry as measures
from mitools.studies.definition import Cell, Study, cells
from mitools.views.item_views import ItemViews
from mitools.views.registry import make_view

POLL_SECONDS = 1.0
FULL_DISK = (errno.ENOSPC, errno.EDQUOT)


class _Identity(NamedTuple):
    """What tells an encoder from every other."""

    digest: str
    preprocess: str


State = Literal["done", "failed", "claimed", "to do"]


class Found(NamedTuple):
    """A cell of a study and what has become of it.

    Attributes
    ----------
    cell
        The cell.
    state
        ``done``, ``failed``, ``claimed`` (someone works on it) or ``to do``.
    values
        What was measured; empty unless it is done.
    error
        Why it failed; empty unless it did.
    """

    cell: Cell
    state: State
    values: Values
    error: str


class StudyFolder:
    """A study and the folder that its cells are kept in, which several processes and machines may share.

    A cell is named by all it depends on: the encoder's weights and preprocessing, the data, the pairing, the
    measure, the seed, the prior and the views. A changed setting is another cell; a finished one is never
    computed again. Data and encoders are opened when first asked for.

    Parameters
    ----------
    study
        What is asked for.
    out
        The folder.
    """

    def __init__(self, study: Study, out: Path) -> None:
        self.study = study
        self.results = ResultStore(out / "cells")
        self.failures = out / "failures"
        self.claims = ClaimFolder(out / "claims")
        self._data: dict[str, LabelledData] = {}
        self._identities: dict[str, _Identity | InputError] = {}
        self._latest: tuple[str, AnyEncoder] | None = None

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """All cells, those on the same features one after another."""
        return tuple(cells(self.study))

    def data(self, spec: str) -> LabelledData:
        """Open a data set, once.

        Raises
        ------
        InputError
            When it cannot be opened or its classes cannot be split.
        """
        if spec not in self._data:
            data = open_data(spec)
            require_classes(data, SMALLEST_CLASS)
            class_prior(data.labels, self.study.prior)
            self._data[spec] = data
        return self._data[spec]

    def encoder(self, spec: str) -> AnyEncoder:
        """Open an encoder; the weights of the latest one alone are kept in memory.

        Raises
        ------
        InputError
            When it cannot be opened.
        """
        if self._latest is None or self._latest[0] != spec:
            self._latest = (spec, open_encoder(spec))
        return self._latest[1]

    def _identity(self, spec: str) -> "_Identity":
        if spec not in self._identities:
            try:
                encoder = self.encoder(spec)
                preprocess = "none" if isinstance(encoder, PrecomputedFeatures) else encoder.preprocess.key
                self._identities[spec] = _Identity(encoder.digest, preprocess)
            except InputError as error:
                self._identities[spec] = error
        found = self._identities[spec]
        if isinstance(found, InputError):
            raise found
        return found

    def found(self) -> Iterator[Found]:
        """Look up every cell."""
        for cell in self.cells:
            yield self.look(cell)

    def look(self, cell: Cell) -> Found:
        """Look up one cell."""
        try:
            on = self.request(cell)
        except InputError as error:
            return Found(cell, "failed", {}, str(error))
        values = self.results.kept(*on)
        if values is not None:
            return Found(cell, "done", values, "")
        reason = self._failure(on)
        if reason is not None:
            return Found(cell, "failed", {}, reason)
        return Found(cell, "claimed" if self.claims.is_claimed(self.key(on)) else "to do", {}, "")

    def request(self, cell: Cell) -> tuple[str, dict[str, Any]]:
        """Name a cell by what is measured and all it depends on.

        Raises
        ------
        InputError
            When its data or its encoder cannot be opened.
        """
        encoder = self._identity(cell.encoder)
        return cell.measure, {
            "data": self.data(cell.data).digest,
            "encoder": encoder.digest,
            "preprocess": encoder.preprocess,
            "pairing": cell.pairing,
            "prior": self.study.prior,
            "seed": cell.seed,
            "views": self.study.views if cell.needs_views else 1,
        }

    def key(self, request: tuple[str, Mapping[str, Any]]) -> str:
        """Name of a cell's files."""
        return self.results.path(*request).stem

    def fail(self, cell: Cell, request: tuple[str, Mapping[str, Any]], error: str) -> None:
        """Keep a cell's failure."""
        document = {"cell": cell._asdict(), "error": error}
        write_text(self._failure_path(request), json.dumps(document))

    def forget_failures(self) -> None:
        """Make failed cells ones to do."""
        for path in self.failures.glob("*.json"):
            path.unlink(missing_ok=True)

    def _failure_path(self, request: tuple[str, Mapping[str, Any]]) -> Path:
        return self.failures / f"{self.key(request)}.json"

    def _failure(self, request: tuple[str, Mapping[str, Any]]) -> str | None:
        try:
            return str(json.loads(self._failure_path(request).read_text())["error"])
        except (FileNotFoundError, ValueError, KeyError):
            return None


@dataclass
class Worker:
    """One process that works on a study.

    Attributes
    ----------
    folder
        The study.
    store
        Where features are kept.
    device
        Where encoders and critics run.
    batch_size, workers
        As :func:`mitools.features.extract.extract` takes them.
    advance
        Told how many cells are done.
    """

    folder: StudyFolder
    store: FeatureStore
    device: str = "cpu"
    batch_size: int = 256
    workers: int = 0
    advance: Advance | None = None
    _open: set[Cell] = field(default_factory=set)

    def run(self) -> None:
        """Work until every cell is done or has failed, whoever did it.

        A cell that another process works on is left to it and looked at again later; if that process dies,
        its claim grows stale and the cell is done here.
        """
        self._open = set(self.folder.cells)
        self._report()
        while self._open:
            before = len(self._open)
            for group in self._groups():
                self._work_on(group)
            if self._open and len(self._open) == before:
                time.sleep(POLL_SECONDS)

    def _groups(self) -> list[list[Cell]]:
        """Open cells by the features they need, starting elsewhere in every process."""
        waiting = [cell for cell in self.folder.cells if cell in self._open]
        groups = [list(group) for _, group in groupby(waiting, lambda c: (*c[:2], c.seed, c.needs_views))]
        start = process_rank() % len(groups)
        return [*groups[start:], *groups[:start]]

    def _work_on(self, group: list[Cell]) -> None:
        """Do what is left to do of the cells that share their features."""
        features: Features | None = None
        for cell in group:
            if self.folder.look(cell).state in ("done", "failed"):
                self._close(cell)
                continue
            request = self.folder.request(cell)
            with self.folder.claims.claim(self.folder.key(request)) as ours:
                # Between the look and the claim another process may have finished it.
                if not ours or self.folder.look(cell).state in ("done", "failed"):
                    continue
                try:
                    features = features or self._features(cell)
                    if features is None:
                        return  # another process extracts them; come back when they are there
                    self._measure(cell, request, features)
                except Exception as error:  # of whatever kind: one cell must not end forty encoders
                    if isinstance(error, OSError) and error.errno in FULL_DISK:
                        raise
                    self.folder.fail(cell, request, _described(error))
            self._close(cell)

    def _features(self, cell: Cell) -> Features | None:
        """Extract the features a cell needs, or None while another process extracts the same ones."""
        study, data = self.folder.study, self.folder.data(cell.data)
        encoder = self.folder.encoder(cell.encoder)
        views = (
            ItemViews(make_view("simclr"), count=study.views, seed=cell.seed) if cell.needs_views else None
        )
        name = digest_text("features", encoder.digest, data.digest, str(views), str(cell.seed))[:24]
        with self.folder.claims.claim(f"features-{name}") as ours:
            if not ours:
                return None
            return extract(
                encoder,
                data,
                store=self.store,
                views=views,
                fit_on=split(len(data), data.labels, cell.seed).train,
                device=self.device,
                batch_size=self.batch_size,
                workers=self.workers,
            )

    def _measure(self, cell: Cell, request: tuple[str, dict[str, Any]], features: Features) -> None:
        data, study = self.folder.data(cell.data), self.folder.study
        parts = split(len(data), data.labels, cell.seed)
        on = measures.Measuring(features, parts, study.prior, cell.seed, self.device)

        def compute() -> Values:
            if cell.pairing:
                return {"estimate": measures.estimate(cell.pairing, cell.measure, on)}
            return {"value": float(measures.METRICS[cell.measure](on))}

        self.folder.results.cell(*request, compute)

    def _close(self, cell: Cell) -> None:
        self._open.discard(cell)
        self._report()

    def _report(self) -> None:
        if self.advance:
            total = len(self.folder.cells)
            self.advance("cells", total - len(self._open), total)


def _described(error: Exception) -> str:
    said = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
    return " ".join(said.split())
