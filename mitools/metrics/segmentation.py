"""Pixel accuracy and mean intersection over union, from counts of pixels by true and by predicted class."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mitools.core.errors import InputError
from mitools.views.modality import UNKNOWN


def confusion_counts(predicted: Tensor, true: Tensor, classes: int) -> NDArray[np.int64]:
    """Count the pixels of every true class by the class predicted for them.

    Parameters
    ----------
    predicted, true
        Class numbers of the same shape; a pixel whose true class is 255 has none and is left out.
    classes
        How many there are.

    Returns
    -------
    NDArray[np.int64]
        Shape (classes, classes): true class by predicted class.

    Raises
    ------
    InputError
        When the shapes differ, or a number is no class.

    Examples
    --------
    >>> confusion_counts(torch.tensor([0, 1, 1]), torch.tensor([0, 1, 0]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    if predicted.shape != true.shape:
        raise InputError(f"predicted has shape {tuple(predicted.shape)} and true {tuple(true.shape)}")
    known = true != UNKNOWN
    numbers = torch.stack([true[known].long(), predicted[known].long()])
    if numbers.numel() and not 0 <= int(numbers.min()) <= int(numbers.max()) < classes:
        raise InputError(f"class {int(numbers.max())} is beyond the {classes} classes, 0 to {classes - 1}")
    counts = torch.bincount(numbers[0] * classes + numbers[1], minlength=classes**2)
    return counts.reshape(classes, classes).cpu().numpy()


def pixel_accuracy(confusion: NDArray[np.int64]) -> float:
    """Give the share of pixels whose class is predicted right.

    Parameters
    ----------
    confusion
        As :func:`confusion_counts` gives it, summed over images.

    Raises
    ------
    InputError
        When no pixel is counted.

    Examples
    --------
    >>> pixel_accuracy(np.array([[3, 1], [0, 4]]))
    0.875
    """
    return float(np.trace(_counted(confusion)) / confusion.sum())


def mean_iou(confusion: NDArray[np.int64]) -> float:
    """Average, over classes, the pixels of a class in both maps as a share of those in either.

    A class that neither map has is left out.

    Parameters
    ----------
    confusion
        As :func:`confusion_counts` gives it, summed over images.

    Raises
    ------
    InputError
        When no pixel is counted.

    Examples
    --------
    >>> mean_iou(np.array([[3, 1], [0, 4]]))  # 3 of 4, and 4 of 5
    0.775
    """
    both = np.diag(_counted(confusion))
    either = confusion.sum(axis=0) + confusion.sum(axis=1) - both
    return float((both[either > 0] / either[either > 0]).mean())


def _counted(confusion: NDArray[np.int64]) -> NDArray[np.int64]:
    if not confusion.sum():
        raise InputError("no pixel has a class; the segmentation is 255 everywhere")
    return confusion
