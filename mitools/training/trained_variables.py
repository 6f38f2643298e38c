"""The soft variables that a run was trained with, as its projector makes them."""

from safetensors.torch import load_file

from mitools.core.errors import InputError
from mitools.core.specs import parse_spec
from mitools.encoders.open import SOURCES
from mitools.encoders.sources.run import HEAD, find_checkpoint, run_and_epoch
from mitools.training.loop.run_folder import RunFolder
from mitools.training.methods.imsvd import IMSVDOptions
from mitools.training.methods.registry import read_options
from mitools.training.networks.projector import Projector
from mitools.variables.discretise import OwnVariables


def trained_variables(spec: str) -> OwnVariables | None:
    """Open the projector that a run of ``imsvd`` ended with, and its groups of units.

    Parameters
    ----------
    spec
        An encoder spec.

    Returns
    -------
    OwnVariables or None
        None where the encoder is no ``run:``, or was trained by another method.

    Raises
    ------
    InputError
        When the run or the epoch is not there, or its head is damaged.
    """
    parsed = parse_spec(spec, SOURCES)
    if parsed.source != "run":
        return None
    folder, epoch = run_and_epoch(parsed)
    recipe = RunFolder(folder).recipe()
    if recipe.method != "imsvd":
        return None
    options = read_options(recipe.method, recipe.options)
    assert isinstance(options, IMSVDOptions)
    path = find_checkpoint(folder, epoch) / HEAD
    weights = load_file(path)
    try:
        width = weights["0.weight"].shape[1]
        head = Projector(width, options.hidden, options.variables * options.units, options.layers)
        head.load_state_dict(weights)
    except (KeyError, RuntimeError):
        raise InputError(f"{path}: damaged; it does not hold the head that the recipe describes") from None
    return OwnVariables(head.eval(), options.variables, options.units)
