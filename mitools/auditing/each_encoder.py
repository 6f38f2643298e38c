"""The encoders of an audit, one after the other: opened, named, run over the data and given back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from mitools.auditing.base import Layer
from mitools.auditing.course import Course
from mitools.auditing.requests import EncoderRequest
from mitools.auditing.settings import AuditSettings
from mitools.core.errors import InputError
from mitools.core.progress import Advance
from mitools.core.result_store import Values
from mitools.datasets.base import LabelledData
from mitools.encoders.in_memory import give_back
from mitools.encoders.layers.taps import OUTPUT
from mitools.encoders.open import AnyEncoder
from mitools.features.extract import Features, extract_layers
from mitools.features.store import FeatureStore
from mitools.views.item_views import ItemViews


def audit_each(
    requests: Sequence[EncoderRequest],
    data: LabelledData,
    audit: Callable[[AnyEncoder, str], Sequence[Layer]],
    course: Course,
) -> tuple[list[Layer], dict[str, str]]:
    """Open every encoder, audit it under a name of its own, and give it back.

    Parameters
    ----------
    requests
        The encoders.
    data
        What they are opened for.
    audit
        Audits one encoder, under the name given: one entry a layer.
    course
        Is told when the next one begins.

    Returns
    -------
    audited, failures
        Everything that was found, and the reasons of the encoders that failed.

    Raises
    ------
    InputError
        When none could be audited.
    """
    audited: list[Layer] = []
    failures: dict[str, str] = {}
    for request in requests:
        encoder = None
        course.begin_encoder(request.title)
        try:
            encoder = request.open(data)
            audited += audit(encoder, _free(encoder.name, audited, failures))
        except InputError as error:
            failures[_free(request.title, audited, failures)] = str(error)
        finally:
            give_back(encoder)
    if not audited:
        raise InputError(
            "; ".join(dict.fromkeys(failures.values())) or "no encoder given; add --encoder SPEC"
        )
    return audited, failures


def _free(name: str, audited: Sequence[Layer], failures: Mapping[str, str]) -> str:
    """Give encoders of the same name numbers."""
    taken = {done.network for done in audited} | failures.keys()
    numbered = (name if k == 1 else f"{name}#{k}" for k in count(1))
    return next(candidate for candidate in numbered if candidate not in taken)


@dataclass(frozen=True)
class Passes:
    """Runs the encoders of an audit over its data.

    Attributes
    ----------
    train
        The items that an encoder is fitted to which needs it: it never sees what is reported.
    store
        Where features are kept.
    settings
        Device, precision and the like.
    advance
        Called with what is being done, how much of it is done, and how much there is.
    course
        Is told when a pass begins.
    """

    train: NDArray[np.int64]
    store: FeatureStore
    settings: AuditSettings
    advance: Advance
    course: Course

    def over(
        self, encoder: AnyEncoder, data: LabelledData, views: ItemViews | None = None
    ) -> dict[str, Features]:
        """Encode every item of some data, or views of it: the features by layer."""
        self.course.begin_pass()
        return extract_layers(
            encoder,
            data,
            store=self.store,
            views=views,
            fit_on=self.train,
            device=self.settings.device,
            batch_size=self.settings.batch_size,
            workers=self.settings.workers,
            precision=self.settings.precision,
            kept_as=self.settings.kept_as,
            advance=self.advance,
        )


def layer_place(encoder: AnyEncoder, name: str, features: Mapping[str, Features], layer: str) -> Values:
    """Say which encoder and layer a row is of: its first columns.

    Parameters
    ----------
    encoder
        The encoder.
    name
        What the audit calls it.
    features
        Of all its layers, in order.
    layer
        The one of the row.
    """
    n, _, width = features[layer].values.shape
    return {
        "encoder": name if layer == OUTPUT and len(features) == 1 else f"{name}@{layer}",
        "network": name,
        "layer": layer,
        "depth": list(features).index(layer),
        "source": encoder.source,
        "digest": encoder.digest,
        "n": n,
        "dim": width,
    }
