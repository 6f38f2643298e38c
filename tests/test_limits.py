"""Numbers of forty digits, and machines that give no memory, files or threads: one line each."""

import errno
import resource
import subprocess
import sys

import pytest
import yaml

from mitools.backends.seeding import seeded
from mitools.cli import main
from mitools.cli.limits import FEWEST_FILES, LEAST_MEMORY
from mitools.cli.main import run
from mitools.core.errors import InputError, lacks_memory

LONG = "1" * 40
DATA = "digits?limit=200"
STUDY = {
    "data": [DATA],
    "encoders": ["builtin:pixels"],
    "seeds": [0],
    "metrics": ["linear_acc"],
    "prior": "uniform",
}
RECIPE = {"encoder": "convnet", "data": DATA, "method": "simclr", "epochs": 1, "batch_size": 32}


def one_line(capsys) -> str:
    text = capsys.readouterr().err.strip()
    assert text.startswith("error: ")
    assert "\n" not in text
    assert "Traceback" not in text
    return text


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MITOOLS_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--seed", LONG),
        *((option, value) for option in ("--seed", "--views") for value in ("-1", "1.5", "1e3")),
    ],
)
def test_numbers_that_no_option_of_an_audit_takes(tmp_path, capsys, option, value):
    arguments = ["audit", "--data", DATA, "--encoder", "builtin:pixels", "--out", str(tmp_path / "out")]
    assert run([*arguments, option, value]) == 2
    assert option in one_line(capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["same-class", "estimate"])
def test_a_long_seed_of_other_commands(tmp_path, capsys, command):
    assert run([command, str(tmp_path / "x.npz"), "--seed", LONG]) == 2
    assert "--seed" in one_line(capsys)


@pytest.mark.parametrize(
    "spec", [f"digits?limit={LONG}", f"digits?limit=-{LONG}", f"cdp?shared=color&seed={LONG}"]
)
def test_a_long_number_in_the_data_of_an_audit_is_the_commands_own(tmp_path, capsys, spec):
    assert run(["audit", "--data", spec, "--encoder", "builtin:pixels", "--out", str(tmp_path / "out")]) == 2
    assert LONG in one_line(capsys)


@pytest.mark.parametrize("command", ["train", "study"])
def test_a_long_seed_in_a_recipe_or_study(tmp_path, capsys, command):
    path = tmp_path / "recipe.yaml"
    content = RECIPE | {"seed": int(LONG)} if command == "train" else STUDY | {"seeds": [0, int(LONG)]}
    path.write_text(yaml.safe_dump(content))
    assert run([command, str(path), "--out", str(tmp_path / "out")]) == 2
    assert "18 digits" in one_line(capsys)


BAD_ENCODERS = [
    f"builtin:pca?k={LONG}",
    f"builtin:random_conv?width={LONG}",
    f"builtin:random_conv?seed=-{LONG}",
]


@pytest.mark.slow
def test_long_numbers_of_encoders_fail_these_alone(tmp_path, capsys):
    named = [part for spec in BAD_ENCODERS for part in ("--encoder", spec)]
    out = tmp_path / "out"
    assert run(["audit", "--data", DATA, "--encoder", "builtin:pixels", *named, "--out", str(out)]) == 1
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("failed: ")]
    assert len(told) == len(BAD_ENCODERS)
    assert (
        "builtin:pixels" in (out / "results.csv").read_text() or "pixels" in (out / "results.csv").read_text()
    )


def test_long_numbers_of_a_studys_encoders_fail_these_alone(tmp_path, capsys):
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(STUDY | {"encoders": ["builtin:pixels", *BAD_ENCODERS[:2]]}))
    assert run(["study", str(path), "--out", str(tmp_path / "out")]) == 1
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("failed: ")]
    assert len(told) == 2
    assert "pixels" in (tmp_path / "out" / "results.csv").read_text()


@pytest.mark.parametrize("seed", [10**39, -(10**39)])
def test_a_seed_that_torch_cannot_take_is_told(seed):
    with pytest.raises(InputError, match="64 bits"), seeded(seed):
        pass


ERRORS = {
    "numpy": MemoryError("Unable to allocate 114. MiB for an array"),
    "nothing said": MemoryError(),
    "a library cannot be loaded": ImportError("libtorch_cpu.so: failed to map segment from shared object"),
    "torch": RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 4000 bytes"),
    "threads": RuntimeError("can't start new thread"),
}


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_no_memory_is_one_line_whatever_says_so(monkeypatch, capsys, error):
    def fails(*_, **__):
        raise error

    monkeypatch.setattr(main, "app", fails)
    assert run([]) == 2
    assert "not enough memory" in one_line(capsys)


def test_no_more_open_files_is_one_line_and_names_the_limit(monkeypatch, capsys):
    def fails(*_, **__):
        raise OSError(errno.EMFILE, "Too many open files", "x.png")

    monkeypatch.setattr(main, "app", fails)
    assert run([]) == 2
    assert "ulimit -n" in one_line(capsys)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of other systems are others")
@pytest.mark.parametrize(
    ("limits", "code", "raised"),
    [
        ((FEWEST_FILES - 1, FEWEST_FILES - 1), 2, []),
        ((FEWEST_FILES - 1, 4096), 0, [(FEWEST_FILES, 4096)]),
        ((FEWEST_FILES - 1, -1), 0, [(FEWEST_FILES, -1)]),
        ((FEWEST_FILES, FEWEST_FILES), 0, []),
    ],
)
def test_too_few_files_for_the_libraries_are_told_at_once(capsys, monkeypatch, limits, code, raised):
    set_to = []
    monkeypatch.setattr(
        "resource.getrlimit", lambda kind: limits if kind == resource.RLIMIT_NOFILE else (-1, -1)
    )
    monkeypatch.setattr("resource.setrlimit", lambda kind, wanted: set_to.append(wanted))
    assert run(["--help"]) == code
    assert set_to == raised
    if code:
        assert "ulimit -n" in one_line(capsys)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of other systems are others")
@pytest.mark.parametrize(("limit", "code"), [(LEAST_MEMORY - 1, 2), (0, 2), (LEAST_MEMORY, 0), (-1, 0)])
def test_too_little_memory_for_the_libraries_is_told_at_once(capsys, monkeypatch, limit, code):
    unlimited = resource.RLIM_INFINITY
    limits = {resource.RLIMIT_AS: (limit, unlimited), resource.RLIMIT_NOFILE: (unlimited, unlimited)}
    monkeypatch.setattr("resource.getrlimit", limits.get)
    assert run(["--help"]) == code
    if code:
        assert "ulimit -v" in one_line(capsys)


@pytest.mark.parametrize("error", [ImportError("No module named 'av'"), RuntimeError("shapes differ")])
def test_other_errors_are_no_lack_of_memory(monkeypatch, error):
    assert not lacks_memory(error)

    def fails(*_, **__):
        raise error

    monkeypatch.setattr(main, "app", fails)
    with pytest.raises(type(error)):
        run([])


def test_a_lack_of_memory_is_seen_behind_another_error():
    error = RuntimeError("import failed")
    error.__context__ = MemoryError()
    assert lacks_memory(error)


COMMANDS = {
    "audit": ["audit", "--data", DATA, "--encoder", "builtin:pixels"],
    "study": ["study", "study.yaml"],
    "train": ["train", "recipe.yaml"],
    "export": ["datasets", "export", DATA],
}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of other systems are others")
@pytest.mark.parametrize(
    "limit", ["-v 400000", "-v 3300000", f"-v {LEAST_MEMORY // 1024}", "-n 8", f"-n {FEWEST_FILES}"]
)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_low_limit_ends_in_one_line_or_is_enough(tmp_path, command, limit):
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(STUDY))
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(RECIPE))
    arguments = [sys.executable, "-P", "-m", "mitools", *COMMANDS[command], "--out", str(tmp_path / "out")]
    shell = ["bash", "-c", f'ulimit {limit}; exec "$@"', "bash", *arguments]
    done = subprocess.run(shell, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert "Traceback" not in done.stderr
    if not limit.endswith((f" {FEWEST_FILES}", f" {LEAST_MEMORY // 1024}")):
        assert done.returncode == 2
    if done.returncode:
        assert done.returncode == 2
        assert done.stderr.strip().count("\n") == 0
        assert "ulimit" in done.stderr
