"""``mitools estimate``: mutual information between two arrays."""

from pathlib import Path
from typing import Annotated

import typer

from mitools.cli.console import DeviceOption, JsonOption, SeedOption, print_json, progress
from mitools.cli.estimates import print_estimates


def estimate(
    x: Annotated[Path, typer.Argument(help="Shape (n, d_x) or (n,).", metavar="X.npy")],
    y: Annotated[
        Path, typer.Argument(help="Shape (n, d_y) or (n,): rows, or class labels.", metavar="Y.npy")
    ],
    method: Annotated[
        str, typer.Option(help="One method or several, with commas.", metavar="A,B")
    ] = "infonce",
    seed: SeedOption = 0,
    device: DeviceOption = "cpu",
    json: JsonOption = False,
) -> None:
    """Estimate the mutual information between two arrays, row by row."""
    from mitools.backends.devices import resolve_device
    from mitools.datasets.array_file import read_array
    from mitools.estimators.methods import make_estimator

    names = [name.strip() for name in method.split(",")]
    estimators = [make_estimator(name, seed, str(resolve_device(device))) for name in names]
    x_rows, y_rows = read_array(x), read_array(y)
    with progress() as advance:
        estimates = []
        for done, (name, estimator) in enumerate(zip(names, estimators, strict=True)):
            advance(name, done, len(names))
            estimates.append(estimator.estimate(x_rows, y_rows))
    if json:
        print_json([found.to_dict() for found in estimates])
    else:
        print_estimates(estimates)
