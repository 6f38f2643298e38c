"""One string opens an engine: ``local?workers=4``, ``dask:tcp://10.0.0.1:8786``, ``slurm:slurm.yaml``."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from mitools.backends.engines.base import Engine
from mitools.backends.engines.local import LocalEngine, cores
from mitools.core.errors import InputError
from mitools.core.names import nearest
from mitools.core.specs import Spec, parse_spec

ACCEPTED = (
    "local?workers=2, dask:tcp://HOST:8786, dask:scheduler.json, dask:local?workers=2 or slurm:FILE.yaml"
)
"""For messages."""


def engine_or_none(text: str | None, logs: Path) -> AbstractContextManager[Engine | None]:
    """Open the engine that is named, or none; see :func:`open_engine`."""
    return nullcontext() if text is None else open_engine(text, logs)


def open_engine(text: str, logs: Path) -> Engine:
    """Start or reach the engine that a spec names.

    Parameters
    ----------
    text
        ``local`` (processes of this machine, one a core or ``workers=``); ``dask:ADDRESS`` or
        ``dask:scheduler.json`` (a scheduler that runs already; ``gpus=1`` asks for workers that were started
        with ``--resources GPU=1``); ``dask:local?workers=2`` (a cluster of this machine, for the length of
        the command); ``slurm:FILE.yaml`` (a :class:`mitools.backends.engines.slurm.Submission`).
    logs
        Where jobs of a cluster write what they print; a folder that all machines see.

    Raises
    ------
    InputError
        When there is no such engine, an option is wrong, what it needs is not installed, or it does not
        answer.
    """
    source = text.partition("?")[0].partition(":")[0]
    if source not in _ENGINES:
        near = nearest(source, _ENGINES, 1)
        raise InputError(f"unknown engine {text!r}; did you mean {near}? accepted: {ACCEPTED}")
    return _ENGINES[source](parse_spec(text, _ENGINES), logs)


def _local(spec: Spec, logs: Path) -> Engine:
    spec.only("workers")
    if spec.name:
        raise InputError(f"engine {spec.text!r}: local takes workers= alone; accepted: {ACCEPTED}")
    return LocalEngine(spec.text, spec.integer("workers", cores(), at_least=1))


def _dask(spec: Spec, logs: Path) -> Engine:
    from mitools.backends.engines.dask import DaskEngine

    if spec.need_name("dask:tcp://HOST:8786 or dask:local?workers=2") == "local":
        spec.only("workers")
        return DaskEngine.on_this_machine(spec.text, spec.integer("workers", cores(), at_least=1))
    spec.only("gpus")
    return DaskEngine(spec.text, spec.name, spec.integer("gpus", 0))


def _slurm(spec: Spec, logs: Path) -> Engine:
    from mitools.backends.engines.slurm import SlurmEngine

    spec.only()
    return SlurmEngine(spec.text, Path(spec.need_name("slurm:slurm.yaml")), logs)


_ENGINES: dict[str, Callable[[Spec, Path], Engine]] = {"local": _local, "dask": _dask, "slurm": _slurm}
