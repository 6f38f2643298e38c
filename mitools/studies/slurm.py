"""Sending a study to a SLURM cluster: several jobs that share one folder."""

import sys
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from mitools.core.errors import InputError
from mitools.core.recipes import Recipe, read_recipe


class Submission(Recipe):
    """The content of the file behind ``--submit``.

    Attributes
    ----------
    jobs
        Processes that work on the study at once; each takes the cells that no other has.
    partition, account, constraint
        As SLURM names them; its own defaults when None.
    minutes
        After which SLURM stops a job; the study goes on in the next one.
    cpus, gpus, memory_gb
        Of each job.
    """

    jobs: Annotated[int, Field(ge=1)] = 1
    partition: str | None = None
    account: str | None = None
    constraint: str | None = None
    minutes: Annotated[int, Field(ge=1)] = 60
    cpus: Annotated[int, Field(ge=1)] = 4
    gpus: Annotated[int, Field(ge=0)] = 0
    memory_gb: Annotated[int, Field(ge=1)] = 16


def submit(recipe: Path, command: list[str], logs: Path, cluster: str = "slurm") -> list[str]:
    """Submit a command to the cluster, once a job.

    Parameters
    ----------
    recipe
        A YAML file, a :class:`Submission`.
    command
        Arguments of ``mitools``.
    logs
        Folder for the jobs' output, seen by all machines.
    cluster
        ``slurm``, or ``local`` for processes on this machine.

    Returns
    -------
    list of str
        The jobs' numbers.

    Raises
    ------
    InputError
        When the file is malformed, submitit is not installed, or there is no SLURM here.
    """
    wanted = read_recipe(recipe, Submission)
    try:
        import submitit
    except ImportError:
        raise InputError('--submit needs submitit; pip install "mitools[cluster]"') from None
    try:
        executor = submitit.AutoExecutor(folder=logs, cluster=cluster)
    except RuntimeError as error:
        raise InputError(f"--submit: no SLURM on this machine ({error})") from None
    executor.update_parameters(**_parameters(wanted))
    run = submitit.helpers.CommandFunction([sys.executable, "-P", "-m", "mitools", *command])
    with executor.batch():
        jobs = [executor.submit(run) for _ in range(wanted.jobs)]
    return [job.job_id for job in jobs]


def _parameters(wanted: Submission) -> dict[str, Any]:
    names = {"partition": wanted.partition, "account": wanted.account, "constraint": wanted.constraint}
    return {
        "timeout_min": wanted.minutes,
        "cpus_per_task": wanted.cpus,
        "gpus_per_node": wanted.gpus,
        "mem_gb": wanted.memory_gb,
        **{f"slurm_{name}": value for name, value in names.items() if value is not None},
    }
