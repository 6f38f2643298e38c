"""A network that the user's own code returns."""

from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.core.specs import Spec
from mitools.encoders.architectures.build import build_architecture
from mitools.encoders.checkpoints.load import digest_weights
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.preprocess import ASSUMED, PREPROCESS_OPTIONS, preprocess_origin
from mitools.encoders.spec_options import one_of


def open_python(spec: Spec) -> Encoder:
    """Open ``python:MODULE:FACTORY``: a function without arguments that returns a network with its weights.

    It maps images (B, 3, H, W) to (B, d), or with ``items=rows`` feature rows (B, k). The spec runs the
    code, since naming it says so; a change of the module's file, or of a weight, changes the digest.

    Raises
    ------
    InputError
        When the code cannot be imported, fails or returns no ``torch.nn.Module``.
    """
    name = spec.need_name("python:own_package.models:make_encoder")
    spec.only("items", *PREPROCESS_OPTIONS)
    items = one_of(spec, "items", ("images", "rows"), "images")
    if not name.partition(":")[2]:
        raise InputError(f"spec {spec.text!r} names no factory; write python:module:factory")
    architecture = build_architecture(f"python:{name}")
    return Encoder(
        spec.text,
        name.rpartition(":")[2],
        spec.source,
        digest_text("python", architecture.identity, digest_weights(architecture.module)),
        architecture.module,
        architecture.preprocess.overridden(spec),
        reads_rows=items == "rows",
        preprocess_from=preprocess_origin(ASSUMED, spec),
    )
