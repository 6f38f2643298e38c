"""Some items to show: those that lose information, that carry most, and that encoders disagree about."""

import base64
import io
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mitools.datasets.base import Item, LabelledData
from mitools.estimators.class_information.item_readings import ItemReadings

Why = Literal["loses", "disagree", "carries"]

EXAMPLES: dict[Why, int] = {"loses": 12, "disagree": 12, "carries": 6}
"""Items of each kind."""

LONGEST_SIDE = 96  # pixels of a thumbnail
JPEG_QUALITY = 85
LONGEST_TEXT = 160  # characters


class Example(NamedTuple):
    """An item to show.

    Attributes
    ----------
    item
        Its number in the data.
    why
        ``loses``: the features speak most against its label; ``carries``: they speak most for it;
        ``disagree``: they do with one encoder and do not with another.
    jpeg
        A thumbnail as base64 text; empty where the item is no image.
    text
        The beginning of a text; empty where the item is none.
    """

    item: int
    why: Why
    jpeg: str = ""
    text: str = ""


def examples(data: LabelledData, readings: Sequence[ItemReadings]) -> list[Example]:
    """Choose items of each kind, as many as :data:`EXAMPLES` has, and make thumbnails of them.

    Parameters
    ----------
    data
        Where the items come from.
    readings
        One an encoder. Items that all of them report are chosen from, by their mean; where there are two
        encoders or more, also by the range over the encoders.
    """
    if not readings:
        return []
    items, nats = _of_all(readings)
    chosen: dict[int, Why] = {}
    orders: list[tuple[Why, NDArray[np.int64]]] = [("loses", np.argsort(nats.mean(axis=0), kind="stable"))]
    if len(nats) > 1:
        orders.append(("disagree", np.argsort(-np.ptp(nats, axis=0), kind="stable")))
    orders.append(("carries", np.argsort(-nats.mean(axis=0), kind="stable")))
    for why, order in orders:
        new = [item for item in items[order[: 3 * max(EXAMPLES.values())]].tolist() if item not in chosen]
        chosen |= dict.fromkeys(new[: EXAMPLES[why]], why)
    return [Example(item, why, *_shown(data[item][0])) for item, why in chosen.items()]


def _of_all(readings: Sequence[ItemReadings]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Items that all encoders report, shape (m,), and their readings, shape (encoders, m)."""
    items = readings[0].items
    for one in readings[1:]:
        items = np.intersect1d(items, one.items)
    items = np.sort(items)
    nats = np.empty((len(readings), len(items)))
    for values, one in zip(nats, readings, strict=True):
        order = np.argsort(one.items, kind="stable")
        values[:] = one.label_nats[order[np.searchsorted(one.items[order], items)]]
    return items, nats


def _shown(item: Item) -> tuple[str, str]:
    """Give a thumbnail, or the beginning of a text; neither of other items."""
    if isinstance(item, str):
        return "", item if len(item) <= LONGEST_TEXT else item[: LONGEST_TEXT - 1] + "…"
    if not isinstance(item, Image.Image):
        return "", ""
    picture = item.convert("RGB")
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=JPEG_QUALITY)
    return base64.b64encode(stream.getvalue()).decode("ascii"), ""
