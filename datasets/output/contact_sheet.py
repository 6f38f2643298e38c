"""A labelled contact sheet: rows of captioned pictures under headings."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_MARGIN, _GAP, _BETWEEN = 12, 2, 14
_HEADING, _CAPTION = 14, 11
_INK, _FAINT, _PAPER = (20, 20, 20), (95, 95, 95), (255, 255, 255)


class Group(NamedTuple):
    """Pictures set side by side, uint8 of shape (k, 3, height, width), with a caption under them."""

    pictures: NDArray[np.uint8]
    caption: str


class Row(NamedTuple):
    """A heading with groups of pictures under it."""

    heading: str
    groups: Sequence[Group]


def draw_sheet(title: str, rows: Sequence[Row]) -> Image.Image:
    """Draw the rows one under another; the sheet is as wide as the widest of them needs."""
    heading, caption = (ImageFont.load_default(size) for size in (_HEADING, _CAPTION))
    ruler = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    texts = [ruler.textlength(row.heading, heading) for row in rows] + [ruler.textlength(title, heading)]
    width = max(
        max(sum(map(_width, row.groups)) + _BETWEEN * (len(row.groups) - 1) for row in rows), *map(int, texts)
    )
    heights = [_HEADING + 6 + max(map(_height, row.groups)) + 14 for row in rows]
    sheet = Image.new("RGB", (width + 2 * _MARGIN, 2 * _MARGIN + _HEADING + 10 + sum(heights)), _PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((_MARGIN, _MARGIN), title, _INK, heading)
    y = _MARGIN + _HEADING + 10
    for row, height in zip(rows, heights, strict=True):
        pen.text((_MARGIN, y), row.heading, _INK, heading)
        x, top = _MARGIN, y + _HEADING + 6
        for group in row.groups:
            for number, picture in enumerate(group.pictures):
                sheet.paste(
                    Image.fromarray(picture.transpose(1, 2, 0)), (x + number * (picture.shape[2] + _GAP), top)
                )
            pen.text((x, top + group.pictures.shape[2] + 2), group.caption, _FAINT, caption)
            x += _width(group) + _BETWEEN
        y += height
    return sheet


def _height(group: Group) -> int:
    return group.pictures.shape[2] + (_CAPTION + 2) * (1 + group.caption.count("\n"))


def _width(group: Group) -> int:
    count, _, _, width = group.pictures.shape
    return count * (width + _GAP) - _GAP
