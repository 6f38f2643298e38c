"""An audit on an engine: features by shards, then an encoder a task; the audit itself finds all kept."""

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from mitools.auditing.auditor import run_audit
from mitools.auditing.requests import EncoderRequest
from mitools.auditing.settings import AuditSettings
from mitools.backends.engines.base import Engine
from mitools.backends.engines.opened import opened, reading_processes
from mitools.backends.processes import own_device
from mitools.backends.workers import Outcome
from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.core.progress import Advance, tell_whole
from mitools.datasets.base import LabelledData
from mitools.datasets.grouped import with_groups
from mitools.datasets.open import open_data
from mitools.encoders.open import AnyEncoder
from mitools.features.extract import PassOptions
from mitools.features.shards import Pass, extract_on, failure_of
from mitools.features.store import FeatureStore
from mitools.measures.item_split import training_items
from mitools.pairing.view_pairs import paired_view
from mitools.views.item_views import ItemViews


class AuditedData(NamedTuple):
    """The data of an audit as a worker opens them.

    Attributes
    ----------
    spec
        Of the data.
    groups
        The file that says which items depend on each other; None where there is none.
    test
        The spec of a test part; None where there is none.
    """

    spec: str
    groups: Path | None = None
    test: str | None = None


class _Task(NamedTuple):
    """One encoder of an audit."""

    data: AuditedData
    request: EncoderRequest
    out: Path
    root: Path
    settings: AuditSettings


def measure_on(
    engine: Engine,
    data: AuditedData,
    requests: Sequence[EncoderRequest],
    out: Path,
    store: FeatureStore,
    settings: AuditSettings,
    advance: Advance,
) -> list[EncoderRequest]:
    """Extract and measure encoders on the workers of an engine, so that an audit finds everything kept.

    Parameters
    ----------
    engine
        Where to. Its workers write into `out` and the store, which they share with this process.
    data
        What is audited.
    requests
        Encoders that workers can open by themselves.
    out, store, settings, advance
        As :func:`mitools.auditing.auditor.run_audit` takes them.

    Returns
    -------
    list of EncoderRequest
        The requests as they were; one that failed on a worker raises the same error when it is opened.

    Raises
    ------
    InputError
        When an encoder lies in memory.
    EngineLostError
        When the engine has gone; what was finished is kept.
    """
    for request in requests:
        _require_named(request)
    options: PassOptions = {
        "device": settings.device,
        "batch_size": settings.batch_size,
        "workers": settings.workers,
        "precision": settings.precision,
        "kept_as": settings.kept_as,
    }
    passes = [one for k, request in enumerate(requests) for one in _passes(str(k), data, request, settings)]
    failed = extract_on(engine, passes, store=store, options=options, advance=advance)
    waiting = {k: request for k, request in enumerate(requests) if str(k) not in failed}
    tasks = {
        f"encoder-{k}-{_digest(data, request, out, settings)}": _Task(
            data, request, out.absolute(), store.root.absolute(), settings
        )
        for k, request in waiting.items()
    }
    count = _Count(len(tasks), advance)
    outcomes = engine.run(_audit_encoder, tasks, [out, store.root], advance, count)
    for k, outcome in zip(waiting, outcomes.values(), strict=True):
        error = failure_of(outcome)
        if error is not None:
            failed[str(k)] = error
    return [
        replace(request, open=partial(_raise, str(failed[str(k)]))) if str(k) in failed else request
        for k, request in enumerate(requests)
    ]


def _require_named(request: EncoderRequest) -> None:
    if not request.is_named:
        raise InputError(
            f"encoder {request.title} lies in memory, and workers of an engine open encoders by themselves;"
            " name a spec, or leave the engine out"
        )


def _passes(name: str, data: AuditedData, request: EncoderRequest, settings: AuditSettings) -> Iterator[Pass]:
    """Give the passes over all items that an encoder of the audit needs."""
    train = partial(training_items, seed=settings.seed)
    yield Pass(name, request.title, partial(_open, data), request.open, None, train)
    for view in settings.view_pairings:
        views = partial(_views, view, settings.views, settings.seed)
        yield Pass(name, request.title, partial(_open, data), request.open, views, train)


def _views(name: str, count: int, seed: int) -> ItemViews:
    return ItemViews(paired_view(name, ["same_class"]), count, seed)


def _opened_data(data: AuditedData) -> LabelledData:
    return opened(partial(_open, data), partial(_open, data))


def _open(data: AuditedData) -> LabelledData:
    found = open_data(data.spec)
    return found if data.groups is None else with_groups(found, data.groups)


def _digest(data: AuditedData, request: EncoderRequest, out: Path, settings: AuditSettings) -> str:
    """Digest all that the numbers of an encoder depend on."""
    named = pickle.dumps((data, request, settings)).hex()
    return digest_text("audit", _opened_data(data).digest, named, str(out.absolute()))[:32]


def _audit_encoder(task: _Task, advance: Advance) -> None:
    """Audit one encoder, on a worker: what is measured is kept in the folder of the audit."""
    settings = replace(
        task.settings,
        device=str(own_device(task.settings.device)),
        workers=reading_processes(task.settings.workers),
        trained_head=task.settings.trained_head and task.request.source == "run",
    )
    run_audit(
        _opened_data(task.data),
        [replace(task.request, open=partial(_opened, task))],
        out=task.out,
        store=FeatureStore(task.root),
        settings=settings,
        test=None if task.data.test is None else opened(task.data.test, partial(open_data, task.data.test)),
        advance=advance,
    )


def _opened(task: _Task, data: LabelledData) -> AnyEncoder:
    """Open the encoder of a task, or give it as the last shard of the same one has left it."""
    return opened((partial(_open, task.data), task.request.open), lambda: task.request.open(data))


def _raise(why: str, data: LabelledData) -> AnyEncoder:
    raise InputError(why)


class _Count:
    """Tells how many encoders have ended."""

    def __init__(self, total: int, advance: Advance) -> None:
        self._done, self._total, self._advance = 0, total, advance

    def __call__(self, name: str, outcome: Outcome) -> None:
        self._done += 1
        self._advance("encoders measured", self._done, self._total)
        tell_whole(self._advance, f"encoder {self._done} of {self._total}", self._done, self._total, 0.0)
