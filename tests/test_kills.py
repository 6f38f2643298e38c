"""Ten ``kill -9`` at random moments of each long command: the next try ends as if nothing had been.

The commands run in forks of one process that has imported everything, so that a kill falls into the work and
not into the start of Python.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

KILLS = 10

FORKS = """
import json, os, random, signal, sys, time
from pathlib import Path

import mitools.auditing.auditor, mitools.studies.worker, mitools.training.loop.trainer
from mitools.cli.main import run
from mitools.datasets.open import open_data
from mitools.encoders.open import open_encoder
from mitools.features.store import FeatureStore

passes = sys.modules["mitools.features.extract"]
passes.SHARD_BYTES = 1 << 16  # a seal every few batches


def extraction(data, encoder, out):
    passes.extract(open_encoder(encoder), open_data(data), store=FeatureStore(Path(out)), batch_size=16)
    return 0


def fork(arguments):
    child = os.fork()
    if child == 0:
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 1)
        code = extraction(*arguments[1:]) if arguments[0] == "extraction" else run(arguments)
        os._exit(code)
    return child


def finish(arguments):
    start = time.monotonic()
    _, status = os.waitpid(fork(arguments), 0)
    return time.monotonic() - start, os.waitstatus_to_exitcode(status)


job = json.loads(sys.argv[1])
draws = random.Random(job["seed"])
os.environ["MITOOLS_CACHE"] = job["cache"].format("undisturbed")
seconds, code = finish([word.format("undisturbed") for word in job["arguments"]])
assert code == 0, code
struck = 0
for trial in range(job["kills"]):
    arguments = [word.format(trial) for word in job["arguments"]]
    os.environ["MITOOLS_CACHE"] = job["cache"].format(trial)
    child = fork(arguments)
    time.sleep(draws.uniform(0, seconds))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    killed = os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    struck += killed
    if killed or job["again"]:
        _, code = finish(arguments)
        assert code == 0, (trial, code)
print(struck)
"""

STUDY = """
data: ["digits?limit=200"]
encoders: [builtin:pixels, "builtin:pca?k=4"]
seeds: [0, 1]
metrics: [linear_acc]
"""
RECIPE = """
encoder: convnet
data: digits?limit=128
method: simclr
epochs: 6
batch_size: 32
head_width: 16
"""
COMMANDS = {
    "audit": ["audit", "--data", "digits?limit=300", "--encoder", "builtin:pixels", "--encoder",
              "builtin:pca?k=8", "--out", "{out}", "--device", "cpu"],
    "study": ["study", "{folder}/study.yaml", "--out", "{out}", "--device", "cpu"],
    "train": ["train", "{folder}/recipe.yaml", "--out", "{out}", "--device", "cpu"],
    "export": ["datasets", "export", "cdp?n=600&size=32", "--out", "{out}"],
    "extraction": ["extraction", "digits?limit=600", "builtin:random_conv?width=64", "{out}"],
}  # fmt: skip
TIMES = {
    "seconds",
    "created",
    "started",
    "finished",
    "time",
    "times",
    "date",
    "checksum",
    "earlier",
    "images_per_second",
}
"""What two runs say differently of the same numbers: a checksum is of a text that has seconds in it, and what
was killed stands under ``earlier`` in ``run.json``."""


def _without_times(document: Any) -> Any:
    if isinstance(document, dict):
        return {key: _without_times(value) for key, value in document.items() if key not in TIMES}
    return [_without_times(one) for one in document] if isinstance(document, list) else document


def _content(folder: Path, name: str) -> Any:
    """What a file of a folder says, times and the folder's own name left out."""
    path = folder / name
    if path.suffix in (".csv", ".parquet"):
        table = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
        return table.drop(columns="seconds", errors="ignore").to_csv(index=False)
    if path.suffix == ".jsonl":
        return [_without_times(json.loads(line)) for line in path.read_text().splitlines()]
    if path.suffix not in (".json", ".md", ".html"):
        return path.read_bytes()
    text = path.read_text().replace(str(folder), "OUT")
    if path.suffix == ".json":
        return _without_times(json.loads(text))
    if path.suffix == ".html" and (folder / "results.csv").exists():
        for seconds in pd.read_csv(folder / "results.csv", dtype=str).get("seconds", pd.Series()).dropna():
            for shown in (seconds, f"{float(seconds):.7g}", f">{float(seconds):.1f}<"):
                text = text.replace(shown, "TIME")
    return re.sub(r"\d{4}-\d\d-\d\d([ T][\d:+]+)?", "DATE", text)


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_killed_command_ends_as_an_undisturbed_one(command: str, tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    out = tmp_path / "out-{}"
    arguments = [
        word.replace("{folder}", str(tmp_path)).replace("{out}", str(out)) for word in COMMANDS[command]
    ]
    job = {
        "arguments": arguments,
        "cache": str(tmp_path / "cache-{}"),
        "seed": 18,
        "kills": KILLS,
        # An export that has ended is not written over.
        "again": command != "export",
    }
    done = subprocess.run(
        [sys.executable, "-P", "-c", FORKS, json.dumps(job)], capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) >= KILLS / 2, "most commands had ended before the kill"
    expected = tmp_path / "out-undisturbed"
    names = {str(path.relative_to(expected)) for path in expected.rglob("*")}
    for trial in range(KILLS):
        found = tmp_path / f"out-{trial}"
        assert {str(path.relative_to(found)) for path in found.rglob("*")} == names
        for name in names:
            if (found / name).is_file():
                assert _content(found, name) == _content(expected, name), (trial, name)
    left = {path.name for path in tmp_path.iterdir()} - {"study.yaml", "recipe.yaml"}
    assert all(name.startswith(("out-", "cache-")) for name in left), left
