"""Principal components of the pixels: an encoder that is fitted, on the training items alone."""

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.datasets.base import LabelledData
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.preprocess import Preprocess
from mitools.encoders.inputs.read import finish_inputs, read_inputs

_ITEMS_AT_ONCE = 256
_NUMBERS_AT_MOST = 500_000_000


@dataclass(frozen=True)
class PrincipalComponents:
    """The first `k` principal components, not yet fitted.

    Attributes
    ----------
    spec, name, source, preprocess
        As of :class:`mitools.encoders.encoder.Encoder`.
    k
        Number of components.
    """

    spec: str
    name: str
    source: str
    preprocess: Preprocess
    k: int

    @property
    def network_digest(self) -> str:
        """Of what is to be fitted, whatever the preprocessing and the items are."""
        return digest_text("builtin:pca", str(self.k))

    @property
    def digest(self) -> str:
        """Of what is to be fitted, and of the preprocessing; :meth:`fitted_digest` is of the items too."""
        return digest_text("encoder", self.network_digest, self.preprocess.key)

    def fitted_digest(self, data: LabelledData, indices: NDArray[np.int64] | None) -> str:
        """Give the ``network_digest`` of the encoder that :meth:`fitted` would return, without fitting it.

        It covers all that determines the components (k, the preprocessing, the training items) in place of
        their values, so that features kept from an earlier run are found before anything is computed.

        Raises
        ------
        InputError
            When no training items are given.
        """
        if indices is None:
            raise InputError(f"{self.spec} is fitted: say which items are for training")
        items = hashlib.sha256(np.asarray(indices, dtype=np.int64).tobytes()).hexdigest()
        return digest_text(self.network_digest, self.preprocess.key, data.digest, items)

    def fitted(self, data: LabelledData, indices: NDArray[np.int64] | None) -> Encoder:
        """Fit the components to the items at `indices` (the training part, never the reported one).

        Raises
        ------
        InputError
            When no items are given, there are fewer items or dimensions than components, or the items
            would take more than 2 GB of memory.
        """
        from sklearn.decomposition import PCA

        digest = self.fitted_digest(data, indices)
        items = np.asarray(indices, dtype=np.int64)
        matrix = self._matrix(data, items)
        if self.k > min(matrix.shape):
            n, d = matrix.shape
            raise InputError(f"{self.spec}: {n} training items of {d} numbers have no {self.k} components")
        pca = PCA(self.k, random_state=0).fit(matrix)
        linear = nn.Linear(matrix.shape[1], self.k)
        components, mean = (torch.from_numpy(values).float() for values in (pca.components_, pca.mean_))
        with torch.no_grad():
            linear.weight.copy_(components)
            linear.bias.copy_(-(components.double() @ mean.double()))
        return Encoder(
            self.spec,
            self.name,
            self.source,
            digest,
            nn.Sequential(nn.Flatten(), linear),
            self.preprocess,
            reads_rows=True,
            preprocess_from="pixels from 0 to 1",
        )

    def _matrix(self, data: LabelledData, items: NDArray[np.int64]) -> NDArray[np.float32]:
        matrix = np.empty((0, 0), dtype=np.float32)
        for start in range(0, len(items), _ITEMS_AT_ONCE):
            inputs = read_inputs(data, items[start : start + _ITEMS_AT_ONCE], self.preprocess)
            rows = finish_inputs(inputs, self.preprocess).flatten(1).numpy()
            if start == 0:
                if len(items) * rows.shape[1] > _NUMBERS_AT_MOST:
                    raise InputError(
                        f"{self.spec}: {len(items)} items of {rows.shape[1]} numbers do not fit in memory; "
                        "give a smaller image_size=N"
                    )
                matrix = np.empty((len(items), rows.shape[1]), dtype=np.float32)
            matrix[start : start + len(rows)] = rows
        return matrix
