"""Claims on pieces of work, as files: so that of several processes or machines only one does a piece."""

import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HEARTBEAT_SECONDS = 5.0
STALE_SECONDS = 60.0


class ClaimFolder:
    """A folder, on one machine or shared by many, in which pieces of work are claimed.

    A claim is a file that is created atomically and whose time of change its owner renews (a heartbeat).
    Whoever finds a claim without a heartbeat for `stale_seconds` takes it over: a killed process blocks
    nothing for long. No clock is believed in this: a claim is dead when it did not change while it was looked
    at for `stale_seconds`, or, where its time of change lies as far back by the folder's own file system,
    for two heartbeats.

    Parameters
    ----------
    folder
        Made when the first claim is.
    heartbeat_seconds
        Between two renewals.
    stale_seconds
        Without a heartbeat after which a claim may be taken over; several times `heartbeat_seconds`.
    """

    def __init__(
        self,
        folder: Path,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        stale_seconds: float = STALE_SECONDS,
    ) -> None:
        self.folder = folder
        self.heartbeat_seconds = heartbeat_seconds
        self.stale_seconds = stale_seconds
        # Of every claim that was looked at: what it was like, and since when.
        self._seen: dict[Path, tuple[tuple[int, str | None], float]] = {}

    @contextmanager
    def claim(self, name: str) -> Iterator[bool]:
        """Give True when the piece is ours for the length of the block, False when another has it.

        Raises
        ------
        OSError
            When the folder cannot be written.
        """
        path = self._path(name)
        self.folder.mkdir(parents=True, exist_ok=True)
        owner = f"{socket.gethostname()} {os.getpid()} {secrets.token_hex(8)}"
        if not _create(path, owner) and not (self._clear_if_stale(path) and _create(path, owner)):
            yield False
            return
        ended = threading.Event()
        heart = threading.Thread(target=self._beat, args=(path, ended), daemon=True)
        heart.start()
        try:
            yield True
        finally:
            ended.set()
            heart.join()
            if _owner(path) == owner:
                path.unlink(missing_ok=True)

    def is_claimed(self, name: str) -> bool:
        """Whether someone works on the piece."""
        age = self._age(self._path(name))
        return age is not None and age < self.stale_seconds

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.claim"

    def _beat(self, path: Path, ended: threading.Event) -> None:
        while not ended.wait(self.heartbeat_seconds):
            with suppress(FileNotFoundError):
                os.utime(path)

    def _age(self, path: Path) -> float | None:
        """Seconds since the last heartbeat by the file system's clock; None when there is no claim."""
        clock = self.folder / f".clock-{os.getpid()}-{secrets.token_hex(4)}"
        try:
            beaten = path.stat().st_mtime
            clock.touch()
            return clock.stat().st_mtime - beaten
        except FileNotFoundError:
            return None
        finally:
            clock.unlink(missing_ok=True)

    def _is_dead(self, path: Path) -> bool | None:
        """Whether nobody renews a claim any more; None when there is none."""
        age, unchanged = self._age(path), self._unchanged(path)
        if age is None or unchanged is None:
            return None
        looks_old = age >= self.stale_seconds
        return unchanged >= (2 * self.heartbeat_seconds if looks_old else self.stale_seconds)

    def _unchanged(self, path: Path) -> float | None:
        """Seconds that a claim was looked at without a change, by our own clock; None when there is none."""
        try:
            state = (path.stat().st_mtime_ns, _owner(path))
        except FileNotFoundError:
            self._seen.pop(path, None)
            return None
        now = time.monotonic()
        before = self._seen.get(path)
        if before is None or before[0] != state:
            before = self._seen[path] = (state, now)
        return now - before[1]

    def _clear_if_stale(self, path: Path) -> bool:
        """Remove a claim that nobody renews any more; whether the place is free now."""
        dead = self._is_dead(path)
        if not dead:
            return dead is None
        # One at a time looks again and removes: another may have taken it over since our look, and its
        # claim must not be away for an instant.
        lock = path.with_suffix(".takeover")
        if not _create(lock, ""):
            self._clear_lock_of_a_killed_process(lock)
            return False
        try:
            if self._is_dead(path) is False:
                return False
            path.unlink(missing_ok=True)
            return True
        finally:
            lock.unlink(missing_ok=True)

    def _clear_lock_of_a_killed_process(self, lock: Path) -> None:
        if self._is_dead(lock):
            lock.unlink(missing_ok=True)


def _create(path: Path, owner: str) -> bool:
    """Create a claim, atomically; whether it is ours."""
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(owner)
    except FileExistsError:
        return False
    return True


def _owner(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
