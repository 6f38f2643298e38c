"""``mitools train``: an encoder, by one of the papers' methods, or one of your own."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from mitools.cli.console import (
    DeviceOption,
    JsonOption,
    OverwriteOption,
    err,
    note,
    out,
    print_json,
    progress,
    written,
)


def train(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE.yaml", help="What to train, on what, how.")],
    destination: Annotated[Path, typer.Option("--out", help="The run's folder.")],
    device: DeviceOption = "auto",
    precision: Annotated[str, typer.Option(help="float32, tf32 or bf16.")] = "float32",
    compiled: Annotated[bool, typer.Option("--compile", help="Compile the network (torch.compile).")] = False,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="Threads on a CPU.", show_default="OMP_NUM_THREADS, or as measured"),
    ] = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> int:
    """Train an encoder; a stopped run goes on where its last epoch ended.

    The run is then an encoder: ``run:DIR``, or ``run:DIR@epoch=N``. Several processes or machines share a
    run through ``accelerate launch --module mitools train ...``; the recipe stays the same.
    """
    with progress() as advance:  # shown before the seconds that the imports take
        from mitools.backends.runtime import Runtime
        from mitools.core.recipes import read_recipe
        from mitools.training.loop.run_folder import RunFolder
        from mitools.training.loop.trainer import NotFiniteError
        from mitools.training.loop.trainer import train as run
        from mitools.training.recipes import TrainingRecipe

        wanted = read_recipe(recipe, TrainingRecipe)
        RunFolder(destination).require_own(overwrite)
        runtime = Runtime(device, precision, compiled, threads)
        try:
            folder = run(wanted, destination, runtime, advance if runtime.is_main else None)
        except NotFiniteError as error:
            err.print(f"error: {error}", markup=False)
            return 1
    runtime.close()
    if not runtime.is_main:
        return 0
    records = folder.metrics()
    last = records[-1] if records else {}
    if json:
        print_json({"run": str(destination), "epochs": folder.epochs(), "last": last})
        return 0
    epochs = f"{wanted.epochs} epoch{'s' if wanted.epochs != 1 else ''}"
    out.print(f"trained by {wanted.method} for {epochs}; the encoder is run:{destination}", markup=False)
    if "in_training_bits" in last:
        out.print(
            f"in-training estimate {last['in_training_bits']:.3f} bits (in-sample; its ceiling is"
            f" {last['ceiling_bits']:.3f}); audit the run for a held-out one",
            markup=False,
        )
    files = [path for path in destination.rglob("*") if path.is_file()]
    written(files, destination, "metrics.jsonl", "recipe.yaml")
    # Of lines that a shell takes for one: folded between words it could not be pasted.
    data, encoder = shlex.quote(wanted.data), shlex.quote(f"run:{destination}")
    note(f"next: mitools audit --data {data} \\\n    --encoder {encoder}")
    return 0
