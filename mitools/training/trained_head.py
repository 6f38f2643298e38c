"""The projection head of a run as a critic: where estimation after training may start."""

from mitools.core.errors import InputError
from mitools.core.specs import parse_spec
from mitools.encoders.open import SOURCES
from mitools.encoders.sources.run import HEAD, find_checkpoint, require_trusted, run_and_epoch
from mitools.estimators.critics.networks import ProjectionCritic
from mitools.training.loop.run_folder import RunFolder
from mitools.training.methods.contrastive import Contrastive, ContrastiveOptions
from mitools.training.methods.registry import is_own, method_class, read_options


def trained_head(spec: str) -> ProjectionCritic | None:
    """Make the critic that a run ended with: its head, and the cosine over its temperature.

    The paper starts its estimation after training there (Lee et al., Sec. III-C).

    Parameters
    ----------
    spec
        An encoder spec.

    Returns
    -------
    ProjectionCritic or None
        None where the encoder is no ``run:``, or was not trained by one of mitools' own methods with a
        projection head.

    Raises
    ------
    InputError
        When the run or the epoch is not there, or its head is missing or damaged.
    """
    parsed = parse_spec(spec, SOURCES)
    if parsed.source != "run":
        return None
    folder, epoch = run_and_epoch(parsed)
    require_trusted(parsed, folder)
    recipe = RunFolder(folder).recipe()
    # Opening a run executes none of the user's code: what head a method of his own has is not known.
    if is_own(recipe.method) or not issubclass(method_class(recipe.method), Contrastive):
        return None
    options = read_options(recipe.method, recipe.options)
    assert isinstance(options, ContrastiveOptions)
    path = find_checkpoint(folder, epoch) / HEAD
    weights = RunFolder(folder).weights(epoch, HEAD)
    try:
        hidden, width = weights["0.weight"].shape
        critic = ProjectionCritic(width, width, (hidden,), options.head_width, options.temperature)
        critic.head.load_state_dict(weights)
    except (KeyError, ValueError, RuntimeError):
        raise InputError(f"{path}: damaged; it does not hold the head that the recipe describes") from None
    return critic
