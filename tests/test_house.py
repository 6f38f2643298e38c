"""The house rules that tools can check: style, types, and imports that run one way."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A folder in which the package lies as it is installed: datasets and analyses inside mitools."""
    folder = tmp_path_factory.mktemp("house")
    package = folder / "mitools"
    package.mkdir()
    inside = [path for path in (ROOT / "mitools").iterdir() if path.name != "__pycache__"]
    for path in [*inside, ROOT / "datasets", ROOT / "analyses"]:
        (package / path.name).symlink_to(path)
    (folder / "pyproject.toml").symlink_to(ROOT / "pyproject.toml")
    return folder


def run(*command, cwd):
    environment = os.environ | {
        "PYTHONPATH": str(cwd),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [["check"], ["format", "--check"]], ids=["lint", "format"])
def test_ruff(arguments):
    done = run(sys.executable, "-m", "ruff", *arguments, "mitools", "datasets", "analyses", "tests", cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_types(house):
    done = run(sys.executable, "-m", "mypy", "-p", "mitools", cwd=house)
    assert done.returncode == 0, done.stdout + done.stderr


def test_imports_run_one_way(house):
    done = run("lint-imports", cwd=house)
    assert done.returncode == 0, done.stdout + done.stderr


def test_importing_mitools_is_light(house):
    heavy = "{'torch', 'timm', 'torchvision', 'pandas', 'matplotlib', 'sklearn', 'typer',"
    heavy += " 'transformers', 'onnxruntime', 'pyarrow', 'accelerate'}"
    code = f"import sys, mitools; print(sorted({heavy} & set(sys.modules)))"
    done = run(sys.executable, "-c", code, cwd=house)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
