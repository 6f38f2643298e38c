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
}  # fmt: skip
"""Names of :data:`mitools.measures.registry.MEASURES` by the cell that they are kept in."""

ON_DEMAND = ("discrete",)
"""Cells that are measured where they are asked for by name, ``--measures discrete``."""

OF_VIEWS = ("simclr", "simclr head")
"""Cells that are measured once for each view whose pairs are asked for."""


def asked_cells(representation: Representation, settings: AuditSettings) -> list[str]:
    """Name the cells that an audit asks for, of what the representation has.

    The control is not among them: where it cannot be had, the audit goes on.
    """
    asked = {"infonce": settings.critic, "head": representation.head is not None, "control": False}
    asked |= {cell: cell in settings.further_measures for cell in ON_DEMAND}
    return [cell for cell in CELLS if asked.get(cell, cell not in OF_VIEWS)]


def asked_view_cells(representation: Representation) -> list[str]:
    """Name the cells that an audit asks for of the views that a representation has."""
    return [cell for cell in OF_VIEWS if "head" not in cell or representation.head is not None]
