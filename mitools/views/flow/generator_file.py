"""A learned generator as a file: its weights, and what it is rebuilt from."""

from pathlib import Path
from typing import NamedTuple, cast, get_args

from mitools.core.errors import InputError
from mitools.core.files import digest_file, disk_errors
from mitools.views.flow.generator import Coupling, FlowGenerator

GENERATOR = "generator.safetensors"
"""In the folder of a run's checkpoint."""


class LearnedGenerator(NamedTuple):
    """A generator, and the colour space that it reads.

    Attributes
    ----------
    generator
        Without gradients.
    space
        A name of :data:`mitools.views.colour.spaces.SPACES`.
    digest
        SHA-256 of its file.
    """

    generator: FlowGenerator
    space: str
    digest: str = ""


def write_generator(folder: Path, generator: FlowGenerator, space: str) -> None:
    """Write a generator into a folder.

    Raises
    ------
    OSError
        When the disk is full.
    """
    from safetensors.torch import save_file

    tensors = {name: value.detach().cpu().contiguous() for name, value in generator.state_dict().items()}
    made_of = {
        "space": space,
        "coupling": generator.coupling,
        "blocks": str(len(generator.blocks)),
        "hidden": str(generator.hidden),
    }
    with disk_errors(folder / GENERATOR):
        save_file(tensors, folder / GENERATOR, made_of)


def read_generator(path: Path) -> LearnedGenerator:
    """Read a generator's file; safetensors holds numbers and texts alone, so that nothing is executed.

    Raises
    ------
    InputError
        When it is missing or damaged.
    """
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import load_file

    try:
        with safe_open(path, "pt") as file:
            made_of = file.metadata() or {}
        if made_of["coupling"] not in get_args(Coupling):
            raise ValueError(made_of["coupling"])
        generator = FlowGenerator(
            cast(Coupling, made_of["coupling"]), int(made_of["blocks"]), int(made_of["hidden"])
        )
        generator.load_state_dict(load_file(path))
        space = made_of["space"]
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise InputError(f"{path}: damaged, it holds no generator ({type(error).__name__})") from None
    return LearnedGenerator(generator.eval().requires_grad_(False), space, digest_file(path))
