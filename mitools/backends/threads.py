"""How many threads torch and BLAS compute with on a CPU."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from time import perf_counter

import torch
from threadpoolctl import ThreadpoolController

from mitools.core.errors import InputError

WORTH_MORE_THREADS = 1.5
"""How much faster several threads must be than one to be taken."""

SECONDS_MEASURED = 2.0
"""After which no further step is timed."""

STEPS_IN_A_ROW = 3
"""Steps timed with one number of threads before the other has its turn; the first wakes threads up."""

MOST_TURNS = 5


def threads_asked_for() -> int | None:
    """Give the number of threads that ``OMP_NUM_THREADS`` asks for; None where it does not.

    Raises
    ------
    InputError
        When it is no number above 0.
    """
    text = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if not text:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"OMP_NUM_THREADS={text} must be a whole number above 0")
    return int(text)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch compute with so many threads inside the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def blas_threads(count: int | None) -> AbstractContextManager[object]:
    """Let the BLAS of NumPy and SciPy compute with so many threads inside the block; None changes nothing."""
    return _controller().limit(limits=count, user_api="blas")


def all_threads(count: int) -> AbstractContextManager[object]:
    """Let BLAS, and what else computes by OpenMP (scikit-learn), take so many threads inside the block."""
    return _controller().limit(limits=count)


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    # Made once: it finds the libraries in a callback from C, in which an interrupt would be lost.
    return ThreadpoolController()


def fastest_threads(step: Callable[[], object]) -> int:
    """Measure whether torch's threads are worth it for a piece of work, or one is.

    Threads wait for each other after every small operation, and the more so where other processes keep the
    cores busy. One thread is taken unless all are :data:`WORTH_MORE_THREADS` times as fast.

    Parameters
    ----------
    step
        The work; it is done a few times, for about :data:`SECONDS_MEASURED` seconds.

    Returns
    -------
    int
        1, or torch's present number of threads.
    """
    most = torch.get_num_threads()
    if most == 1:
        return 1
    best, started = dict.fromkeys((1, most), float("inf")), perf_counter()
    for _ in range(MOST_TURNS):
        for count in best:
            with threads(count):
                for _ in range(STEPS_IN_A_ROW):
                    began = perf_counter()
                    step()
                    best[count] = min(best[count], perf_counter() - began)
                    if best[count] > SECONDS_MEASURED / STEPS_IN_A_ROW:
                        break
        if perf_counter() - started > SECONDS_MEASURED:
            break
    return most if best[1] >= WORTH_MORE_THREADS * best[most] else 1
