"""``mitools estimate``: mutual information between two arrays."""

from pathlib import Path
from typing import Annotated

import typer

from mitools.cli.console import DeviceOption, JsonOption, SeedOption, err, print_json, print_table, progress
from mitools.cli.measuring.estimates import print_agreement


def _list(wanted: bool) -> None:
    if not wanted:
        return
    from mitools.estimators.registry import ESTIMATORS

    print_table(
        ["method", "kind", "ceiling", "cost", "take it for"],
        [
            [name, one.kind or "of what it chooses", one.ceiling or "-", one.cost, one.use]
            for name, one in ESTIMATORS.items()
        ],
    )
    raise typer.Exit


def estimate(
    x: Annotated[Path, typer.Argument(help="Shape (n, d_x) or (n,).", metavar="X.npy")],
    y: Annotated[
        Path, typer.Argument(help="Shape (n, d_y) or (n,): rows, or class labels.", metavar="Y.npy")
    ],
    method: Annotated[
        str,
        typer.Option(
            help="One method or several, with commas; auto takes one that suits the arrays.", metavar="A,B"
        ),
    ] = "auto",
    groups: Annotated[
        Path | None,
        typer.Option(
            help="Which rows belong together (one clip, one patient): a .npy, .csv or .parquet file."
        ),
    ] = None,
    block: Annotated[
        int | None,
        typer.Option(help="For series: after how many rows hardly any dependence is left.", min=1),
    ] = None,
    x_as: Annotated[
        str | None,
        typer.Option(help="What auto takes X for: numbers, labels or symbols (ids).", metavar="KIND"),
    ] = None,
    y_as: Annotated[str | None, typer.Option(help="What auto takes Y for.", metavar="KIND")] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "cpu",
    json: JsonOption = False,
    listed: Annotated[
        bool, typer.Option("--list", callback=_list, is_eager=True, help="List the methods, and do nothing.")
    ] = False,
) -> int:
    """Estimate the mutual information between two arrays, row by row.

    Lower bounds, upper bounds and point estimates are listed separately, with what they allow. A method
    that cannot read these arrays is named, and the others are printed.
    """
    with progress() as advance:  # shown before the seconds that the imports take
        from mitools.backends.devices import resolve_device
        from mitools.core.errors import InputError
        from mitools.datasets.grouped import read_groups
        from mitools.datasets.readers.npy import read_array
        from mitools.estimators.agreement import agreement
        from mitools.estimators.dependence.copies import copied_rows
        from mitools.estimators.dependence.dependent_rows import DEPENDENCE_WORDS
        from mitools.estimators.registry import make_estimator

        names = list(dict.fromkeys(name.strip() for name in method.split(",")))
        estimators = [make_estimator(name, seed, str(resolve_device(device))) for name in names]
        told = {name: kind for name, kind in [("x_as", x_as), ("y_as", y_as)] if kind is not None}
        if told and "auto" not in names:
            raise InputError(f"--x-as and --y-as are for auto; {method} takes arrays for what it reads")
        for name, estimator in zip(names, estimators, strict=True):
            if name == "auto":
                estimator.set_params(**told)
        x_rows, y_rows = read_array(x), read_array(y)
        named = None if groups is None else read_groups(groups)
        estimates, refused = [], dict[str, InputError]()
        dependent = None  # looked for by the first method that reads the arrays, and known to the others
        for done, (name, estimator) in enumerate(zip(names, estimators, strict=True)):
            advance(name, done, len(names))
            try:
                estimates.append(estimator.estimate(x_rows, y_rows, named, block, dependent))
                dependent = [one for one in estimates[-1].warnings if one.word in DEPENDENCE_WORDS]
            except InputError as error:
                refused[name] = error
    if not estimates:
        raise next(iter(refused.values()))
    found, dependent = agreement(estimates), dependent or []
    if json:
        looked = named is None and block is None
        copied = not looked or any(one.word == "copies" for one in dependent)
        print_json(
            {
                "estimates": [each.to_dict() for each in estimates],
                "jointly": found.to_dict(),
                "copied_rows": copied_rows(x_rows, y_rows) if copied else 0,
                "dependent_rows": [warning.to_dict() for warning in dependent],
                "refused": {name: str(why) for name, why in refused.items()},
            }
        )
    else:
        print_agreement(found)
    for name, why in refused.items():
        err.print(f"{name} cannot read these arrays: {why}", markup=False)
    return 1 if refused else 0
