"""Gaussian blur of a whole batch, of another width for every image."""

import torch
from torch import Tensor
from torch.nn import functional


def blurred(images: Tensor, sigma: Tensor, radius: tuple[int, int]) -> Tensor:
    """Blur each image by a Gaussian of its own width.

    Parameters
    ----------
    images
        Shape (B, c, H, W), float.
    sigma
        Shape (B,), positive: the standard deviations in pixels.
    radius
        Where the Gaussian is cut off above and below, and left and right, in pixels: below H and W. Images
        are mirrored at their borders, the outermost row not repeated, as torchvision has it.

    Returns
    -------
    Tensor
        Shape (B, c, H, W).
    """
    batch, channels, height, width = images.shape
    rows, columns = radius
    # One group of the convolution for each channel of each image, so that each has a kernel of its own.
    flat = images.reshape(1, batch * channels, height, width)
    flat = functional.pad(flat, (columns, columns, rows, rows), mode="reflect")
    vertical, horizontal = (
        _gaussians(sigma, reach).repeat_interleave(channels, dim=0)[:, None] for reach in radius
    )
    flat = functional.conv2d(flat, vertical[..., None], groups=batch * channels)
    flat = functional.conv2d(flat, horizontal[..., None, :], groups=batch * channels)
    return flat.reshape(images.shape)


def _gaussians(sigma: Tensor, radius: int) -> Tensor:
    """Give the kernels, shape (B, 2 radius + 1); each sums to 1."""
    distance = torch.arange(-radius, radius + 1, device=sigma.device, dtype=sigma.dtype)
    return torch.softmax(-0.5 * (distance / sigma[:, None]).square(), dim=1)
