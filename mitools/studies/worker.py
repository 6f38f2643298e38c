"""The work of a study: every cell once, by as many processes as there are, and none lost."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from mitools.backends.processes import process_rank
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.core.files import FULL_DISK, digest_text
from mitools.core.progress import Advance, silent, tell_whole
from mitools.core.result_store import Values
from mitools.core.specs import shown_name
from mitools.datasets.base import LabelledData
from mitools.encoders.open import AnyEncoder
from mitools.features.extract import Features, extract
from mitools.features.store import FeatureStore
from mitools.measures.compute import measure
from mitools.measures.control import control_of
from mitools.measures.item_split import split_items
from mitools.measures.measured import Difference, Measured
from mitools.measures.representation import Representation
from mitools.studies.definition import Cell
from mitools.studies.folder import StudyFolder
from mitools.training.trained_head import trained_head
from mitools.training.trained_variables import trained_variables
from mitools.views.item_views import ItemViews

POLL_SECONDS = 1.0


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
        Called with how many cells are done, and how many there are.
    shared
        Whether other processes may work on the same cells, so that each is claimed. An engine gives every
        cell to one worker.
    """

    folder: StudyFolder
    store: FeatureStore
    device: str = "cpu"
    batch_size: int = 256
    workers: int = 0
    advance: Advance | None = None
    shared: bool = True
    _cells: Sequence[Cell] = ()
    _open: set[Cell] = field(default_factory=set)

    def run(self, cells: Sequence[Cell] | None = None) -> None:
        """Work until every cell, or each of those given, is done or has failed, whoever did it.

        A fit that another process works on is left to it and looked at again later; if that process dies,
        its claim grows stale and the fit is done here.
        """
        self._cells = self.folder.cells if cells is None else cells
        self._open = set(self._cells)
        self._report()
        while self._open:
            before = len(self._open)
            for group in self._groups():
                self._work_on(group)
            if self._open and len(self._open) == before:
                time.sleep(POLL_SECONDS)

    def _claim(self, name: str) -> AbstractContextManager[bool]:
        return self.folder.claims.claim(name) if self.shared else nullcontext(True)

    def _groups(self) -> list[list[Cell]]:
        """Open cells by the representation they read, starting elsewhere in every process."""
        waiting = [cell for cell in self._cells if cell in self._open]
        groups = grouped(waiting, representation_of)
        start = process_rank() % len(groups)
        return [*groups[start:], *groups[:start]]

    def _work_on(self, group: list[Cell]) -> None:
        """Do what is left to do of the cells that read one representation, a fit at a time."""
        representation: Representation | None = None
        for of_fit in grouped(group, lambda cell: cell.registered.computation):
            if not self._unfinished(of_fit):
                continue
            with self._claim(self.folder.fit_name(of_fit[0])) as ours:
                # Before the claim was ours another process may have finished them.
                waiting = self._unfinished(of_fit) if ours else []
                if not waiting:
                    continue
                try:
                    representation = representation or self._represent(waiting[0])
                    if representation is None:
                        return  # another process extracts features; come back when they are there
                    self._measure(waiting, representation)
                except Exception as error:  # of whatever kind: one cell must not end forty encoders
                    if isinstance(error, OSError) and error.errno in FULL_DISK:
                        raise
                    for cell in self._unfinished(waiting):
                        self.folder.fail(cell, described(error))
            self._unfinished(waiting)

    def _unfinished(self, cells: Iterable[Cell]) -> list[Cell]:
        """Cells that are neither done nor failed; those that are need no more work here."""
        unfinished = []
        for cell in cells:
            if self.folder.state_of(cell).state not in ("done", "failed"):
                unfinished.append(cell)
            elif cell in self._open:
                self._open.discard(cell)
                self._report()
        return unfinished

    def _represent(self, cell: Cell) -> Representation | None:
        """Extract what a cell reads, or give None while another process extracts some of it."""
        self._advance_within(f"opening {shown_name(cell.encoder)} and {shown_name(cell.data)}", 0, 1)
        data, encoder = self.folder.data(cell.data), self.folder.encoder(cell.encoder)
        reads, views = cell.registered.reads, self.folder.views(cell)
        parts = split_items(data, cell.seed)
        extracted = partial(self._extract, seed=cell.seed, fit_on=parts.train)
        control = control_of(encoder, data, cell.seed) if "untrained" in reads else None
        features = extracted(encoder, data)
        viewed = None if views is None else extracted(encoder, data, views=views)
        untrained = None if control is None else extracted(control.twin, control.data)
        missing = (views is not None and viewed is None) or (control is not None and untrained is None)
        if features is None or missing:
            return None
        return Representation.of_features(
            features,
            parts,
            views=viewed,
            head=trained_head(cell.encoder) if "head" in reads else None,
            untrained=untrained,
            untrained_items=None if control is None else control.items,
            variables=trained_variables(cell.encoder) if "variables" in cell.registered.may_read else None,
        )

    def _extract(
        self,
        encoder: AnyEncoder,
        data: LabelledData,
        *,
        seed: int,
        views: ItemViews | None = None,
        **options: Any,
    ) -> Features | None:
        """Extract features, or give None while another process extracts the same ones."""
        name = digest_text("features", encoder.digest, data.digest, views.key if views else "", str(seed))[
            :24
        ]
        with self._claim(f"features-{name}") as ours:
            if not ours:
                return None
            self._report()
            return extract(
                encoder,
                data,
                store=self.store,
                views=views,
                device=self.device,
                batch_size=self.batch_size,
                workers=self.workers,
                advance=self._advance_within,
                **options,
            )

    def _measure(self, cells: list[Cell], representation: Representation) -> None:
        """Compute the cells of one fit, and keep each."""
        names = [cell.registered.name for cell in cells]
        self._tell(cells[0], ", ".join(map(_in_words, dict.fromkeys(names))))
        settings = self.folder.settings(cells[0], self.device)
        measured = cache(partial(measure, names, representation, settings))
        for cell in cells:
            self.folder.results.cell(*self.folder.request(cell), partial(_values, measured, cell))

    def _report(self) -> None:
        if self.advance:
            total = len(self._cells)
            done = total - len(self._open)
            self.advance("cells", done, total)
            tell_whole(self.advance, f"cell {min(done + 1, total)} of {total}", done, total)

    def _tell(self, cell: Cell, measures: str) -> None:
        """Name what is measured now."""
        of = f"{shown_name(cell.encoder)} on {shown_name(cell.data)}, seed {cell.seed}"
        self._advance_within(f"{of}: {measures}", 0, 1)

    @property
    def _advance_within(self) -> Advance:
        """Tell of steps within a cell: to who knows of the whole, since others are told of cells."""
        return self.advance if self.advance is not None and hasattr(self.advance, "whole") else silent


def _in_words(measure: str) -> str:
    """Name a measure while it is computed: ``I_class``, ``label information``."""
    return f"I{measure[1:]}" if measure.startswith("i_") else measure.replace("_", " ")


def _values(measured: Callable[[], Measured], cell: Cell) -> Values:
    """Compute the fit of a cell, unless it was for another, and give the cell's number as JSON values."""
    number = measured()[cell.registered.name]
    if isinstance(number, Estimate):
        return {"estimate": number.to_dict()}
    if isinstance(number, Difference):
        return {"difference": number.to_dict()}
    return {"value": number}


def representation_of(cell: Cell) -> tuple[Any, ...]:
    """Name what a cell reads: cells of one name read one representation."""
    read = (*cell.registered.reads, *cell.registered.may_read)
    further = tuple(field for field in read if field not in ("rows", "labels"))
    return cell.data, cell.encoder, cell.seed, further, cell.view


def grouped(cells: Iterable[Cell], key: Callable[[Cell], Any]) -> list[list[Cell]]:
    """Group cells, in the order in which each group begins."""
    groups: dict[Any, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(key(cell), []).append(cell)
    return list(groups.values())


def described(error: Exception) -> str:
    """Put an error into one line; of one that is no fault of the request, its type too."""
    said = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
    return " ".join(said.split())
