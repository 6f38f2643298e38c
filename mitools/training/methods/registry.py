"""Every objective by its name, for recipes."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from mitools.training.losses.cross_entropy import CrossEntropy
from mitools.training.losses.ntxent import InfoNCE, NTXent
from mitools.training.losses.supcon import SupCon
from mitools.training.methods.base import Objective, Pairing


class NamedObjective(NamedTuple):
    """How an objective is made, and what it needs.

    Attributes
    ----------
    make
        From the temperature and H(Y) of the training labels, in nats; None where a run has several stages
        with an objective each, which :func:`mitools.training.methods.stages.stages_of` makes from the recipe.
    pairing
        What a batch is made of.
    head
        What stands between encoder and loss.
    augments
        Whether images are augmented.
    temperature
        Where the paper that it comes from sets it.
    what
        One line for people.
    """

    make: Callable[[float, float], Objective] | None
    pairing: Pairing
    head: Literal["projection", "classifier", "representation and classifier"]
    augments: bool
    temperature: float
    what: str


OBJECTIVES: dict[str, NamedObjective] = {
    "cross_entropy": NamedObjective(
        make=lambda _, entropy: CrossEntropy(entropy),
        pairing="labels",
        head="classifier",
        augments=True,
        temperature=1.0,
        what="supervised; H(Y) - L bounds I(T;Y)",
    ),
    "ctc": NamedObjective(
        make=None,
        pairing="labels",
        head="representation and classifier",
        augments=True,
        temperature=1.0,
        what="supervised, and InfoNCE against a memory bank, then against the frozen network (two stages)",
    ),
    "simclr": NamedObjective(
        make=lambda temperature, _: NTXent(temperature),
        pairing="views",
        head="projection",
        augments=True,
        temperature=0.5,
        what="NT-Xent of two augmentations of an image; bounds I of the augmented pair",
    ),
    "class": NamedObjective(
        make=lambda temperature, _: NTXent(temperature),
        pairing="same_class",
        head="projection",
        augments=False,
        temperature=0.5,
        what="NT-Xent of two images of a class (L_class); bounds I_class",
    ),
    "supcon": NamedObjective(
        make=lambda temperature, _: SupCon(temperature),
        pairing="views",
        head="projection",
        augments=True,
        temperature=0.1,
        what="every view of every item of a class is a positive; no bound",
    ),
    "infonce": NamedObjective(
        make=lambda temperature, _: InfoNCE(temperature),
        pairing="views",
        head="projection",
        augments=True,
        temperature=0.5,
        what="InfoNCE in one direction; bounds I of the augmented pair",
    ),
}
