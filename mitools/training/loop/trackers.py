"""Metrics of a run for Weights & Biases and MLflow, through accelerate's trackers."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mitools.core.optional_packages import need

PROJECT = "mitools"
"""The project (W&B), or experiment (MLflow), of all runs."""

DATABASE = "mlflow.db"

TRACKERS = ("wandb", "mlflow")
"""What ``trackers:`` of a recipe may name. TensorBoard needs no name: it is written where it is installed."""


class Trackers:
    """Sends records to the trackers that a recipe names.

    Both have modes without a network: ``WANDB_MODE=offline``, and MLflow, which writes into the
    file ``mlflow.db`` of the run unless ``MLFLOW_TRACKING_URI`` names a server.

    Parameters
    ----------
    names
        Of :data:`TRACKERS`.
    folder
        The run's folder; its name is the run's.
    settings
        The recipe, as JSON values.

    Raises
    ------
    InputError
        When the package of a tracker is not installed.
    """

    def __init__(self, names: Sequence[str], folder: Path, settings: Mapping[str, Any]) -> None:
        self._open = [_open(name, folder) for name in names]
        for tracker in self._open:
            tracker.start()
            tracker.store_init_configuration(_flat(settings))

    def add(self, record: Mapping[str, Any]) -> None:
        """Send a record, which has a ``step``."""
        values = {name: value for name, value in record.items() if isinstance(value, float)}
        for tracker in self._open:
            tracker.log(values, step=record["step"])

    def close(self) -> None:
        """Write out what is still held."""
        for tracker in self._open:
            tracker.finish()


def require_trackers(names: Sequence[str]) -> None:
    """Refuse trackers whose packages are not installed, before anything is computed.

    Raises
    ------
    InputError
        When one is not.
    """
    for name in names:
        need(name, name, f"trackers: {name}")


def _open(name: str, folder: Path) -> Any:
    require_trackers([name])
    from accelerate import PartialState
    from accelerate.tracking import MLflowTracker, WandBTracker

    PartialState()  # trackers ask it which process is the first
    if name == "wandb":
        folder.mkdir(parents=True, exist_ok=True)
        return WandBTracker(PROJECT, dir=str(folder), name=folder.name)
    if "MLFLOW_TRACKING_URI" not in os.environ:
        import mlflow

        folder.mkdir(parents=True, exist_ok=True)
        # Newer versions of MLflow write no plain files any more.
        mlflow.set_tracking_uri(f"sqlite:///{(folder / DATABASE).resolve()}")
        return MLflowTracker(PROJECT, (folder / "mlruns").resolve().as_uri(), run_name=folder.name)
    return MLflowTracker(PROJECT, run_name=folder.name)


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Give nested settings as one level, with dots between the names.

    Examples
    --------
    >>> _flat({"epochs": 2, "optimiser": {"name": "sgd"}})
    {'epochs': 2, 'optimiser.name': 'sgd'}
    """
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value if isinstance(value, str | int | float | bool) else str(value)
    return flat
