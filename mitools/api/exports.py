"""Encoders written out for other libraries."""

from os import PathLike
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mitools.encoders.export.export import Exported


def export_encoder(
    encoder: Any, out: "str | PathLike[str]", to: str, *, preprocess: Any = None
) -> "Exported":
    """Write an encoder into a file of another library, which is kept only if it gives the same features.

    Parameters
    ----------
    encoder
        Of images: a spec, or a torch module, which comes back as it was.
    out
        A new file, with the ending that the library goes by.
    to
        ``torchvision``, ``timm``, ``detectron2``, ``safetensors``, ``onnx`` or ``torchscript``; see
        :func:`mitools.encoders.export.export.export_encoder`.
    preprocess
        Of a module, as for :func:`audit`: the file does not prepare images, and the result says how it must
        be done.

    Returns
    -------
    Exported
        The library's network, how far its features lie from the encoder's, and how the file is read.

    Raises
    ------
    InputError
        When the format is unknown, the file exists or has another ending, or the library has no network that
        holds the encoder.

    Examples
    --------
    >>> import mitools
    >>> from tempfile import mkdtemp
    >>> found = mitools.export_encoder("builtin:random_conv?width=4", f"{mkdtemp()}/conv.pt", "torchscript")
    >>> found.features, found.difference < 1e-5
    (16, True)
    """
    from torch import nn

    from mitools.core.errors import InputError
    from mitools.encoders.export.export import export_encoder as write
    from mitools.encoders.in_memory import encoder_of_module
    from mitools.encoders.open import open_encoder

    if isinstance(encoder, str) and preprocess is None:
        return write(open_encoder(encoder), out, to)
    if isinstance(encoder, nn.Module):
        return write(encoder_of_module(encoder, type(encoder).__name__, preprocess), out, to)
    kind = "a spec, which has its own preprocessing" if isinstance(encoder, str) else type(encoder).__name__
    raise InputError(f"encoder is {kind}; give a spec alone, or a torch module with or without preprocess=")
