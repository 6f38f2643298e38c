"""``mitools plane``: where the layers of a network lie in the information plane, through training."""

import math
import re
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
    note,
    out,
    print_finding,
    print_json,
    print_table,
    progress,
    written,
)
from mitools.cli.measuring.audit import CacheOption
from mitools.cli.measuring.estimates import bits
from mitools.cli.terminal.config import ConfigOption
from mitools.core.errors import InputError

_NAMED = re.compile(r"([A-Za-z0-9_-]+)=(.+)")


def plane(
    run: Annotated[
        Path | None, typer.Argument(metavar="RUN", help="The folder of a run that mitools train made.")
    ] = None,
    encoder: Annotated[
        list[str] | None,
        typer.Option(metavar="SPEC", help="Instead of RUN: an encoder, once for each, in order of time."),
    ] = None,
    layers: Annotated[str, typer.Option(help="Names of layers with commas between, or all.")] = "all",
    methods: Annotated[
        str | None,
        typer.Option(
            help="certificate, mine, infonce, ksg, binned, kolchinsky_tracey, ctc; with commas between.",
            show_default="all but mine and ctc",
        ),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=SPEC",
            help="Further data, once for each; source=SPEC replaces the data that the run was trained on.",
        ),
    ] = None,
    destination: Annotated[
        Path, typer.Option("--out", help="Folder for the table, figures and kept results.")
    ] = Path("mitools-plane"),
    bins: Annotated[int, typer.Option(help="Bins a unit, for binned.", min=2)] = 30,
    bin_range: Annotated[
        str | None,
        typer.Option(metavar="LOW,HIGH", help="Where bins begin and end.", show_default="the run's"),
    ] = None,
    noise: Annotated[float, typer.Option(help="Variance of the noise, for kolchinsky_tracey.")] = 0.1,
    steps: Annotated[int, typer.Option(help="Steps of ctc's critics.", min=1)] = 10_000,
    hidden: Annotated[int, typer.Option(help="Width of ctc's critics.", min=1)] = 1024,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    batch_size: Annotated[int, typer.Option(help="Images a batch.", min=1)] = 256,
    workers: Annotated[int, typer.Option(help="Processes that decode images.", min=0)] = 0,
    cache: CacheOption = None,
    html: HtmlOption = True,
    overwrite: OverwriteOption = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Read I(X;T) and I(T;Y) of every layer at every kept checkpoint, and draw the information plane.

    Writes plane.csv and figures. For a deterministic network I(X;T) of a continuous layer is infinite: every
    figure says what its finite numbers measure. What was finished is kept: a stopped command goes on.
    """
    named = _named_data(data or [])
    if (run is None) == (not encoder):
        raise typer.BadParameter("name the folder of a run, or encoders by --encoder SPEC; one of the two")
    if run is None and "source" not in named:
        raise typer.BadParameter("--data source=SPEC is missing: no run says what the encoders are for")
    with progress() as advance:  # shown before the seconds that the imports take
        from mitools import api
        from mitools.features.store import default_root
        from mitools.report.tables.write import records

        found = api.information_plane(
            run or encoder,
            named,
            layers="all" if layers == "all" else [name.strip() for name in layers.split(",")],
            methods=None if methods is None else [name.strip() for name in methods.split(",")],
            bins=bins,
            bin_range=_range(bin_range),
            noise=noise,
            steps=steps,
            hidden=hidden,
            seed=seed,
            device=device,
            batch_size=batch_size,
            workers=workers,
            folder=destination,
            html=html,
            cache=cache or default_root(),
            progress=advance,
            overwrite=overwrite,
        )
    rows = records(found.table)
    if json:
        files = [str(path) for path in found.files]
        print_json({"results": rows, "failures": dict(found.failures), "files": files})
    else:
        _print_last(rows, destination)
        out.print()
        print_finding(found.finding)
        figures = [path for path in found.files if path.name.startswith("plane_") and path.suffix == ".png"]
        written(found.files, destination, "plane.csv", *(f"figures/{path.name}" for path in figures))
    if not any(path.suffix == ".png" for path in found.files):
        note("no figure: a plane takes readings of I(X;T) and I(T;Y), a curve two checkpoints or layers")
    if found.trained_on:
        note(
            f"{found.trained_on} is the data that the run was trained on: --data source=SPEC names other"
            " items"
        )
    for what, reason in found.failures.items():
        err.print(f"failed: {what}: {reason}", markup=False)
    if not json:
        name_page(found.files)
    return 1 if found.failures else 0


def _named_data(data: list[str]) -> dict[str, str]:
    """Read ``NAME=SPEC`` arguments."""
    specs: dict[str, str] = {}
    for text in data:
        named = _NAMED.fullmatch(text)
        if named is None:
            raise typer.BadParameter(f"--data {text}: write NAME=SPEC, with its name in the figures")
        name, spec = named.groups()
        if name in specs:
            raise typer.BadParameter(f"--data {name}= is given twice")
        specs[name] = spec
    return specs


def _range(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        raise InputError(f"--bin-range {text}: give two numbers with a comma between, such as -1,1") from None
    if not -math.inf < low < high < math.inf:
        raise InputError(f"--bin-range {text}: give two finite numbers, the smaller first")
    return low, high


def _print_last(rows: list[dict[str, Any]], folder: Path) -> None:
    """Print what was read at the last checkpoint."""
    from mitools.report.figures.style import method_words

    last = max(row["epoch"] for row in rows)
    several = len({row["data"] for row in rows}) > 1
    print_table(
        [
            "layer",
            *(["data"] if several else []),
            "quantity",
            "method",
            "bits",
            "95% interval",
            "null",
            "kind",
            "ceiling",
            *([] if several else ["data"]),
            "n",
        ],
        [
            [
                row["layer"],
                *([row["data"]] if several else []),
                row["quantity"],
                method_words(row["method"]),
                bits(row["bits"]),
                "-" if row["low_bits"] is None else f"{bits(row['low_bits'])} to {bits(row['high_bits'])}",
                bits(row["null_bits"]),
                row["kind"],
                bits(row["ceiling_bits"]),
                *([] if several else [row["data"]]),
                f"{row['n']:,}",
            ]
            for row in rows
            if row["epoch"] == last
        ],
        title=f"the information plane at epoch {last}; plane.csv has all checkpoints",
        file=folder / "plane.csv",
    )
    warned: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row["epoch"] == last and row["warnings"]:
            where = f"{row['layer']} on {row['data']}" if several else str(row["layer"])
            warned.setdefault(
                (f"{row['quantity']} by {method_words(row['method'])}", row["warnings"]), []
            ).append(where)
    for (what, words), places in warned.items():
        err.print(f"{what}, {', '.join(places)}: {words.replace('_', ' ')}", markup=False)
