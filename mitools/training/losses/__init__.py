"""The losses that encoders are trained under, as pure functions of tensors: usable in any loop.

A loss averages over the items of a batch and is in nats. Where it is a bound on mutual information in
disguise, the function with ``_nats`` behind its name gives that bound on the batch.
"""

from mitools.training.losses.barlow_twins import barlow_twins
from mitools.training.losses.cross_entropy import cross_entropy
from mitools.training.losses.ctc import ctc_infonce
from mitools.training.losses.imsvd import (
    diagonal_entropy,
    imsvd,
    invariance_cross_entropy,
    off_diagonal_entropy,
    transform_invariance,
)
from mitools.training.losses.infonce import infonce, infonce_nats
from mitools.training.losses.multiview import multiview, two_views
from mitools.training.losses.nce import log_partition, nce
from mitools.training.losses.ntxent import ntxent, ntxent_nats, ntxent_with_negatives
from mitools.training.losses.points import point_contrast
from mitools.training.losses.supcon import supcon
from mitools.training.losses.vicreg import vicreg

__all__ = [
    "barlow_twins",
    "cross_entropy",
    "ctc_infonce",
    "diagonal_entropy",
    "imsvd",
    "infonce",
    "infonce_nats",
    "invariance_cross_entropy",
    "log_partition",
    "multiview",
    "nce",
    "ntxent",
    "ntxent_nats",
    "ntxent_with_negatives",
    "off_diagonal_entropy",
    "point_contrast",
    "supcon",
    "transform_invariance",
    "two_views",
    "vicreg",
]
