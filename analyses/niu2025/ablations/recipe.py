"""What the ablations are made from, and the runs of every table."""

from typing import Annotated, Any, NamedTuple

from pydantic import Field, field_validator, model_validator

from mitools.analyses.shared.view_pairs import Seeds
from mitools.core.recipes import Recipe, make_recipe
from mitools.training.recipes import Count, TrainingRecipe

Counts = Annotated[tuple[Count, ...], Field(min_length=2)]

IMSVD, VICREG = "imsvd", "vicreg"

TABLES = {
    "batch_size": "Table V",
    "depth": "Table VI",
    "width": "Table VII",
    "terms": "Table VIII",
    "units": "Table IX",
}
"""What is varied, and where the paper has it."""

TERMS: dict[str, dict[str, Any]] = {
    "DE+OE": {"invariance": 0.0},
    "OE+TI": {"diagonal": 0.0},
    "DE+OE+TIC": {"similarity": "cross_entropy"},
    "DE+OE+TI": {},
}
"""Options of IMSVD for the losses of Table VIII; the last one is the whole loss."""


class Row(NamedTuple):
    """One cell of one of the paper's tables.

    Attributes
    ----------
    table
        A key of :data:`TABLES`.
    setting
        What stands over the column: a number, or the terms.
    method
        ``imsvd`` or ``vicreg``.
    recipe
        Its training; the seed is left to the run.
    """

    table: str
    setting: str
    method: str
    recipe: TrainingRecipe

    @property
    def name(self) -> str:
        """Name of a folder."""
        return f"{self.table}-{self.setting}-{self.method}".lower().replace("+", "-")


class AblationsRecipe(Recipe):
    """What the analysis is made from.

    Attributes
    ----------
    training
        A run of ``imsvd`` with the whole loss: the row that all five tables share.
    test
        Images that encoders are read on. Their linear classifier is fitted to the images trained on, and
        neighbours are looked for there.
    seeds
        One run of every row with each.
    batch_sizes
        Of Table V, for both methods. The learning rate is the row's that is shared, times the batch size
        over its batch size, as in the paper.
    depths
        Linear layers of the projector, of Table VI.
    variables
        M of Table VII: the projector has M times the shared D_M outputs; VICReg has as many.
    units
        D_M of Table IX; the projector's width stays, as nearly as whole variables allow.
    vicreg_layers
        Of VICReg's projector, whose hidden layers are as wide as those of the shared row.
    """

    training: TrainingRecipe
    test: Annotated[str, Field(min_length=1)]
    seeds: Seeds = (0, 1, 2)
    batch_sizes: Counts
    depths: Counts
    variables: Counts
    units: Counts
    vicreg_layers: Count = 3

    @field_validator("training")
    @classmethod
    def _share_the_whole_loss(cls, training: TrainingRecipe) -> TrainingRecipe:
        if training.method != IMSVD:
            raise ValueError("the method must be imsvd")
        for terms, options in TERMS.items():
            if options and training.with_options(**options) == training:
                raise ValueError(f"the loss must be whole, and is that of {terms}")
        return training

    @model_validator(mode="after")
    def _hold_the_shared_row(self) -> "AblationsRecipe":
        for name, values, shared in (
            ("batch_sizes", self.batch_sizes, self.training.batch_size),
            ("depths", self.depths, self.training.options["layers"]),
            ("variables", self.variables, self.training.options["variables"]),
            ("units", self.units, self.training.options["units"]),
        ):
            if shared not in values or list(values) != sorted(set(values)):
                raise ValueError(f"{name} must rise and hold {shared}, which is that of training")
        return self

    @property
    def width(self) -> int:
        """The projector's outputs in the shared row, M times D_M."""
        return int(self.training.options["variables"] * self.training.options["units"])

    @property
    def shared(self) -> dict[str, str]:
        """The setting of the shared row in every table."""
        options = self.training.options
        return {
            "batch_size": str(self.training.batch_size),
            "depth": str(options["layers"]),
            "width": str(self.width),
            "terms": next(name for name, changes in TERMS.items() if not changes),
            "units": str(options["units"]),
        }

    def rows(self) -> list[Row]:
        """Give every cell of the five tables; the shared row stands in each."""
        training, units = self.training, int(self.training.options["units"])
        vicreg = {size: self._vicreg(size) for size in sorted({units * m for m in self.variables})}
        return [
            *(Row("batch_size", str(k), IMSVD, _of_batch(training, k)) for k in self.batch_sizes),
            *(Row("batch_size", str(k), VICREG, _of_batch(vicreg[self.width], k)) for k in self.batch_sizes),
            *(Row("depth", str(k), IMSVD, training.with_options(layers=k)) for k in self.depths),
            *(Row("width", str(m * units), IMSVD, training.with_options(variables=m))
              for m in self.variables),
            *(Row("width", str(size), VICREG, recipe) for size, recipe in vicreg.items()),
            *(Row("terms", name, IMSVD, training.with_options(**changes)) for name, changes in TERMS.items()),
            *(Row("units", str(k), IMSVD, self._of_units(k)) for k in self.units),
        ]  # fmt: skip

    def _of_units(self, units: int) -> TrainingRecipe:
        return self.training.with_options(units=units, variables=max(1, round(self.width / units)))

    def _vicreg(self, width: int) -> TrainingRecipe:
        options = {"width": width, "hidden": self.training.options["hidden"], "layers": self.vicreg_layers}
        content = self.training.model_dump() | {"method": VICREG, "options": options}
        return make_recipe(content, TrainingRecipe, "vicreg")


def _of_batch(training: TrainingRecipe, size: int) -> TrainingRecipe:
    rate = training.optimiser.learning_rate * size / training.batch_size
    optimiser = training.optimiser.model_copy(update={"learning_rate": rate})
    return training.model_copy(update={"batch_size": size, "optimiser": optimiser})
