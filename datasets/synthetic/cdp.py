"""CDP: images whose colour, digit and position are drawn from a stated table (Lee et al., III-B, Fig. 2)."""

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from torch import Tensor

from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.datasets.synthetic.attributes import Attributes, checked_joint, dependent_joint, uniform_joint
from mitools.datasets.synthetic.backgrounds import open_backgrounds
from mitools.datasets.synthetic.base import SyntheticImages, item_numbers
from mitools.datasets.synthetic.compositing import crop, draw_glyphs
from mitools.datasets.synthetic.glyphs import open_glyphs, resize_glyphs
from mitools.datasets.synthetic.image_pool import Pool
from mitools.datasets.synthetic.random_draws import Part, below, uniform

COLORS = {
    "red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255),
    "yellow": (255, 255, 0), "magenta": (255, 0, 255), "cyan": (0, 255, 255), "orange": (255, 128, 0),
    "violet": (128, 0, 255), "lime": (128, 255, 0), "rose": (255, 0, 128), "azure": (0, 128, 255),
    "spring": (0, 255, 128), "peach": (255, 128, 128), "sky": (128, 128, 255), "mint": (128, 255, 128),
}  # fmt: skip
DIGITS = ("2", "3", "4", "5", "6", "7", "8", "9", "0", "1")
CORNERS = ("upper-left", "upper-right", "lower-left", "lower-right")
MOST_POSITIONS = 16
ATTRIBUTES = ("color", "digit", "position")

_GLYPH_CLASSES = np.array([int(digit) for digit in DIGITS])
_SMALLEST_GLYPH = 12
_FIRST_VIEW, _SECOND_VIEW, _PARTNERS = 0, 1, 2  # streams of random words; partner k has _PARTNERS + k - 1
_WORDS_PER_IMAGE = 6  # two for the attributes, one each for glyph, photograph and the window's row and column


class CDP(SyntheticImages):
    """Colour, digit and position in one image; meets :class:`mitools.datasets.base.LabelledData`.

    A window of a photograph is mixed into a black background, ``(1 - strength) black + strength photograph``,
    and a glyph of the digit is drawn over it, in the colour, at the position. The attributes follow `joint`;
    glyph, photograph and window are drawn uniformly and independently of them, so whatever several images
    have in common is known: H(C) of the attributes they share.

    Item i depends on (seed, part, i) alone. Nothing is kept of the images; `n` may be as large as you like.
    All arithmetic is on whole numbers: the pixels are the same on every machine and device (photographs
    stored as JPEG wherever the decoder is libjpeg-turbo, which Pillow brings along).

    Parameters
    ----------
    n
        Number of images.
    part
        ``train`` or ``test``: disjoint glyphs, photographs and random numbers.
    seed
        In [0, 2^64).
    size
        Height and width in pixels.
    shared
        The attributes whose combination is the label.
    counts
        How many colours (at most 16), digits (10) and positions (16) there are. The paper's four each
        are red, green, blue, white; 2, 3, 4, 5; the corners.
    joint
        Shape `counts`: their probabilities. Uniform and independent when None.
    dependency
        Two attributes and the mutual information in bits they are to share, instead of `joint`; every
        attribute stays uniform.
    glyphs, background
        As :func:`mitools.datasets.synthetic.glyphs.open_glyphs` and
        :func:`mitools.datasets.synthetic.backgrounds.open_backgrounds` read them; background ``none`` is
        black.
    strength
        Weight of the photograph, 0 to 1.
    partners
        Further images of every item: for each the attributes that it shares with the image, the others are
        drawn afresh. They are the modalities ``partner:1``, ``partner:2``, ..., for views of that name. Given
        the attributes of the image, the partners are independent.
    transform
        Applied to every PIL image that is read as an item.

    Raises
    ------
    InputError
        When an argument is out of range, the table has another shape or does not sum to one, `shared`
        names no attribute, the image is too small for its digits, or a source cannot be read.
    """

    def __init__(
        self,
        n: int = 10_000,
        *,
        part: Part = "train",
        seed: int = 0,
        size: int = 64,
        shared: Sequence[str] = ATTRIBUTES,
        counts: tuple[int, int, int] = (4, 4, 4),
        joint: ArrayLike | None = None,
        dependency: tuple[str, str, float] | None = None,
        glyphs: str = "digits",
        background: str = "embedded",
        strength: float = 0.5,
        partners: Sequence[Sequence[str]] = (),
        transform: Callable[[Image.Image], Any] | None = None,
    ) -> None:
        truth = Attributes(_values(counts), _table(counts, joint, dependency))
        super().__init__(n, part, seed, truth, shared, transform)
        if not 0.0 <= strength <= 1.0:
            raise InputError(f"strength={strength} must lie between 0 and 1")
        self.name, self.size = "cdp", size
        corners, side = _layout(size, counts[2])
        self._corners = torch.from_numpy(corners)
        self._glyph_pool = open_glyphs(glyphs, part)
        self._glyphs = torch.from_numpy(resize_glyphs(self._glyph_pool.images, side))
        self._colors = torch.tensor(list(COLORS.values()), dtype=torch.uint8)
        photographs = (
            _blank(size)
            if background == "none"
            else open_backgrounds(background, part, size * 3 // 2, with_classes=False)
        )
        self._photographs = torch.from_numpy(_dimmed(photographs.images, strength))
        self.partners = tuple(truth.ordered(shared) for shared in partners)
        told = f" {self.partners}" if self.partners else ""
        self.digest = digest_text(
            f"cdp 1: {n} {part} {seed} {size} {self.shared} {counts} {strength} {transform!r}{told}",
            truth.joint.tobytes().hex(),
            self._glyph_pool.digest,
            photographs.digest,
        )

    def to(self, device: torch.device | str) -> Self:
        """Compose on this device from now on; returns the data set itself."""
        self._colors, self._corners = self._colors.to(device), self._corners.to(device)
        self._glyphs, self._photographs = self._glyphs.to(device), self._photographs.to(device)
        return self

    def codes(self, items: NDArray[np.int64]) -> NDArray[np.int64]:
        """Draw the colour, digit and position: shape (n, 3) for items of shape (n,)."""
        words = self._draws.words(items, _FIRST_VIEW, 2)
        return self.truth.draw(uniform(words[:, 0], words[:, 1]))

    def compose(self, indices: ArrayLike | Tensor) -> Tensor:
        """Draw a batch of images: shape (batch, 3, size, size), uint8, on the device of the data set."""
        return self._render(*self._first(item_numbers(indices, len(self))))

    def pairs(self, shared: Sequence[str] | None = None) -> "CDPPairs":
        """Same-class pairs in which the named attributes agree (by default those of the labels).

        Raises
        ------
        InputError
            When a name is no attribute.
        """
        return CDPPairs(self, self.shared if shared is None else shared)

    @property
    def modalities(self) -> tuple[str, ...]:
        """The partners of every image."""
        return tuple(f"partner:{number}" for number in range(1, len(self.partners) + 1))

    def modality(self, index: int, name: str) -> NDArray[np.uint8]:
        """Draw one partner of an image, shape (3, size, size)."""
        drawn = self._partner(item_numbers([index], len(self)), name)
        return np.asarray(self._render(*drawn)[0].cpu().numpy())

    def partner_codes(self, name: str) -> NDArray[np.int64]:
        """Draw the attributes that the partner of every image has itself: shape (n, 3).

        Parameters
        ----------
        name
            One of :attr:`modalities`.
        """
        return self._partner(np.arange(len(self)), name)[0]

    def _partner(self, items: NDArray[np.int64], name: str) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """Attributes and random words of one partner of each image."""
        number = self.modalities.index(name)
        codes, _ = self._first(items)
        return self._redrawn(items, codes, self.partners[number], _PARTNERS + number)

    def _first(self, items: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """Attributes and random words of the images themselves."""
        words = self._draws.words(items, _FIRST_VIEW, _WORDS_PER_IMAGE)
        return self.truth.draw(uniform(words[:, 0], words[:, 1])), words

    def _second(
        self, items: NDArray[np.int64], codes: NDArray[np.int64], shared: Sequence[str]
    ) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """Attributes and random words of the second of each pair."""
        return self._redrawn(items, codes, shared, _SECOND_VIEW)

    def _redrawn(
        self, items: NDArray[np.int64], codes: NDArray[np.int64], shared: Sequence[str], stream: int
    ) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """Attributes and random words of images that keep the shared attributes."""
        words = self._draws.words(items, stream, _WORDS_PER_IMAGE)
        return self.truth.redraw(codes, shared, uniform(words[:, 0], words[:, 1])), words

    def _render(self, codes: NDArray[np.int64], words: NDArray[np.uint64]) -> Tensor:
        device = self._glyphs.device
        slack = self._photographs.shape[-1] - self.size + 1
        choice = below(words[:, 3:6], np.array([len(self._photographs), slack, slack]))
        photograph, top, left = torch.from_numpy(choice).to(device).T
        canvas = crop(self._photographs, photograph, top, left, self.size)
        color, _, position = torch.from_numpy(codes).to(device).T
        glyph = torch.from_numpy(self._glyph_pool.pick(_GLYPH_CLASSES[codes[:, 1]], words[:, 2])).to(device)
        draw_glyphs(canvas, self._glyphs, glyph, self._colors[color], *self._corners[position].T)
        return canvas


class CDPPairs:
    """Pairs of CDP images that share exactly some attributes (Fig. 2 a to d).

    The first of pair i is image i of the data set. The second has the shared attributes of the first; the
    others are drawn afresh, given the shared ones, as are glyph, photograph and window. The two are
    independent given the class, so their mutual information is at most H(C), and H(C) where the shared
    attributes can be read off the pixels (Prop. III.1, Thm. III.1). An item is (image, image, label).

    Attributes
    ----------
    shared
        The attributes that agree.
    entropy_bits
        H(C) of their combination, in bits; 0 when none is shared.
    classes
        Names of the combinations; a label is a position among them.
    """

    def __init__(self, data: CDP, shared: Sequence[str]) -> None:
        self._data = data
        self.shared = data.truth.ordered(shared)
        self.entropy_bits = data.truth.bits(self.shared)
        self.classes: Sequence[str] = data.truth.classes(self.shared)

    def __len__(self) -> int:
        """Count the pairs."""
        return len(self._data)

    def __getitem__(self, index: int) -> tuple[Any, Any, int]:
        """Read the two images, transformed if the data set has a transform, and their common label."""
        first, second = self.compose([index])
        label = self._data.truth.labels(self.attributes([index])[0], self.shared)
        return self._data.as_item(first[0]), self._data.as_item(second[0]), int(label[0])

    def attributes(self, indices: ArrayLike | Tensor) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Attributes of both images of each pair, shape (batch, 3) each."""
        items = item_numbers(indices, len(self))
        codes, _ = self._data._first(items)
        return codes, self._data._second(items, codes, self.shared)[0]

    def compose(self, indices: ArrayLike | Tensor) -> tuple[Tensor, Tensor]:
        """Draw a batch of pairs: two tensors as from :meth:`CDP.compose`, row by row a pair."""
        items = item_numbers(indices, len(self))
        codes, words = self._data._first(items)
        partners = self._data._second(items, codes, self.shared)
        return self._data._render(codes, words), self._data._render(*partners)


def _values(counts: tuple[int, int, int]) -> dict[str, tuple[str, ...]]:
    for name, count, most in zip(ATTRIBUTES, counts, (len(COLORS), len(DIGITS), MOST_POSITIONS), strict=True):
        if not 1 <= count <= most:
            raise InputError(f"{name}s={count} must lie between 1 and {most}")
    columns = _columns(counts[2])
    positions = (
        CORNERS
        if counts[2] == 4
        else tuple(f"row-{k // columns + 1}-column-{k % columns + 1}" for k in range(counts[2]))
    )
    return dict(zip(ATTRIBUTES, (tuple(COLORS)[: counts[0]], DIGITS[: counts[1]], positions), strict=True))


def _table(
    counts: tuple[int, int, int], joint: ArrayLike | None, dependency: tuple[str, str, float] | None
) -> NDArray[np.float64]:
    if joint is not None and dependency is not None:
        raise InputError("joint and dependency both state the table; give one of them")
    if joint is not None:
        return checked_joint(joint, counts)
    if dependency is None:
        return uniform_joint(counts)
    first, second, bits = dependency
    if first not in ATTRIBUTES or second not in ATTRIBUTES or first == second:
        raise InputError(f"dependency {first}:{second} must name two of {', '.join(ATTRIBUTES)}")
    return dependent_joint(counts, (ATTRIBUTES.index(first), ATTRIBUTES.index(second)), bits)


def _blank(size: int) -> Pool:
    return Pool("none", ("none",), np.ones(1, dtype=np.int64), np.zeros((1, 3, size, size), dtype=np.uint8))


def _dimmed(photographs: NDArray[np.uint8], strength: float) -> NDArray[np.uint8]:
    """Mix the photographs with black, once here rather than in every image."""
    return (photographs.astype(np.uint16) * np.uint16(round(256 * strength)) >> 8).astype(np.uint8)


def _columns(positions: int) -> int:
    return int(np.ceil(np.sqrt(positions)))


def _layout(size: int, positions: int) -> tuple[NDArray[np.int64], int]:
    """Upper left corner of the glyph at every position, shape (positions, 2), and the glyph's side."""
    columns = _columns(positions)
    rows = -(-positions // columns)
    cell = size // columns
    side = cell * 7 // 8  # 28 pixels in a cell of 32, as in MNIST's own field
    if side < _SMALLEST_GLYPH:
        least = -(-_SMALLEST_GLYPH * 8 // 7) * columns
        raise InputError(
            f"size={size} is too small for {columns} digits in a row; at least {least} is needed"
        )
    row, column = np.divmod(np.arange(positions), columns)
    margin, inset = (size - rows * cell) // 2, (cell - side) // 2
    return np.stack((margin + row * cell, column * cell), axis=1) + inset, side
