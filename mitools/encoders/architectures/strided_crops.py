"""A network on overlapping crops of an image, one by one: CPC's strided crops."""

from torch import Tensor, nn

CROP, STRIDE = 16, 8
"""Side of a crop, and the distance from one to the next, in pixels (Tian et al. 2020, Appendix D.1)."""


class StridedCrops(nn.Module):
    """A network on overlapping crops of an image, and the mean of its rows.

    Each crop passes through the network alone, so that the features of a place hold nothing of their
    neighbours (van den Oord et al. 2018; Tian et al. 2020, Contrastive multiview coding, Appendix D.1). The
    module ``crops`` gives the map of all places: what sub-patch contrast compares with a whole view
    (``point_layers: {lab:l: crops, lab:ab: crops}`` of the method ``cmc``).

    Parameters
    ----------
    network
        Maps crops (B, c, size, size) to rows (B, d).
    size
        Side of a crop in pixels.
    stride
        From one crop to the next; below `size` they overlap.

    Examples
    --------
    >>> import torch
    >>> from mitools.encoders.architectures.convnet import ConvNet
    >>> network = StridedCrops(ConvNet(8))
    >>> images = torch.rand(2, 3, 64, 64)
    >>> network.crops(images).shape, network(images).shape
    (torch.Size([2, 128, 7, 7]), torch.Size([2, 128]))
    """

    def __init__(self, network: nn.Module, size: int = CROP, stride: int = STRIDE) -> None:
        super().__init__()
        self.crops = EachCrop(network, size, stride)

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, c, H, W) to (B, d).

        Raises
        ------
        ValueError
            When an image is smaller than a crop.
        """
        rows: Tensor = self.crops(images).mean(dim=(2, 3))
        return rows


class EachCrop(nn.Module):
    """A network on every crop of an image.

    Parameters
    ----------
    network, size, stride
        As for :class:`StridedCrops`.
    """

    def __init__(self, network: nn.Module, size: int, stride: int) -> None:
        super().__init__()
        self.network = network
        self.size = size
        self.stride = stride

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, c, H, W) to (B, d, rows, columns): a place is a crop.

        Raises
        ------
        ValueError
            When an image is smaller than a crop.
        """
        height, width = images.shape[-2:]
        if min(height, width) < self.size:
            raise ValueError(
                f"images of {width}x{height} hold no crop of {self.size}x{self.size}; take a smaller size="
            )
        crops = images.unfold(2, self.size, self.stride).unfold(3, self.size, self.stride)
        batch, _, rows, columns = crops.shape[:4]
        features: Tensor = self.network(crops.permute(0, 2, 3, 1, 4, 5).flatten(0, 2))
        return features.unflatten(0, (batch, rows, columns)).permute(0, 3, 1, 2)
