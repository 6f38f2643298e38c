"""What a measure is, and how it is named where it is computed."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

MeasureKind = Literal["estimate", "difference", "metric"]
ReadField = Literal["rows", "labels", "views", "head", "untrained", "variables"]
TableKind = Literal["audit", "study", "plane"]


class Computation(NamedTuple):
    """The function that computes a measure, or several of one fit.

    Attributes
    ----------
    function
        ``module:name`` of a function (representation, settings) -> Measured, imported when it is called.
    method
        Its third argument, where one function serves several methods.
    """

    function: str
    method: str = ""


@dataclass(frozen=True)
class Measure:
    """What is known of a measure without computing it.

    Attributes
    ----------
    name
        Unique. The column's name too; a column in bits adds ``_bits``.
    kind
        ``estimate`` of mutual information, ``difference`` of two estimates, or ``metric``: a plain number.
    computation
        Where it is computed; None for what a plane reads for all checkpoints of a layer together.
    what
        One line for people.
    source
        Where it is defined.
    pairing
        Which pairs it reads: ``same_class``, ``labels`` (an item and its class), ``simclr`` (two views of an
        item), ``items`` (any two items), ``input`` (an item and its features); empty for no pairs.
    estimator
        What a study calls it beside the pairing; empty where a study asks for it by its name alone.
    reads
        The fields of :class:`mitools.measures.representation.Representation` that it reads.
    may_read
        Further fields that it reads where they are there, and does without where they are not.
    unit
        As it is shown: ``bits``, ``share``, ``cosine``, ``count``; empty for a number without one.
    higher_is_better
        Whether more speaks for the representation.
    tables
        Which tables can have it as a column.
    """

    name: str
    kind: MeasureKind
    computation: Computation | None
    what: str
    source: str
    pairing: str
    estimator: str = ""
    reads: tuple[ReadField, ...] = ("rows", "labels")
    may_read: tuple[ReadField, ...] = ()
    unit: str = "bits"
    higher_is_better: bool = True
    tables: tuple[TableKind, ...] = ("audit", "study")

    @property
    def needs_labels(self) -> bool:
        """Whether class labels change it."""
        return "labels" in self.reads

    @property
    def needs_views(self) -> bool:
        """Whether it is read on augmented views."""
        return "views" in self.reads
