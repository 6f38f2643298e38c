"""Synthetic worlds from one-line specs."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.specs import Spec
from mitools.datasets.synthetic.cdp import ATTRIBUTES, CDP
from mitools.datasets.synthetic.colorful_moving_mnist import ColorfulMovingMNIST
from mitools.datasets.synthetic.scenes.scenes import Scenes


def open_cdp(spec: Spec) -> CDP:
    """Open ``cdp?shared=color,digit&size=64&...``.

    Options: ``shared`` (attributes that make the label), ``n``, ``part``, ``seed``, ``size``, ``colors``,
    ``digits`` and ``positions`` (how many of each), ``joint=FILE.npy`` (their probabilities) or
    ``dependency=color:digit:1.0`` (bits that two attributes share), ``glyphs``, ``background`` (``none``,
    ``embedded``, ``folder:PATH``, ``tar:PATH``, ``stl10:DIR``), ``strength``, and ``partners``, further
    images of every item and the attributes that each shares with it: ``partners=color+digit,color,none``.

    Raises
    ------
    InputError
        As :class:`mitools.datasets.synthetic.cdp.CDP`, or when an option cannot be read.
    """
    options: dict[str, Any] = _common(spec)
    if "joint" in spec.options:
        options["joint"] = _read_table(Path(spec.options["joint"]))
    if "dependency" in spec.options:
        options["dependency"] = _dependency(spec)
    if "strength" in spec.options:
        options["strength"] = _number(spec, "strength", spec.options["strength"])
    if "partners" in spec.options:
        options["partners"] = [
            [] if partner == "none" else partner.split("+") for partner in spec.options["partners"].split(",")
        ]
    colors, digits, positions = (spec.integer(f"{name}s", 4, at_least=1) for name in ATTRIBUTES)
    size = spec.integer("size", 64, at_least=1)
    return CDP(size=size, counts=(colors, digits, positions), **options)


def open_colorful_moving_mnist(spec: Spec) -> ColorfulMovingMNIST:
    """Open ``colorful_moving_mnist?shared=digit,background&...``.

    Options: ``shared`` (factors that make the label), ``n``, ``part``, ``seed``, ``glyphs``,
    ``background`` (``embedded``, ``folder:PATH``, ``tar:PATH``, ``stl10:DIR``), ``frame`` (the one an item
    shows) and ``grid`` (cells along each axis, for the position).

    Raises
    ------
    InputError
        As :class:`mitools.datasets.synthetic.colorful_moving_mnist.ColorfulMovingMNIST`, or when an
        option cannot be read.
    """
    frame, grid = spec.integer("frame", 20, at_least=1), spec.integer("grid", 4, at_least=1)
    return ColorfulMovingMNIST(frame=frame, grid=grid, **_common(spec))


def open_scenes(spec: Spec) -> Scenes:
    """Open ``scenes?label=shape,colour&size=64&...``.

    Options: ``label`` (attributes that make the label), ``n``, ``part``, ``seed`` and ``size``.

    Raises
    ------
    InputError
        As :class:`mitools.datasets.synthetic.scenes.scenes.Scenes`, or when an option cannot be read.
    """
    size, label = spec.integer("size", 64, at_least=1), spec.options.get("label", "shape")
    return Scenes(size=size, label=label.split(","), **_common(spec))


def _common(spec: Spec) -> dict[str, Any]:
    if spec.name:
        raise InputError(
            f"spec {spec.text!r}: {spec.source} takes no name; write {spec.source}?key=value&..."
        )
    options: dict[str, Any] = {
        key: spec.options[key] for key in ("background", "glyphs", "part", "shared") if key in spec.options
    }
    options |= {"n": spec.integer("n", 10_000, at_least=1), "seed": spec.integer("seed", 0)}
    if "shared" in options:
        options["shared"] = options["shared"].split(",")
    return options


def _number(spec: Spec, key: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise InputError(f"spec {spec.text!r}: {key}={spec.options[key]}: {text!r} is no number")
    return value


def _dependency(spec: Spec) -> tuple[str, str, float]:
    parts = spec.options["dependency"].split(":")
    if len(parts) != 3:
        raise InputError(
            f"spec {spec.text!r}: dependency must be two attributes and bits, like color:digit:1.0"
        )
    return parts[0], parts[1], _number(spec, "dependency", parts[2])


def _read_table(path: Path) -> NDArray:
    try:
        table = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: no readable npy file ({' '.join(str(error).split())})") from None
    if not isinstance(table, np.ndarray):
        raise InputError(f"{path}: an npz file; save the table alone, with numpy.save")
    return table
