"""``mitools same-class``: the certificate for one file of features."""

from pathlib import Path
from typing import Annotated

import typer

from mitools.cli.console import JsonOption, SeedOption, out, print_json
from mitools.cli.estimates import print_estimates


def same_class(
    features: Annotated[
        Path, typer.Argument(help="Arrays features (n, d) and labels (n,).", metavar="FEATURES.npz")
    ],
    prior: Annotated[
        str, typer.Option(help="The class distribution meant: empirical or uniform.")
    ] = "empirical",
    seed: SeedOption = 0,
    json: JsonOption = False,
) -> None:
    """Certify how much class information a file of features carries."""
    from mitools import api
    from mitools.datasets.readers.features import read_features

    rows = read_features(features)
    found = api.certify(rows.features, rows.labels, prior=prior, seed=seed)
    if json:
        print_json(found.to_dict())
        return
    print_estimates([found.estimate, found.nwj_estimate, found.label_information])
    out.print(str(found))
