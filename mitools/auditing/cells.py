"""Which measures an audit asks of a representation, and which of them are kept together."""

from mitools.auditing.settings import AuditSettings
from mitools.measures.representation import Representation

CELLS: dict[str, tuple[str, ...]] = {
    "certificate": ("i_class", "i_class_nwj", "label_information", "linear_acc"),
    "infonce": ("i_class_infonce",),
    "metrics": (
        "knn20_acc", "knn200_acc", "alignment", "uniformity", "tolerance", "tolerance_all_pairs",
        "recall_at_1", "nmi",
    ),
    "features": ("constant_dims", "dead_units", "duplicate_rows", "nonfinite_rows", "effective_rank"),
    "simclr": ("i_simclr", "alignment_simclr"),
    "head": ("i_class_head",),
    "simclr head": ("i_simclr_head",),
    "control": ("control_i_class", "control_gain"),
    "discrete": (
        "entropy", "redundancy", "total_correlation", "units_used", "one_hot_share", "one_hot_share_99",
    ),
    "spectrum": ("rankme", "alpha_req", "nesum", "stable_rank", "participation_ratio"),
    "lidar": ("lidar_simclr",),
    "intrinsic_dimension": ("two_nn",),
    "clusters": ("cluster_learnability",),
    **{name: (name,) for name in ("logme", "h_score", "nleep", "transrate")},
    "neural_collapse": ("nc1", "nc2_norms", "nc2_angles", "nc3", "nc4"),
    "label_efficiency": ("code_length", "surplus_description_length", "sample_complexity"),
    **{name: (name,) for name in ("v_information_neighbours", "v_information_mlp")},
}  # fmt: skip
"""Names of :data:`mitools.measures.registry.MEASURES` by the cell that they are kept in."""

ON_DEMAND = tuple(CELLS)[list(CELLS).index("discrete") :]
"""Cells that are measured where they, or measures of theirs, are asked for by name."""

GROUPS = {cell: CELLS[cell] for cell in ON_DEMAND}
"""The measures that are computed on demand, by the cell that they are kept in."""

STEP_WORDS = {
    "infonce": "InfoNCE critic",
    "features": "constant and repeated features",
    "head": "critic of the trained head",
    "control": "certificate of the untrained network",
    "simclr": "pairs of views",
    "simclr head": "pairs of views by the trained head",
}
"""What progress says of a cell, where its name would not tell."""

OF_VIEWS = ("simclr", "simclr head", "lidar")
"""Cells that are measured once for each view whose pairs are asked for."""


def asked_cells(representation: Representation, settings: AuditSettings) -> list[str]:
    """Name the cells that an audit asks for, of what the representation has.

    The control is not among them: where it cannot be had, the audit goes on.
    """
    asked = {"infonce": settings.critic, "head": representation.head is not None, "control": False}
    asked |= {cell: _is_asked(cell, settings) for cell in ON_DEMAND}
    return [cell for cell in CELLS if asked.get(cell, True) and cell not in OF_VIEWS]


def asked_view_cells(representation: Representation, settings: AuditSettings) -> list[str]:
    """Name the cells that an audit asks for of the views that a representation has."""
    asked = {"simclr head": representation.head is not None, "lidar": _is_asked("lidar", settings)}
    return [cell for cell in OF_VIEWS if asked.get(cell, True)]


def step_words(cell: str) -> str:
    """Say what is done for a cell.

    Examples
    --------
    >>> step_words("infonce"), step_words("neural_collapse")
    ('InfoNCE critic', 'neural collapse')
    """
    return STEP_WORDS.get(cell, cell.replace("_", " "))


def asked_of(cell: str, settings: AuditSettings) -> tuple[str, ...]:
    """Name the measures of a cell that the table has: all, or those that were asked for by name."""
    if cell not in ON_DEMAND:
        return CELLS[cell]
    return tuple(name for name in CELLS[cell] if name in settings.further_measures)


def _is_asked(cell: str, settings: AuditSettings) -> bool:
    return any(name in settings.further_measures for name in CELLS[cell])
