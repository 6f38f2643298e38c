"""``mitools datasets``: look at what a generator makes, and write data sets out as files."""

from pathlib import Path
from typing import Annotated

import typer

from mitools.cli.console import JsonOption, out, print_json, print_table, progress
from mitools.cli.terminal.command import Command, Group
from mitools.cli.terminal.listing import PatternArgument, print_list

app = typer.Typer(help="Look at data sets and write them out.", cls=Group, rich_markup_mode=None)


@app.command("list", cls=Command)
def list_command(pattern: PatternArgument = "*", json: JsonOption = False) -> int:
    """List the sources of data, each by an example."""
    from mitools.datasets.sources import DATA_SOURCES
    from mitools.lists import list_datasets

    what = {source.example: source.what for source in DATA_SOURCES.values()}
    rows = [[example, what[example]] for example in list_datasets(pattern)]
    return print_list(rows, ["for example", "what it is"], pattern, json)


@app.command("preview", cls=Command)
def preview_command(
    spec: Annotated[
        str,
        typer.Argument(help="cdp, colorful_moving_mnist, scenes or known_mi, with options: cdp?size=96."),
    ],
    out_path: Annotated[Path, typer.Option("--out", help="The picture to write (PNG).")],
    columns: Annotated[int, typer.Option(help="Pairs or scenes in a row, or clips.", min=1, max=32)] = 4,
    json: JsonOption = False,
) -> None:
    """Draw a labelled contact sheet: pairs, clips or scenes, with what they share and the bits."""
    from mitools.core.files import whole_file
    from mitools.datasets.output.preview import preview

    sheet, bits = preview(spec, columns)
    with whole_file(out_path) as temporary:
        sheet.save(temporary, format="PNG", optimize=True)
    if json:
        print_json({"spec": spec, "sheet": str(out_path), "shared": bits})
        return
    measures = list(next(iter(bits.values())))
    rows = [[name, *(f"{values[measure]:.3f}" for measure in measures)] for name, values in bits.items()]
    print_table(["shared", *(measure.replace("_", " ") for measure in measures)], rows)
    out.print(f"sheet: {out_path}", markup=False)


@app.command("export", cls=Command)
def export_command(
    spec: Annotated[str, typer.Argument(help="Any image data, for example cdp?shared=color&n=1000.")],
    out_path: Annotated[
        Path, typer.Option("--out", help="A folder to make, or a file that ends in .safetensors.")
    ],
    modalities: Annotated[
        str, typer.Option(help="What else to write into a .safetensors file: depth,normals,segmentation.")
    ] = "",
    json: JsonOption = False,
) -> None:
    """Write a data set as a folder of PNG files with labels.csv, or as one safetensors file."""
    from functools import partial

    from mitools.core.errors import InputError
    from mitools.datasets import open_data
    from mitools.datasets.output.export import export_folder, export_safetensors

    named = modalities.split(",") if modalities else []
    to_file = out_path.suffix == ".safetensors"
    if named and not to_file:
        raise InputError(f"--modalities {modalities}: a folder holds images alone; name a .safetensors file")
    data = open_data(spec)
    write = partial(export_safetensors, modalities=named) if to_file else export_folder
    with progress() as advance:
        write(data, out_path, advance)
    document = {
        "spec": spec,
        "out": str(out_path),
        "n": len(data),
        "classes": len(data.classes),
        "digest": data.digest,
    }
    if json:
        print_json(document)
    else:
        out.print(f"{len(data)} images of {len(data.classes)} classes: {out_path}", markup=False)
