"""How often are claims of missing information and of excess right? Two CDP images whose bits are known."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from pydantic import Field, field_validator
from scipy.stats import binomtest

from mitools.analyses.shared.evaluation import interval_columns
from mitools.analyses.shared.finding import Finding, write_finding
from mitools.backends.runtime import Runtime
from mitools.core.entropy import nats_to_bits
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.datasets.open import open_data
from mitools.datasets.synthetic.attributes import Attributes
from mitools.datasets.synthetic.cdp import CDP
from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import AxesArray, SomeAxes, add_caption, add_key, open_panels
from mitools.report.figures.save import write_chart
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, ORANGE, plain_axes
from mitools.shared_information.measure import MeasuredPair, measure_view_pairs
from mitools.shared_information.settings import ViewSettings
from mitools.shared_information.view_pair import read_pair
from mitools.training.recipes import Count

CLAIMS = ("missing information", "excess")

LEAST_BITS = 1e-9
"""By which truths must differ to differ."""

OPEN_BITS = 0.5
"""Length of the arrow of a reading of which no upper end is told."""

RIGHT, SILENT, WRONG = "right", "not seen", "wrong"

MARKS = {RIGHT: (BLUE, "o"), SILENT: (GREY, "v"), WRONG: (ORANGE, "s")}


class RegimeClaimsRecipe(Recipe):
    """What the check is made from.

    Attributes
    ----------
    worlds
        Specs of CDP by name, each with ``shared`` (the label) and ``partners`` (what a second image shares
        with the first); a seed is put behind.
    seeds
        Of images and networks: every world is drawn once with each.
    steps, batch_size, width, embedding
        Of :class:`mitools.shared_information.settings.ViewSettings`.
    """

    worlds: Annotated[dict[str, str], Field(min_length=1)]
    seeds: Annotated[tuple[int, ...], Field(min_length=1)]
    steps: Count = 400
    batch_size: Annotated[int, Field(ge=8)] = 256
    width: Annotated[int, Field(ge=8, multiple_of=8)] = 16
    embedding: Count = 64

    @field_validator("worlds")
    @classmethod
    def _have_partners(cls, worlds: dict[str, str]) -> dict[str, str]:
        for name, spec in worlds.items():
            data = open_data(spec)
            if not isinstance(data, CDP) or not data.partners:
                raise ValueError(f"world {name!r}: {spec} must be cdp with partners")
        return worlds

    def settings(self, seed: int) -> ViewSettings:
        """Say how views are measured."""
        return ViewSettings(
            methods=("infonce",),
            steps=self.steps,
            batch_size=self.batch_size,
            width=self.width,
            embedding=self.embedding,
            seed=seed,
        )


def run(
    recipe: RegimeClaimsRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Measure pairs of images whose bits are known, and count the claims that are right and wrong.

    Parameters, result and errors are those of :func:`mitools.analyses.checks.grouped_rows.run`.
    """
    if runtime is not None and not runtime.is_main:
        return None
    cells = [(name, spec, seed) for name, spec in recipe.worlds.items() for seed in recipe.seeds]
    rows: list[dict[str, Any]] = []
    for done, (name, spec, seed) in enumerate(cells):
        if advance:
            advance(f"{name}, seed {seed}", done, len(cells))
        data = open_data(f"{spec}&seed={seed}")
        assert isinstance(data, CDP)
        pairs = [read_pair(f"image,{partner}") for partner in data.modalities]
        measured = measure_view_pairs(data, pairs, out=out, settings=recipe.settings(seed))
        for shared, found in zip(data.partners, measured.pairs, strict=True):
            truth = truths(data.truth, data.shared, shared)
            told = {"world": name, "seed": seed, "n": len(data), "shared": "+".join(shared) or "nothing"}
            rows.append(told | truth | row_of(found, truth))
    table = pd.DataFrame(rows)
    caption = (
        "Bars: what is not excluded of what two images share; an arrow where no upper end is told. A claim is"
        " wrong where information is not missing or in excess; not seen is a claim that could be made."
    )
    figures = write_chart(out / "regime_claims", claims_chart, table, caption)
    return write_finding(table, describe(table), out, figures)


def truths(truth: Attributes, label: tuple[str, ...], shared: tuple[str, ...]) -> dict[str, float]:
    """Give what two images share, and what each says of the label, in bits.

    Given the attributes in `shared` the images are independent; as far as attributes can be read off the
    pixels, the second says I(shared; label) of the label.

    Parameters
    ----------
    truth
        The joint distribution of the attributes.
    label, shared
        Attributes that make the label, and those that both images have.

    Examples
    --------
    >>> from mitools.datasets.synthetic.attributes import Attributes, uniform_joint
    >>> joint = Attributes({"color": ("red", "blue"), "digit": ("2", "3", "4", "5")}, uniform_joint((2, 4)))
    >>> truths(joint, ("color", "digit"), ("digit",))
    {'truth_shared': 2.0, 'truth_image': 3.0, 'truth_view2': 2.0}
    """
    both = tuple(name for name in truth.names if name in {*label, *shared})
    of_label, of_shared = truth.bits(label), truth.bits(shared) if shared else 0.0
    return {
        "truth_shared": of_shared,
        "truth_image": of_label,
        "truth_view2": of_label + of_shared - truth.bits(both),
    }


def row_of(found: MeasuredPair, truth: dict[str, float]) -> dict[str, Any]:
    """Lay out the readings of a pair, and for each claim whether it is made and whether it is true."""
    image = truth["truth_image"]
    lacks = min(truth["truth_view2"], truth["truth_shared"]) < image - LEAST_BITS
    true = (lacks, truth["truth_shared"] > image + LEAST_BITS)
    row: dict[str, Any] = {"regime": found.regime.name}
    for claim, is_so in zip(CLAIMS, true, strict=True):
        stem = claim.split()[0]
        row |= {f"{stem}_claimed": claim in found.regime.name, f"{stem}_true": is_so}
    of_label, same_label = found.image.estimates
    row |= interval_columns("shared_info", found.shared[0])
    up_to = found.shared_up_to[0]
    row["shared_info_up_to"] = None if up_to is None else nats_to_bits(up_to)
    row |= interval_columns("image", of_label) | interval_columns("same_label", same_label)
    row |= interval_columns("view2", found.of_view[1].estimates[0])
    for name, label in (("image", found.image), ("view2", found.of_view[1])):
        row[f"{name}_up_to"] = nats_to_bits(label.up_to[0])
    for number, lack in enumerate(found.lacks, start=1):
        row |= {f"lack{number}_low": lack.low, f"lack{number}_high": lack.high}
    return row


def verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """Say of each row and claim whether what is said is right, wrong, or not seen: columns by claim."""
    found = {}
    for claim in CLAIMS:
        stem = claim.split()[0]
        claimed, true = table[f"{stem}_claimed"].astype(bool), table[f"{stem}_true"].astype(bool)
        found[claim] = np.select([claimed & ~true, ~claimed & true], [WRONG, SILENT], RIGHT)
    return pd.DataFrame(found, index=table.index)


def describe(table: pd.DataFrame) -> str:
    """Say what the numbers say.

    Parameters
    ----------
    table
        As ``results.csv`` has it.
    """
    found = verdicts(table)
    parts = []
    for claim in CLAIMS:
        true = table[f"{claim.split()[0]}_true"].astype(bool)
        wrong, seen = int((found[claim] == WRONG).sum()), int((found[claim][true] == RIGHT).sum())
        text = f"{claim} is claimed in {seen} of the {int(true.sum())} pairs where it is so"
        if (without := int((~true).sum())) > 0:
            text += f", and wrongly in {_share(wrong, without)} where it is not"
        parts.append(text)
    sweet = table["regime"] == "sweet spot"
    right = ~table["missing_true"].astype(bool) & ~table["excess_true"].astype(bool)
    truth, low = table["truth_shared"], table["shared_info_low"]
    above, short = int((low > truth).sum()), (truth - table["shared_info_bits"]).max()
    up_to = table["shared_info_up_to"].astype(float)
    holds, ends = (low <= truth) & ~(up_to < truth), up_to.notna()
    # One reading of the image serves all pairs of a world and seed.
    images = table.drop_duplicates(["world", "seed"])
    labels = int(_holds(images, "image").sum()) + int(_holds(table, "view2").sum())
    return (
        f"Of {len(table)} pairs of images, {'; '.join(parts)}. Sweet spot is said of {int(sweet.sum())}, of"
        f" which {int((sweet & right).sum())} share the task and nothing else; of {int(right.sum())} such"
        f" pairs {int((right & sweet).sum())} are found. The lower bound of what a pair shares lies above the"
        f" truth, by its lower limit, in {above} of {len(table)}, and is at most {short:.2f} bits short. What"
        f" is not excluded holds the truth in {int(holds.sum())} of {len(table)}: in"
        f" {int((holds & ends).sum())} of the {int(ends.sum())} where an upper end is told; of what images"
        f" and second views say of the label, in {labels} of {len(images) + len(table)}. Shares have"
        " intervals as if pairs were independent; pairs of one world and seed share images."
    )


def _holds(table: pd.DataFrame, name: str) -> pd.Series:
    """Say where what is not excluded of the label holds the truth; truths known to rounding."""
    truth = table[f"truth_{name}"]
    return (table[f"{name}_low"] <= truth + LEAST_BITS) & (truth <= table[f"{name}_up_to"] + LEAST_BITS)


def _share(count: int, total: int) -> str:
    low, high = binomtest(count, total).proportion_ci(method="wilson")
    return f"{count} of {total} ({low:.0%} to {high:.0%})"


def claims_chart(
    table: pd.DataFrame, caption: str = "", ax: SomeAxes | None = None, figure: Figure | None = None
) -> AxesArray:
    """Draw what each pair is read to share beside the truth; colours say whether claims are right.

    Parameters
    ----------
    table
        As ``results.csv``; seeds of a world's pair stand below each other.
    caption
        Written below.
    ax, figure
        Where to draw: one axes; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (1,).

    Raises
    ------
    InputError
        When a column is missing, or the table has no rows.
    """
    require_columns(table, ["world", "shared", "truth_shared", "shared_info_bits", "shared_info_up_to"])
    names = list(dict.fromkeys(zip(table["world"], table["shared"], strict=True)))
    seeds = list(dict.fromkeys(table["seed"]))
    panels = open_panels(
        ax, figure, ["claims"], (6.4, 0.9 + 0.36 * len(names)), layout="constrained", room=(0.0, 0.7)
    )
    (axes,) = panels.axes
    plain_axes(axes)
    found = verdicts(table)
    worst = np.where(
        (found == WRONG).any(axis=1), WRONG, np.where((found == SILENT).any(axis=1), SILENT, RIGHT)
    )
    places = np.array([names.index(pair) for pair in zip(table["world"], table["shared"], strict=True)])
    places = places + 0.5 * (table["seed"].map(seeds.index) / max(1, len(seeds) - 1) - 0.5)
    for word, (colour, marker) in MARKS.items():
        own = table[worst == word]
        if own.empty:
            continue
        axes.plot(
            own["shared_info_bits"], places[worst == word], color=colour, marker=marker, linestyle="none",
            markersize=3.5, label=f"claims {word}",
        )  # fmt: skip
        _draw_not_excluded(axes, own, places[worst == word], colour)
    for place, (world, shared) in enumerate(names):
        rows = table[(table["world"] == world) & (table["shared"] == shared)]
        for column, line in (("truth_shared", "-"), ("truth_image", ":")):
            axes.vlines(
                rows[column].iloc[0], place - 0.4, place + 0.4, color="black", linewidth=0.9, linestyle=line
            )
    axes.plot([], [], color="black", linewidth=0.9, label="truth")
    axes.plot([], [], color="black", linewidth=0.9, linestyle=":", label="the label's bits")
    axes.set_yticks(
        range(len(names)), [f"{world}: {shared}" for world, shared in names], fontsize=FONT_SIZE - 1
    )
    axes.invert_yaxis()
    axes.set_xlabel("shared by two images (bits)", fontsize=FONT_SIZE)
    handles, _ = axes.get_legend_handles_labels()
    add_key(panels, handles, loc="outside upper center", ncols=5, fontsize=FONT_SIZE - 1)
    add_caption(panels, caption, width=96, y=-0.02)
    return panels.array


def _draw_not_excluded(axes: Axes, rows: pd.DataFrame, places: NDArray[np.float64], colour: str) -> None:
    """Draw lines from the lower limit to the upper end; to an arrow where none is told."""
    up_to = rows["shared_info_up_to"].astype(float)
    ends = up_to.fillna(rows["shared_info_bits"] + OPEN_BITS)
    axes.hlines(places, rows["shared_info_low"], ends, color=colour, linewidth=1)
    axes.plot(ends[up_to.isna()], places[up_to.isna()], ">", color=colour, markersize=3)
