"""What a frozen network is to the rest of the toolkit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.datasets.base import LabelledData, modalities_of
from mitools.datasets.selection import Selection
from mitools.encoders.checkpoints.load import LoadReport
from mitools.encoders.inputs.callers_transform import CallersTransform
from mitools.encoders.inputs.modalities import Modalities
from mitools.encoders.inputs.read import TENSORS, Preparation, item_kind
from mitools.encoders.inputs.tokens import Tokens
from mitools.views.base import modality_of
from mitools.views.item_views import ItemViews

CHANNELS = 3
"""Of the images that encoders read."""


@dataclass(frozen=True)
class Encoder:
    """A frozen network with its preprocessing.

    Attributes
    ----------
    spec
        The spec that named it.
    name
        A short name for tables and figures.
    source
        What comes before the spec's colon.
    network_digest
        SHA-256 over weights and architecture, whatever file they came in.
    module
        In evaluation mode and without gradients; maps a batch of inputs to (B, d), float32: images
        (B, 3, H, W), or what a tokenizer gives, by name. With several layers it maps them to a dictionary
        of one (B, d) a layer. It is called from several threads at once, so what a call leaves behind in
        the module is not to be relied on.
    preprocess
        How items become its input: pixels for images, tokens for texts.
    load_report
        What was loaded from a checkpoint; None where there was none.
    reads_rows
        Whether it maps feature rows (B, k) as well.
    layers
        The names of what it returns, from input to output.
    preprocess_from
        Where `preprocess` comes from, in words for the report.
    borrowed
        Whether the module is the caller's own. It then runs where it lies, one batch after the other, and
        every pass gives it back as it was; it also reads items that its owner has made for it.
    """

    spec: str
    name: str
    source: str
    network_digest: str
    module: nn.Module
    preprocess: Preparation
    load_report: LoadReport | None = None
    reads_rows: bool = False
    layers: tuple[str, ...] = ("output",)
    preprocess_from: str = "assumed: ImageNet's mean and std"
    borrowed: bool = False

    def __post_init__(self) -> None:
        if not self.borrowed:
            self.module.eval().requires_grad_(False)

    @property
    def digest(self) -> str:
        """SHA-256 over all that makes its rows of an item: network, preprocessing and layers.

        A function of the caller's that does not say what it does counts as any other such function.
        """
        prepare = self.preprocess
        unknown = isinstance(prepare, CallersTransform) and not prepare.says_what_it_is
        prepared = "the caller's own transform" if unknown else prepare.key
        return digest_text("encoder", self.network_digest, prepared, *self.layers)

    def require_readable(self, data: LabelledData, views: ItemViews | None = None) -> None:
        """Check that it reads items of such a kind.

        Raises
        ------
        InputError
            When it reads another kind, or views are wanted of what is no image.
        """
        kind = item_kind(data[0][0])
        if isinstance(self.preprocess, Modalities):
            self._require_modalities(data, kind, self.preprocess, views)
            return
        if views is not None:
            if kind != "images":
                raise InputError(f"{data.name} holds {kind}, which have no augmented views")
            if isinstance(self.preprocess, CallersTransform):
                raise InputError(
                    f"encoder {self.name}: a function cannot prepare augmented views; give its preprocessing"
                    " as options, such as {'mean': (0.5, 0.5, 0.5), 'std': (0.5, 0.5, 0.5)}"
                )
            if (modality := modality_of(views.view)) != "image":
                raise InputError(
                    f"encoder {self.name} reads images, and the view {views.view.name} is drawn from the"
                    f" data's {modality}"
                )
            if views.view.channels != CHANNELS:
                raise InputError(
                    f"encoder {self.name} reads images of {CHANNELS} channels, and the view {views.view.name}"
                    f" has {views.view.channels}"
                )
        reads = "texts" if isinstance(self.preprocess, Tokens) else "images"
        if kind == reads or (kind == "feature rows" and self.reads_rows):
            self._require_own_units(data)
            return
        if kind == TENSORS and (self.borrowed or self.reads_rows):
            return
        remedy = {
            "feature rows": "use builtin:pixels",
            "texts": "use an hf: encoder of texts",
            "images": "use an encoder of images",
            TENSORS: "leave the transform out, so that each encoder prepares the images in its own way",
        }[kind]
        raise InputError(f"encoder {self.name} reads {reads} and {data.name} holds {kind}; {remedy}")

    def _require_modalities(
        self, data: LabelledData, kind: str, preprocess: Modalities, views: ItemViews | None
    ) -> None:
        """Refuse data that are no images or lack a modality, and augmented views of what is no image."""
        if kind != "images":
            raise InputError(f"encoder {self.name} reads images and {data.name} holds {kind}")
        if views is not None:
            raise InputError(
                f"encoder {self.name} reads {', '.join(preprocess.names)}, of which no augmented views are"
                " drawn; take one of its encoders of the image by view="
            )
        for name in preprocess.names:
            if name not in modalities_of(data):
                raise InputError(
                    f"encoder {self.name} reads {', '.join(preprocess.names)} and {data.name} has no {name};"
                    " take the encoders of other views by view="
                )

    def _require_own_units(self, data: LabelledData) -> None:
        """Refuse shifted columns where a network expects them as they are."""
        while isinstance(data, Selection):
            data = data.data
        centring = getattr(data, "centring", None)
        if centring is not None and self.source != "builtin":
            raise InputError(
                f"encoder {self.name} reads {data.name} in single precision, which does not resolve column"
                f" {centring.columns[0]} about {float(centring.centre[0]):.4g}; subtract a constant first"
            )

    def fitted_digest(self, data: LabelledData, indices: NDArray[np.int64] | None) -> str:
        """Return the network's digest, which depends on no data."""
        return self.network_digest

    def fitted(self, data: LabelledData, indices: NDArray[np.int64] | None) -> "Encoder":
        """Return the encoder itself: there is nothing to fit."""
        return self
