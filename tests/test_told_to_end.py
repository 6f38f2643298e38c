"""SIGTERM ends every long command as Ctrl-C does: code 130, one line, and nothing half-written.

The commands run in forks of one process that has imported everything, so that the signal falls into the work.
"""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mitools.cli import main as command_line

FORKS = """
import json, os, random, signal, sys, time

import mitools.auditing.auditor, mitools.studies.worker, mitools.training.loop.trainer
import mitools.calibration, mitools.analyses.registry
from mitools.cli.main import main

job = json.loads(sys.argv[1])
draws = random.Random(job["seed"])
codes = {}
for name, arguments in job["commands"].items():
    child = os.fork()
    if child == 0:
        for stream, path in ((1, os.devnull), (2, job["errors"].format(name))):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.argv = ["mitools", *arguments]
        code = 99
        try:
            main()
        except SystemExit as end:
            code = end.code
        finally:
            os._exit(code)
    time.sleep(draws.uniform(1.5, 4))
    os.kill(child, signal.SIGTERM)
    codes[name] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(json.dumps(codes))
"""

STUDY = """
data: [digits]
encoders: [builtin:pixels, "builtin:pca?k=32", "builtin:random_conv?width=256"]
seeds: [0, 1, 2, 3]
metrics: [linear_acc]
"""
RECIPE = """
encoder: resnet18
data: digits
method: simclr
epochs: 50
batch_size: 128
"""
COMMANDS = {
    "audit": ["audit", "--data", "digits", "--encoder", "builtin:pixels", "--out", "{out}"],
    "study": ["study", "{folder}/study.yaml", "--out", "{out}"],
    "train": ["train", "{folder}/recipe.yaml", "--out", "{out}", "--device", "cpu"],
    "run": ["run", "objectives", "--out", "{out}", "--device", "cpu"],
    "calibrate": ["calibrate", "{folder}/features.npz", "--method", "infonce", "--out", "{out}"],
    "views": ["views", "--data", "digits", "--views", "simclr", "--out", "{out}", "--device", "cpu"],
    "export": ["datasets", "export", "cdp?n=50000&size=96", "--out", "{out}"],
    "extract": ["encoders", "extract", "builtin:random_conv?width=4096", "--data", "digits", "--cache",
                "{out}"],
}  # fmt: skip


def test_a_command_hears_sigterm_as_it_hears_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = []
    monkeypatch.setattr(command_line, "run", lambda _: heard.append(signal.getsignal(signal.SIGTERM)) or 0)
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit):
            command_line.main()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.default_int_handler]


@pytest.mark.slow
def test_every_long_command_ends_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    draws = np.random.default_rng(0)
    labels = np.arange(3000) % 3
    rows = draws.standard_normal((3000, 64)) + labels[:, None]
    np.savez(tmp_path / "features.npz", features=rows, labels=labels)
    commands = {
        name: [word.format(folder=tmp_path, out=tmp_path / f"out-{name}") for word in words]
        for name, words in COMMANDS.items()
    }
    job = {"commands": commands, "errors": str(tmp_path / "{}.err"), "seed": 18}
    done = subprocess.run(
        [sys.executable, "-P", "-c", FORKS, json.dumps(job)],
        capture_output=True, text=True, timeout=600, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == dict.fromkeys(COMMANDS, 130)
    for name in COMMANDS:
        told = (tmp_path / f"{name}.err").read_text().strip()
        assert told.splitlines()[-1].startswith("error: stopped; nothing is half-written"), (name, told)
        assert "Traceback" not in told
    assert not (tmp_path / "out-export").exists()
    assert not [path for path in tmp_path.rglob("*") if ".tmp" in path.name]
