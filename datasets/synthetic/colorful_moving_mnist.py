"""Colorful Moving-MNIST: a digit moving over a photograph, and a second view that shares chosen factors.

The world of Tian et al., "What makes for good views" (InfoMin), 4.1, Table 4, B.4 and Fig. 10.
"""

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from torch import Tensor

from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.core.names import check_name
from mitools.datasets.synthetic.attributes import Attributes, uniform_joint
from mitools.datasets.synthetic.backgrounds import open_backgrounds
from mitools.datasets.synthetic.base import SyntheticImages, item_numbers
from mitools.datasets.synthetic.compositing import crop, draw_glyphs
from mitools.datasets.synthetic.glyphs import open_glyphs
from mitools.datasets.synthetic.motion import POINTS_PER_PIXEL, Motion, cells, draw_motions, positions
from mitools.datasets.synthetic.moving_pairs import Level, MovingPairs
from mitools.datasets.synthetic.moving_scenes import (
    BACKGROUND_SIDE,
    CANVAS_SIDE,
    DIGIT_OFFSETS,
    FACTORS,
    FIRST_VIEW,
    SPEED,
    WINDOW_OFFSETS,
    WORDS_PER_VIEW,
    Scene,
)
from mitools.datasets.synthetic.random_draws import Part, below


class ColorfulMovingMNIST(SyntheticImages):
    """Digits moving over photographs; meets :class:`mitools.datasets.base.MultimodalData`.

    A sequence is a white glyph of 28x28 pixels on a canvas of 64x64 over a random window of a 96x96
    background. Frame 1 lies anywhere in the canvas, the direction anywhere in [0, 2 pi], the speed is 0.1
    of the canvas a frame, and the borders reflect. Digit, position (in any frame) and background are
    uniform and independent, so their entropies are known. An item is one frame, the 20th by
    default; its modality ``clip`` has frames 1 to 20, and :meth:`clips` makes any frames.

    Item i depends on (seed, part, i) alone; nothing is kept of the images. All arithmetic on pixels and
    places is on whole numbers: the frames are the same on every machine and device.

    Parameters
    ----------
    n
        Number of sequences.
    part
        ``train`` or ``test``: disjoint glyphs, backgrounds and random numbers.
    seed
        In [0, 2^64).
    shared
        The factors whose combination is the label: ``digit``, ``position``, ``background``.
    glyphs, background
        As :func:`mitools.datasets.synthetic.glyphs.open_glyphs` and
        :func:`mitools.datasets.synthetic.backgrounds.open_backgrounds` (with classes) read them.
    frame
        Which frame an item shows, counted from 1; the second view of a pair is built from it.
    grid
        For the label, positions are quantised to grid x grid cells of equal size: 2 log2(grid) bits.
    transform
        Applied to every PIL image that is read as an item.

    Raises
    ------
    InputError
        When an argument is out of range, `shared` names no factor, or a source cannot be read.
    """

    modalities = ("clip",)

    def __init__(
        self,
        n: int = 10_000,
        *,
        part: Part = "train",
        seed: int = 0,
        shared: Sequence[str] = ("digit",),
        glyphs: str = "digits",
        background: str = "embedded",
        frame: int = 20,
        grid: int = 4,
        transform: Callable[[Image.Image], Any] | None = None,
    ) -> None:
        if frame < 1:
            raise InputError(f"frame={frame} must be at least 1")
        if not 1 <= grid <= DIGIT_OFFSETS:
            raise InputError(
                f"grid={grid} must lie between 1 and {DIGIT_OFFSETS}, the pixel offsets of a digit"
            )
        self.glyphs = open_glyphs(glyphs, part)
        self.backgrounds = open_backgrounds(background, part, BACKGROUND_SIDE, with_classes=True)
        truth = _truth(self.glyphs.classes, grid, self.backgrounds.classes)
        super().__init__(n, part, seed, truth, shared, transform)
        self.name, self.frame, self.grid = "colorful_moving_mnist", frame, grid
        self._glyph_table = torch.from_numpy(self.glyphs.images)
        self._background_table = torch.from_numpy(self.backgrounds.images)
        self.digest = digest_text(
            f"colorful_moving_mnist 1: {n} {part} {seed} {self.shared} {frame} {grid} {transform!r}",
            self.glyphs.digest,
            self.backgrounds.digest,
        )

    def codes(self, items: NDArray[np.int64]) -> NDArray[np.int64]:
        """Digit, cell of the position and class of the background in the frame: shape (n, 3)."""
        return self.codes_of(self.scenes(items))

    def pixel_positions(self, indices: ArrayLike | Tensor, frames: Sequence[int]) -> NDArray[np.int64]:
        """Row and column of the glyph's upper left corner in the canvas.

        Returns
        -------
        NDArray[np.int64]
            Shape (batch, frames, 2), 0 to 36. The glyph's centre lies 13.5 pixels further.
        """
        motion = self.motion_of(self.draw_words(item_numbers(indices, len(self)), FIRST_VIEW))
        return positions(motion, np.asarray(frames, dtype=np.int64), DIGIT_OFFSETS) // POINTS_PER_PIXEL

    def to(self, device: torch.device | str) -> Self:
        """Compose on this device from now on; returns the data set itself."""
        self._glyph_table = self._glyph_table.to(device)
        self._background_table = self._background_table.to(device)
        return self

    def compose(self, indices: ArrayLike | Tensor) -> Tensor:
        """Draw a batch of items: shape (batch, 3, 64, 64), uint8, on the device of the data set."""
        return self.clips(indices, [self.frame])[:, 0]

    def modality(self, index: int, name: str) -> NDArray[np.uint8]:
        """Read the ``clip`` of one item, shape (20, 3, 64, 64).

        Raises
        ------
        InputError
            When it is another modality.
        """
        check_name(f"modality of {self.name}", name, self.modalities)
        return self.clips([index])[0].cpu().numpy()

    def clips(self, indices: ArrayLike | Tensor, frames: Sequence[int] = range(1, 21)) -> Tensor:
        """Draw frames of a batch of sequences.

        Parameters
        ----------
        indices
            Shape (batch,).
        frames
            Which frames, counted from 1, in any order.

        Returns
        -------
        Tensor
            Shape (batch, frames, 3, 64, 64), uint8, on the device of the data set.

        Raises
        ------
        IndexError
            When an index is out of range.
        """
        words = self.draw_words(item_numbers(indices, len(self)), FIRST_VIEW)
        points = positions(self.motion_of(words), np.asarray(frames, dtype=np.int64), DIGIT_OFFSETS)
        return self.render(self.scene_of(words, points[:, 0]), points)

    def pairs(
        self, shared: Sequence[str] | None = None, *, level: Level = "instance", past: int = 10
    ) -> MovingPairs:
        """Pairs of a clip and a later image that shares the named factors (by default those of the labels).

        Raises
        ------
        InputError
            When a name is no factor, or an argument is out of range.
        """
        return MovingPairs(self, self.shared if shared is None else shared, level, past)

    def draw_words(self, items: NDArray[np.int64], stream: int) -> NDArray[np.uint64]:
        """Draw the random words of a view of the items: shape (n, WORDS_PER_VIEW)."""
        return self._draws.words(items, stream, WORDS_PER_VIEW)

    def motion_of(self, words: NDArray[np.uint64]) -> Motion:
        """Draw how the digits move, from the items' random words."""
        return draw_motions(words[:, 6:], DIGIT_OFFSETS, SPEED)

    def scene_of(self, words: NDArray[np.uint64], point: NDArray[np.int64]) -> Scene:
        """Draw what images show, from the items' random words; the digits lie at `point`, shape (n, 2)."""
        digit = below(words[:, 0], len(self.glyphs.classes))
        background = below(words[:, 2], len(self.backgrounds.classes))
        return Scene(
            digit=digit,
            glyph=self.glyphs.pick(digit, words[:, 1]),
            background=background,
            image=self.backgrounds.pick(background, words[:, 3]),
            window=below(words[:, 4:6], WINDOW_OFFSETS),
            point=point,
        )

    def scenes(self, items: NDArray[np.int64]) -> Scene:
        """Draw what the items show in their frame."""
        words = self.draw_words(items, FIRST_VIEW)
        return self.scene_of(
            words, positions(self.motion_of(words), np.array([self.frame]), DIGIT_OFFSETS)[:, 0]
        )

    def codes_of(self, scene: Scene) -> NDArray[np.int64]:
        """Attributes of any scenes, shape (n, 3)."""
        return np.stack((scene.digit, cells(scene.point, DIGIT_OFFSETS, self.grid), scene.background), axis=1)

    def render(self, scene: Scene, points: NDArray[np.int64]) -> Tensor:
        """Draw the scenes with their glyphs at `points`, shape (n, t, 2): shape (n, t, 3, 64, 64)."""
        n, t, _ = points.shape
        corner = (points // POINTS_PER_PIXEL).reshape(n * t, 2)
        device = self._glyph_table.device

        def each_frame(values: NDArray[np.int64]) -> Tensor:
            return torch.from_numpy(np.repeat(values, t)).to(device)

        window = each_frame(scene.window[:, 0]), each_frame(scene.window[:, 1])
        canvas = crop(self._background_table, each_frame(scene.image), *window, CANVAS_SIDE)
        top, left = torch.from_numpy(corner).to(device).T
        white = torch.full((n * t, 3), 255, dtype=torch.uint8, device=device)
        draw_glyphs(canvas, self._glyph_table, each_frame(scene.glyph), white, top, left)
        return canvas.view(n, t, 3, CANVAS_SIDE, CANVAS_SIDE)


def _truth(digits: tuple[str, ...], grid: int, backgrounds: tuple[str, ...]) -> Attributes:
    places = tuple(f"row-{row + 1}-column-{column + 1}" for row in range(grid) for column in range(grid))
    values = dict(zip(FACTORS, (digits, places, backgrounds), strict=True))
    return Attributes(values, uniform_joint([len(names) for names in values.values()]))
