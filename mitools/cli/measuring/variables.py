"""``mitools variables``: the discrete variables of an encoder, in pictures."""

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from mitools.cli.console import (
    DeviceOption,
    JsonOption,
    OverwriteOption,
    SeedOption,
    out,
    print_json,
    print_table,
    progress,
    written,
)
from mitools.cli.measuring.audit import CacheOption
from mitools.cli.measuring.estimates import bits, interval
from mitools.core.errors import InputError
from mitools.core.progress import uncounted


def variables(
    encoder: Annotated[
        str, typer.Argument(metavar="RUN_OR_ENCODER", help="The folder of a run, or an encoder spec.")
    ],
    data: Annotated[str, typer.Option(metavar="SPEC", help="Images, or other items.")],
    destination: Annotated[
        Path, typer.Option("--out", help="Folder for the page, the table and figures.")
    ] = (Path("mitools-variables")),
    discretise: Annotated[
        Literal["auto", "own", "bins", "clusters"],
        typer.Option(help="own variables of an imsvd run, columns in bins, groups of columns in clusters."),
    ] = "auto",
    units: Annotated[int, typer.Option(help="Units of bins and clusters.", min=2)] = 8,
    unit: Annotated[
        list[str] | None,
        typer.Option(metavar="M:D", help="Show images of unit D of variable M; once for each."),
    ] = None,
    view: Annotated[str, typer.Option(help="How two views of an image are drawn.")] = "simclr",
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    cache: CacheOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Show how many bits each variable uses, how redundant variables are, and which images drive a unit.

    Writes index.html, which holds every picture, variables.csv and figures.
    """
    spec = f"run:{encoder}" if (Path(encoder) / "recipe.yaml").is_file() else encoder
    with progress() as advance, uncounted(advance):  # shown before the seconds that the imports take
        from mitools import api
        from mitools.features.store import default_root

        found = api.measure_variables(
            spec,
            data,
            discretise=discretise,
            units=units,
            show=[_read_unit(text) for text in unit or []],
            view=view,
            seed=seed,
            device=device,
            folder=destination,
            cache=cache or default_root(),
            progress=advance,
            overwrite=overwrite,
        )
    if json:
        print_json(
            {name: one.to_dict() for name, one in found.estimates.items()}
            | {
                "variables": found.variables,
                "units_used": found.units_used,
                "one_hot_share": found.one_hot_shares[0],
                "one_hot_share_99": found.one_hot_shares[1],
                "agreement": found.agreement,
                "files": [str(path) for path in found.files],
            }
        )
        return
    print_table(
        ["", "bits", "95% interval"],
        [
            [
                name.replace("_", " "),
                bits(one.bits),
                interval(*(one.interval_bits or (None, None))[:2]),
            ]
            for name, one in found.estimates.items()
        ],
        title=found.variables,
    )
    shared = found.estimates.get("redundancy")
    between = f"; two variables share {bits(shared.bits)} bits" if shared is not None else ""
    out.print(f"A variable uses {found.units_used:.1f} units on average{between}.", markup=False)
    written(found.files, destination, "index.html", "variables.csv")


def _read_unit(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+):(\d+)", text)
    if found is None:
        raise InputError(f"--unit {text}: write M:D, a variable and a unit counted from 0, such as 0:24")
    return int(found[1]), int(found[2])
