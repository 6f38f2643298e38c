"""Several batches at once on a processor's cores, one core each.

Splitting every small operation over the cores (torch's own way) waits for the slowest core after each one.
On the CIFAR ResNets whole batches side by side are a fifth faster on an idle machine, and several times
faster on one that other processes use as well.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def stream_count(device: torch.device) -> int:
    """How many batches to compute side by side: torch's number of threads on a CPU, else one."""
    return torch.get_num_threads() if device.type == "cpu" else 1


def in_streams(function: Callable[[Item], Result], items: Iterable[Item], streams: int) -> Iterator[Result]:
    """Apply a function to every item, `streams` at a time, and yield the results in the items' order.

    The items are drawn in the calling thread while the streams compute, never more than one ahead of them.
    Within a stream torch uses one thread, and numbers too small for float32's full precision (below 1e-38)
    count as zero: processors are many times slower on those, and the softmax of a critic that knows its
    pairs is full of them. The calling thread and later ones stay as they are.

    Parameters
    ----------
    function
        Called from several threads at once.
    items
        Drawn as needed.
    streams
        At least one.
    """
    threads = torch.get_num_threads()
    pending: deque[Future[Result]] = deque()
    try:
        with ThreadPoolExecutor(streams, initializer=_set_up) as pool:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) > streams:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
    finally:
        torch.set_num_threads(threads)


def _set_up() -> None:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
