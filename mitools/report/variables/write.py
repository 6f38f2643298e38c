"""A folder of pictures of variables, with an index page that holds them all."""

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from mitools.core.entropy import LOG2
from mitools.core.files import write_text
from mitools.core.html import html_table
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.preprocess import Preprocess
from mitools.encoders.inputs.read import item_kind, read_inputs
from mitools.report.figures.save import PICTURES, write_chart
from mitools.report.figures.variables import entropy_bars, gallery, joint_matrix, views_side_by_side
from mitools.report.tables.write import write_csv
from mitools.report.variables.grad_cam import heat_of_unit, over
from mitools.report.variables.subject import Subject
from mitools.variables.discretise import OwnVariables
from mitools.variables.measure import VariableReading

UNITS_SHOWN = 4
"""Units of each of the first two variables in the galleries, as in Figs. 4 and 5 of the paper."""

IMAGES_SHOWN = 8
"""Images a unit."""

VARIABLES_SHOWN = 10
"""Variables beside two views of an image, as in Fig. 3c of the paper."""


class Unit(NamedTuple):
    """A value of a variable, both counted from 0."""

    variable: int
    unit: int


class _Picture(NamedTuple):
    """A figure of the page."""

    path: Path
    says: str


def write_variables(subject: Subject, out: Path, units: Sequence[Unit] = ()) -> list[Path]:
    """Draw everything that is known of an encoder's variables.

    Parameters
    ----------
    subject
        See :func:`mitools.report.variables.subject.open_subject`.
    out
        The folder.
    units
        Whose images are shown; the most frequent ones of the first two variables when empty.

    Returns
    -------
    list of Path
        ``index.html``, which needs no other file, ``variables.csv`` with one row a variable, and the figures.

    Raises
    ------
    InputError
        When a unit is not there.
    """
    found = subject.reading
    chosen = list(units) or _frequent(subject)
    probabilities = [subject.unit(*unit) for unit in chosen]
    two = subject.viewed is not None
    pictures = [
        _drawn(
            out / "joint",
            joint_matrix,
            subject.joint(),
            two,
            says="Joint probabilities of the first variables"
            + (" in two views of an image" if two else ", both of the same items")
            + ". The nearer blocks off the diagonal are to 1/D², the less two variables share."
            + (" On the diagonal 1/D means that both views take one value." if two else ""),
        ),
        _drawn(
            out / "entropies",
            entropy_bars,
            found.entropies_nats / LOG2,
            subject.discretiser.units,
            says="Entropy of every variable. At the dashed line all its units are used equally often.",
        ),
    ]
    if item_kind(subject.data[0][0]) == "images" and isinstance(subject.encoder, Encoder):
        pictures += _of_images(subject, subject.encoder, out, chosen, probabilities)
    write_csv(variables_table(found), out / "variables.csv")
    write_text(out / "index.html", _page(subject, pictures))
    written = [out / "index.html", out / "variables.csv"]
    return [
        *written,
        *(picture.path.with_suffix(f".{ending}") for picture in pictures for ending in PICTURES),
    ]


def variables_table(found: VariableReading) -> pd.DataFrame:
    """Lay out one row a variable, in bits: the columns of ``variables.csv``."""
    return pd.DataFrame(
        {
            "variable": np.arange(len(found.marginals)),
            "entropy_bits": found.entropies_nats / LOG2,
            "mean_information_bits": _mean_information(found.pairwise_nats) / LOG2,
            "most_frequent_unit": found.marginals.argmax(axis=1),
            "its_share": found.marginals.max(axis=1),
        }
    )


def _of_images(
    subject: Subject, encoder: Encoder, out: Path, chosen: Sequence[Unit], probabilities: Sequence[Any]
) -> list[_Picture]:
    """Draw two views of an image, and the images of units with and without the places that speak for them."""
    assert subject.viewed is not None
    # The image whose variables are the clearest in both views would flatter: the first one is shown.
    values = np.stack([subject.discretiser(subject.viewed[:1, k])[0, :VARIABLES_SHOWN] for k in range(2)])
    pixels = _pixels(subject, encoder, np.array([0])).astype(np.float32) / 255
    views = _views(subject, pixels)
    drawn = [
        _drawn(
            out / "views",
            views_side_by_side,
            views,
            values,
            says="The first image of the data in two views, and its first variables in each.",
        )
    ]
    items = [_driving(probability) for probability in probabilities]
    titles = [
        f"variable {unit.variable}, unit {unit.unit}{'' if len(these) else ': no item has it'}"
        for unit, these in zip(chosen, items, strict=True)
    ]
    rows = [list(_pixels(subject, encoder, these)) if len(these) else [] for these in items]
    if not any(rows):
        return drawn
    drawn.append(
        _drawn(out / "gallery", gallery, rows, titles, says="Images that drive a unit most, a row a unit.")
    )
    heats = [
        heat_of_unit(encoder, subject.data, these, subject.discretiser, *unit) if len(these) else np.empty(0)
        for these, unit in zip(items, chosen, strict=True)
    ]
    if all(heat is not None for heat in heats):
        laid = [
            [over(picture, heat) for picture, heat in zip(row, of_unit, strict=True)]
            for row, of_unit in zip(rows, heats, strict=True)
            if of_unit is not None
        ]
        says = (
            "The same images, with the places that speak for the unit (Grad-CAM): all blue where none does."
        )
        drawn.append(_drawn(out / "grad_cam", gallery, laid, titles, says=says))
    return drawn


def _frequent(subject: Subject) -> list[Unit]:
    """Choose the most frequent units of the first two variables; of bins, alike in that, the outermost.

    A unit that no item has is not chosen: a column with many equal values has fewer bins than the others.
    """
    shares = subject.reading.marginals[:2]
    ranks = shares
    if subject.discretiser.balanced:
        outer = np.minimum(np.arange(shares.shape[1]), np.arange(shares.shape[1])[::-1])
        ranks = np.broadcast_to(-outer, shares.shape)
    return [
        Unit(variable, int(unit))
        for variable, (own, rank) in enumerate(zip(shares, ranks, strict=True))
        for unit in np.sort(np.argsort(np.where(own > 0, -rank, np.inf), kind="stable")[:UNITS_SHOWN])
        if own[unit] > 0
    ]


def _driving(probability: NDArray[np.float64]) -> NDArray[np.int64]:
    """Choose the items of a unit with the highest probability; of items that are alike in it, any.

    Not the first ones: data are often in the order of their classes.
    """
    shuffled = np.random.default_rng(0).permutation(len(probability))
    order = shuffled[np.argsort(-probability[shuffled], kind="stable")[:IMAGES_SHOWN]]
    return order[probability[order] > 0]


def _pixels(subject: Subject, encoder: Encoder, items: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Read images as the network sees them but for normalisation, shape (k, h, w, 3)."""
    assert isinstance(encoder.preprocess, Preprocess)
    read = read_inputs(subject.data, items, encoder.preprocess)
    pixels: NDArray[np.uint8] = read.permute(0, 2, 3, 1).numpy()
    return pixels


def _views(subject: Subject, pixels: NDArray[np.floating]) -> list[NDArray[np.uint8]]:
    """Draw the two views of the first item again, as pictures."""
    import torch

    drawn = subject.views.of(torch.from_numpy(pixels).permute(0, 3, 1, 2), np.array([0]))[0]
    return [
        np.asarray(Image.fromarray((view.permute(1, 2, 0).clamp(0, 1) * 255).byte().numpy()))
        for view in drawn
    ]


def _mean_information(pairwise: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = (pairwise.sum(axis=1) - np.diag(pairwise)) / (len(pairwise) - 1)
    return found


def _drawn(path: Path, chart: Any, *given: Any, says: str) -> _Picture:
    written = write_chart(path, chart, *given)
    return _Picture(next(file for file in written if file.suffix == ".png"), says)


def _page(subject: Subject, pictures: Sequence[_Picture]) -> str:
    """Lay out the page; pictures are inside it."""
    found, name = subject.reading, escape(f"{subject.encoder.name} on {subject.data.name}")
    shares = found.one_hot_shares
    agreement = subject.agreement()
    numbers = [
        *(
            [what, f"{one.bits:.3f} bits", f"{one.interval_bits.low:.3f} to {one.interval_bits.high:.3f}",
             "-" if one.null_nats is None else f"{one.null_nats / LOG2:.3f}"]
            for what, one in (
                ("entropy of a variable", found.entropy),
                ("information that two variables share", found.redundancy),
                ("total correlation of three variables", found.total_correlation),
            )
            if one.interval_bits is not None
        ),
        ["units used of a variable", f"{found.units_used:.1f} of {subject.discretiser.units}", "-", "-"],
    ]  # fmt: skip
    if isinstance(subject.discretiser, OwnVariables):  # of bins and clusters it is 1 by their making
        numbers += [
            [f"greatest probability above {least}", f"{share:.1%} of items and variables", "-", "-"]
            for least, share in zip((0.9, 0.99), shares, strict=True)
        ]
    if agreement is not None:
        numbers.append([f"one value in two views ({subject.views.view.name})", f"{agreement:.1%}", "-", "-"])
    head = html_table(["", "value", "95% interval", "by chance, taken off"], numbers)
    figures = "".join(
        f'<figure><img alt="{escape(picture.path.stem)}" src="data:image/png;base64,'
        f'{b64encode(picture.path.read_bytes()).decode()}"><figcaption>{escape(picture.says)}</figcaption></figure>'
        for picture in pictures
    )
    style = (
        "body{font:15px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "img{max-width:100%}figure{margin:2rem 0}td,th{padding:.1rem .8rem .1rem 0}"
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name}</title>'
        f"<style>{style}</style></head><body><h1>Variables of {name}</h1>"
        f"<p>{escape(subject.discretiser.what)}; {len(subject.rows):,} items.</p>{head}{figures}"
        "</body></html>\n"
    )
