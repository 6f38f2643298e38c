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
}  # fmt: skip
"""Names of :data:`mitools.measures.registry.MEASURES` by the cell that they are kept in."""


def asked_cells(representation: Representation, settings: AuditSettings) -> list[str]:
    """Name the cells that an audit asks for, of what the representation has.

    The control is not among them: where it cannot be had, the audit goes on.
    """
    has_views, has_head = representation.views is not None, representation.head is not None
    asked = {
        "infonce": settings.critic,
        "simclr": has_views,
        "head": has_head,
        "simclr head": has_views and has_head,
        "control": False,
    }
    return [cell for cell in CELLS if asked.get(cell, True)]
