"""``mitools run``: a question of the papers, from training to figure."""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from mitools.cli.console import (
    DeviceOption,
    HtmlOption,
    JsonOption,
    OverwriteOption,
    err,
    name_page,
    print_finding,
    print_json,
    print_table,
    progress,
    written,
)


def run_analysis(
    name: Annotated[
        str | None, typer.Argument(metavar="ANALYSIS", help="One of those that --list names.")
    ] = None,
    scale: Annotated[
        Literal["smoke", "paper"],
        typer.Option(help="smoke: minutes on a laptop; paper: the paper's scale, for GPUs."),
    ] = "smoke",
    destination: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for everything.", show_default="mitools-ANALYSIS"),
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option(metavar="FILE.yaml", help="Another recipe than the scale's.")
    ] = None,
    device: DeviceOption = "auto",
    precision: Annotated[str, typer.Option(help="float32, tf32 or bf16; for training.")] = "float32",
    show: Annotated[bool, typer.Option("--list", help="List the analyses, and do nothing.")] = False,
    html: HtmlOption = True,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> int:
    """Run an analysis of the papers: train what it needs, measure it, and say what was found.

    Writes results.csv, the figure and reading.txt. What was finished is kept: a stopped analysis goes on
    from there.
    """
    from mitools.analyses.registry import ANALYSES, recipe_path
    from mitools.core.errors import InputError
    from mitools.core.names import nearest

    if show:
        return _list(json)
    if name not in ANALYSES:
        given = (
            f"there is no analysis {name!r}; nearest: {nearest(name, ANALYSES)}"
            if name
            else "name an analysis"
        )
        raise InputError(f"{given}; `mitools run --list` says what each asks")
    from mitools.core.progress import tell_usual, uncounted

    analysis, where = ANALYSES[name], destination or Path(f"mitools-{name}")
    with progress() as advance, uncounted(advance):  # of runs, measurements and more
        if scale == "smoke" and recipe is None and analysis.smoke_seconds is not None:
            tell_usual(advance, analysis.smoke_seconds, "two idle cores")
        from mitools.backends.runtime import Runtime
        from mitools.core.recipes import read_recipe
        from mitools.core.run_record import require_own, write_record
        from mitools.report.html.analysis_page import analysis_page
        from mitools.report.html.render import page_of_folder
        from mitools.report.tables.write import records
        from mitools.training.loop.trainer import NotFiniteError

        wanted = read_recipe(recipe or recipe_path(name, scale), analysis.recipe)
        require_own(where, f"run {name}", overwrite)
        runtime = Runtime(device, precision)
        if runtime.is_main:
            settings = wanted.model_dump(mode="json")
            write_record(where, f"run {name}", device=str(runtime.device), scale=scale, settings=settings)
        try:
            found = analysis.run(wanted, where, advance if runtime.is_main else None, runtime)
        except NotFiniteError as error:
            err.print(f"error: {error}", markup=False)
            return 1
        if found is None:
            return 0
        page = partial(analysis_page, name=str(name), question=analysis.what, files=found.files)
        files = [*found.files, *page_of_folder(page, where, html)]
    if json:
        print_json(
            {
                "analysis": name,
                "reading": found.reading,
                "results": records(found.table),
                "files": [str(path) for path in files],
            }
        )
    else:
        print_finding(found.reading)
        written(files, where, *(path.name for path in files if path.suffix in (".csv", ".png")))
    if not json:
        name_page(files)
    return 0


def _list(json: bool) -> int:
    from mitools.analyses.registry import ANALYSES

    if json:
        print_json(
            {
                name: {"what": one.what, "smoke": one.smoke, "paper": one.paper}
                for name, one in ANALYSES.items()
            }
        )
        return 0
    print_table(
        ["analysis", "question", "smoke, 2 cores", "paper, 1 GPU"],
        [[name, one.what, one.smoke, one.paper] for name, one in ANALYSES.items()],
    )
    return 0
