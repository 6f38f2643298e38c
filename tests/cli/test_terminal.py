"""Commands as people meet them: in a terminal of some width, in a pipe, with a word wrong."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest
import typer

from mitools.cli.main import app, run
from mitools.cli.measuring.estimates import print_warnings
from mitools.cli.terminal.examples import EXAMPLES

MAIN = [sys.executable, "-P", "-c", "from mitools.cli.main import main; main()"]


def on_a_terminal(command, columns):
    """Run a command in a pseudo-terminal so wide; gives what it wrote, with its codes, and how it ended."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "NO_COLOR")}
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment | {"TERM": "xterm-256color"}
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        written += part
    os.close(ours)
    return written.decode(), process.wait()


def plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "")


@pytest.mark.parametrize("columns", [60, pytest.param(120, marks=pytest.mark.slow)])
def test_a_list_fits_its_terminal_and_nothing_is_cut(columns, capsys):
    written, code = on_a_terminal([*MAIN, "datasets", "list"], columns)
    lines = plain(written).splitlines()
    assert code == 0
    assert "…" not in written
    assert run(["datasets", "list", "--json"]) == 0
    names = json.loads(capsys.readouterr().out)
    assert all(any(name in line for line in lines) for name in names)
    assert all(len(line) <= columns for line in lines if line not in names)


def test_a_page_of_the_manual_keeps_its_commands_whole():
    written, _ = on_a_terminal([*MAIN, "guide", "encoders"], 60)
    page = plain(written)
    assert "checkpoint:mine.pth?arch=convnet&image_size=16" in page
    assert "`torchvision:resnet50?weights=IMAGENET1K_V2`" in page
    assert "…" not in page
    prose = [line for line in page.splitlines() if line and not line.startswith(("    ", "`"))]
    assert max(map(len, prose)) <= 60


SLOW_WORK = """
import time
from mitools.core.progress import progress_bar, tell_state, tell_whole
with progress_bar() as advance:
    for part in range(2):
        tell_whole(advance, f"encoder {part + 1} of 2", part, 2)
        for done in range(1, 5):
            time.sleep(0.35)
            advance("images", done, 4)
            tell_state(advance, "epoch 1 of 20, loss 3.107, 2.15 bits of the 6.00 that there are")
"""


def test_progress_moves_counts_the_whole_and_never_says_zero():
    written, _ = on_a_terminal([sys.executable, "-P", "-c", SLOW_WORK], 60)
    shown = plain(written)
    assert "encoder 1 of 2" in shown
    assert "encoder 2 of 2 · 75%" in shown
    assert re.search(r"about \d s to go", shown)
    assert "0:00:00" not in shown
    assert "that there are" in shown, "a line that is too long is folded and not cut"
    assert len(set(re.findall(r"[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]", shown))) > 2


def test_all_that_is_missing_is_said_at_once(capsys):
    assert run(["views"]) == 2
    said = capsys.readouterr().err
    assert "missing: --data SPEC and --views V1,V2; for example: mitools views" in said
    assert said.count("\n") == 1
    assert run(["views", "--data", "digits"]) == 2
    assert "missing: --views V1,V2;" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (["audit", "--nothing", "1"], "mitools audit --help"),
        (["study", "status", "--nothing", "1"], "mitools study status --help"),
        (["nothing"], "mitools --help"),
        (["-q", "train"], "mitools train --help"),
    ],
)
def test_a_usage_error_says_where_help_is(arguments, place, capsys):
    assert run(arguments) == 2
    assert f"see `{place}`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("encoder", "meant"),
    [
        ("resnet50", "timm:resnet50"),
        ("tim:resnet18", "timm:resnet18"),
        ("weights.onnx", "onnx:weights.onnx"),
        ("checkpoint:x.pth?arch=resnet50", "timm:resnet50"),
    ],
)
def test_what_was_meant_is_proposed(encoder, meant, capsys):
    assert run(["audit", "--data", "digits", "--encoder", encoder]) == 2
    assert f"did you mean {meant}?" in capsys.readouterr().err


def test_data_named_without_their_source(tmp_path, capsys):
    assert run(["audit", "--data", str(tmp_path), "--encoder", "builtin:pixels"]) == 2
    assert f"did you mean folder:{tmp_path}?" in capsys.readouterr().err
    assert run(["audit", "--data", "nothing_like_it", "--encoder", "builtin:pixels"]) == 2
    assert "did you mean" not in capsys.readouterr().err


def test_lists_take_a_pattern(capsys):
    assert run(["encoders", "list", "*cifar_resnet2*"]) == 0
    assert capsys.readouterr().out == "checkpoint:PATH?arch=cifar_resnet20\n"
    assert run(["measures", "list", "knn*", "--json"]) == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)] == ["knn20_acc", "knn200_acc"]
    assert run(["measures", "list", "nosuch"]) == 1
    assert "nothing is called 'nosuch'" in capsys.readouterr().err


def test_quiet_leaves_out_notes_and_verbose_tells_every_step(tmp_path, capsys):
    export = ["datasets", "export", "digits?limit=40", "--out"]
    assert run([*export, str(tmp_path / "usual")]) == 0
    assert capsys.readouterr().err == ""
    assert run([*export, str(tmp_path / "all"), "-v"]) == 0
    assert "images" in capsys.readouterr().err
    table = tmp_path / "table.csv"
    table.write_text("bits,linear_acc,name\n1,0.5,a\n2,0.7,b\n3,0.8,c\n4,0.9,d\n")
    assert run(["correlate", str(table)]) == 0
    assert "left out, not numeric: name" in capsys.readouterr().err
    assert run(["correlate", str(table), "--quiet"]) == 0
    assert "left out" not in capsys.readouterr().err


def test_every_command_shows_an_example(capsys):
    for command in EXAMPLES:
        assert run([*command.split(), "--help"]) == 0
        assert "Examples:" in capsys.readouterr().out or command == "study"


@pytest.mark.parametrize("columns", [60, 80])
def test_the_help_cuts_no_word(columns, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    group = typer.main.get_command(app)
    for name in ("audit", "calibrate", "views", "train"):
        assert run([name, "--help"]) == 0
        options, _, _ = capsys.readouterr().out.partition("\nExamples:")
        shown = set(options.split())
        for option in group.commands[name].params:
            assert set((option.help or "").split()) <= shown, option.name
        assert max(map(len, options.splitlines())) <= columns


def test_the_shell_completes_commands():
    environment = os.environ | {
        "_MITOOLS_COMPLETE": "complete_bash",
        "COMP_WORDS": "mitools enc",
        "COMP_CWORD": "1",
    }
    done = subprocess.run(MAIN, env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["encoders"]


def test_warnings_that_are_alike_are_printed_once(capsys):
    told = {"net@conv1": "i_class: overfit", "net@layer1": "i_class: overfit", "other": ""}
    print_warnings([{"encoder": name, "warnings": words} for name, words in told.items()])
    assert capsys.readouterr().err == "net@conv1, net@layer1: I_class, class posterior: overfit\n"


def test_correlations_stay_a_table_on_a_narrow_terminal(tmp_path):
    table = tmp_path / "table.csv"
    rows = "\n".join(f"{k},{10 - k},{k % 3 + 2 * k},{k}" for k in range(10))
    table.write_text(f"label_information_bits,uniformity,dead_units,linear_acc\n{rows}\n")
    written, code = on_a_terminal([*MAIN, "correlate", str(table), "--bootstrap", "100"], 80)
    lines = plain(written).splitlines()
    assert code == 0
    header = next(line for line in lines if "coefficient" in line)
    assert header[header.index("coefficient") :].split()[:2] == ["coefficient", "value"]
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("uniformity (lower is better)  Pearson") for line in lines)
    assert not any(line.startswith("dead_units") for line in lines), "a count is no measure"
    assert "see --json, or --out FILE.csv" in " ".join(" ".join(lines).split())
