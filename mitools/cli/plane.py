"""``mitools plane``: where the layers of a network lie in the information plane, through training."""

import math
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from mitools.cli.audit import CacheOption
from mitools.cli.console import DeviceOption, JsonOption, SeedOption, err, print_json, print_table, progress
from mitools.cli.estimates import bits
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
    json: JsonOption = False,
) -> int:
    """Read I(X;T) and I(T;Y) of every layer at every kept checkpoint, and draw the information plane.

    Writes plane.csv and figures. For a deterministic network I(X;T) of a continuous layer is infinite: every
    figure says what its finite numbers measure. What was finished is kept: a stopped command goes on.
    """
    from mitools.backends.devices import resolve_device
    from mitools.datasets.open import open_data
    from mitools.features.store import FeatureStore, default_root
    from mitools.plane.measure import measure_plane
    from mitools.plane.methods import DEFAULT_METHODS, require_methods
    from mitools.plane.settings import PlaneSettings
    from mitools.report.plane import draw_plane
    from mitools.report.tables.write import records, write_csv

    chosen = [name.strip() for name in methods.split(",")] if methods is not None else list(DEFAULT_METHODS)
    require_methods(chosen)
    settings = PlaneSettings(
        bins=bins,
        bin_range=_range(bin_range),
        noise_variance=noise,
        protocol_steps=steps,
        protocol_hidden=hidden,
        seed=seed,
        device=str(resolve_device(device)),
        batch_size=batch_size,
        workers=workers,
    )
    checkpoints, specs, trained_on = _what(run, encoder or [], data or [])
    with progress() as advance:
        found = measure_plane(
            checkpoints,
            {name: open_data(spec) for name, spec in specs.items()},
            out=destination,
            store=FeatureStore(cache or default_root()),
            layers="all" if layers == "all" else [name.strip() for name in layers.split(",")],
            methods=chosen,
            settings=settings,
            trained_on=trained_on,
            advance=advance,
        )
    write_csv(found.table, destination / "plane.csv")
    figures = draw_plane(found.table, destination / "figures")
    files = [destination / "plane.csv", *figures]
    rows = records(found.table)
    if json:
        print_json(
            {"results": rows, "failures": dict(found.failures), "files": [str(path) for path in files]}
        )
    else:
        _print_last(rows)
        err.print(f"written: {len(files)} files under {destination}", markup=False)
    if not figures:
        err.print(
            "no figure: a plane takes readings of I(X;T) and I(T;Y), a curve two checkpoints or layers",
            markup=False,
        )
    if trained_on:
        err.print(
            f"{trained_on} is the data that the run was trained on: --data source=SPEC names other items",
            markup=False,
        )
    for what, reason in found.failures.items():
        err.print(f"failed: {what}: {reason}", markup=False)
    return 1 if found.failures else 0


def _what(run: Path | None, encoders: list[str], data: list[str]) -> tuple[Any, dict[str, str], str | None]:
    """Find the checkpoints, the specs of the data by name, the source's first, and which was trained on."""
    from mitools.encoders.sources.run import read_run_recipe
    from mitools.plane.checkpoints import checkpoints_of_run, checkpoints_of_specs
    from mitools.plane.settings import SOURCE

    if (run is None) == (not encoders):
        raise typer.BadParameter("name the folder of a run, or encoders by --encoder SPEC; one of the two")
    checkpoints = checkpoints_of_specs(encoders) if run is None else checkpoints_of_run(run)
    specs: dict[str, str] = {}
    for text in data:
        named = _NAMED.fullmatch(text)
        if named is None:
            raise typer.BadParameter(f"--data {text}: write NAME=SPEC, with its name in the figures")
        name, spec = named.groups()
        if name in specs:
            raise typer.BadParameter(f"--data {name}= is given twice")
        specs[name] = spec
    own = None if run is None else read_run_recipe(run).get("data")
    if SOURCE not in specs:
        if not isinstance(own, str):
            raise typer.BadParameter("--data source=SPEC is missing: no run says what the encoders are for")
        specs = {SOURCE: own, **specs}
    trained_on = next((name for name, spec in specs.items() if spec == own), None)
    return checkpoints, {SOURCE: specs.pop(SOURCE), **specs}, trained_on


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


def _print_last(rows: list[dict[str, Any]]) -> None:
    """Print what was read at the last checkpoint."""
    last = max(row["epoch"] for row in rows)
    print_table(
        [
            "layer",
            "data",
            "quantity",
            "method",
            "bits",
            "95% interval",
            "kind",
            "ceiling",
            "null",
            "n",
            "warnings",
        ],
        [
            [
                row["layer"],
                row["data"],
                row["quantity"],
                row["method"],
                bits(row["bits"]),
                "-" if row["low_bits"] is None else f"{bits(row['low_bits'])} to {bits(row['high_bits'])}",
                row["kind"],
                bits(row["ceiling_bits"]),
                bits(row["null_bits"]),
                f"{row['n']:,}",
                row["warnings"] or "-",
            ]
            for row in rows
            if row["epoch"] == last
        ],
        title=f"the information plane at epoch {last}; plane.csv has all checkpoints",
    )
