"""How every figure looks: colours, markers, sizes, names."""

from matplotlib.axes import Axes

BLUE, ORANGE, GREY, PALE = "#0072B2", "#D55E00", "#555555", "#D9D9D9"
"""Okabe and Ito's palette: colour-blind readers can distinguish it, and its lightness differs in print."""

FONT_SIZE = 8.0
"""In points."""

KIND_MARKERS = {"lower bound": "^", "asymptotic lower bound": "^", "upper bound": "v", "point estimate": "o"}
"""The marker of each kind of number: a bound points to the side on which the truth lies."""

AXIS_LABELS = {
    "h_c_bits": "class entropy H(C) (bits)",
    "i_class_bits": "I_class, class posterior (bits)",
    "i_class_infonce_bits": "I_class, trained InfoNCE critic (bits)",
    "i_class_nwj_bits": "I_class, Nguyen-Wainwright-Jordan (bits)",
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
    "entropy_bits": "entropy of a variable (bits)",
    "redundancy_bits": "information of two variables (bits)",
    "total_correlation_bits": "total correlation of three variables (bits)",
    "units_used": "units used of a variable (count)",
    "one_hot_share": "variables above 0.9 (share)",
    "one_hot_share_99": "variables above 0.99 (share)",
    "effective_rank": "effective rank (dimensions)",
    "seconds": "time (seconds)",
    "dim": "dimensions",
}
"""What an axis says of a column."""


def axis_label(column: str) -> str:
    """Name a column with its unit; an unknown one by its own name."""
    if column.endswith("_bits"):
        return AXIS_LABELS.get(column, f"{column.removesuffix('_bits')} (bits)")
    return AXIS_LABELS.get(column, column)


ACRONYMS = {"ksg": "KSG", "infonce": "InfoNCE", "mine": "MINE", "nwj": "NWJ", "cka": "CKA", "rbf": "RBF",
            "svcca": "SVCCA"}  # fmt: skip
"""How parts of the names of methods and similarities are written in papers."""


def method_words(method: str) -> str:
    """Name a method of estimation as papers do.

    Examples
    --------
    >>> method_words("mixed_ksg"), method_words("class_posterior")
    ('mixed KSG', 'class posterior')
    """
    return " ".join(ACRONYMS.get(part, part) for part in method.split("_"))


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
