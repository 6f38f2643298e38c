"""With what a run is computed: threads and versions, remembered in its folder so that it goes on alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy

import torch
from torch import nn

from mitools.backends.runtime import Runtime
from mitools.backends.seeding import seeded
from mitools.backends.threads import fastest_threads, threads, threads_asked_for
from mitools.training.loop.optimisers import make_optimiser
from mitools.training.loop.run_folder import RunFolder
from mitools.training.methods.base import Method
from mitools.training.recipes import TrainingRecipe


@contextmanager
def computing_conditions(
    method: Method, recipe: TrainingRecipe, folder: RunFolder, runtime: Runtime
) -> Iterator[None]:
    """Let torch compute as the run began, or choose how it begins, and remember that.

    Sums are rounded otherwise by another number of threads, so that a run must go on with the number that
    it began with. The number is the one that the runtime asks for; else the one remembered; else that of
    ``OMP_NUM_THREADS``; else, where one process trains alone on a CPU, the one that is measured to be
    fastest on the run's own encoder and batch.

    Parameters
    ----------
    method
        What is trained; it is left as it is.
    recipe
        Of the run.
    folder
        Where the number is remembered.
    runtime
        Device, processes, and the number asked for.
    """
    remembered = folder.conditions().get("threads")
    count = runtime.threads or remembered or threads_asked_for()
    if count is None and runtime.device.type == "cpu" and runtime.processes == 1:
        count = _measured(method, recipe)
    count = count or torch.get_num_threads()
    if runtime.is_main and count != remembered:
        folder.remember(
            {
                "threads": count,
                "device": str(runtime.device),
                "precision": runtime.precision,
                "processes": runtime.processes,
                "seed": recipe.seed,
            }
        )
    with threads(count):
        yield


def _measured(method: Method, recipe: TrainingRecipe) -> int:
    """Measure on copies of the networks, with their optimiser: of a step, all but views, heads and loss."""
    found = method.measured_networks(recipe.batch_size)
    networks = nn.ModuleList([deepcopy(network) for network, _ in found]).requires_grad_(True).train()
    optimiser = make_optimiser(networks, recipe.optimiser)
    inputs = [torch.zeros(shape) for _, shape in found]

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        for network, images in zip(networks, inputs, strict=True):
            network(images).square().mean().backward()
        optimiser.step()

    with seeded(0):
        return fastest_threads(step)
