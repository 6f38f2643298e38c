"""What a worker keeps open from one task to the next: data and networks, a few in each thread."""

import multiprocessing
import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

Value = TypeVar("Value")

MOST_KEPT = 3
"""Values a thread keeps: the data, their test part, and one encoder or study."""

_KEPT = threading.local()


def begin_job(job: str) -> None:
    """Let go of what this thread has opened for another job: its files may have changed since.

    Parameters
    ----------
    job
        A text that no other job has. Workers of a cluster live on from one job to the next.
    """
    if getattr(_KEPT, "job", None) != job:
        _KEPT.job = job
        forget()


def forget() -> None:
    """Let go of all that this thread keeps open, so that it is opened anew."""
    _KEPT.values = OrderedDict()


def opened(name: Any, open_it: Callable[[], Value]) -> Value:
    """Open something, or give it as an earlier task of this thread and this job has opened it.

    Threads share nothing: a network that one of them moves to a device must not move under another.

    Parameters
    ----------
    name
        All that it depends on; pickled.
    open_it
        Opens it.
    """
    kept: OrderedDict[bytes, Any] | None = getattr(_KEPT, "values", None)
    if kept is None:
        kept = _KEPT.values = OrderedDict()
    key = pickle.dumps(name)
    if key not in kept:
        kept[key] = open_it()
        if len(kept) > MOST_KEPT:
            kept.popitem(last=False)
    kept.move_to_end(key)
    found: Value = kept[key]
    return found


def reading_processes(workers: int) -> int:
    """Give how many processes may read and decode: none where this one must have no children."""
    return 0 if multiprocessing.current_process().daemon else workers
