"""A step of IMSVD against one of Barlow Twins and of VICReg, at the width of the paper (its Table IV)."""

import os
import resource
from collections.abc import Callable
from pathlib import Path
from time import process_time

from mitools.backends.runtime import Runtime
from mitools.backends.threads import threads
from mitools.core.progress import silent
from mitools.training.loop.run_folder import RunFolder
from mitools.training.loop.trainer import _Run
from mitools.training.recipes import TrainingRecipe

BATCH, WIDTH, HIDDEN = 256, 8160, 512
"""The paper's width; a hidden layer so narrow that the loss, and not the projector, makes the step."""

WITHIN = 1.5
"""How much longer than that of Barlow Twins a step of IMSVD may take."""

OPTIONS = {
    "imsvd": {"variables": WIDTH // 80, "units": 80, "hidden": HIDDEN},
    "barlow_twins": {"width": WIDTH, "hidden": HIDDEN, "layers": 2},
    "vicreg": {"width": WIDTH, "hidden": HIDDEN, "layers": 2},
}


def step_of(method: str, folder: Path) -> Callable[[], None]:
    """Make one epoch of one step."""
    recipe = TrainingRecipe(
        encoder="convnet",
        data=f"cdp?shared=color&n={BATCH}&size=32&background=none",
        method=method,
        options=OPTIONS[method],
        batch_size=BATCH,
    )
    run = _Run.prepare(recipe, RunFolder(folder), Runtime(), silent)
    prepared = run.runtime.prepare(run.method)
    return lambda: run._epoch(prepared, 0, None)


def test_a_step_of_imsvd_takes_little_longer_than_one_of_barlow_twins(tmp_path: Path) -> None:
    """In processor time of one thread, in turns, so that other processes slow all alike."""
    steps = {method: step_of(method, tmp_path / method) for method in OPTIONS}
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    with threads(1):
        for _ in range(3):
            for name, step in steps.items():
                began = process_time()
                step()
                seconds[name].append(process_time() - began)
    best = {name: min(taken) for name, taken in seconds.items()}
    print({name: f"{taken:.2f} s, {taken / best['barlow_twins']:.2f} times" for name, taken in best.items()})
    assert best["imsvd"] < WITHIN * best["barlow_twins"], seconds


def peak_memory(method: str, folder: Path) -> float:
    """Measure the peak of a step in a process of its own, in MiB."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        step_of(method, folder)()
        os.write(writer, str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss).encode())
        os._exit(0)
    os.waitpid(child, 0)
    return int(os.read(reader, 64)) / 1024


def test_imsvd_needs_no_more_memory_than_barlow_twins(tmp_path: Path) -> None:
    """Run it by itself: the child of a process that held much begins with its peak."""
    with threads(1):
        found = {method: peak_memory(method, tmp_path / method) for method in OPTIONS}
    print({method: f"{peak:.0f} MiB" for method, peak in found.items()})
    assert found["imsvd"] <= found["barlow_twins"], found
