"""What a study asks for: the file ``STUDY.yaml``, and the cells that it means."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, field_validator, model_validator

from mitools.core.names import check_name, nearest
from mitools.core.recipes import Recipe, read_recipe
from mitools.core.specs import shown_name
from mitools.measures.base import Measure
from mitools.measures.registry import MEASURES, METRICS, PAIRINGS, find_measure
from mitools.measures.view_names import DEFAULT_VIEW, registered_pairing
from mitools.views.registry import OWN, VIEWS
from mitools.views.specs import split_name, view_family

MEASURABLE = tuple(name for name, measure in MEASURES.items() if measure.computation is not None)
"""Measures that a study can have; the others are read by a plane alone."""

ITEM_PAIRINGS = tuple(name for name in PAIRINGS if name != DEFAULT_VIEW)
"""Pairings that are not named after a view."""

SomeText = Annotated[str, Field(min_length=1)]


class StudiedEncoder(Recipe):
    """One encoder of a study.

    Attributes
    ----------
    spec
        As :func:`mitools.encoders.open.open_encoder` reads it.
    family
        A group of encoders that are not independent of each other (one architecture, one author), or None.
    """

    spec: SomeText
    family: str | None = None


class Study(Recipe):
    """The content of a study's file.

    Attributes
    ----------
    data
        Data specs.
    encoders
        Encoder specs, each a string or ``{spec: ..., family: ...}``.
    pairings
        Which joint distributions are meant: ``same_class``, ``labels``, or the name of a view for two
        draws of it (``simclr``, ``simclr?strength=0.5``).
    estimators
        Names of methods; one that does not apply to a pairing is left out there.
    metrics
        Names of what mutual information is compared with.
    measures
        Further columns by the names of :data:`mitools.measures.registry.MEASURES`: any that an audit has.
    seeds
        Of the split, the critics and the views; every cell is computed once a seed.
    prior
        The class distribution that is meant.
    views
        Draws of a view an image, where pairs of views are asked for.
    """

    data: Annotated[tuple[SomeText, ...], Field(min_length=1)]
    encoders: Annotated[tuple[StudiedEncoder, ...], Field(min_length=1)]
    pairings: tuple[str, ...] = ("same_class",)
    estimators: tuple[str, ...] = ("class_posterior",)
    metrics: tuple[str, ...] = ("linear_acc",)
    measures: tuple[str, ...] = ()
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] = (0,)
    prior: Literal["empirical", "uniform"] = "empirical"
    views: Annotated[int, Field(ge=2)] = 2

    @field_validator("encoders", mode="before")
    @classmethod
    def _accept_bare_specs(cls, encoders: Any) -> Any:
        if isinstance(encoders, list):
            return tuple({"spec": entry} if isinstance(entry, str) else entry for entry in encoders)
        return encoders

    @field_validator("pairings")
    @classmethod
    def _know_the_pairings(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        from mitools.pairing.view_pairs import paired_view

        known = list(dict.fromkeys([*PAIRINGS, *VIEWS]))
        for name in names:
            if view_family(name) not in (*known, OWN):
                raise ValueError(f"there is no {name!r}; did you mean {nearest(name, known)}?")
        _refuse_twice(
            "pairings",
            [name if name in ITEM_PAIRINGS else paired_view(name, ITEM_PAIRINGS).name for name in names],
        )
        _refuse_twice("pairings", [split_name(name)[1] or name for name in names])
        return names

    @field_validator("metrics", "measures")
    @classmethod
    def _know_the_names(cls, names: tuple[str, ...], info: Any) -> tuple[str, ...]:
        known = {"metrics": METRICS, "measures": MEASURABLE}[info.field_name]
        for name in names:
            if name not in known:
                raise ValueError(f"there is no {name!r}; did you mean {nearest(name, known)}?")
        return names

    @field_validator("estimators")
    @classmethod
    def _know_the_estimators(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        from mitools.estimators.registry import ESTIMATORS

        for name in names:
            check_name("method", name, ESTIMATORS)
        return names

    @model_validator(mode="after")
    def _refuse_repetitions(self) -> "Study":
        for field in ("data", "estimators", "metrics", "measures", "seeds"):
            _refuse_twice(field, getattr(self, field))
        _refuse_twice("data", [shown_name(spec) for spec in self.data])
        _refuse_twice("encoders", [shown_name(encoder.spec) for encoder in self.encoders])
        if not _columns(self):
            raise ValueError("nothing to measure: no estimator applies to a pairing, and no metric is named")
        return self


def _refuse_twice(field: str, values: Any) -> None:
    repeated = [value for position, value in enumerate(values) if value in values[:position]]
    if repeated:
        raise ValueError(f"{field} names {repeated[0]!r} twice")


class Cell(NamedTuple):
    """One piece of a study's work.

    Attributes
    ----------
    data, encoder
        Specs.
    pairing
        As the study names it; empty where the measure is asked for by name.
    measure
        The estimator's name, or that of the measure.
    seed
        Of everything random in it.
    """

    data: str
    encoder: str
    pairing: str
    measure: str
    seed: int

    @property
    def column(self) -> str:
        """The name of its number in a table of one row an encoder."""
        return f"{self.shown_pairing}:{self.measure}" if self.pairing else self.measure

    @property
    def shown_pairing(self) -> str:
        """What tables and figures call the pairing: a view's ``name=``, or the pairing itself."""
        return split_name(self.pairing)[1] or self.pairing

    @property
    def registered(self) -> Measure:
        """The measure as the registry has it: two names of one measure give the same."""
        found = _measure_of(self.pairing, self.measure) if self.pairing else MEASURES[self.measure]
        assert found is not None
        return found

    @property
    def view(self) -> str | None:
        """The name of the view that the measure reads two draws of; None where it reads none."""
        if not self.registered.needs_views:
            return None
        return self.pairing or DEFAULT_VIEW


def read_study(path: Path) -> Study:
    """Read a study's file.

    Raises
    ------
    InputError
        When it is malformed; see :func:`mitools.core.recipes.read_recipe`.
    """
    return read_recipe(path, Study)


def cells(study: Study) -> Iterator[Cell]:
    """Give every cell of a study, those of one encoder and seed together."""
    columns = _columns(study)
    for data in study.data:
        for encoder in study.encoders:
            for seed in study.seeds:
                for pairing, measure in columns:
                    yield Cell(data, encoder.spec, pairing, measure, seed)


def left_out(study: Study) -> dict[str, str]:
    """Name the pairings that no estimator of the study reads and the estimators that read no pairing of it.

    That an estimator reads some pairings and not others is what a study of several of both is made of.

    Returns
    -------
    dict of str to str
        Why each is left out.
    """
    pairings = [p for p in study.pairings if all(_measure_of(p, e) is None for e in study.estimators)]
    estimators = [e for e in study.estimators if all(_measure_of(p, e) is None for p in study.pairings)]
    return dict.fromkeys(pairings, "no estimator of the study reads this pairing") | dict.fromkeys(
        estimators, "it reads none of the study's pairings"
    )


def _measure_of(pairing: str, estimator: str) -> Measure | None:
    return find_measure(registered_pairing(pairing), estimator)


def _columns(study: Study) -> list[tuple[str, str]]:
    """Give the pairing, or nothing, and the name of every measure asked for, once."""
    columns = [(p, e) for p in study.pairings for e in study.estimators if _measure_of(p, e) is not None]
    for name in (*study.metrics, *study.measures):
        pairing, colon, estimator = name.partition(":")
        columns.append((pairing, estimator) if colon else ("", name))
    return list(dict.fromkeys(columns))
