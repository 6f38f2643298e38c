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
    best
        The value that speaks for it most, where that is neither the highest nor the lowest.
    range
        Which values it can take, in words.
    cost
        How its time grows with n items of d columns, in words.
    quick
        Whether ``--measures quick`` has it.
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
    best: float | None = None
    range: str = ""
    cost: str = ""
    quick: bool = False
    tables: tuple[TableKind, ...] = ("audit", "study")

    @property
    def direction(self) -> str:
        """Which values are better, in words."""
        if self.best is not None:
            return f"near {self.best:g}"
        return "higher" if self.higher_is_better else "lower"

    @property
    def needs(self) -> tuple[str, ...]:
        """What it reads beside the features, in words."""
        return tuple(field for field in self.reads if field != "rows")

    @property
    def needs_labels(self) -> bool:
        """Whether class labels change it."""
        return "labels" in self.reads

    @property
    def needs_views(self) -> bool:
        """Whether it is read on augmented views."""
        return "views" in self.reads
