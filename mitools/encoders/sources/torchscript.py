"""A network that was saved with its code, as TorchScript."""

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from mitools.core.errors import InputError
from mitools.core.files import digest_file, digest_text
from mitools.core.specs import Spec
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.preprocess import ASSUMED, PREPROCESS_OPTIONS, Preprocess, preprocess_origin
from mitools.encoders.spec_options import require_trust


class Scripted(nn.Module):
    """A module of TorchScript as an ordinary one, which has the methods that TorchScript's lacks.

    Parameters
    ----------
    network
        As ``torch.jit.load`` gives it.
    """

    def __init__(self, network: torch.jit.ScriptModule) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, 3, H, W) to (B, d)."""
        return self.network(x)


def open_torchscript(spec: Spec) -> Encoder:
    """Open ``torchscript:PATH?trust=yes``, a file of ``torch.jit.save``.

    Such a file holds a program, and reading it can already run parts of it (a module's ``__setstate__``),
    with the right to write files. Therefore it is not opened unless the spec trusts it.

    Raises
    ------
    InputError
        When the spec does not trust it, or the file is missing, damaged or no TorchScript.
    """
    path = Path(spec.need_name("torchscript:encoder.pt?trust=yes"))
    spec.only("trust", *PREPROCESS_OPTIONS)
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    require_trust(spec, "a TorchScript file holds code that runs when it is read")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch.jit is deprecated; the files are still about
            module = torch.jit.load(path, map_location="cpu")
    except Exception as error:  # bytes that are no archive, or code of another version of torch
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{path}: no readable TorchScript file ({reason}); save it with torch.jit.save, "
            "or open its weights with checkpoint:"
        ) from None
    return Encoder(
        spec.text,
        path.stem,
        spec.source,
        digest_text("torchscript", digest_file(path)),
        Scripted(module),
        Preprocess().overridden(spec),
        preprocess_from=preprocess_origin(ASSUMED, spec),
    )
