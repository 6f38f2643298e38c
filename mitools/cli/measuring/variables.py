"""``mitools variables``: the discrete variables of an encoder, in pictures."""

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from mitools.cli.console import DeviceOption, JsonOption, SeedOption, err, print_json, print_table, progress
from mitools.cli.measuring.audit import CacheOption
from mitools.core.errors import InputError


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
    json: JsonOption = False,
) -> None:
    """Show how many bits each variable uses, how redundant variables are, and which images drive a unit.

    Writes index.html, which holds every picture, variables.csv and figures.
    """
    from mitools.backends.devices import resolve_device
    from mitools.features.store import FeatureStore, default_root
    from mitools.report.variables.subject import open_subject
    from mitools.report.variables.write import Unit, write_variables

    chosen = [Unit(*_read_unit(text)) for text in unit or []]
    spec = f"run:{encoder}" if (Path(encoder) / "recipe.yaml").is_file() else encoder
    with progress() as advance:
        subject = open_subject(
            spec,
            data,
            FeatureStore(cache or default_root()),
            how=discretise,
            units=units,
            view=view,
            seed=seed,
            device=str(resolve_device(device)),
            advance=advance,
        )
        files = write_variables(subject, destination, chosen)
    found = subject.reading
    readings = {name: getattr(found, name) for name in ("entropy", "redundancy", "total_correlation")}
    if json:
        print_json(
            {name: one.to_dict() for name, one in readings.items()}
            | {
                "variables": subject.discretiser.what,
                "units_used": found.units_used,
                "one_hot_share": found.one_hot_shares[0],
                "one_hot_share_99": found.one_hot_shares[1],
                "agreement": subject.agreement(),
                "files": [str(path) for path in files],
            }
        )
        return
    print_table(
        ["", "bits", "95% interval"],
        [
            [
                name.replace("_", " "),
                f"{one.bits:.3f}",
                f"{one.interval_bits.low:.3f} to {one.interval_bits.high:.3f}",
            ]
            for name, one in readings.items()
        ],
        title=subject.discretiser.what,
    )
    err.print(f"written: {destination / 'index.html'} and {len(files) - 1} files beside it", markup=False)


def _read_unit(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+):(\d+)", text)
    if found is None:
        raise InputError(f"--unit {text}: write M:D, a variable and a unit counted from 0, such as 0:24")
    return int(found[1]), int(found[2])
