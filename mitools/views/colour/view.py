"""Some channels of a colour space, as a view."""

from dataclasses import dataclass

from torch import Tensor

from mitools.views.colour.spaces import SPACES
from mitools.views.specs import ViewSpec


@dataclass(frozen=True)
class ColourView:
    """Some channels of an image in a colour space, each brought from its range over sRGB to [0, 1].

    Parameters
    ----------
    space
        A name of :data:`mitools.views.colour.spaces.SPACES`.
    indices
        Which of its three channels, in this order.

    Examples
    --------
    >>> import torch
    >>> view = ColourView("lab", (1, 2))
    >>> view.name, view(torch.rand(4, 3, 32, 32), torch.empty(4, 0)).shape
    ('lab:ab', torch.Size([4, 2, 32, 32]))
    """

    space: str
    indices: tuple[int, ...] = (0, 1, 2)
    draws = 0

    @property
    def name(self) -> str:
        """The space, and its channels unless they are all: ``lab:ab``."""
        if self.indices == (0, 1, 2):
            return self.space
        return f"{self.space}:{''.join(SPACES[self.space].channels[index] for index in self.indices)}"

    @property
    def channels(self) -> int:
        """How many."""
        return len(self.indices)

    @property
    def rgb(self) -> bool:
        """Whether they are red, green and blue."""
        return self.name == "rgb"

    def __call__(self, items: Tensor, draws: Tensor) -> Tensor:
        """Convert images (B, 3, H, W) in [0, 1]; gives (B, channels, H, W)."""
        scaled = SPACES[self.space].scaled(items)
        return scaled if self.indices == (0, 1, 2) else scaled[:, list(self.indices)]


def colour_view(spec: ViewSpec) -> ColourView:
    """Make the view ``SPACE`` or ``SPACE:CHANNELS``, as ``lab:ab`` or ``ydbdr:dbdr``.

    Raises
    ------
    InputError
        When a channel is none of the space's, or an option is given.
    """
    spec.without_number()
    spec.only()
    return ColourView(spec.source, SPACES[spec.source].indices(spec.name, spec.text))
