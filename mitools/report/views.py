"""Measured views as tables, words and a figure."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from mitools.core.entropy import nats_to_bits
from mitools.core.estimate import Estimate
from mitools.core.files import write_text
from mitools.core.result_store import Values
from mitools.report.figures.regimes import regimes_chart
from mitools.report.figures.save import write_chart
from mitools.report.tables.write import write_csv
from mitools.shared_information.measure import MeasuredPair, MeasuredViews

OF_IMAGE = "I(x;y)"

QUANTITIES = ("I(v1;v2)", "I(v1;y)", "I(v2;y)", OF_IMAGE)
"""What is read of two views v1 and v2, the image x and the label y."""

READING_COLUMNS = (
    "views", "option", "value", "quantity", "method", "kind", "bits", "low_bits", "high_bits", "up_to_bits",
    "null_bits", "ceiling_bits", "entropy_bits", "n", "n_train", "warnings",
)  # fmt: skip

PAIR_COLUMNS = (
    "views", "option", "value", "shared_bits", "shared_low", "shared_high", "shared_up_to", "view1_bits",
    "view1_low", "view1_high", "view1_up_to", "view2_bits", "view2_low", "view2_high", "view2_up_to",
    "image_bits", "image_low", "image_high", "image_up_to", "same_label_bits", "same_label_low",
    "same_label_high", "same_label_up_to", "view1_lacks_low", "view1_lacks_high", "view2_lacks_low",
    "view2_lacks_high", "h_y_bits", "regime", "sentence",
)  # fmt: skip


def readings_table(measured: MeasuredViews) -> pd.DataFrame:
    """Give one row a pair, quantity and method."""
    rows = [row for pair in measured.pairs for row in _readings(pair)]
    return pd.DataFrame(rows, columns=list(READING_COLUMNS))


def pairs_table(measured: MeasuredViews) -> pd.DataFrame:
    """Give one row a pair: what it is judged by, and its regime."""
    rows = []
    for pair in measured.pairs:
        row: Values = _place(pair)
        first, second = pair.of_view
        for name, estimate, up_to in [
            ("shared", pair.shared[pair.judged_by], pair.shared_up_to[pair.judged_by]),
            ("view1", first.estimates[0], first.up_to[0]),
            ("view2", second.estimates[0], second.up_to[0]),
            ("image", pair.image.estimates[0], pair.image.up_to[0]),
            ("same_label", pair.image.estimates[1], pair.image.up_to[1]),
        ]:
            interval = estimate.interval_bits
            row |= {f"{name}_bits": estimate.bits, f"{name}_up_to": _bits(up_to)}
            row |= {f"{name}_low": interval.low, f"{name}_high": interval.high} if interval else {}
        for number, lack in enumerate(pair.lacks, start=1):
            row |= {f"view{number}_lacks_low": lack.low, f"view{number}_lacks_high": lack.high}
        row["h_y_bits"] = pair.image.estimates[0].entropy_bits
        row |= {"regime": pair.regime.name, "sentence": pair.regime.sentence}
        rows.append(row)
    return pd.DataFrame(rows, columns=list(PAIR_COLUMNS))


def reading_in_words(measured: MeasuredViews) -> list[str]:
    """Say one sentence a pair."""
    return [f"{_named(pair)}: {pair.regime.name}: {pair.regime.sentence}." for pair in measured.pairs]


def write_views(measured: MeasuredViews, folder: Path) -> list[Path]:
    """Write ``views.csv``, ``readings.csv``, ``estimates.json``, ``reading.txt`` and the figure.

    Raises
    ------
    OSError
        When the folder cannot be written.
    """
    pairs = pairs_table(measured)
    names = ["views.csv", "readings.csv", "estimates.json", "reading.txt"]
    paths = [folder / name for name in names]
    write_csv(pairs, paths[0])
    write_csv(readings_table(measured), paths[1])
    documents = [_document(pair) for pair in measured.pairs]
    write_text(paths[2], json.dumps(documents, indent=2, allow_nan=False) + "\n")
    said = [*reading_in_words(measured), *(str(warning) for warning in measured.warnings)]
    write_text(paths[3], "\n".join(said) + "\n")
    return [*paths, *write_chart(folder / "figures" / "regimes", regimes_chart, pairs)]


def _readings(pair: MeasuredPair) -> list[Values]:
    rows = []
    for quantity, estimates, up_to in _quantities(pair):
        for estimate, end in zip(estimates, up_to, strict=True):
            interval = estimate.interval_bits
            rows.append(
                _place(pair)
                | {
                    "quantity": quantity,
                    "method": estimate.method,
                    "kind": estimate.kind,
                    "bits": estimate.bits,
                    "low_bits": interval.low if interval else None,
                    "high_bits": interval.high if interval else None,
                    "up_to_bits": _bits(end),
                    "null_bits": estimate.null_bits,
                    "ceiling_bits": estimate.ceiling_bits,
                    "entropy_bits": estimate.entropy_bits,
                    "n": estimate.n_report,
                    "n_train": estimate.n_train,
                    "warnings": " ".join(warning.word for warning in estimate.warnings),
                }
            )
    return rows


def _document(pair: MeasuredPair) -> Values:
    readings = {
        quantity: [
            estimate.to_dict() | {"up_to_bits": _bits(end)}
            for estimate, end in zip(estimates, up_to, strict=True)
        ]
        for quantity, estimates, up_to in _quantities(pair)
    }
    return _place(pair) | {"regime": pair.regime.name, "sentence": pair.regime.sentence, "readings": readings}


def _quantities(pair: MeasuredPair) -> Iterator[tuple[str, Sequence[Estimate], Sequence[float | None]]]:
    """Give the name of every quantity, its estimates, and the upper end of what is not excluded of each."""
    yield QUANTITIES[0], pair.shared, pair.shared_up_to
    for quantity, reading in zip(QUANTITIES[1:], (*pair.of_view, pair.image), strict=True):
        yield quantity, reading.estimates, reading.up_to


def _bits(nats: float | None) -> float | None:
    return None if nats is None else nats_to_bits(nats)


def _place(pair: MeasuredPair) -> Values:
    return {"views": pair.pair.name, "option": pair.pair.option, "value": pair.pair.value}


def _named(pair: MeasuredPair) -> str:
    place = pair.pair
    return place.name if place.option is None else f"{place.name} ({place.option} = {place.value:g})"
