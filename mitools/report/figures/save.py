"""How a figure reaches the disk."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mitools.core.files import whole_file
from mitools.report.figures.panels import WIDE_CHARACTER, characters, fold
from mitools.report.figures.style import FONT_SIZE, GREY

DOTS_PER_INCH = 150
_MARGIN = 0.1  # inches

PICTURES = ("png", "svg", "pdf")
"""The formats of every figure."""

SUBJECT_GAP = 0.08
"""Inches between a figure and the line above it that says what it is drawn from."""

_NO_DATE: dict[str, dict[str, Any] | None] = {
    "png": None,
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}
# The salt and the absent date make the same figure the same file; text stays text in SVG and PDF.
_SETTINGS: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "mitools", "pdf.fonttype": 42}


def write_chart(
    path: Path,
    chart: Callable[..., Any],
    *given: Any,
    subject: str = "",
    endings: Sequence[str] = PICTURES,
) -> list[Path]:
    """Draw a chart on a figure of its own and write that; see :func:`save_figure`.

    Parameters
    ----------
    path
        Where to.
    chart
        Takes the keyword ``figure``, an empty one.
    *given
        What the chart draws.
    subject
        Written above the whole figure, at its left edge: the data, how many items, the level of intervals.
    endings
        The formats.
    """
    figure = Figure()  # without pyplot, so that nothing of it outlives the call
    FigureCanvasAgg(figure)  # keeps its renderer, where the plain canvas makes one for every text measured
    chart(*given, figure=figure)
    if subject:
        write_above(figure, subject)
    return save_figure(figure, path, endings)


def save_figure(figure: Figure, path: Path, endings: Sequence[str] = PICTURES) -> list[Path]:
    """Write a figure in several formats with selectable text, each file whole or not at all.

    Everything drawn is in the picture, also what lies outside the figure's edges.

    Parameters
    ----------
    figure
        Complete.
    path
        Where to; an ending of one of the formats is set aside.
    endings
        The formats.

    Returns
    -------
    list of Path
        One file a format.

    Raises
    ------
    OSError
        When the folder cannot be written.
    """
    stem = path.with_suffix("") if path.suffix.removeprefix(".") in PICTURES else path
    written = [stem.with_name(f"{stem.name}.{ending}") for ending in endings]
    figure.set_dpi(DOTS_PER_INCH)
    # Finding out what lies outside the figure takes as long as drawing it: once does for both pictures.
    extent = figure.get_tightbbox(FigureCanvasAgg(figure).get_renderer()).padded(_MARGIN)
    with matplotlib.rc_context(_SETTINGS):
        for target, ending in zip(written, endings, strict=True):
            with whole_file(target) as temporary:
                figure.savefig(
                    temporary,
                    dpi=DOTS_PER_INCH,
                    bbox_inches="tight" if ending == "pdf" else extent,  # PDF sets text in other widths
                    pad_inches=_MARGIN,
                    metadata=_NO_DATE[ending],
                )
    return written


def write_above(figure: Figure, text: str) -> None:
    """Write a line above everything that a figure holds; wide texts are folded to the figure's width."""
    figure.draw_without_rendering()  # layout runs here, and would move what is measured later
    figure.set_layout_engine("none")
    for legend in figure.legends:
        # One that is placed by the figure's edges would go to those of what is saved, and over the line.
        place = legend.get_window_extent().transformed(figure.transFigure.inverted())
        legend.borderaxespad = 0
        legend.set_loc("lower left")
        legend.set_bbox_to_anchor((place.x0, place.y0), transform=figure.transFigure)
    extent = figure.get_tightbbox()
    wide, high = figure.get_size_inches()
    folded = fold(text, max(characters(extent.width, FONT_SIZE, WIDE_CHARACTER), 30))
    style: dict[str, Any] = {"fontsize": FONT_SIZE, "color": GREY, "ha": "left", "va": "bottom"}
    figure.text(extent.x0 / wide, (extent.y1 + SUBJECT_GAP) / high, folded, parse_math=False, **style)
