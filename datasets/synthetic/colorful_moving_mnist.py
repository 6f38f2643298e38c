"""Colorful Moving-MNIST: a digit moving over a photograph, and a second view that shares chosen factors.

The world of Tian et al., "What makes for good views" (InfoMin), 4.1, Table 4, B.4 and Fig. 10.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, Self, get_args

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from torch import Tensor

from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.datasets.synthetic.attributes import Attributes, uniform_joint
from mitools.datasets.synthetic.backgrounds import open_backgrounds
from mitools.datasets.synthetic.base import SyntheticImages, item_numbers
from mitools.datasets.synthetic.compositing import crop, draw_glyphs
from mitools.datasets.synthetic.glyphs import GLYPH_SIDE, open_glyphs
from mitools.datasets.synthetic.motion import (
    POINTS_PER_PIXEL,
    Motion,
    cell_points,
    cells,
    draw_motions,
    positions,
)
from mitools.datasets.synthetic.random_draws import Part, below

CANVAS = 64
BACKGROUND = 96
OFFSETS = CANVAS - GLYPH_SIDE + 1
"""Pixel offsets that keep the digit inside the canvas, along each axis."""

WINDOWS = BACKGROUND - CANVAS + 1
SPEED = 0.1 * CANVAS
"""Pixels a frame."""

FACTORS = ("digit", "position", "background")
Level = Literal["instance", "class"]

_FIRST, _SECOND = 0, 1  # streams of random words, one for each view
_WORDS = 10  # digit, glyph, background class, image, window's row and column, four for the motion


class Scene(NamedTuple):
    """What n images show, all int64: shape (n,), but (n, 2) for rows and columns."""

    digit: NDArray[np.int64]
    glyph: NDArray[np.int64]
    background: NDArray[np.int64]
    image: NDArray[np.int64]
    window: NDArray[np.int64]
    point: NDArray[np.int64]


_FIELDS = {
    "digit": ("digit", "glyph"),
    "position": ("point",),
    "background": ("background", "image", "window"),
}


class ColorfulMovingMNIST(SyntheticImages):
    """Digits moving over photographs; meets :class:`mitools.datasets.base.LabelledData`.

    A sequence is a white glyph of 28x28 pixels on a canvas of 64x64 over a random window of a 96x96
    background. Frame 1 lies anywhere in the canvas, the direction anywhere in [0, 2 pi], the speed is 0.1
    of the canvas a frame, and the borders reflect. Digit, position (in any frame) and background are
    uniform and independent, so their entropies are known. An item is one frame, 20 unless told, and
    :meth:`clips` makes whole sequences.

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
        if not 1 <= grid <= OFFSETS:
            raise InputError(f"grid={grid} must lie between 1 and {OFFSETS}, the pixel offsets of a digit")
        self.glyphs = open_glyphs(glyphs, part)
        self.backgrounds = open_backgrounds(background, part, BACKGROUND, with_classes=True)
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
        motion = self._motion(self._words(item_numbers(indices, len(self)), _FIRST))
        return positions(motion, np.asarray(frames, dtype=np.int64), OFFSETS) // POINTS_PER_PIXEL

    def to(self, device: torch.device | str) -> Self:
        """Compose on this device from now on; returns the data set itself."""
        self._glyph_table = self._glyph_table.to(device)
        self._background_table = self._background_table.to(device)
        return self

    def compose(self, indices: ArrayLike | Tensor) -> Tensor:
        """Draw a batch of items: shape (batch, 3, 64, 64), uint8, on the device of the data set."""
        return self.clips(indices, [self.frame])[:, 0]

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
        words = self._words(item_numbers(indices, len(self)), _FIRST)
        points = positions(self._motion(words), np.asarray(frames, dtype=np.int64), OFFSETS)
        return self._render(self._scene(words, points[:, 0]), points)

    def pairs(
        self, shared: Sequence[str] | None = None, *, level: Level = "instance", past: int = 10
    ) -> "MovingPairs":
        """Pairs of a clip and a later image that shares the named factors (by default those of the labels).

        Raises
        ------
        InputError
            When a name is no factor, or an argument is out of range.
        """
        return MovingPairs(self, self.shared if shared is None else shared, level, past)

    def _words(self, items: NDArray[np.int64], stream: int) -> NDArray[np.uint64]:
        return self._draws.words(items, stream, _WORDS)

    def _motion(self, words: NDArray[np.uint64]) -> Motion:
        return draw_motions(words[:, 6:], OFFSETS, SPEED)

    def _scene(self, words: NDArray[np.uint64], point: NDArray[np.int64]) -> Scene:
        digit = below(words[:, 0], len(self.glyphs.classes))
        background = below(words[:, 2], len(self.backgrounds.classes))
        return Scene(
            digit=digit,
            glyph=self.glyphs.pick(digit, words[:, 1]),
            background=background,
            image=self.backgrounds.pick(background, words[:, 3]),
            window=below(words[:, 4:6], WINDOWS),
            point=point,
        )

    def scenes(self, items: NDArray[np.int64]) -> Scene:
        """Draw what the items show in their frame."""
        words = self._words(items, _FIRST)
        return self._scene(words, positions(self._motion(words), np.array([self.frame]), OFFSETS)[:, 0])

    def codes_of(self, scene: Scene) -> NDArray[np.int64]:
        """Attributes of any scenes, shape (n, 3)."""
        return np.stack((scene.digit, cells(scene.point, OFFSETS, self.grid), scene.background), axis=1)

    def _render(self, scene: Scene, points: NDArray[np.int64]) -> Tensor:
        """Draw the scenes with their glyphs at `points`, shape (n, t, 2): shape (n, t, 3, 64, 64)."""
        n, t, _ = points.shape
        corner = (points // POINTS_PER_PIXEL).reshape(n * t, 2)
        device = self._glyph_table.device

        def each_frame(values: NDArray[np.int64]) -> Tensor:
            return torch.from_numpy(np.repeat(values, t)).to(device)

        window = each_frame(scene.window[:, 0]), each_frame(scene.window[:, 1])
        canvas = crop(self._background_table, each_frame(scene.image), *window, CANVAS)
        top, left = torch.from_numpy(corner).to(device).T
        white = torch.full((n * t, 3), 255, dtype=torch.uint8, device=device)
        draw_glyphs(canvas, self._glyph_table, each_frame(scene.glyph), white, top, left)
        return canvas.view(n, t, 3, CANVAS, CANVAS)


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

    def __init__(self, data: ColorfulMovingMNIST, shared: Sequence[str], level: Level, past: int) -> None:
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
                "position": 2 * np.log2(OFFSETS),
                "background": data.backgrounds.choice_bits + 2 * np.log2(WINDOWS),
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
        scene = self._second(indices, self._data.scenes(item_numbers(indices, len(self))))
        return self._data.clips(indices, self._frames), self._data._render(scene, scene.point[:, None])[:, 0]

    def _second(self, indices: ArrayLike | Tensor, frame: Scene) -> Scene:
        """Draw what view 2 shows."""
        data = self._data
        words = data._words(item_numbers(indices, len(self)), _SECOND)
        fresh = data._scene(words, data._motion(words).start)
        if self._level == "instance":
            taken = {field: getattr(frame, field) for factor in self.shared for field in _FIELDS[factor]}
            return fresh._replace(**taken)
        taken = {}
        if "digit" in self.shared:
            taken |= {"digit": frame.digit, "glyph": data.glyphs.pick(frame.digit, words[:, 1])}
        if "position" in self.shared:
            cell = cells(frame.point, OFFSETS, data.grid)
            taken |= {"point": cell_points(cell, words[:, 6:8], OFFSETS, data.grid)}
        if "background" in self.shared:
            image = data.backgrounds.pick(frame.background, words[:, 3])
            taken |= {"background": frame.background, "image": image}
        return fresh._replace(**taken)


def _truth(digits: tuple[str, ...], grid: int, backgrounds: tuple[str, ...]) -> Attributes:
    places = tuple(f"row-{row + 1}-column-{column + 1}" for row in range(grid) for column in range(grid))
    values = dict(zip(FACTORS, (digits, places, backgrounds), strict=True))
    return Attributes(values, uniform_joint([len(names) for names in values.values()]))
