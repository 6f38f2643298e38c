"""The losses that encoders are trained under, as pure functions of tensors: usable in any loop.

A loss averages over the items of a batch and is in nats. Where it is a bound on mutual information in
disguise, the function with ``_nats`` behind its name gives that bound on the batch.
"""

from mitools.training.losses.cross_entropy import cross_entropy
from mitools.training.losses.ctc import ctc_infonce
from mitools.training.losses.infonce import infonce, infonce_nats
from mitools.training.losses.multiview import multiview, two_views
from mitools.training.losses.nce import log_partition, nce
from mitools.training.losses.ntxent import ntxent, ntxent_nats, ntxent_with_negatives
from mitools.training.losses.supcon import supcon

__all__ = [
    "cross_entropy",
    "ctc_infonce",
    "infonce",
    "infonce_nats",
    "log_partition",
    "multiview",
    "nce",
    "ntxent",
    "ntxent_nats",
    "ntxent_with_negatives",
    "supcon",
    "two_views",
]
