"""A folder of results says what it is, and nothing else is written over."""

import json

import pytest

from mitools.core.errors import InputError
from mitools.core.run_record import (
    command_line,
    read_record,
    require_own,
    results_folder,
    write_record,
)


def test_a_record_says_how_to_compute_it_again(tmp_path):
    token = command_line.set("mitools audit --data digits")
    try:
        write_record(tmp_path, "audit", seed=3, device="cpu", data={"digits": "abc"})
    finally:
        command_line.reset(token)
    found = json.loads((tmp_path / "run.json").read_text())
    assert (found["kind"], found["seed"], found["device"]) == ("audit", 3, "cpu")
    assert found["command"] == "mitools audit --data digits"
    assert {"python", "mitools", "torch", "numpy"} <= found["versions"].keys()
    assert found["date"][:2] == "20"
    assert found["earlier"] == []


def test_earlier_commands_are_kept(tmp_path):
    for seed in range(3):
        write_record(tmp_path, "audit", seed=seed)
    assert len(read_record(tmp_path)["earlier"]) == 2
    assert read_record(tmp_path)["seed"] == 2


def test_a_folder_with_other_content_is_refused_with_a_remedy(tmp_path):
    (tmp_path / "thesis.tex").write_text("\\documentclass{book}")
    with pytest.raises(
        InputError, match=r"other files \(thesis.tex\); name another --out, or add --overwrite"
    ):
        require_own(tmp_path, "audit")
    require_own(tmp_path, "audit", overwrite=True)
    assert (tmp_path / "thesis.tex").exists()


def test_the_results_of_another_command_are_refused(tmp_path):
    write_record(tmp_path, "plane")
    with pytest.raises(InputError, match=r"results of another command \(plane\)"):
        require_own(tmp_path, "audit")


def test_own_results_empty_folders_and_what_an_interrupted_command_left_are_taken(tmp_path):
    require_own(tmp_path / "absent", "audit")
    require_own(tmp_path, "audit")
    (tmp_path / "cells").mkdir()
    (tmp_path / ".cache").mkdir()
    require_own(tmp_path, "audit")
    (tmp_path / "results.csv").write_text("encoder\n")
    write_record(tmp_path, "audit")
    require_own(tmp_path, "audit")


def test_a_damaged_record_is_none(tmp_path):
    (tmp_path / "run.json").write_text("[1")
    assert read_record(tmp_path) == {}
    with pytest.raises(InputError, match="other files"):
        require_own(tmp_path, "audit")


def test_without_a_folder_results_go_with_the_block(tmp_path):
    with results_folder(None, "audit") as scratch:
        assert scratch.is_dir()
    assert not scratch.exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="other files"), results_folder(tmp_path, "audit"):
        pass
