"""The folder of a study: what its cells are named by, and what has become of each."""

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml

from mitools.core.claims import ClaimFolder
from mitools.core.errors import InputError
from mitools.core.files import digest_text, write_text
from mitools.core.result_store import ResultStore, Values, sealed, unsealed
from mitools.core.run_record import require_own, write_record
from mitools.datasets.base import LabelledData
from mitools.datasets.open import open_data
from mitools.datasets.selection import require_classes
from mitools.encoders.checkpoints.load import digest_weights
from mitools.encoders.open import AnyEncoder, open_encoder
from mitools.encoders.sources.precomputed import PrecomputedFeatures
from mitools.estimators.inputs.class_prior import class_prior
from mitools.estimators.inputs.splits import SMALLEST_CLASS
from mitools.measures.item_split import groups_record, item_groups
from mitools.measures.registry import REVISION
from mitools.measures.representation import variables_key
from mitools.measures.settings import MeasureSettings
from mitools.studies.definition import Cell, Study, cells, read_study
from mitools.training.trained_head import trained_head
from mitools.training.trained_variables import trained_variables
from mitools.views.item_views import ItemViews
from mitools.views.registry import make_view

Request = tuple[str, dict[str, Any]]
"""The name of a measure as it begins a file's name, and all that its number depends on, as JSON values."""


STUDY = "study.yaml"
"""What was asked for, in the study's own folder."""


class _Identity(NamedTuple):
    """What makes an encoder another than all others."""

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

    A cell is named by all it depends on: the encoder's weights and preprocessing, the data, the measure, the
    seed, the prior, and the views and the trained head where it reads them. A changed setting is another
    cell; a finished one is never computed again. Data and encoders are opened when first asked for.

    Parameters
    ----------
    study
        What is asked for.
    out
        The folder.
    """

    def __init__(self, study: Study, out: Path) -> None:
        self.study, self.out = study, out
        self.results = ResultStore(out / "cells")
        self.failures = out / "failures"
        self.claims = ClaimFolder(out / "claims")
        self._data: dict[str, LabelledData] = {}
        self._identities: dict[str, _Identity | InputError] = {}
        self._heads: dict[str, str | None] = {}
        self._variables: dict[str, str | None] = {}
        self._latest: tuple[str, AnyEncoder] | None = None

    @classmethod
    def of(cls, folder: Path) -> "StudyFolder":
        """Open a study by its folder alone.

        Raises
        ------
        InputError
            When no study was begun there.
        """
        if not (folder / STUDY).is_file():
            raise InputError(
                f"{folder}: no study lies there; `mitools study STUDY.yaml --out {folder}` begins one"
            )
        return cls(read_study(folder / STUDY), folder)

    def begin(self, overwrite: bool = False) -> None:
        """Write the study and ``run.json`` into its folder; done once, before several processes work on it.

        Raises
        ------
        InputError
            When the folder holds something else than a study.
        """
        require_own(self.out, "study", overwrite)
        write_text(self.out / STUDY, yaml.safe_dump(self.study.model_dump(mode="json"), sort_keys=False))
        write_record(self.out, "study", seeds=list(self.study.seeds), data=list(self.study.data))

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """All cells, in the order of the study's file."""
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

    def _identity(self, spec: str) -> _Identity:
        if spec not in self._identities:
            try:
                encoder = self.encoder(spec)
                self._identities[spec] = (
                    _Identity(encoder.digest, "none")
                    if isinstance(encoder, PrecomputedFeatures)
                    else _Identity(encoder.network_digest, encoder.preprocess.key)
                )
            except InputError as error:
                self._identities[spec] = error
        found = self._identities[spec]
        if isinstance(found, InputError):
            raise found
        return found

    def found(self) -> Iterator[Found]:
        """Give the state of every cell."""
        for cell in self.cells:
            yield self.state_of(cell)

    def state_of(self, cell: Cell) -> Found:
        """Give the state of one cell."""
        try:
            request = self.request(cell)
        except InputError as error:
            return Found(cell, "failed", {}, str(error))
        values = self.results.kept(*request)
        if values is not None:
            return Found(cell, "done", values, "")
        reason = self._failure(request)
        if reason is not None:
            return Found(cell, "failed", {}, reason)
        return Found(cell, "claimed" if self.claims.is_claimed(self.fit_name(cell)) else "to do", {}, "")

    def settings(self, cell: Cell, device: str = "cpu") -> MeasureSettings:
        """Give the settings that a cell's measure sees."""
        return MeasureSettings(self.study.prior, cell.seed, device)

    def views(self, cell: Cell) -> ItemViews | None:
        """Give the views that a cell reads; None where it reads none."""
        if cell.view is None:
            return None
        return ItemViews(make_view(cell.view), count=self.study.views, seed=cell.seed)

    def request(self, cell: Cell) -> Request:
        """Name a cell by its measure and all that the number depends on.

        Raises
        ------
        InputError
            When its data, its encoder or the encoder's head cannot be opened.
        """
        name = cell.registered.name
        return name.replace(":", "-"), {"measure": name} | self._depends_on(cell)

    def fit_name(self, cell: Cell) -> str:
        """Name the fit that a cell's number comes from: claimed once for all measures of it.

        Raises
        ------
        InputError
            As :meth:`request`.
        """
        computation = cell.registered.computation
        return digest_text("fit", json.dumps([computation, self._depends_on(cell)], sort_keys=True))[:24]

    def _depends_on(self, cell: Cell) -> dict[str, Any]:
        encoder, views = self._identity(cell.encoder), self.views(cell)
        found: dict[str, Any] = {
            "data": self.data(cell.data).digest,
            "encoder": encoder.digest,
            "preprocess": encoder.preprocess,
            "revision": REVISION,
            **self.settings(cell).record(),
            **groups_record(item_groups(self.data(cell.data))),
        }
        if views is not None:
            found["views"] = views.key
        if "head" in cell.registered.reads:
            found["head"] = self._head_digest(cell.encoder)
        if "variables" in cell.registered.may_read:
            found["variables"] = self._variables_digest(cell.encoder)
        return found

    def _head_digest(self, spec: str) -> str | None:
        if spec not in self._heads:
            head = trained_head(spec)
            self._heads[spec] = None if head is None else digest_weights(head)
        return self._heads[spec]

    def _variables_digest(self, spec: str) -> str | None:
        if spec not in self._variables:
            own = trained_variables(spec)
            self._variables[spec] = None if own is None else variables_key(own)
        return self._variables[spec]

    def fail(self, cell: Cell, error: str) -> None:
        """Keep a cell's failure."""
        document = {"cell": cell._asdict(), "error": error}
        write_text(self._failure_path(self.request(cell)), sealed(document))

    def forget_failures(self) -> None:
        """Make failed cells ones to do."""
        for path in self.failures.glob("*.json"):
            path.unlink(missing_ok=True)

    def _failure_path(self, request: Request) -> Path:
        return self.failures / self.results.path(*request).name

    def _failure(self, request: Request) -> str | None:
        try:
            return str(unsealed(self._failure_path(request).read_text())["error"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
