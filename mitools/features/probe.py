"""What a network in memory makes of a few items, which tells it from every other."""

import hashlib
import secrets
from contextlib import closing
from typing import Any

import numpy as np
import torch

from mitools.core.files import digest_text
from mitools.datasets.base import LabelledData
from mitools.datasets.selection import Selection
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.callers_transform import CallersTransform
from mitools.features.encoding import BATCH_SIZE, encoded

PROBED = 8
"""Items, evenly spread over the data."""


def probed_digests(
    encoder: Encoder, data: LabelledData, device: torch.device, precision: str
) -> dict[str, str]:
    """Digest a network and what it makes of a few items, by layer.

    Weights and architecture do not tell all that a network in memory computes: its ``forward``, its hooks and
    plain attributes do the rest, and so does a function that prepares images. Where one of them changes, so
    do the numbers of a probe, and features kept from before are not taken for its own. A plain function has
    no weights that would tell the rest: its digest is another at every call, so that nothing of it is reused;
    and so is that of a network whose images a plain function prepares.

    Parameters
    ----------
    encoder, data, device, precision
        As for :func:`mitools.features.encoding.encoded`.

    Raises
    ------
    InputError
        When it does not read such items, and as :func:`mitools.features.encoding.encoded`.
    """
    encoder.require_readable(data)
    items = np.unique(np.linspace(0, len(data) - 1, PROBED).round().astype(np.int64))
    some = Selection(data, items, data.labels[items], data.classes)
    states: dict[str, Any] = {}
    found = encoded(
        encoder,
        some,
        None,
        items=range(len(some)),
        device=device,
        batch_size=BATCH_SIZE,
        workers=0,
        precision=precision,
    )
    with closing(found) as batches:
        for rows in batches:
            for layer, values in rows.items():
                states.setdefault(layer, hashlib.sha256()).update(values.tobytes())
    once = [secrets.token_hex(16)] if _runs_a_function(encoder) else []
    network = encoder.network_digest
    return {layer: digest_text(network, state.hexdigest(), *once) for layer, state in states.items()}


def _runs_a_function(encoder: Encoder) -> bool:
    """Whether code that cannot be told from other code stands between an item and its row."""
    prepared = isinstance(encoder.preprocess, CallersTransform) and not encoder.preprocess.says_what_it_is
    return encoder.source == "function" or prepared
