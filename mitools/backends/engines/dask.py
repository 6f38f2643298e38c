"""Tasks on a Dask cluster: the user's own scheduler, or one of this machine for the length of the command."""

import logging
import uuid
from collections.abc import Generator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

from mitools.backends.engines.base import Call, Engine
from mitools.backends.engines.local import own_share
from mitools.backends.workers import Outcome, Step, WorkerLostError
from mitools.core.errors import EngineLostError, InputError, reason_of
from mitools.core.files import read_json
from mitools.core.optional_packages import need

SECONDS_TO_ANSWER = 15
"""Until the scheduler and a first worker must have answered."""

SECONDS_WITHOUT_WORKERS = 60.0
"""That tasks wait while no worker is there, as when the last has left and none is started in its place."""

SECONDS_BETWEEN_LOOKS = 5.0
"""At our own cluster's workers, which are started again where one is lost."""

SECONDS_BETWEEN_STEPS = 0.5
"""That a worker leaves between two messages of its progress."""


class DaskEngine(Engine):
    """Does tasks on the workers of a Dask scheduler, which itself does those of a lost worker again.

    Parameters
    ----------
    spec
        As the user named the engine.
    scheduler
        An address (``tcp://10.0.0.1:8786``), a file that the scheduler has written (``scheduler.json``), or a
        cluster of ``distributed``, which is closed with the engine.
    gpus
        How much of the resource ``GPU`` a task asks for.

    Raises
    ------
    InputError
        When ``distributed`` is not installed, or no scheduler or no worker answers.
    """

    reruns = 0
    _next_look = 0.0

    def __init__(self, spec: str, scheduler: Any, gpus: int = 0) -> None:
        super().__init__(spec)
        distributed = need("distributed", "dask", f"engine {spec}")
        _quieten()
        self._resources = {"GPU": gpus} if gpus else None
        self._cluster = None if isinstance(scheduler, str) else scheduler
        address = _address_in(scheduler, spec) if str(scheduler).endswith(".json") else scheduler
        try:
            self._client = distributed.Client(
                address, timeout=SECONDS_TO_ANSWER, set_as_default=False, name="mitools"
            )
        except (OSError, TimeoutError, ValueError) as error:
            raise InputError(
                f"engine {spec}: no scheduler answers ({reason_of(error)}); `dask scheduler` starts one"
            ) from None
        try:
            self._client.wait_for_workers(1, timeout=SECONDS_TO_ANSWER)
        except TimeoutError:
            self.close()
            raise InputError(
                f"engine {spec}: the scheduler has no worker; `dask worker ADDRESS --nthreads 1` starts one"
            ) from None

    @classmethod
    def on_this_machine(cls, spec: str, workers: int) -> "DaskEngine":
        """Start a scheduler and its workers, one task each, for as long as the engine is open.

        Raises
        ------
        InputError
            When ``distributed`` is not installed.
        """
        distributed = need("distributed", "dask", f"engine {spec}")
        _quieten()
        # Features are read from mapped files, which a limit of memory would count.
        common = {"nthreads": 1, "memory_limit": 0, "dashboard": False, "silence_logs": logging.CRITICAL}
        try:
            cluster = distributed.SpecCluster(
                workers={
                    number: {
                        "cls": distributed.Nanny,
                        "options": common | {"env": own_share(number, workers)},
                    }
                    for number in range(workers)
                },
                scheduler={
                    "cls": distributed.Scheduler,
                    "options": {"host": "127.0.0.1", "port": 0, "dashboard_address": None},
                },
                silence_logs=logging.CRITICAL,
            )
        except (RuntimeError, OSError) as error:
            raise InputError(f"engine {spec}: its workers do not start ({reason_of(error)})") from None
        return cls(spec, cluster)

    def messages(self, calls: Mapping[str, Call]) -> Generator[tuple[str, Outcome | Step], None, None]:
        """Do every call once, and yield the steps and the outcome of each by its name."""
        self._require_gpus()
        arrived = SimpleQueue[tuple[str, Any]]()
        topic = f"mitools-{uuid.uuid4().hex}"
        self._client.subscribe_topic(topic, lambda event: arrived.put(event[1]))
        futures: dict[str, Any] = {}
        try:
            for name, call in calls.items():
                futures[name] = self._client.submit(
                    _perform, call, name, topic, key=name, resources=self._resources
                )
                futures[name].add_done_callback(partial(_ended, arrived, name))
            waiting = set(futures)
            while waiting:
                name, step = self._next(arrived)
                if step is not None:
                    yield name, tuple(step)
                    continue
                waiting.discard(name)
                yield name, self._outcome(futures.pop(name))
        finally:
            self._forget(topic, list(futures.values()))

    def _next(self, arrived: "SimpleQueue[tuple[str, Any]]") -> tuple[str, Any]:
        """Wait for what workers tell, as long as there are any.

        Raises
        ------
        EngineLostError
            When all have left.
        """
        seen = monotonic()
        while True:
            self._start_lost_workers_again()
            with suppress(Empty):
                return arrived.get(timeout=SECONDS_WITHOUT_WORKERS / 12)
            if self._client.scheduler_info(n_workers=-1)["workers"]:
                seen = monotonic()
            elif monotonic() - seen > SECONDS_WITHOUT_WORKERS:
                raise EngineLostError(
                    f"engine {self.spec}: its last worker has left; what was finished is kept, and the same"
                    " command goes on from there"
                )

    def _start_lost_workers_again(self) -> None:
        """Bring our own cluster to its full number of workers.

        Dask starts a killed worker again itself, but gives it up for good when it is killed once more as it
        starts, or takes longer than 15 seconds to start, as on busy cores.
        """
        if self._cluster is None or monotonic() < self._next_look:
            return
        self._next_look = monotonic() + SECONDS_BETWEEN_LOOKS
        self._cluster.loop.add_callback(_forget_ended_workers, self._cluster)
        self._cluster.scale(len(self._cluster.worker_spec))

    def _outcome(self, future: Any) -> Outcome:
        from distributed import KilledWorker

        if future.status == "cancelled":  # as all are when the connection to the scheduler breaks
            raise EngineLostError(
                f"engine {self.spec}: its scheduler does not answer any more; what was finished is kept, and"
                " the same command goes on from there"
            )
        if future.status == "finished":
            return future.result()
        error = future.exception()
        if isinstance(error, KilledWorker):
            return Outcome(
                error=WorkerLostError(f"every worker that did it died; is there memory enough? {error}")
            )
        if isinstance(error, ModuleNotFoundError):
            return Outcome(
                error=InputError(f"engine {self.spec}: a worker has {error}; install mitools there")
            )
        return Outcome(error=RuntimeError(reason_of(error)))

    def _require_gpus(self) -> None:
        """Refuse tasks that would wait for ever."""
        if self._resources is None:
            return
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        if not any(worker["resources"].get("GPU", 0) >= self._resources["GPU"] for worker in workers):
            raise InputError(
                f"engine {self.spec}: no worker has so many GPUs to give; start workers with"
                f' `dask worker ADDRESS --nthreads 1 --resources "GPU={self._resources["GPU"]}"`'
            )

    def _forget(self, topic: str, futures: list[Any]) -> None:
        """Let go of what is not needed any more, where there is still someone to tell."""
        if self._client.status == "running":
            with suppress(Exception):
                self._client.cancel(futures)
                self._client.unsubscribe_topic(topic)

    def close(self) -> None:
        """Leave the scheduler, and end the cluster where it is our own."""
        with suppress(Exception):
            self._client.close(timeout=SECONDS_TO_ANSWER)
        if self._cluster is not None:
            with suppress(Exception):
                self._cluster.close(timeout=SECONDS_TO_ANSWER)


def _address_in(file: str, spec: str) -> str:
    """Read the address that a scheduler has written into a file; Dask itself would wait until it is there."""
    try:
        return str(read_json(Path(file))["address"])
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            f"engine {spec}: {file} is no file with a scheduler's address; `dask scheduler --scheduler-file"
            f" {file}` writes one"
        ) from None


def _forget_ended_workers(cluster: Any) -> None:
    """Take off a cluster's list what has ended: in its place another is started."""
    for number, nanny in list(cluster.workers.items()):
        if nanny.status.name in ("failed", "closed"):
            del cluster.workers[number]


def _ended(arrived: "SimpleQueue[tuple[str, Any]]", name: str, future: Any) -> None:
    arrived.put((name, None))


def _perform(call: Call, name: str, topic: str) -> Outcome:
    """Do a call on a worker of Dask, which hands on its progress through the scheduler."""
    from distributed import get_worker

    worker, told = get_worker(), -SECONDS_BETWEEN_STEPS

    def advance(what: str, done: int, total: int) -> None:
        nonlocal told
        if monotonic() - told >= SECONDS_BETWEEN_STEPS:
            told = monotonic()
            worker.log_event(topic, (name, (what, done, total)))

    return call.perform(advance)


def _quieten() -> None:
    """Leave the console to the command: what is lost and done again is no error."""
    for name in (
        "distributed",
        "distributed.worker",
        "distributed.scheduler",
        "distributed.client",
        "tornado",
    ):
        logging.getLogger(name).setLevel(logging.CRITICAL)
