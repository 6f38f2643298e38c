"""The image itself, as a view."""

from dataclasses import dataclass

from torch import Tensor

from mitools.views.specs import ViewSpec


@dataclass(frozen=True)
class ImageView:
    """The image itself."""

    name = "image"
    channels = 3
    draws = 0

    def __call__(self, items: Tensor, draws: Tensor) -> Tensor:
        """Give the items back, shape (B, 3, H, W)."""
        return items


def image_view(spec: ViewSpec) -> ImageView:
    """Make the view ``image``, which takes no options."""
    spec.without_parts()
    spec.only()
    return ImageView()
