"""``mitools audit``: frozen encoders on labelled data."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mitools.cli.console import (
    DeviceOption,
    EngineOption,
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
from mitools.cli.measuring.estimates import bits, interval_of, print_warnings
from mitools.cli.measuring.targets import print_targets
from mitools.cli.terminal.config import ConfigOption

GroupsOption = Annotated[
    Path | None,
    typer.Option(
        help="Which items belong together (one clip, patient or source image): a .npy, .csv or .parquet file."
    ),
]
OutOption = Annotated[Path, typer.Option("--out", help="Folder for tables, figures and kept results.")]
CacheOption = Annotated[
    Path | None, typer.Option(help="Folder for features.", show_default="$MITOOLS_CACHE or ~/.cache/mitools")
]


def audit(
    encoder: Annotated[
        list[str], typer.Option(metavar="SPEC", help="A frozen encoder; give the option once for each.")
    ],
    data: Annotated[
        str | None,
        typer.Option(metavar="SPEC", help="Labelled data.", show_default="the labels of a features: encoder"),
    ] = None,
    destination: OutOption = Path("mitools-audit"),
    groups: GroupsOption = None,
    test_data: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC", help="Other items of the same classes, read by a linear classifier of the data."
        ),
    ] = None,
    test_schedule: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Read a linear classifier trained by SGD there too, as in a paper: imsvd, places205 or cmc.",
        ),
    ] = None,
    pairing: Annotated[
        str,
        typer.Option(
            help="same_class, and views whose pairs are measured as well: same_class,simclr?strength=0.5"
        ),
    ] = "same_class",
    views: Annotated[int, typer.Option(help="Draws of each view an image.", min=2)] = 2,
    prior: Annotated[
        str, typer.Option(help="The class distribution meant: empirical or uniform.")
    ] = "empirical",
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    critic: Annotated[
        bool,
        typer.Option(help="Fit an InfoNCE critic beside the certificate: most of the time, once encoded."),
    ] = True,
    quick_critic: Annotated[
        bool,
        typer.Option(
            "--quick-critic", help="Smaller critics, fewer steps: a fifth of the time, lower bounds as well."
        ),
    ] = False,
    trained_head: Annotated[
        bool,
        typer.Option(
            help="Also fit a critic that begins as the projection head, for encoders run:DIR with one."
        ),
    ] = False,
    control: Annotated[
        bool, typer.Option(help="Compare every trained network with the same network untrained.")
    ] = True,
    measures: Annotated[
        str | None,
        typer.Option(
            help="Further measures: quick, all, or names with commas; `mitools measures list` has them."
        ),
    ] = None,
    complement: Annotated[
        bool, typer.Option("--complement", help="Read what every encoder adds to every other.")
    ] = False,
    similarity: Annotated[
        str | None,
        typer.Option(
            help="How alike encoders are: linear_cka, rbf_cka, svcca, procrustes, mutual_neighbours."
        ),
    ] = None,
    precision: Annotated[str, typer.Option(help="What networks compute in: float32, bf16 or float16.")] = (
        "float32"
    ),
    keep: Annotated[
        Literal["float32", "float16"], typer.Option(help="What features are kept as.")
    ] = "float32",
    batch_size: Annotated[int, typer.Option(help="Images a batch.", min=1)] = 256,
    workers: Annotated[int, typer.Option(help="Processes that decode images.", min=0)] = 0,
    cache: CacheOption = None,
    engine: EngineOption = None,
    html: HtmlOption = True,
    overwrite: OverwriteOption = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Measure how much class information frozen encoders carry, with a guarantee.

    Writes results.csv, correlation.csv, comparisons.csv, figures and the page report.html. An encoder spec
    with layers=all, or layer=NAME, gives one row a layer and a figure by depth. What was finished is kept: a
    stopped audit goes on from there. A second one encodes nothing, and adds its rows to those in the folder.
    """
    return audit_and_report(
        data or _only_features(encoder),
        encoder,
        destination,
        cache,
        json,
        groups=groups,
        test_data=test_data,
        test_schedule=test_schedule,
        pairing=pairing,
        views=views,
        prior=prior,
        seed=seed,
        critic=critic,
        quick_critic=quick_critic,
        trained_head=trained_head,
        control=control,
        measures=measures,
        complement=complement,
        similarity=similarity,
        precision=precision,
        keep=keep,
        device=device,
        batch_size=batch_size,
        workers=workers,
        engine=engine,
        html=html,
        overwrite=overwrite,
    )


def audit_and_report(
    data: str, encoders: list[str], destination: Path, cache: Path | None, json: bool, **options: Any
) -> int:
    """Run an audit as Python does, print its report, and return the exit code."""
    with progress() as advance:  # shown before the seconds that the imports take
        from mitools import api
        from mitools.features.store import default_root
        from mitools.report.tables.write import records
        from mitools.results.audit import AuditResult
        from mitools.results.target_audit import TargetAuditResult

        found = api.audit(
            encoders, data, folder=destination, cache=cache or default_root(), progress=advance, **options
        )
    of_targets = found if isinstance(found, TargetAuditResult) else None
    if json:
        print_json(
            {
                "data": found.data,
                "results": records(found.table),
                **({} if of_targets is None else {"targets": records(of_targets.targets)}),
                "correlation": None if found.correlation is None else records(found.correlation),
                "comparisons": None if found.comparisons is None else records(found.comparisons),
                "failures": dict(found.failures),
                "files": [str(path) for path in found.files],
            }
        )
    elif of_targets is not None:
        print_targets(of_targets, destination)
        written(found.files, destination, "results.csv", "targets.csv", "figures/targets.png")
    elif isinstance(found, AuditResult):
        _print_report(found, destination)
        if found.complemented is not None:
            out.print(found.complemented.sentence(), markup=False)
        named = "results.csv", "comparisons.csv", "complement.csv", "figures/brackets.png"
        written(found.files, destination, *named)
    for spec, reason in found.failures.items():
        err.print(f"failed: {spec}: {reason}", markup=False)
    if not json:
        name_page(found.files)
    return 1 if found.failures else 0


def _further_value(column: str, value: float | None) -> str:
    """Write an accuracy as a share and everything else as bits."""
    return f"{value:.1%}" if column.endswith("_acc") and value is not None else bits(value)


def _print_report(found: Any, folder: Path) -> None:
    from mitools.report.tables.write import records
    from mitools.report.words import column_words

    rows, correlation = records(found.table), found.correlation
    further = {
        "i_class_infonce_bits": "InfoNCE",
        "i_class_head_bits": "from the head",
        **{f"i_{view}_bits": "I_SimCLR" if view == "simclr" else f"I of {view}" for view in found.views},
    }
    further |= {"linear_test_acc": "on test", "sgd_test_acc": "by SGD"}
    further = {column: name for column, name in further.items() if any(column in row for row in rows)}
    header = ["encoder", "I_class", "95% interval", "linear", "label inf."]
    print_table(
        [*header, *further.values(), "kNN-20", "verdict", "dim", "seconds"],
        [
            [
                row["encoder"],
                bits(row["i_class_bits"]),
                f"{bits(row['i_class_low'])} to {bits(row['i_class_high'])}",
                f"{row['linear_acc']:.1%}",
                bits(row["label_information_bits"]),
                *(_further_value(column, row.get(column)) for column in further),
                f"{row['knn20_acc']:.1%}",
                "identified" if row["i_class_identified"] else "bracketed",
                str(row["dim"]),
                f"{row['seconds']:.1f}",
            ]
            for row in rows
        ],
        title=f"bits of class information, of H(C) = {bits(rows[0]['h_c_bits'])}",
        file=folder / "results.csv",
    )
    _print_further(rows)
    print_warnings(rows)
    if correlation is not None:
        out.print()
        print_table(
            ["with linear accuracy", "Pearson", "95% interval", "Kendall", "Spearman"],
            [
                [
                    column_words(row["column"]),
                    bits(row["pearson"]),
                    interval_of(row["n"], row["pearson_low"], row["pearson_high"]),
                    bits(row["kendall"]),
                    bits(row["spearman"]),
                ]
                for row in records(correlation)
            ],
            file=folder / "correlation.csv",
        )
        remarks: dict[str, list[str]] = {}
        for column, said in zip(correlation["column"], correlation["note"], strict=True):
            for part in filter(None, said.split("; ")):
                remarks.setdefault(part, []).append(column_words(column))
        for remark, columns in remarks.items():
            of = f" of {', '.join(columns)}" if 2 * len(columns) < len(correlation) else ""
            err.print(f"correlation{of}: {remark}", markup=False)
    out.print()
    print_finding(found.finding)


def _print_further(rows: list[dict[str, Any]]) -> None:
    """Print the metrics that were asked for: one row a measure, one column an encoder."""
    from mitools.auditing.cells import GROUPS
    from mitools.measures.registry import MEASURES

    on_demand = [name for names in GROUPS.values() for name in names]
    shown = [name for name in on_demand if any(name in row for row in rows)]
    if shown:
        out.print()
        print_table(
            ["measure", "better", *(row["encoder"] for row in rows)],
            [[name, MEASURES[name].direction, *(bits(row.get(name)) for row in rows)] for name in shown],
        )


def _only_features(encoders: list[str]) -> str:
    """Take the labels from the first feature file when no data are named."""
    if not all(spec.startswith("features:") for spec in encoders):
        raise typer.BadParameter("--data is missing; only features: encoders bring labels of their own")
    return encoders[0]
