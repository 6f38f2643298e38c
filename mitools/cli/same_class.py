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
    from mitools.datasets.readers.features import read_features
    from mitools.estimators.class_information.certificate import ClassPosterior
    from mitools.pairing.same_class import bracket

    rows = read_features(features)
    fitted = ClassPosterior(prior=prior, seed=seed).fit(rows.features, rows.labels)
    estimates = [fitted.dv_estimate_, fitted.nwj_estimate_, fitted.label_information_]
    found = bracket(fitted.dv_estimate_)
    if json:
        print_json(
            {
                "i_class": estimates[0].to_dict(),
                "i_class_nwj": estimates[1].to_dict(),
                "label_information": estimates[2].to_dict(),
                "identified": found.identified,
                "linear_acc": fitted.accuracy_,
            }
        )
        return
    print_estimates(estimates)
    share = fitted.estimate_.settings["one_sided_low_bits"] / (fitted.estimate_.entropy_bits or 1.0)
    out.print(f"{found}")
    out.print(f"certified at 95% confidence: {share:.1%} of H(C); linear accuracy {fitted.accuracy_:.1%}")
