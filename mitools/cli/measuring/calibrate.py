"""``mitools calibrate``: what estimators read on your own features where the truth is known."""

from pathlib import Path
from typing import Annotated

import typer

from mitools.cli.console import (
    DeviceOption,
    HtmlOption,
    JsonOption,
    OverwriteOption,
    SeedOption,
    err,
    name_page,
    out,
    print_finding,
    print_json,
    print_table,
    progress,
    written,
)
from mitools.cli.measuring.estimates import bits as shown
from mitools.cli.terminal.config import ConfigOption


def calibrate(
    features: Annotated[
        Path, typer.Argument(help="Arrays features (n, d) and labels (n,).", metavar="FEATURES.npz")
    ],
    method: Annotated[
        str, typer.Option(help="One method or several, with commas.", metavar="A,B")
    ] = "class_posterior,infonce",
    bits: Annotated[int, typer.Option(help="Bits of a composite, a row of features each.", min=1)] = 10,
    truths: Annotated[
        str | None,
        typer.Option(
            metavar="T,T", help="True values in bits.", show_default="a fifth to four fifths of the bits"
        ),
    ] = None,
    n: Annotated[
        int | None, typer.Option(help="Composites.", min=10, show_default="as many as there are rows")
    ] = None,
    components: Annotated[
        int | None,
        typer.Option(help="Principal components that stand for a row.", min=1, show_default="all dimensions"),
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(
            metavar="A,B", help="The classes that show 0 and 1.", show_default="the two with most rows"
        ),
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            help="Which rows belong together (one clip, one patient): a .npy, .csv or .parquet file."
        ),
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "cpu",
    destination: Annotated[
        Path, typer.Option("--out", help="Folder for the table, the figure and kept results.")
    ] = Path("mitools-calibration"),
    html: HtmlOption = True,
    overwrite: OverwriteOption = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Read pairs made of your own features, whose mutual information is known, by the chosen methods.

    Bits are sent through a channel that flips some; x shows the bits sent and y the bits received, each by
    a random row of one class or the other. Writes calibration.csv and a figure of reading against truth.
    What was finished is kept: a stopped calibration goes on from there.
    """
    wanted = _numbers(truths) if truths else None
    named = _two(classes) if classes else None
    with progress() as advance:  # shown before the seconds that the imports take
        from mitools import api
        from mitools.datasets.readers.features import read_features
        from mitools.report.calibration import findings
        from mitools.report.figures.style import method_words
        from mitools.report.tables.write import records

        found = api.calibrate(
            read_features(features),
            methods=[name.strip() for name in method.split(",")],
            bits=bits,
            truths=wanted,
            n=n,
            components=components,
            classes=named,
            groups=groups,
            seed=seed,
            device=device,
            folder=destination,
            html=html,
            progress=advance,
            overwrite=overwrite,
        )
    rows = records(found.table)
    if json:
        print_json(
            {
                "finding": found.finding,
                "setting": found.setting,
                "readings": rows,
                "failures": dict(found.failures),
                "files": [str(path) for path in found.files],
            }
        )
    else:
        print_table(
            ["method", "truth", "reading", "95% interval", "error", "null", "kind", "ceiling", "seconds"],
            [
                [
                    method_words(row["method"]),
                    f"{row['truth_bits']:g}",
                    shown(row["reading_bits"]),
                    f"{shown(row['low_bits'])} to {shown(row['high_bits'])}",
                    shown(row["error_bits"]),
                    shown(row["null_bits"]),
                    row["kind"],
                    shown(row["ceiling_bits"]),
                    f"{row['seconds']:.1f}",
                ]
                for row in rows
            ],
            title="bits",
            file=destination / "calibration.csv",
        )
        out.print()
        print_finding(findings(found.table))
        out.print()
        err.print(found.setting, markup=False)
        written(found.files, destination, "calibration.csv", "calibration.png")
    for name, reason in found.failures.items():
        err.print(f"failed: {name}: {reason}", markup=False)
    if not json:
        name_page(found.files)
    return 1 if found.failures else 0


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(
            f"--truths {text}: give numbers of bits with commas, such as 2,4,6,8"
        ) from None


def _two(text: str) -> tuple[str, str]:
    names = [name.strip() for name in text.split(",")]
    if len(names) != 2:
        raise typer.BadParameter(f"--classes {text}: name two classes, with a comma between them")
    return names[0], names[1]
