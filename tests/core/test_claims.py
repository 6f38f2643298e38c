"""Claims: one owner at a time, and nobody blocked for long by an owner that is gone."""

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest

from mitools.core.claims import ClaimFolder

QUICK = {"heartbeat_seconds": 0.05, "stale_seconds": 0.5}


def one_that_has_watched(folder: Path) -> ClaimFolder:
    """Who has looked at the claim that lies there for longer than two heartbeats."""
    watching = ClaimFolder(folder, heartbeat_seconds=0.05)
    with watching.claim("cell") as granted:
        assert not granted
    time.sleep(0.15)
    return watching


def test_a_claimed_piece_is_refused_to_others_until_it_is_let_go(tmp_path: Path) -> None:
    mine, theirs = ClaimFolder(tmp_path), ClaimFolder(tmp_path)
    with mine.claim("cell") as ours:
        assert ours
        assert theirs.is_claimed("cell")
        assert not theirs.is_claimed("another")
        with theirs.claim("cell") as granted:
            assert not granted
        assert theirs.is_claimed("cell"), "a refused claim must not end the granted one"
    with theirs.claim("cell") as granted:
        assert granted
    assert list(tmp_path.iterdir()) == []


def test_of_many_that_ask_at_once_one_is_granted(tmp_path: Path) -> None:
    all_asked = Barrier(16)

    def ask(_: int) -> bool:
        with ClaimFolder(tmp_path).claim("cell") as granted:
            # Held until everyone has asked, however slow the machine.
            all_asked.wait(timeout=60)
            return granted

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(ask, range(16))) == 1


def test_a_heartbeat_keeps_a_claim_longer_than_the_stale_time(tmp_path: Path) -> None:
    with ClaimFolder(tmp_path, **QUICK).claim("cell"):
        time.sleep(1.0)
        with ClaimFolder(tmp_path, **QUICK).claim("cell") as granted:
            assert not granted


def test_a_claim_of_a_killed_process_is_taken_over_by_exactly_one(tmp_path: Path) -> None:
    program = f"""
        import os, signal
        from pathlib import Path
        from mitools.core.claims import ClaimFolder
        with ClaimFolder(Path({str(tmp_path)!r})).claim("cell"):
            os.kill(os.getpid(), signal.SIGKILL)
    """
    killed = subprocess.run([sys.executable, "-P", "-c", textwrap.dedent(program)])
    assert killed.returncode < 0
    patient = ClaimFolder(tmp_path)
    with patient.claim("cell") as granted:
        assert not granted, "a minute has not passed"
    long_ago = time.time() - 61
    os.utime(tmp_path / "cell.claim", (long_ago, long_ago))
    assert not patient.is_claimed("cell")

    all_asked = Barrier(8)
    watching = [one_that_has_watched(tmp_path) for _ in range(8)]

    def ask(folder: ClaimFolder) -> bool:
        with folder.claim("cell") as granted:
            # Held until everyone has asked, however slow the machine.
            all_asked.wait(timeout=60)
            return granted

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, watching)) == 1
    assert list(tmp_path.iterdir()) == []


def test_who_comes_late_to_a_stale_claim_never_touches_its_new_owners(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were the new claim moved away, even for an instant, a third could be granted the piece as well."""
    claim = tmp_path / "cell.claim"
    claim.write_text("killed")
    long_ago = time.time() - 61
    os.utime(claim, (long_ago, long_ago))
    early, late = one_that_has_watched(tmp_path), one_that_has_watched(tmp_path)
    taken_over = early.claim("cell")
    look = late._age

    def look_and_be_overtaken(path: Path) -> float | None:
        age = look(path)
        monkeypatch.setattr(late, "_age", look)
        assert taken_over.__enter__()
        for name in ("rename", "replace", "unlink", "remove"):
            monkeypatch.setattr(os, name, partial(untouched, getattr(os, name)))
        return age

    def untouched(change: Callable[..., None], path: Path, *others: Path) -> None:
        assert Path(path) != claim
        change(path, *others)

    monkeypatch.setattr(late, "_age", look_and_be_overtaken)
    with late.claim("cell") as granted:
        assert not granted
    monkeypatch.undo()
    assert late.is_claimed("cell")
    taken_over.__exit__(None, None, None)
    assert list(tmp_path.iterdir()) == []


def test_a_lock_of_a_process_killed_in_taking_over_blocks_for_a_minute_at_most(tmp_path: Path) -> None:
    long_ago = time.time() - 61
    for name in ("cell.claim", "cell.takeover"):
        (tmp_path / name).write_text("killed")
        os.utime(tmp_path / name, (long_ago, long_ago))
    watching = one_that_has_watched(tmp_path)
    grants = []
    for _ in range(3):
        with watching.claim("cell") as granted:
            grants.append(granted)
        time.sleep(0.15)
    # Seen for the first time, found dead and removed, free.
    assert grants == [False, False, True]
    assert list(tmp_path.iterdir()) == []


def test_an_owner_that_was_taken_for_dead_leaves_the_new_owners_claim_alone(tmp_path: Path) -> None:
    slow = ClaimFolder(tmp_path, heartbeat_seconds=60)
    with slow.claim("cell"):
        long_ago = time.time() - 61
        os.utime(tmp_path / "cell.claim", (long_ago, long_ago))
        taken_over = one_that_has_watched(tmp_path).claim("cell")
        assert taken_over.__enter__()
    assert ClaimFolder(tmp_path).is_claimed("cell")
    taken_over.__exit__(None, None, None)
    assert not ClaimFolder(tmp_path).is_claimed("cell")


@pytest.mark.parametrize("ahead", [7200, -7200], ids=["ahead", "behind"])
def test_a_clock_that_is_wrong_neither_blocks_a_piece_nor_gives_it_away(tmp_path: Path, ahead: float) -> None:
    claim = tmp_path / "cell.claim"
    watching = ClaimFolder(tmp_path, heartbeat_seconds=1.0, stale_seconds=4.0)

    def granted() -> bool:
        with watching.claim("cell") as ours:
            return ours

    # The owner lives: its heartbeat moves the time of change, whatever clock that is of.
    for beat in range(25):
        claim.write_text("owner")
        os.utime(claim, (time.time() + ahead + beat,) * 2)
        assert not granted()
        time.sleep(0.1)
    # It is dead: nothing moves any more.
    deadline = time.monotonic() + 60
    while not granted():
        assert time.monotonic() < deadline
        time.sleep(0.05)
