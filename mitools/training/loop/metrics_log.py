"""The metrics of a run as JSON lines, for TensorBoard where it is installed, and for trackers."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from mitools.core.errors import InputError
from mitools.core.files import parse_json, write_text
from mitools.training.loop.trackers import Trackers


class MetricsLog:
    """Appends records to ``metrics.jsonl``; records of steps that a resumed run repeats are dropped first.

    Parameters
    ----------
    folder
        The run's folder.
    from_step
        The first step to come.
    trackers
        Take the records too.
    """

    def __init__(self, folder: Path, from_step: int, trackers: Trackers | None = None) -> None:
        self._trackers = trackers
        self._path = folder / "metrics.jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        if self._path.exists():
            kept = [record for record in read_metrics(self._path) if record["step"] < from_step]
            write_text(self._path, "".join(json.dumps(record) + "\n" for record in kept))
        self._writer = _tensorboard(folder / "tensorboard", from_step)

    def add(self, record: dict[str, Any]) -> None:
        """Append a record, which has a ``step``."""
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(record) + "\n")
        if self._writer is not None:
            for name, value in record.items():
                if isinstance(value, float):
                    self._writer.add_scalar(name, value, record["step"])
        if self._trackers is not None:
            self._trackers.add(record)

    def close(self) -> None:
        """Write out what TensorBoard's writer and the trackers still hold."""
        if self._writer is not None:
            self._writer.close()
        if self._trackers is not None:
            self._trackers.close()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Read the records of a run; a last one that is cut short, by a kill or in the writing, is left out.

    Raises
    ------
    InputError
        When a line is no record of a step.
    """
    content = path.read_bytes()
    records = []
    for number, line in enumerate(content[: content.rfind(b"\n") + 1].splitlines(), start=1):
        with suppress(ValueError):
            record = parse_json(line)
            if isinstance(record, dict) and isinstance(record.get("step"), int):
                records.append(record)
                continue
        raise InputError(f"{path}: line {number} is damaged; remove it")
    return records


def _tensorboard(folder: Path, from_step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(folder, purge_step=from_step)
