"""Pixel accuracy and mean IoU are scikit-learn's accuracy and macro Jaccard index of all pixels."""

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, jaccard_score

from mitools.core.errors import InputError
from mitools.metrics.segmentation import confusion_counts, mean_iou, pixel_accuracy

CLASSES = 5


@pytest.fixture
def maps() -> tuple[torch.Tensor, torch.Tensor]:
    """Predicted and true classes of three images; class 4 occurs in neither."""
    generator = torch.Generator().manual_seed(0)
    true = torch.randint(0, 4, (3, 6, 7), generator=generator)
    wrong = torch.rand(true.shape, generator=generator) < 0.4
    return torch.where(wrong, torch.randint(0, 4, true.shape, generator=generator), true), true


def test_they_are_scikit_learns(maps: tuple[torch.Tensor, torch.Tensor]) -> None:
    predicted, true = maps
    found = confusion_counts(predicted, true, CLASSES)
    flat = true.flatten().numpy(), predicted.flatten().numpy()
    np.testing.assert_array_equal(found, confusion_matrix(*flat, labels=range(CLASSES)))
    assert pixel_accuracy(found) == pytest.approx(accuracy_score(*flat))
    assert mean_iou(found) == pytest.approx(jaccard_score(*flat, average="macro"))


def test_pixels_without_a_class_are_left_out(maps: tuple[torch.Tensor, torch.Tensor]) -> None:
    predicted, true = maps
    unknown = true.to(torch.uint8).clone()
    unknown[0] = 255
    found = confusion_counts(predicted, unknown, CLASSES)
    np.testing.assert_array_equal(found, confusion_counts(predicted[1:], true[1:], CLASSES))


def test_what_cannot_be_counted_is_refused() -> None:
    some = torch.tensor([0, 5])
    with pytest.raises(InputError, match="class 5 is beyond the 5 classes"):
        confusion_counts(some, some, CLASSES)
    with pytest.raises(InputError, match="shape"):
        confusion_counts(some, some[:1], CLASSES)
    nothing = confusion_counts(torch.zeros(4), torch.full((4,), 255), CLASSES)
    for measure in (pixel_accuracy, mean_iou):
        with pytest.raises(InputError, match="no pixel has a class"):
            measure(nothing)
