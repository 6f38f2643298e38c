"""The metrics of a run as JSON lines, for TensorBoard where it is installed, and for trackers."""

import json
from pathlib import Path
from typing import Any

from mitools.core.files import write_text
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
            kept = [line for line in _whole_lines(self._path) if json.loads(line)["step"] < from_step]
            write_text(self._path, "".join(line + "\n" for line in kept))
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


def _whole_lines(path: Path) -> list[str]:
    """Lines of the file; the last one of a killed process may be cut short and is left out."""
    text = path.read_text(encoding="utf-8")
    return text[: text.rfind("\n") + 1].splitlines()


def _tensorboard(folder: Path, from_step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(folder, purge_step=from_step)
