"""``mitools views``: what views share and what they say of the label, before anyone trains on them."""

from pathlib import Path
from typing import Annotated, Any

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
from mitools.cli.measuring.estimates import bits, caution, interval, print_alike
from mitools.cli.terminal.config import ConfigOption


def views(
    data: Annotated[str, typer.Option(metavar="SPEC", help="Labelled images; see mitools guide data.")],
    pair: Annotated[
        list[str],
        typer.Option(
            "--views",
            metavar="V1,V2",
            help="Two views, or one for two draws of it; once for each pair. See mitools guide views.",
        ),
    ],
    sweep: Annotated[
        str | None,
        typer.Option(metavar="crop_area=0.08:1:6", help="Vary an option of the views."),
    ] = None,
    methods: Annotated[
        str, typer.Option(help="How I(v1;v2) is read, with commas between; the first lower bound judges.")
    ] = "infonce,mine",
    destination: Annotated[
        Path, typer.Option("--out", help="Folder for the tables, the figure and kept results.")
    ] = Path("mitools-views"),
    steps: Annotated[int, typer.Option(help="Steps of fitting at the most.", min=1)] = 400,
    width: Annotated[int, typer.Option(help="Channels of the first layer of the networks.", min=8)] = 16,
    embedding: Annotated[int, typer.Option(help="Dimensions in which views are compared.", min=1)] = 64,
    batch_size: Annotated[int, typer.Option(help="Items a step.", min=8)] = 256,
    folds: Annotated[int, typer.Option(help="Folds; each is held out once.", min=2)] = 2,
    image_size: Annotated[
        int | None, typer.Option(help="Bring images to this size.", show_default="their own", min=1)
    ] = None,
    groups: Annotated[
        str | None, typer.Option(metavar="FILE", help="Which images belong together, one group an image.")
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    html: HtmlOption = True,
    overwrite: OverwriteOption = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Read what two views share, what each says of the label, and which regime that is.

    I(v1;v2), I(v1;y), I(v2;y) and I(x;y), by small networks fitted to the views and read on images that they
    never saw: lower bounds with their intervals, and beside them what is not excluded: up to where more
    images lead, by fits to half of them. Writes views.csv, readings.csv, the words and a figure. What was
    finished is kept: a stopped command goes on from there.
    """
    with progress() as advance:  # shown before the seconds that the imports take
        from mitools import api
        from mitools.report.tables.write import records

        found = api.measure_views(
            data,
            pair,
            sweep=sweep,
            methods=[name.strip() for name in methods.split(",")],
            steps=steps,
            width=width,
            embedding=embedding,
            batch_size=batch_size,
            folds=folds,
            image_size=image_size,
            groups=groups,
            seed=seed,
            device=device,
            folder=destination,
            html=html,
            progress=advance,
            overwrite=overwrite,
        )
    if json:
        print_json(
            {
                "views": records(found.table),
                "readings": records(found.readings),
                "warnings": [warning.to_dict() for warning in found.warnings],
                "files": [str(path) for path in found.files],
            }
        )
        return 0
    _print_readings(records(found.readings), destination)
    print_finding(found.finding)
    for warning in found.warnings:
        err.print(f"warning: {caution(warning)}", markup=False)
    written(found.files, destination, "views.csv", "figures/regimes.png")
    name_page(found.files)
    return 0


def _print_readings(rows: list[dict[str, Any]], folder: Path) -> None:
    """Print one table a pair of views on stdout, and the warnings of all, by pair, on stderr."""
    from mitools.report.figures.style import method_words

    told: list[tuple[str, str]] = []
    for views, value in dict.fromkeys((row["views"], row["value"]) for row in rows):
        of_pair = [row for row in rows if (row["views"], row["value"]) == (views, value)]
        option = of_pair[0]["option"]
        title = views if option is None else f"{views} ({option} = {value:g})"
        told.append((title, _warnings(of_pair, of_image=False)))
        print_table(
            ["", "method", "bits", "95% interval", "not excluded", "null", "ceiling"],
            [
                [
                    row["quantity"],
                    method_words(row["method"]),
                    bits(row["bits"]),
                    interval(row["low_bits"], row["high_bits"]),
                    _not_excluded(row["low_bits"], row["up_to_bits"]),
                    bits(row["null_bits"]),
                    bits(row["ceiling_bits"]),
                ]
                for row in of_pair
            ],
            title=title,
            file=folder / "readings.csv",
        )
        out.print()
    # The image is read once, for all pairs.
    told.append(("the images", _warnings(of_pair, of_image=True)))
    # Names of pairs have commas in them.
    print_alike(((title, words) for title, words in told if words), between="; ")


def _warnings(rows: list[dict[str, Any]], of_image: bool) -> str:
    """Say of which of a pair's readings each warning is: by name, and by method where not by all of them."""
    from mitools.report.figures.style import method_words
    from mitools.report.views import OF_IMAGE
    from mitools.report.words import worded

    read_by: dict[str, list[str]] = {}
    warned: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        if (row["quantity"] == OF_IMAGE) == of_image:
            read_by.setdefault(row["quantity"], []).append(row["method"])
            for word in row["warnings"].split():
                warned.setdefault(word, {}).setdefault(row["quantity"], []).append(row["method"])
    said = []
    for word, quantities in warned.items():
        named = [
            quantity
            if methods == read_by[quantity]
            else f"{quantity} by {' and '.join(map(method_words, methods))}"
            for quantity, methods in quantities.items()
        ]
        said.append(f"{worded(word)}: {', '.join(named)}")
    return "; ".join(said)


def _not_excluded(low: float | None, up_to: float | None) -> str:
    """Give both ends, or the lower alone where no upper end is told."""
    return f"{bits(low)} or more" if low is not None and up_to is None else interval(low, up_to)
