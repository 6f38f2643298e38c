"""Labels as people store them: whole numbers as floats, in a column of their own, or one-hot."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError


def one_label_a_row(labels: NDArray[Any], where: str) -> NDArray[Any]:
    """Bring labels to one whole number or name a row.

    Parameters
    ----------
    labels
        Shape (n,), (n, 1) or (1, n); or one-hot, shape (n, classes), one 1 a row and 0 elsewhere. Whole
        numbers of any kind and byte order, whole numbers as floats, truth values, texts, bytes of UTF-8.
    where
        What messages call it.

    Returns
    -------
    NDArray[Any]
        Shape (n,): integers or texts.

    Raises
    ------
    InputError
        When there are several labels a row, or they are no whole numbers and no names.

    Examples
    --------
    >>> one_label_a_row(np.array([[0.0, 1.0], [1.0, 0.0]]), "labels")
    array([1, 0])
    >>> one_label_a_row(np.array([[3.0], [5.0]]), "labels")
    array([3, 5])
    """
    labels = np.asarray(labels)
    if labels.ndim == 2 and 1 in labels.shape:
        labels = labels.reshape(-1)
    if labels.ndim == 2 and labels.dtype.kind in "fiub":
        if not is_one_hot(labels):
            raise InputError(
                f"{where} has shape {labels.shape} and is not one-hot (one 1 a row, 0 elsewhere); give one"
                " class number or name a row, or say target=continuous"
            )
        return labels.argmax(axis=1)
    if labels.ndim != 1:
        raise InputError(f"{where} has shape {labels.shape}; it must be (n,), one class number or name a row")
    if labels.dtype.kind == "S":
        # Bytes that are no UTF-8 stay different, as in names of files.
        return np.array([one.decode("utf-8", "surrogateescape") for one in labels.tolist()])
    if labels.dtype.kind == "f":
        return _whole(labels, where)
    if labels.dtype.kind == "O" and all(isinstance(one, str) for one in labels.tolist()):
        return labels  # texts that a type of NumPy would cut
    if labels.dtype.kind not in "iubU":
        raise InputError(f"{where} holds {labels.dtype}; it must hold whole numbers or names")
    return labels.astype(labels.dtype.newbyteorder("="), copy=False)


def is_one_hot(labels: NDArray[Any]) -> bool:
    """Whether every row of (n, classes) has one 1, and 0 elsewhere."""
    return bool(((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all())


def _whole(labels: NDArray[Any], where: str) -> NDArray[np.int64]:
    if not np.isfinite(labels).all():
        raise InputError(f"{where} holds a number that is not finite; drop such rows")
    if (labels != np.round(labels)).any():
        wrong = int(np.argmax(labels != np.round(labels)))
        raise InputError(
            f"{where} holds {labels[wrong]:g} in row {wrong}: continuous targets are no classes; say"
            " target=continuous, or cut them into classes"
        )
    if len(labels) and np.abs(labels).max() > 2.0 ** (np.finfo(labels.dtype).nmant + 1):
        raise InputError(f"{where} is {labels.dtype} and so large that different whole numbers are the same")
    return labels.astype(np.int64)
