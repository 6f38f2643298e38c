"""How every figure looks, and how it reaches the disk."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.files import whole_file

BLUE, ORANGE, GREY, PALE = "#0072B2", "#D55E00", "#555555", "#D9D9D9"
"""Okabe and Ito's palette: told apart by colour-blind readers, and by lightness in black and white."""

FONT_SIZE = 8.0
DOTS_PER_INCH = 150

AXIS_LABELS = {
    "h_c_bits": "class entropy H(C) (bits)",
    "i_class_bits": "I_class, class posterior (bits)",
    "i_class_infonce_bits": "I_class, trained InfoNCE critic (bits)",
    "label_information_bits": "label information I(H; C) (bits)",
    "i_class_head_bits": "I_class, critic from the trained head (bits)",
    "i_simclr_bits": "I_SimCLR (bits)",
    "i_simclr_head_bits": "I_SimCLR, critic from the trained head (bits)",
    "control_i_class_bits": "I_class of the untrained network (bits)",
    "control_gain_bits": "I_class over the untrained network (bits)",
    "linear_acc": "linear probe accuracy (share right)",
    "knn20_acc": "20-nearest-neighbour accuracy (share right)",
    "knn200_acc": "200-nearest-neighbour accuracy (share right)",
    "alignment": "alignment (squared distance)",
    "alignment_simclr": "alignment of views (squared distance)",
    "uniformity": "uniformity (log mean potential)",
    "tolerance": "tolerance (cosine)",
    "tolerance_all_pairs": "tolerance over all pairs (cosine)",
    "recall_at_1": "Recall@1 (share right)",
    "nmi": "k-means NMI (0 to 1)",
    "effective_rank": "effective rank (dimensions)",
    "seconds": "time (seconds)",
    "dim": "dimensions",
}


def axis_label(column: str) -> str:
    """Name a column with its unit; an unknown one by its own name."""
    if column.endswith("_bits"):
        return AXIS_LABELS.get(column, f"{column.removesuffix('_bits')} (bits)")
    return AXIS_LABELS.get(column, column)


def shorten(name: str, length: int) -> str:
    """Cut a long name in its middle, where names of one family differ least.

    Examples
    --------
    >>> shorten("timm:resnet50.a1_in1k", 12)
    'timm:r…_in1k'
    """
    if len(name) <= length:
        return name
    tail = (length - 1) // 2
    return f"{name[: length - 1 - tail]}…{name[-tail:]}"


def plain_axes(axes: Axes) -> None:
    """Keep the axes that are read and drop the frame that is not."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=FONT_SIZE - 1)


def save_figure(figure: Figure, path: Path) -> list[Path]:
    """Write a figure as PNG and as SVG with selectable text, each whole or not at all.

    Parameters
    ----------
    figure
        Made without pyplot, so that nothing of it outlives the caller.
    path
        Where to; an ending .png or .svg is set aside.

    Returns
    -------
    list of Path
        The PNG and the SVG.

    Raises
    ------
    OSError
        When the folder cannot be written.
    """
    stem = path.with_suffix("") if path.suffix in {".png", ".svg"} else path
    written = [stem.with_name(f"{stem.name}.{ending}") for ending in ("png", "svg")]
    figure.set_dpi(DOTS_PER_INCH)
    # Finding out what lies outside the figure takes as long as drawing it, so it is done once for both files.
    extent = figure.get_tightbbox(FigureCanvasAgg(figure).get_renderer()).padded(0.1)  # inches
    # The salt and the absent date make the same figure the same file.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "mitools"}):
        for target in written:
            metadata = {"Date": None} if target.suffix == ".svg" else None
            with whole_file(target) as temporary:
                figure.savefig(temporary, dpi=DOTS_PER_INCH, bbox_inches=extent, metadata=metadata)
    return written


Floats = NDArray[np.floating[Any]]


def _need(table: pd.DataFrame, columns: Sequence[str]) -> None:
    absent = [name for name in columns if name not in table.columns]
    if absent:
        raise InputError(f"the figure needs the column {absent[0]!r}, which the table lacks")
    if not len(table):
        raise InputError("the table has no rows, so there is nothing to draw")


def _floats(table: pd.DataFrame, column: str) -> Floats:
    """Return a column as float64; None and text that is no number as NaN."""
    return pd.to_numeric(table[column], errors="coerce").to_numpy(np.float64, na_value=np.nan)
