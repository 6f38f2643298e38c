"""How a view becomes what its encoder reads, in training and afterwards."""

from torch import Tensor

from mitools.views.base import View, is_rgb


def normalised_view(view: View, values: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Normalise what a view gives: RGB as pixels are, every other view v, which is about [0, 1], to [-1, 1].

    Parameters
    ----------
    view
        What the values are.
    values
        Shape (..., c, h, w).
    mean, std
        Shape (3, 1, 1) each, of pixels.
    """
    return (values - mean) / std if is_rgb(view) else (values - 0.5) / 0.5


def frames_as_channels(views: Tensor) -> Tensor:
    """Lay the frames of a clip side by side in its channels: (B, T, c, h, w) to (B, T c, h, w).

    What is no clip, (B, c, h, w), stays as it is.
    """
    return views.flatten(1, -3)
