"""What a command must not import before it has work to do."""

import subprocess
import sys

import pytest

HEAVY = (
    "torch",
    "torchvision",
    "timm",
    "scipy",
    "sklearn",
    "pandas",
    "matplotlib",
    "pyarrow",
    "transformers",
)


def imported_by(*arguments: str) -> set[str]:
    """Run a command in a fresh interpreter, and name the heavy packages that it imported."""
    code = (
        "import sys; from mitools.cli.main import run; run(sys.argv[1:]);"
        f"print('IMPORTED', *sorted(set({HEAVY}) & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return set(done.stdout.rpartition("IMPORTED")[2].split())


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["audit", "--help"], ["--version"], ["audti"], ["audit"], ["run", "--list"],
     ["run", "no_such_analysis"], ["estimate", "--list"], ["guide"], ["guide", "gloss"]],
    ids=" ".join,
)  # fmt: skip
def test_a_command_without_work_imports_nothing_heavy(arguments: list[str]) -> None:
    assert imported_by(*arguments) == set()
