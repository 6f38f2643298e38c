"""What two views share and say of the label before anything is trained on them, as columns of a table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from mitools.analyses.shared.evaluation import interval_columns
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance, silent
from mitools.core.recipes import Recipe
from mitools.core.result_store import Values
from mitools.datasets.open import open_data
from mitools.shared_information.measure import MeasuredPair, measure_view_pairs
from mitools.shared_information.settings import ViewSettings
from mitools.shared_information.view_pair import ViewPair
from mitools.training.recipes import Count, Positive


class MeasuredViewsRecipe(Recipe):
    """On what images, and by how large networks, views are measured.

    Attributes
    ----------
    data
        A data spec, of labelled images.
    image_size
        Images are brought to this size; None for their own.
    folds, steps, batch_size, learning_rate, width, embedding
        See :class:`mitools.shared_information.settings.ViewSettings`. Random views, folds and networks are
        those of each run's seed: a spread over seeds is then one over fits.
    """

    data: Annotated[str, Field(min_length=1)]
    image_size: Count | None = None
    folds: Annotated[int, Field(ge=2)] = 2
    steps: Count = 400
    batch_size: Annotated[int, Field(ge=8)] = 256
    learning_rate: Positive = 1e-3
    width: Annotated[int, Field(ge=8, multiple_of=8)] = 16
    embedding: Count = 64

    def settings(self, device: str, seed: int) -> ViewSettings:
        """Give the settings of :func:`measure_view_pairs`; InfoNCE alone reads what views share."""
        given = self.model_dump(exclude={"data", "image_size"})
        return ViewSettings(methods=("infonce",), device=device, seed=seed, **given)


READINGS = ("shared", "label_v1", "label_v2", "label_image")
"""Names of the estimates that :func:`measure_views_by_networks` gives of a pair of views."""


def measure_views_by_networks(
    pairs: Mapping[str, tuple[str, str]],
    recipe: MeasuredViewsRecipe,
    seeds: Sequence[int],
    out: Path,
    runtime: Runtime,
    advance: Advance | None = None,
) -> dict[tuple[str, int], Values]:
    """Measure pairs of views, once a seed, by small networks fitted to them and read on other images.

    Parameters
    ----------
    pairs
        Names of two views, by the name of the pair.
    recipe
        See :class:`MeasuredViewsRecipe`.
    seeds
        Each is a fit of its own.
    out
        Folder of the analysis; cells lie in ``OUT/cells``.
    runtime
        Where the networks are fitted.
    advance
        Told what is done.

    Returns
    -------
    dict
        By the pair's name and the seed the columns ``shared_bits`` (I(v1;v2), InfoNCE), ``label_v1_bits``,
        ``label_v2_bits`` and ``label_image_bits`` (label information), each with ``_low`` and ``_high``,
        ``shared_null``, ``shared_ceiling`` and ``shared_warnings``.

    Raises
    ------
    InputError
        As :func:`mitools.shared_information.measure.measure_view_pairs`.
    """
    data = open_data(recipe.data)
    found: dict[tuple[str, int], Values] = {}
    for seed in seeds:
        measured = measure_view_pairs(
            data,
            [ViewPair(views) for views in pairs.values()],
            out=out,
            settings=recipe.settings(str(runtime.device), seed),
            image_size=recipe.image_size,
            advance=advance or silent,
        )
        found |= {(name, seed): _columns(pair) for name, pair in zip(pairs, measured.pairs, strict=True)}
    return found


def _columns(pair: MeasuredPair) -> Values:
    shared, (first, second) = pair.shared[0], pair.of_view
    columns: Values = {
        **interval_columns("shared", shared),
        "shared_null": shared.null_bits,
        "shared_ceiling": shared.ceiling_bits,
        "shared_warnings": ", ".join(warning.word for warning in shared.warnings),
    }
    for name, label in (("v1", first), ("v2", second), ("image", pair.image)):
        columns |= interval_columns(f"label_{name}", label.estimates[0])
    return columns
