"""Tasks in processes of this machine, over pipes: nothing is installed for it, and no port is opened."""

import os
from collections.abc import Generator, Mapping

from mitools.backends.engines.base import Call, Engine
from mitools.backends.workers import Outcome, Step, worker_messages
from mitools.core.progress import Advance


class LocalEngine(Engine):
    """Does tasks in processes of this machine.

    Parameters
    ----------
    spec
        As the user named the engine.
    workers
        How many processes. Each has its share of the cores, and of several GPUs one.
    """

    def __init__(self, spec: str, workers: int) -> None:
        super().__init__(spec)
        self.workers = workers

    def messages(self, calls: Mapping[str, Call]) -> Generator[tuple[str, Outcome | Step], None, None]:
        """Do every call once, and yield the steps and the outcome of each by its name."""
        found = worker_messages(_perform, calls, self.workers, lambda worker: own_share(worker, self.workers))
        for name, message in found:
            # A call that was done has its own outcome inside that of the process.
            done = isinstance(message, Outcome) and message.error is None
            yield name, message.result if done else message  # type: ignore[union-attr]


def _perform(call: Call, advance: Advance) -> Outcome:
    return call.perform(advance)


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def own_share(worker: int, workers: int) -> dict[str, str]:
    """Give the variables that leave a worker its share of the machine's cores, and one of its GPUs.

    What the user has set stays: ``OMP_NUM_THREADS``, and which GPUs are visible.
    """
    share = {}
    if not os.environ.get("OMP_NUM_THREADS"):
        share["OMP_NUM_THREADS"] = str(max(1, cores() // workers))
    gpus = _visible_gpus()
    if gpus:
        share["CUDA_VISIBLE_DEVICES"] = gpus[worker % len(gpus)]
    return share


def _visible_gpus() -> list[str]:
    import torch

    if "CUDA_VISIBLE_DEVICES" in os.environ:
        return [name.strip() for name in os.environ["CUDA_VISIBLE_DEVICES"].split(",") if name.strip()]
    return [str(number) for number in range(torch.cuda.device_count())]
