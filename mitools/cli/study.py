"""``mitools study``: many encoders x data x pairings x estimators x metrics x seeds, resumable."""

from collections import Counter
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

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
    note,
    out,
    print_finding,
    print_json,
    print_table,
    progress,
    written,
)
from mitools.cli.measuring.audit import CacheOption
from mitools.cli.measuring.estimates import interval_of
from mitools.cli.terminal.command import Command, Group
from mitools.core.errors import InputError


class DefaultsToRun(Group):
    """``mitools study STUDY.yaml`` means ``mitools study run STUDY.yaml``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put ``run`` before arguments that begin with no command's name, nor with nearly one."""
        first = args[0] if args else ""
        is_file = Path(first).suffix or Path(first).exists()
        is_word = not (is_file or first.startswith("-"))
        meant = first in self.commands or (is_word and get_close_matches(first, self.commands, 1))
        if first and not meant and first != "--help":
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    help="Many encoders x data x pairings x estimators x metrics x seeds, one kept cell after another.",
    cls=DefaultsToRun,
)

StudyArgument = Annotated[Path, typer.Argument(metavar="STUDY.yaml", help="What is asked for.")]
FolderArgument = Annotated[
    Path, typer.Argument(metavar="DIR", help="The study's folder; or its STUDY.yaml, with --out DIR.")
]
OtherFolderOption = Annotated[
    Path | None, typer.Option("--out", help="The study's folder, where STUDY.yaml is named instead.")
]
OutOption = Annotated[
    Path, typer.Option("--out", help="The study's folder; shared by all processes and machines.")
]


@app.command("run", cls=Command)
def run(
    study: StudyArgument,
    destination: OutOption,
    dry_run: Annotated[bool, typer.Option(help="List the cells and the time they would take.")] = False,
    retry_failed: Annotated[bool, typer.Option(help="Try failed cells again.")] = False,
    submit: Annotated[
        Path | None, typer.Option(metavar="SLURM.yaml", help="Send it to a cluster in place of running here.")
    ] = None,
    device: DeviceOption = "auto",
    batch_size: Annotated[int, typer.Option(help="Images a batch.", min=1)] = 256,
    workers: Annotated[int, typer.Option(help="Processes that decode images.", min=0)] = 0,
    cache: CacheOption = None,
    engine: EngineOption = None,
    html: HtmlOption = True,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> int:
    """Do what is left of a study: ``mitools study STUDY.yaml --out DIR``.

    Finished cells are skipped, a changed setting is a new cell, failed cells are kept with their error. Any
    number of processes may work on one folder: under ``accelerate launch``, on several machines, or by hand.
    With --engine the cells are tasks of a Dask cluster, of SLURM or of processes here, and this command waits
    for them and shows how far all are.
    """
    if submit is not None and engine is not None:
        raise typer.BadParameter("--submit and --engine exclude each other")
    if dry_run or submit is not None:
        folder = _open_own(study, destination, overwrite)
        if submit is None or dry_run:
            return _show_plan(folder, json)
        return _submit(submit, study, destination, retry_failed, device, cache, json)
    with progress() as advance:  # shown before the seconds that the imports take
        from mitools.backends.engines.open import engine_or_none
        from mitools.backends.processes import own_device, process_rank
        from mitools.core.progress import writing
        from mitools.features.extract import PassOptions
        from mitools.features.store import FeatureStore, default_root
        from mitools.results.study import StudyResult
        from mitools.studies.spread import run_on
        from mitools.studies.worker import Worker

        folder = _open_own(study, destination, overwrite)
        store = FeatureStore(cache or default_root())
        with engine_or_none(engine, destination / "jobs") as at_work:
            if process_rank() == 0:
                folder.begin(overwrite)
            if retry_failed:
                folder.forget_failures()
            if at_work is None:
                told = advance if process_rank() == 0 else None
                Worker(folder, store, str(own_device(device)), batch_size, workers, told).run()
            else:
                options: PassOptions = {"device": device, "batch_size": batch_size, "workers": workers}
                run_on(at_work, folder, store, options, advance)
        if process_rank() != 0:
            return 0
        found = StudyResult(folder)
        with writing(advance):
            files = found.save(destination, html=html)
    return _show_results(found, files, destination, json)


@app.command("status", cls=Command)
def status(study: FolderArgument, destination: OtherFolderOption = None, json: JsonOption = False) -> int:
    """Count what is done, claimed, failed and still to do, and say why cells failed."""
    found = list(_begun(study, destination).found())
    states = Counter(one.state for one in found)
    failures = Counter((one.cell.encoder, one.error) for one in found if one.state == "failed")
    if json:
        reasons = [{"encoder": e, "error": why, "cells": n} for (e, why), n in failures.items()]
        print_json({"cells": len(found), **dict(states), "failures": reasons})
    else:
        counted = [f"{states[state]} {state}" for state in ("done", "claimed", "to do", "failed")]
        out.print(f"{len(found)} cells: {', '.join(counted)}", markup=False)
        _print_failures(failures)
    return 1 if failures else 0


@app.command("results", cls=Command)
def results(
    study: FolderArgument,
    destination: OtherFolderOption = None,
    table: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write it here: .csv, .parquet, .tex or .md.")
    ] = None,
    by_cell: Annotated[bool, typer.Option("--cells", help="One row a cell, not one an encoder.")] = False,
    json: JsonOption = False,
) -> int:
    """Print what is measured so far: one row an encoder and data set, means over the seeds."""
    from mitools.report.study import write_table
    from mitools.report.tables.write import records
    from mitools.results.study import StudyResult

    found = StudyResult(_begun(study, destination))
    chosen = found.cells if by_cell else found.table
    if table is not None:
        write_table(chosen, table)
        note(f"written: {table}")
    if json:
        print_json(records(chosen))
    else:
        _print_frame(chosen, table)
    return 1 if len(found.failures) else 0


@app.command("correlate", cls=Command)
def correlate(
    study: FolderArgument,
    destination: OtherFolderOption = None,
    target: Annotated[str, typer.Option(help="The column to correlate with.")] = "linear_acc",
    group: Annotated[str, typer.Option(help="The column that groups rows: family or data.")] = "family",
    columns: Annotated[
        str | None, typer.Option(metavar="A,B", help="The measures.", show_default="all but counts")
    ] = None,
    pool_data: Annotated[
        bool, typer.Option(help="Pool data sets of different class entropies as well.")
    ] = False,
    seed: SeedOption = 0,
    json: JsonOption = False,
) -> None:
    """Correlate every measure with a target: pooled, within and between families, and inside each."""
    from mitools.report.html.columns import study_label
    from mitools.report.tables.write import records, write_csv
    from mitools.results.study import StudyResult

    folder = _begun(study, destination)
    found = StudyResult(folder).correlate(target, group, seed, columns, pool_data)
    file = folder.out / "correlation.csv"
    write_csv(found, file)
    if json:
        print_json(records(found))
        return
    print_table(
        ["measure", "scope", "n", "Pearson", "95% interval", "Kendall", "Spearman", "groups"],
        [
            [
                study_label(row["column"]),
                row["scope"],
                str(row["n"]),
                _number(row["pearson"]),
                interval_of(row["n"], row["pearson_low"], row["pearson_high"]),
                _number(row["kendall"]),
                _number(row["spearman"]),
                str(row["groups"]),
            ]
            for row in records(found)
        ],
        title=f"with {study_label(target)}",
        file=file,
    )
    for remark in sorted(set(found["note"].dropna()) - {""}):
        err.print(remark, markup=False)
    note(f"written: {file}")


def _begun(study: Path, destination: Path | None) -> Any:
    """Open a study that was begun: by its folder, or by its file and its folder."""
    if destination is None:
        from mitools.studies.folder import StudyFolder

        if study.is_file():
            raise InputError(f"{study} is a study's file; name its folder, or the folder too as --out DIR")
        return StudyFolder.of(study)
    if not destination.is_dir():
        raise InputError(f"{destination}: no study lies there; `mitools study {study} --out DIR` begins one")
    return _open(study, destination)


def _open_own(study: Path, destination: Path, overwrite: bool) -> Any:
    """Open a study in a folder that holds nothing else."""
    from mitools.core.run_record import require_own

    folder = _open(study, destination)
    require_own(destination, "study", overwrite)
    return folder


def _open(study: Path, destination: Path) -> Any:
    from mitools.studies.definition import left_out, read_study
    from mitools.studies.folder import StudyFolder

    wanted = read_study(study)
    for name, why in left_out(wanted).items():
        note(f"left out: {name}; {why}")
    return StudyFolder(wanted, destination)


def _show_plan(folder: Any, json: bool) -> int:
    """List the cells, and estimate the time from the finished ones that measure the same."""
    found = list(folder.found())
    seconds: dict[str, list[float]] = {}
    for one in found:
        if one.state == "done":
            seconds.setdefault(one.cell.column, []).append(one.values["seconds"])
    means = {column: sum(values) / len(values) for column, values in seconds.items()}
    waiting = [one.cell for one in found if one.state in ("to do", "claimed")]
    known = [means[cell.column] for cell in waiting if cell.column in means]
    if json:
        cells = [one.cell._asdict() | {"state": one.state} for one in found]
        print_json({"cells": cells, "seconds_known": sum(known), "cells_unknown": len(waiting) - len(known)})
        return 0
    print_table(
        ["data", "encoder", "measure", "seed", "state"],
        [[one.cell.data, one.cell.encoder, one.cell.column, str(one.cell.seed), one.state] for one in found],
    )
    said = f"{len(waiting)} of {len(found)} cells to compute"
    if known:
        said += f"; {len(known)} of them take about {sum(known):,.0f} s, as finished ones like them did"
    if len(known) < len(waiting):
        said += (
            f"; {len(waiting) - len(known)} are of kinds that none is finished of, so their time is unknown"
        )
    err.print(said + "; features are extracted once an encoder and data set", markup=False)
    return 0


def _submit(
    recipe: Path,
    study: Path,
    destination: Path,
    retry_failed: bool,
    device: str,
    cache: Path | None,
    json: bool,
) -> int:
    from mitools.backends.engines.slurm import submit_commands

    command = ["study", "run", str(study.resolve()), "--out", str(destination.resolve()), "--device", device]
    command += ["--retry-failed"] if retry_failed else []
    command += ["--cache", str(cache.resolve())] if cache else []
    jobs = submit_commands(recipe, command, destination.resolve() / "jobs")
    if json:
        print_json({"jobs": jobs})
    else:
        out.print(f"submitted: {', '.join(jobs)}; see mitools study status", markup=False)
    return 0


def _show_results(found: Any, files: list[Path], destination: Path, json: bool) -> int:
    from mitools.report.tables.write import records

    failed = found.failures
    if json:
        print_json(
            {"results": records(found.table), "failed": records(failed), "files": list(map(str, files))}
        )
    else:
        _print_frame(found.table, destination / "results.csv")
        out.print()
        print_finding(found.finding)
        written(files, destination, "results.csv", "cells.csv")
        _print_failures(Counter(zip(failed["encoder"], failed["error"], strict=True)))
    if not json:
        name_page(files)
    return 1 if len(failed) else 0


def _print_frame(table: Any, file: Path | None) -> None:
    """Print a table with what differs from row to row first; what is empty everywhere is left out."""
    several = "data" in table and table["data"].nunique() > 1
    first = ["encoder", *(["data"] if several else []), "family"] if "encoder" in table else []
    last = [name for name in ("data", "seeds") if name in table and name not in first]
    middle = [name for name in table.columns if name not in (*first, *last)]
    names = [
        name for name in (*first, *middle, *last) if any(_number(v) not in ("-", "") for v in table[name])
    ]
    rows = [[_number(value) for value in row] for row in table[names].to_numpy(object)]
    print_table(_headers([str(name) for name in names]), rows, file=file)


def _headers(names: list[str]) -> list[str]:
    """Name columns in words; two that would be called alike keep their own names."""
    from mitools.report.html.columns import study_label

    labels = [study_label(name) for name in names]
    return [name if labels.count(label) > 1 else label for name, label in zip(names, labels, strict=True)]


def _number(value: Any) -> str:
    if value is None or value != value:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _print_failures(failures: Counter[tuple[str, str]]) -> None:
    for (encoder, why), count in failures.items():
        err.print(f"failed: {encoder}: {why} ({count} cells; --retry-failed tries again)", markup=False)
