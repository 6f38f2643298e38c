"""The house rules that tools can check: style, types, and imports that run one way."""

import os
import subprocess
import sys
import tomllib
from collections import Counter
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


def modules():
    """Every module of the package, as a path below the top of the repository."""
    tops = [ROOT / name for name in ("mitools", "datasets", "analyses")]
    return [path.relative_to(ROOT) for top in tops for path in top.rglob("*.py")]


def test_every_package_is_installed():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    folders = {path.parent for path in modules()}
    named = {".".join(folder.parts).removeprefix("mitools.") for folder in folders}
    listed = settings["tool"]["setuptools"]["packages"]
    assert {name.removeprefix("mitools.") for name in listed} == named


def test_no_folder_is_a_maze():
    sizes = Counter(path.parent for path in modules() if path.name != "__init__.py")
    assert {str(folder): size for folder, size in sizes.items() if size > 16} == {}
