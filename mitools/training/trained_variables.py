"""The projector of a run, and the soft variables that it was trained with."""

from mitools.core.errors import InputError
from mitools.core.recipes import Recipe
from mitools.core.specs import parse_spec
from mitools.encoders.open import SOURCES
from mitools.encoders.sources.run import HEAD, find_checkpoint, require_trusted, run_and_epoch
from mitools.training.loop.run_folder import RunFolder
from mitools.training.methods.imsvd import IMSVDOptions
from mitools.training.methods.projected_pair import ProjectorOptions
from mitools.training.methods.registry import is_own, read_options
from mitools.training.networks.projector import Projector
from mitools.variables.discretise import OwnVariables


def trained_variables(spec: str) -> OwnVariables | None:
    """Open the soft variables that a run of ``imsvd`` ended with.

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
        As :func:`trained_projector`.
    """
    options = _options(spec)
    if not isinstance(options, IMSVDOptions):
        return None
    head = trained_projector(spec)
    assert head is not None
    return OwnVariables(head, options.variables, options.units)


def trained_projector(spec: str) -> Projector | None:
    """Open the projector that a run without negatives ended with, in evaluation mode.

    Parameters
    ----------
    spec
        An encoder spec.

    Returns
    -------
    Projector or None
        None where the encoder is no ``run:``, or was trained by a method without one.

    Raises
    ------
    InputError
        When the run or the epoch is not there, or its head is missing or damaged.
    """
    options = _options(spec)
    if isinstance(options, IMSVDOptions):
        output = options.variables * options.units
    elif isinstance(options, ProjectorOptions):
        output = options.width
    else:
        return None
    folder, epoch = run_and_epoch(parse_spec(spec, SOURCES))
    path = find_checkpoint(folder, epoch) / HEAD
    weights = RunFolder(folder).weights(epoch, HEAD)
    try:
        head = Projector(weights["0.weight"].shape[1], options.hidden, output, options.layers)
        head.load_state_dict(weights)
    except (KeyError, IndexError, RuntimeError):
        raise InputError(f"{path}: damaged; it does not hold the head that the recipe describes") from None
    return head.eval()


def _options(spec: str) -> Recipe | None:
    """Read the options of a run's method; None where the encoder is no run, or runs the user's own code."""
    parsed = parse_spec(spec, SOURCES)
    if parsed.source != "run":
        return None
    folder = run_and_epoch(parsed)[0]
    require_trusted(parsed, folder)
    recipe = RunFolder(folder).recipe()
    return None if is_own(recipe.method) else read_options(recipe.method, recipe.options)
