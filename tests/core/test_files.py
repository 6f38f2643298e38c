"""Files are whole or absent."""

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from mitools.core.errors import InputError
from mitools.core.files import (
    digest_file,
    digest_text,
    disk_errors,
    folder_or_scratch,
    whole_file,
    whole_folder,
    writable_file,
    writable_folder,
    write_text,
)


def test_a_block_that_ends_well_puts_the_file_in_its_place(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "table.csv"
    with whole_file(target) as temporary:
        assert temporary.parent == target.parent
        assert temporary.suffix == ".csv"
        temporary.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


def stop_halfway(target: Path, error: type[BaseException]) -> None:
    with whole_file(target) as temporary:
        temporary.write_text("half of the n")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, OSError])
def test_a_block_that_ends_early_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, error: type[BaseException]
) -> None:
    target = tmp_path / "table.csv"
    target.write_text("old")
    with pytest.raises(error):
        stop_halfway(target, error)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_block_that_ends_early_before_writing_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="early"), whole_file(tmp_path / "table.csv"):
        raise ValueError("early")
    assert list(tmp_path.iterdir()) == []


def test_two_writers_at_once_do_not_share_a_temporary_file(tmp_path: Path) -> None:
    target = tmp_path / "table.csv"
    with whole_file(target) as first, whole_file(target) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert target.read_text() == "first"


def test_text_is_written_whole_as_utf_8(tmp_path: Path) -> None:
    write_text(tmp_path / "note.txt", "I ≥ 0")
    assert (tmp_path / "note.txt").read_bytes() == b"I \xe2\x89\xa5 0"


def test_a_digest_is_sha_256(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    published = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest_file(tmp_path / "abc") == published


def test_strings_keep_their_borders_in_a_digest() -> None:
    digests = {digest_text(*parts) for parts in [("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ()]}
    assert len(digests) == 5
    assert digest_text("ab", "c") == digest_text("ab", "c")


def test_a_folder_that_can_be_made_is_not_made_yet(tmp_path: Path) -> None:
    assert writable_folder(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert writable_file(str(tmp_path / "c" / "d.csv")) == tmp_path / "c" / "d.csv"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    wrong = [
        tmp_path / "file",
        tmp_path / "file" / "below",
        tmp_path / "dangling",
        "/proc/new",
        "a\0b",
        3,
        b"a",
    ]
    for folder in wrong:
        with pytest.raises(InputError, match=r"name another folder|a folder is a path") as caught:
            folder_or_scratch(folder).__enter__()  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)
    for file in (tmp_path, tmp_path / "file" / "x.csv", 3):
        with pytest.raises(InputError):
            writable_file(file)  # type: ignore[arg-type]


def test_what_killed_processes_left_goes_with_the_next_and_nothing_else(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    host = socket.gethostname()
    left = [f".out.{host}-{ended.pid}-0123abcd.tmp", f".out.{host}-{ended.pid}-ffffffff.tmp"]
    stays = [
        f".out.{host}-{os.getpid()}-0123abcd.tmp",  # still at work
        f".out.elsewhere-{ended.pid}-0123abcd.tmp",  # of a machine that cannot be asked
        f".outer.{host}-{ended.pid}-0123abcd.tmp",  # of another folder
        f".out.{host}-{ended.pid}-0123abcd.tmp.npz",
        f"out.{host}-{ended.pid}-0123abcd.tmp",
    ]
    (tmp_path / left[0]).mkdir()
    (tmp_path / left[0] / "half").touch()
    for name in (left[1], *stays):
        (tmp_path / name).touch()
    with whole_folder(tmp_path / "out") as temporary:
        (temporary / "whole").touch()
    assert {path.name for path in tmp_path.iterdir()} == {*stays, "out"}
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["whole"]


def test_a_folder_is_whole_or_absent(tmp_path: Path) -> None:
    def stopped() -> None:
        with whole_folder(tmp_path / "out") as temporary:
            (temporary / "half").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert not any(tmp_path.iterdir())


TENSORS = {"x": torch.zeros(100_000)}


def _by_torch(path: Path) -> None:
    with disk_errors(path), path.open("wb") as stream:
        torch.save(TENSORS, stream)


def _by_safetensors(path: Path) -> None:
    with disk_errors(path):
        save_file(TENSORS, path)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of other systems are others")
@pytest.mark.parametrize("write", [_by_torch, _by_safetensors])
def test_a_disk_that_takes_no_more_is_an_error_of_the_disk(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    import resource

    path = tmp_path / "weights"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(OSError, match="weights") as caught:
            write(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.errno == errno.EFBIG


def test_other_errors_of_a_library_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="shapes differ"), disk_errors(tmp_path):
        raise RuntimeError("shapes differ")


def test_an_error_of_the_disk_that_was_being_handled_before_is_none_of_this_one(tmp_path: Path) -> None:
    def library() -> None:
        try:
            raise OSError(errno.EFBIG, "too big")
        except OSError:
            raise RuntimeError("cannot write")  # noqa: B904 - as a library that names no cause

    try:
        raise OSError(errno.ENOSPC, "full")
    except OSError:
        with pytest.raises(RuntimeError, match="shapes differ"), disk_errors(tmp_path):
            raise RuntimeError("shapes differ")  # noqa: B904 - the context is what is tested
        with pytest.raises(OSError, match="weights") as caught, disk_errors(tmp_path / "weights"):
            library()
    assert caught.value.errno == errno.EFBIG
