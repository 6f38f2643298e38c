"""The untrained twin of an encoder: what its architecture says before it has learnt anything."""

import copy
from dataclasses import replace

import torch
from torch import nn

from mitools.backends.seeding import seeded
from mitools.core.errors import InputError, reason_of
from mitools.core.files import digest_text
from mitools.encoders.encoder import Encoder
from mitools.encoders.open import AnyEncoder


def untrained_twin(encoder: AnyEncoder, seed: int = 0) -> Encoder | None:
    """Give an encoder's architecture fresh weights.

    Every layer draws its weights anew (``reset_parameters``), and running statistics go back to mean 0 and
    variance 1. A parameter that no layer knows how to draw (a class token, a layer's scale) gets its own
    numbers in random order: what was learnt is gone and their size is kept.

    Parameters
    ----------
    encoder
        Left as it is.
    seed
        Of the fresh weights.

    Returns
    -------
    Encoder or None
        Named ``<name>-untrained``, with a digest of its own. None where nothing was trained: rows computed
        elsewhere, ``builtin:`` encoders, files that show no weights, ``pretrained=no``.

    Raises
    ------
    InputError
        When the network cannot be copied or a layer cannot draw its weights anew.
    """
    if not isinstance(encoder, Encoder) or not _was_trained(encoder):
        return None
    try:
        module = copy.deepcopy(encoder.module)
    except Exception as error:
        raise InputError(f"encoder {encoder.name} cannot be copied ({reason_of(error)})") from None
    try:
        with seeded(seed), torch.no_grad():
            _forget(module)
    except Exception as error:
        raise InputError(f"encoder {encoder.name} cannot draw fresh weights ({reason_of(error)})") from None
    return replace(
        encoder,
        name=f"{encoder.name}-untrained",
        network_digest=digest_text("untrained", str(seed), encoder.network_digest),
        module=module,
        load_report=None,
    )


def _was_trained(encoder: Encoder) -> bool:
    has_weights = any(True for _ in encoder.module.parameters())
    return encoder.source != "builtin" and has_weights and "pretrained=no" not in encoder.spec


def _forget(module: nn.Module) -> None:
    trained = {name: parameter.clone() for name, parameter in module.named_parameters()}
    for layer in module.modules():
        reset = getattr(layer, "reset_parameters", None) or getattr(layer, "_reset_parameters", None)
        if callable(reset):
            reset()
    for name, parameter in module.named_parameters():
        if torch.equal(parameter, trained[name]):
            order = torch.randperm(parameter.numel())
            parameter.copy_(parameter.flatten()[order].reshape(parameter.shape))
    # Also of layers that have statistics and no reset of them, such as those of TorchScript.
    for name, buffer in module.named_buffers():
        if name.endswith("running_mean"):
            buffer.zero_()
        elif name.endswith("running_var"):
            buffer.fill_(1)
