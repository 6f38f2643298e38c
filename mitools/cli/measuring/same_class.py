"""``mitools same-class``: the certificate for one file of features."""

from pathlib import Path
from typing import Annotated

import typer

from mitools.cli.console import JsonOption, SeedOption, out, print_json, progress
from mitools.cli.measuring.estimates import print_estimates


def same_class(
    features: Annotated[
        Path, typer.Argument(help="Arrays features (n, d) and labels (n,).", metavar="FEATURES.npz")
    ],
    prior: Annotated[
        str, typer.Option(help="The class distribution meant: empirical or uniform.")
    ] = "empirical",
    classifier: Annotated[
        str,
        typer.Option(help="linear, or auto: of several families the one that predicts held-out labels best."),
    ] = "linear",
    groups: Annotated[
        Path | None,
        typer.Option(
            help="Which rows belong together (one clip, one patient): a .npy, .csv or .parquet file."
        ),
    ] = None,
    seed: SeedOption = 0,
    json: JsonOption = False,
) -> None:
    """Certify how much class information a file of features carries."""
    with progress() as advance:  # shown before the seconds that the imports take
        from mitools import api
        from mitools.core.names import check_name
        from mitools.datasets.grouped import read_groups
        from mitools.datasets.readers.features import read_features

        check_name("classifier", classifier, ("linear", "auto"))
        rows = read_features(features)
        chosen = None if classifier == "linear" else classifier
        named = None if groups is None else read_groups(groups)
        advance("certificate", 0, 1)
        found = api.certify(
            rows.features, rows.labels, groups=named, prior=prior, classifier=chosen, seed=seed
        )
    if json:
        print_json(found.to_dict())
        return
    print_estimates([found.estimate, found.nwj_estimate, found.label_information])
    gains = found.label_information.settings.get("select_gains_bits")
    if gains:
        read = ", ".join(f"{name} {bits:.3f}" for name, bits in gains.items())
        name = found.label_information.settings["classifier"]
        out.print(f"classifier: {name}; bits of the labels on select: {read}", markup=False)
    out.print(str(found))
