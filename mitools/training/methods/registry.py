"""Every method by its name, for recipes."""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from mitools.core.errors import InputError
from mitools.core.own_code import import_named
from mitools.core.recipes import Recipe, make_recipe

if TYPE_CHECKING:
    from mitools.training.methods.base import Method
    from mitools.training.recipes import TrainingRecipe
    from mitools.training.training_data import TrainingData


class TrainingMethod(NamedTuple):
    """Where a method is, and what it does.

    Attributes
    ----------
    where
        ``module:Class`` under :mod:`mitools.training.methods`, imported when the method is asked for.
    what
        One line for people.
    """

    where: str
    what: str


TRAINING_METHODS: dict[str, TrainingMethod] = {
    "cross_entropy": TrainingMethod(
        "cross_entropy:CrossEntropy",
        "supervised; H(Y) - L bounds I(T;Y)",
    ),
    "simclr": TrainingMethod(
        "simclr:SimCLR",
        "NT-Xent of two augmentations of an image; bounds I of the augmented pair",
    ),
    "class": TrainingMethod(
        "class_pairs:ClassPairs",
        "NT-Xent of two images of a class (L_class); bounds I_class",
    ),
    "infonce": TrainingMethod(
        "infonce:InfoNCE",
        "InfoNCE in one direction; bounds I of the augmented pair",
    ),
    "moco": TrainingMethod(
        "moco:MoCo",
        "InfoNCE against a queue of a momentum encoder's keys, with PIRL's nine crops where asked for",
    ),
    "supcon": TrainingMethod(
        "supcon:SupCon",
        "every view of every item of a class is a positive; no bound",
    ),
    "ctc": TrainingMethod(
        "ctc:CTC",
        "supervised, and InfoNCE against a memory bank, then against the frozen network (two stages)",
    ),
    "cmc": TrainingMethod(
        "multiview.cmc:CMC",
        "an encoder a view, any number of views: InfoNCE, NCE or MoCo between pairs of them",
    ),
    "predictive": TrainingMethod(
        "multiview.predictive:Predictive",
        "a decoder from one view's encoder to another view; no bound",
    ),
    "learned_views": TrainingMethod(
        "multiview.learned_views:LearnedViews",
        "an invertible generator whose channels are views that share little, or keep the label",
    ),
    "imsvd": TrainingMethod(
        "imsvd:IMSVD",
        "soft variables that are invariant, of high entropy and pairwise independent; no bound",
    ),
    "barlow_twins": TrainingMethod(
        "barlow_twins:BarlowTwins",
        "cross-correlation of two augmentations brought to the identity; no bound",
    ),
    "vicreg": TrainingMethod(
        "vicreg:VICReg",
        "variance, invariance and covariance of two augmentations; no bound",
    ),
}
"""The methods by name: a new one is a file and a row here."""

OWN_PREFIX = "python:"
"""What begins the name of a method from the user's own code."""

LIGHTLY_PREFIX = "lightly:"
"""What begins the name of a loss of the package lightly."""


def is_own(name: str) -> bool:
    """Whether a name stands for the user's own code, ``python:module:Class``, which naming it runs."""
    return name.startswith(OWN_PREFIX)


def is_known(name: str) -> bool:
    """Whether a name stands for one of mitools' own methods, or for some loss of the package lightly."""
    return name in TRAINING_METHODS or name.startswith(LIGHTLY_PREFIX)


def method_class(name: str) -> "type[Method]":
    """Give the class of a method.

    Parameters
    ----------
    name
        One of :data:`TRAINING_METHODS`, ``lightly:NAME`` for a loss of the package lightly, or
        ``python:module:Class`` for the user's own, found as Python finds it or in the current folder.

    Raises
    ------
    InputError
        When the user's code cannot be imported, or is no method; when lightly is missing or has no such loss.
    """
    from mitools.training.methods.base import Method

    if name.startswith(LIGHTLY_PREFIX):
        from mitools.training.methods.lightly_loss import lightly_method

        return lightly_method(name.removeprefix(LIGHTLY_PREFIX))
    if not is_own(name):
        module, _, attribute = TRAINING_METHODS[name].where.partition(":")
        found = getattr(import_module(f"mitools.training.methods.{module}"), attribute)
    else:
        found = import_named("method", name.removeprefix(OWN_PREFIX))
        if not (isinstance(found, type) and issubclass(found, Method)):
            raise InputError(f"method {name!r} is no class of mitools.training.methods.Method")
    kind: type[Method] = found
    return kind


def read_options(name: str, content: Mapping[str, Any], under: str = "options.") -> Recipe:
    """Make the options of a method, its defaults filled in.

    Parameters
    ----------
    name
        Of the method.
    content
        Keys and values.
    under
        Where the keys stand in the recipe; begins the name of a key in an error.

    Raises
    ------
    InputError
        When a key is unknown, or a value is of the wrong kind or out of range.
    """
    return make_recipe(dict(content), method_class(name).Options, under=under)


def make_method(recipe: "TrainingRecipe", data: "TrainingData") -> "Method":
    """Make the method of a recipe with the untrained weights of its seed, on the device of the data.

    Raises
    ------
    InputError
        When the options or the data do not fit the method, or the user's own code fails.
    """
    from mitools.backends.seeding import derive_seed, seeded

    kind, options = method_class(recipe.method), read_options(recipe.method, recipe.options)
    kind.check(recipe, options)
    try:
        with seeded(derive_seed(recipe.seed, 8)):
            made = kind(recipe, data, options)  # type: ignore[call-arg]
    except InputError:
        raise
    except Exception as error:
        if not is_own(recipe.method):
            raise
        reason = " ".join(str(error).split())[:300]
        raise InputError(
            f"method {recipe.method!r} cannot be made ({type(error).__name__}: {reason})"
        ) from error
    return made.to(data.pixels.device)
