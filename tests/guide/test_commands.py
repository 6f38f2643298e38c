"""Every command and file of every page and of the README is accepted, and every page runs on small data."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
import typer

from mitools.cli.guide import PAGES
from mitools.cli.main import app, run
from mitools.core.recipes import make_recipe, read_yaml
from mitools.core.specs import parse_spec
from mitools.datasets.sources import DATA_SOURCES
from mitools.encoders.open import SOURCES
from mitools.studies.definition import Study
from mitools.training.recipes import TrainingRecipe

ROOT = Path(__file__).parents[2]
TEXTS = {page: ROOT / "mitools" / "guide" / f"{page}.md" for page in PAGES} | {"README": ROOT / "README.md"}
CONFIGS = ("audit.yaml",)


def blocks(text):
    """Every block of code with its language, in order."""
    return re.findall(r"^```(\w*)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def commands(code):
    """The calls of mitools in a block, each as a list of arguments."""
    lines = code.replace("\\\n", " ").splitlines()
    calls = [call for line in lines for call in line.split(" && ")]
    return [shlex.split(call)[1:] for call in calls if call.startswith("mitools")]


def file_of(code):
    """The name that a block gives its file in its first line; None where it gives none."""
    named = re.match(r"# (\S+\.(?:yaml|py))\n", code)
    return named and named[1]


def read_as_command(arguments):
    """Parse a command line as far as it goes before anything is computed."""
    command, words = typer.main.get_command(app), list(arguments)
    while hasattr(command, "commands"):
        first = words[0] if words[0] in command.commands else "run"
        command, words = command.commands[first], words[words[0] == first :]
    with command.make_context(command.name, words) as context:
        return context.params


@pytest.mark.parametrize("page", TEXTS)
def test_every_command_and_file_is_one_that_is_accepted(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for language, code in blocks(TEXTS[page].read_text()):
        name = file_of(code)
        if language == "yaml":
            Path(name or "unnamed.yaml").write_text(code)
            content = read_yaml(Path(name or "unnamed.yaml"))
            if name in CONFIGS:
                continue
            if name == "study.yaml":
                make_recipe(content, Study, name)
            else:
                make_recipe({"encoder": "convnet", "data": "digits"} | content, TrainingRecipe, page)
        elif language == "python":
            compile(code, page, "exec")
        for arguments in commands(code) if language == "bash" else []:
            params = read_as_command(arguments)
            encoders = params.get("encoder") or []
            for spec in [encoders] if isinstance(encoders, str) else encoders:
                assert spec.startswith("runs/") or parse_spec(spec, SOURCES)
            data = params.get("data")
            for spec in [data] if isinstance(data, str) else []:
                assert parse_spec(spec, DATA_SOURCES)


def test_a_wrong_option_would_be_found():
    with pytest.raises(typer.TyperException, match="nothing"):
        read_as_command(["audit", "--encoder", "builtin:pixels", "--nothing"])


SMALLER = {
    "start": {
        "timm:resnet50.a1_in1k?name": "builtin:pixels?name",
        "timm:resnet50&name": "cifar_resnet8&name",
        "timm:resnet50": "cifar_resnet8",
        "out: audit": "out: second",
        "same_class,simclr": "same_class",
    },
    "training": {
        "n=6000&size=32": "n=1200&size=28",
        "n=3000&size=32": "n=1200&size=28",
        "epochs: 20": "epochs: 1",
        "n=8000": "n=80&size=32",
        "n=1200&size=32": "n=60&size=32",
        "n=1000&size=32": "n=60&size=32",
        "SegmentationRecipe(epochs=4, width=16)": "SegmentationRecipe(epochs=1, width=8)",
        "batch_size: 64": "batch_size: 20",
        "--out audit": "--out audit --no-critic --no-control",
    },
    "views": {
        "optimiser:": "epochs: 1\nbatch_size: 30\noptimiser:",
        "tar:test.tar": "tar:images.tar",
        "tar:labelled.tar": "tar:images.tar",
        "--out measured": "--out measured --steps 4 --width 8",
        "--out views": "--out views --steps 4 --width 8",
        "crop_area=0.08:1:6 --out crops": "crop_area=0.08:1:2 --out crops --steps 4 --width 8",
        '"same_class,simclr,simclr?strength=0.5"': '"same_class,simclr" --no-critic --no-control --out drawn',
        "--data digits --encoder": "--data digits?limit=100 --no-critic --out own --encoder",
    },
    "variables": {
        "tar:cifar10-test.tar.gz": "tar:images.tar",
        "timm:resnet18": "builtin:pixels",
        "--measures discrete": "--measures discrete --no-critic --no-control --out discrete",
        "variables: 102, units: 80, hidden: 8192": "variables: 4, units: 4, hidden: 16",
        "--unit 0:3": "--units 4 --unit 0:3",
        "folder:places205/train": "tar:images.tar --no-critic --no-control --out tested",
        "folder:places205/val": "folder:PATH",
    },
    "adding-a-method": {
        "data: digits": "data: digits?limit=120",
        "--data digits": "--no-critic --no-control --data digits?limit=120",
        "epochs: 20": "epochs: 1",
        "batch_size: 64": "batch_size: 30",
    },
    "estimators": {"(4000)": "(600)", "max_steps=300": "max_steps=20"},
    "certificate": {"FEATURES.npz": "features.npz"},
}
"""What is made smaller, or stands for a file of the reader's own, when a page is run."""

BEFORE = {
    "training": [["train", "cmc.yaml", "--out", "runs/cmc"]],
    "views": [["train", "simclr.yaml", "--out", "runs/simclr"]],
    "variables": [["train", "imsvd.yaml", "--out", "runs/imsvd"]],
}
"""Runs that a page takes for granted."""


@pytest.fixture
def readers_files(tmp_path, monkeypatch, image_tar_writer):
    """What a page speaks of as the reader's own: images, a checkpoint, features."""
    from mitools.encoders.architectures.build import build_architecture

    monkeypatch.chdir(tmp_path)
    image_tar_writer(tmp_path / "images.tar", [40, 40, 40])
    assert run(["datasets", "export", "tar:images.tar", "--out", "PATH"]) == 0
    torch.save(build_architecture("cifar_resnet8").module.state_dict(), tmp_path / "mine.pth")
    labels = np.arange(120) % 3
    rows = np.eye(3)[labels] + np.random.default_rng(0).standard_normal((120, 3))
    np.savez(tmp_path / "features.npz", features=rows, labels=labels)
    small = "encoder: convnet\ndata: tar:images.tar\nepochs: 1\nbatch_size: 30\n"
    (tmp_path / "simclr.yaml").write_text(f"{small}method: simclr\n")


@pytest.mark.slow
@pytest.mark.usefixtures("readers_files")
@pytest.mark.parametrize("page", SMALLER)
def test_a_page_runs_from_top_to_bottom(page, capsys):
    text = TEXTS[page].read_text()
    for long, short in SMALLER[page].items():
        assert long in text or long == "timm:resnet50", f"{page} has no {long!r} any more"
        text = text.replace(long, short)
    for language, code in blocks(text):
        if language == "yaml" and page == "variables":
            head = "encoder: convnet\ndata: tar:images.tar\nepochs: 1\nbatch_size: 30\n"
            Path("imsvd.yaml").write_text(head + code)
        elif file_of(code) and file_of(code) != "study.yaml":
            Path(file_of(code)).write_text(code)
    for arguments in BEFORE.get(page, []):
        assert run(arguments) == 0, capsys.readouterr().err
    names = {}
    for language, code in blocks(text):
        if language == "python" and not file_of(code):
            exec(compile(code, page, "exec"), names)
        for arguments in commands(code) if language == "bash" else []:
            if arguments != ["demo"]:
                assert run(arguments) == 0, f"{shlex.join(arguments)}\n{capsys.readouterr().err}"
