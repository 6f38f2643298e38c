"""Ten procedural textures that serve as background classes where no photographs are at hand.

Every texture is a height in 0 to 256 over the pixels, shown between two colours. All arithmetic is on
whole numbers (and on square roots of them, which IEEE 754 rounds correctly): the pixels are the same on
every machine. Coordinates are in 1/64 pixel.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mitools.datasets.synthetic.image_pool import Pool
from mitools.datasets.synthetic.random_draws import Draws, Part, below

IMAGES_PER_CLASS = 24

_UNIT = 64
_FULL = 256
_WORDS = 64  # random words an image may use: 12 in common, the rest for the texture itself
_COMMON = 12
_SUPERSAMPLING = 2
_TURNS = (
    (64, 0),
    (62, 17),
    (55, 32),
    (45, 45),
    (32, 55),
    (17, 62),
)  # 64 cos, 64 sin of 0, 15, ... 75 degrees

Heights = NDArray[np.int64]
Words = NDArray[np.uint64]


@lru_cache(maxsize=4)
def make_textures(part: Part, side: int, per_class: int = IMAGES_PER_CLASS) -> Pool:
    """Make the ten classes of textures.

    Images of a class differ in colours, scale, direction and place.

    Parameters
    ----------
    part
        ``train`` and ``test`` have no image in common.
    side
        Height and width in pixels.
    per_class
        Images in each class.
    """
    draws = Draws(0, part)
    images = np.empty((len(_TEXTURES) * per_class, 3, side, side), dtype=np.uint8)
    for stream, texture in enumerate(_TEXTURES.values()):
        for item, words in enumerate(draws.words(np.arange(per_class), stream, _WORDS)):
            images[stream * per_class + item] = _draw(texture, words, side)
    counts = np.full(len(_TEXTURES), per_class, dtype=np.int64)
    return Pool(f"textures-{part}", tuple(_TEXTURES), counts, images)


def _draw(
    texture: Callable[[Heights, Heights, int, Words], Heights], words: Words, side: int
) -> NDArray[np.uint8]:
    fine = side * _SUPERSAMPLING
    rows, columns = np.mgrid[:fine, :fine] * (96 * _UNIT // fine)
    cosine, sine = _TURNS[int(below(words[0], len(_TURNS)))]
    shift_u, shift_v = (64 * 96 * _UNIT + below(words[k : k + 1], 96 * _UNIT)[0] for k in (1, 2))
    u = (columns * cosine + rows * sine) // _UNIT + shift_u
    v = (rows * cosine - columns * sine) // _UNIT + shift_v
    period = (10 + int(below(words[3], 14))) * _UNIT
    heights = np.clip(texture(u, v, period, words[_COMMON:]), 0, _FULL)
    heights = (
        heights.reshape(side, _SUPERSAMPLING, side, _SUPERSAMPLING).sum(axis=(1, 3)) // _SUPERSAMPLING**2
    )
    dark, light = _colors(words[4:10])
    return (dark[:, None, None] + ((light - dark)[:, None, None] * heights) // _FULL).astype(np.uint8)


def _colors(words: Words) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw a darker and a lighter colour."""
    return 10 + below(words[:3], 110), 100 + below(words[3:], 140)


def _wave(u: Heights, period: int) -> Heights:
    """Triangle wave over 0 to 256."""
    return np.abs((u % period) * 2 * _FULL // period - _FULL)


def _steep(heights: Heights) -> Heights:
    return np.clip((heights - _FULL // 2) * 6 + _FULL // 2, 0, _FULL)


def _hash(*coordinates: Heights | int) -> Heights:
    """Scramble lattice coordinates into 0 to 256."""
    state = np.zeros(np.broadcast_shapes(*(np.shape(c) for c in coordinates)), dtype=np.uint64)
    for coordinate in coordinates:
        state = (state ^ np.asarray(coordinate, dtype=np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        state ^= state >> np.uint64(29)
    return ((state >> np.uint64(20)) % np.uint64(_FULL + 1)).astype(np.int64)


def _noise(u: Heights, v: Heights, period: int, key: int) -> Heights:
    """Value noise: random heights on a square lattice, smoothly interpolated."""
    column, row = u // period, v // period
    along, down = _smoothstep(u % period, period), _smoothstep(v % period, period)
    upper = _mix(_hash(column, row, key), _hash(column + 1, row, key), along)
    lower = _mix(_hash(column, row + 1, key), _hash(column + 1, row + 1, key), along)
    return _mix(upper, lower, down)


def _mix(first: Heights, second: Heights, share: Heights) -> Heights:
    return (first * (_FULL - share) + second * share) // _FULL


def _smoothstep(u: Heights, period: int) -> Heights:
    """Rise from 0 to 256 over a period, level at both ends."""
    t = u * _FULL // period
    return t * t * (3 * _FULL - 2 * t) // (_FULL * _FULL)


def _stripes(u: Heights, v: Heights, period: int, words: Words) -> Heights:
    return _steep(_wave(u, period))


def _checks(u: Heights, v: Heights, period: int, words: Words) -> Heights:
    return ((u // period + v // period) % 2) * _FULL


def _dots(u: Heights, v: Heights, period: int, words: Words) -> Heights:
    across, down = (u + (v // period % 2) * (period // 2)) % period - period // 2, v % period - period // 2
    radius = period * (22 + int(below(words[0], 12))) // 100
    return np.clip((radius**2 - across**2 - down**2) // (radius // 2), -_FULL // 2, _FULL // 2) + _FULL // 2


def _bricks(u: Heights, v: Heights, period: int, words: Words) -> Heights:
    row = v // period
    along = u + (row % 2) * period
    mortar = np.minimum(v % period, along % (2 * period)) < period // 7
    return np.where(mortar, 0, 150 + _hash(along // (2 * period), row, int(words[0])) * 2 // 5)


def _zigzag(u: Heights, v: Heights, period: int, words: Words) -> Heights:
    return _steep(_wave(u + _wave(v, 2 * period) * period // _FULL, period))


def _rings(u: Heights, v: Heights, period: int, words: Words) -> Heights:
    centre_u, centre_v = (
        int(c.min()) + (16 + int(below(w, 64))) * _UNIT for c, w in ((u, words[0]), (v, words[1]))
    )
    radius = np.sqrt(((u - centre_u) ** 2 + (v - centre_v) ** 2).astype(np.float64)).astype(np.int64)
    return _steep(_wave(radius, period))


def _cells(u: Heights, v: Heights, period: int, words: Words) -> Heights:
    """Voronoi cells about one random point in every square of a lattice, with dark borders."""
    cell, key = 2 * period, int(words[0])
    column, row = u // cell, v // cell
    nearest = second = np.full(u.shape, np.iinfo(np.int64).max // 4)
    shade = np.zeros_like(u)
    for i in (-1, 0, 1):
        for j in (-1, 0, 1):
            x = (column + i) * cell + _hash(column + i, row + j, key) * cell // _FULL
            y = (row + j) * cell + _hash(column + i, row + j, key + 1) * cell // _FULL
            distance = np.sqrt(((u - x) ** 2 + (v - y) ** 2).astype(np.float64)).astype(np.int64)
            second = np.minimum(second, np.maximum(nearest, distance))
            shade = np.where(distance < nearest, 90 + _hash(column + i, row + j, key + 2) * 2 // 3, shade)
            nearest = np.minimum(nearest, distance)
    return np.where(second - nearest < period // 5, 0, shade)


def _clouds(u: Heights, v: Heights, period: int, words: Words) -> Heights:
    octaves = (_noise(u, v, 4 * period >> k, int(words[k])) >> k for k in range(4))
    return (sum(octaves, np.zeros_like(u)) * 8 // 15 - _FULL // 2) * 2 + _FULL // 2


def _weave(u: Heights, v: Heights, period: int, words: Words) -> Heights:
    over = (u // period + v // period) % 2 == 0
    across, along = np.where(over, u, v), np.where(over, v, u)
    return np.minimum(_FULL - _wave(across, period), _FULL - _wave(along, period) // 3) * 9 // 8


def _grain(u: Heights, v: Heights, period: int, words: Words) -> Heights:
    """Wood: stripes bent by noise that is long along the grain and short across it."""
    bend = _noise(u, v // 6, 2 * period, int(words[0])) * period // _FULL
    fibre = _noise(u, v // 12, period // 6, int(words[1]))
    return (2 * _wave(u + 3 * bend, period) + fibre) // 3


_TEXTURES: dict[str, Callable[[Heights, Heights, int, Words], Heights]] = {
    "stripes": _stripes,
    "checks": _checks,
    "dots": _dots,
    "bricks": _bricks,
    "zigzag": _zigzag,
    "rings": _rings,
    "cells": _cells,
    "clouds": _clouds,
    "weave": _weave,
    "grain": _grain,
}
