"""Pairs of a clip and a later image that share chosen factors (Tian et al. 2020, InfoMin, B.4)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from mitools.core.errors import InputError
from mitools.datasets.synthetic.base import item_numbers
from mitools.datasets.synthetic.motion import cell_points, cells
from mitools.datasets.synthetic.moving_scenes import (
    DIGIT_OFFSETS,
    FACTOR_FIELDS,
    SECOND_VIEW,
    WINDOW_OFFSETS,
    Scene,
)

if TYPE_CHECKING:
    from mitools.datasets.synthetic.colorful_moving_mnist import ColorfulMovingMNIST

Level = Literal["instance", "class"]
"""What two views share: the very glyph, image and place, or their classes alone."""


class MovingPairs:
    """View 1, the first frames of a sequence, and view 2, one image built from its later frame (B.4).

    View 2 takes the shared factors from the frame and draws the others afresh, uniformly. What sharing
    means is set by `level`: ``instance``, as in the paper, takes the very glyph, the very window of the
    very background, the very position; ``class`` takes the digit, the class of the background and the cell
    of the position alone and draws glyph, image, window and place within them afresh, so that exactly the
    label is shared. An item is (clip, image, label), uint8 tensors of shape (past, 3, 64, 64) and
    (3, 64, 64).

    Attributes
    ----------
    shared
        The factors that agree.
    label_bits
        H(C) of the classes of the shared factors, in bits.
    shared_bits
        Entropy in bits of all that view 2 takes from the frame, which no I(view 1; view 2) exceeds: H(C) at
        level ``class``; at level ``instance`` the choice of glyph, image and window is counted as well, and
        the position in whole pixels.
    classes
        Names of the combinations; a label is a position among them.
    """

    def __init__(self, data: "ColorfulMovingMNIST", shared: Sequence[str], level: Level, past: int) -> None:
        if level not in get_args(Level):
            raise InputError(f"level={level} is unknown; accepted: {' or '.join(get_args(Level))}")
        if past < 1:
            raise InputError(f"past={past} must be at least 1")
        self._data, self._level, self._frames = data, level, range(1, past + 1)
        self.shared = data.truth.ordered(shared)
        self.classes: Sequence[str] = data.truth.classes(self.shared)
        self.label_bits = data.truth.bits(self.shared)
        self.shared_bits = self.label_bits
        if level == "instance":
            bits = {
                "digit": data.glyphs.choice_bits,
                "position": 2 * np.log2(DIGIT_OFFSETS),
                "background": data.backgrounds.choice_bits + 2 * np.log2(WINDOW_OFFSETS),
            }
            self.shared_bits = float(sum(bits[factor] for factor in self.shared))

    def __len__(self) -> int:
        """Count the pairs."""
        return len(self._data)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, int]:
        """Read the clip, the image and their common label."""
        clip, image = self.compose([index])
        label = self._data.truth.labels(self.attributes([index])[0], self.shared)
        return clip[0], image[0], int(label[0])

    def attributes(self, indices: ArrayLike | Tensor) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Attributes of the frame and of view 2 of each pair, shape (batch, 3) each."""
        scene = self._data.scenes(item_numbers(indices, len(self)))
        return self._data.codes_of(scene), self._data.codes_of(self._second(indices, scene))

    def compose(self, indices: ArrayLike | Tensor) -> tuple[Tensor, Tensor]:
        """Draw a batch of pairs: shapes (batch, past, 3, 64, 64) and (batch, 3, 64, 64), uint8."""
        return self._data.clips(indices, self._frames), self.images(indices)

    def images(self, indices: ArrayLike | Tensor) -> Tensor:
        """Draw view 2 alone: shape (batch, 3, 64, 64), uint8."""
        scene = self._second(indices, self._data.scenes(item_numbers(indices, len(self))))
        return self._data.render(scene, scene.point[:, None])[:, 0]

    def _second(self, indices: ArrayLike | Tensor, frame: Scene) -> Scene:
        """Draw what view 2 shows."""
        data = self._data
        words = data.draw_words(item_numbers(indices, len(self)), SECOND_VIEW)
        fresh = data.scene_of(words, data.motion_of(words).start)
        if self._level == "instance":
            taken = {
                field: getattr(frame, field) for factor in self.shared for field in FACTOR_FIELDS[factor]
            }
            return fresh._replace(**taken)
        taken = {}
        if "digit" in self.shared:
            taken |= {"digit": frame.digit, "glyph": data.glyphs.pick(frame.digit, words[:, 1])}
        if "position" in self.shared:
            cell = cells(frame.point, DIGIT_OFFSETS, data.grid)
            taken |= {"point": cell_points(cell, words[:, 6:8], DIGIT_OFFSETS, data.grid)}
        if "background" in self.shared:
            image = data.backgrounds.pick(frame.background, words[:, 3])
            taken |= {"background": frame.background, "image": image}
        return fresh._replace(**taken)
