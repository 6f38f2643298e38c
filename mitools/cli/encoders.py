"""``mitools encoders``: what an encoder is, what was loaded into it, and writing it for other libraries."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mitools.cli.console import (
    DeviceOption,
    JsonOption,
    SeedOption,
    err,
    out,
    print_json,
    print_table,
    progress,
)
from mitools.cli.extraction import extract_command
from mitools.cli.measuring.audit import CacheOption
from mitools.cli.measuring.estimates import bits
from mitools.cli.terminal.command import Command, Group
from mitools.cli.terminal.listing import PatternArgument, print_list

app = typer.Typer(
    help="Look at encoders, encode data, and write encoders for other libraries.",
    cls=Group,
    rich_markup_mode=None,
)

app.command("extract", cls=Command)(extract_command)

Library = Literal["torchvision", "timm", "detectron2", "safetensors", "onnx", "torchscript"]


@app.command("list", cls=Command)
def list_command(pattern: PatternArgument = "*", json: JsonOption = False) -> int:
    """List encoder specs: the pretrained networks of timm and torchvision, and what others look like.

    Words in capitals stand for your own.
    """
    with progress():  # while timm and torchvision are imported
        from mitools.lists import list_encoders

        found = list_encoders(pattern)
    return print_list([[spec] for spec in found], ["encoder"], pattern, json)


@app.command("export", cls=Command)
def export_command(
    spec: Annotated[str, typer.Argument(help="An encoder of images: run:DIR, checkpoint:..., timm:NAME.")],
    library: Annotated[Library, typer.Option("--as", help="Whose file is written.")],
    out_path: Annotated[Path, typer.Option("--out", help="A new file, with the library's ending.")],
    json: JsonOption = False,
) -> None:
    """Write an encoder into a file of another library; it is kept only if it gives the same features."""
    with progress():  # while torch is imported
        from mitools.encoders.export.export import export_encoder
        from mitools.encoders.open import open_encoder

        found = export_encoder(open_encoder(spec), out_path, library)
    if json:
        print_json(asdict(found) | {"path": str(found.path)})
        return
    _print_lines(
        {
            "written": str(found.path),
            "as": found.format if found.network is None else f"{found.format}'s {found.network}",
            "features": f"{found.features}, read back to within {found.difference:.1g}"
            f" on images of {found.image_size}x{found.image_size}",
            "preprocessing": found.preprocess,
            "read by": found.read_by,
        }
    )


@app.command("inspect", cls=Command)
def inspect_command(
    spec: Annotated[str, typer.Argument(help="An encoder: checkpoint:weights.pth?arch=cifar_resnet20.")],
    data: Annotated[
        str | None,
        typer.Option(metavar="SPEC", help="Labelled data: compares the encoder with its untrained twin."),
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    cache: CacheOption = None,
    json: JsonOption = False,
) -> None:
    """Print what was loaded, how items are prepared, and every layer with its shape."""
    with progress():  # while torch is imported
        from mitools.backends.devices import resolve_device
        from mitools.datasets.open import open_data
        from mitools.encoders.open import open_encoder
        from mitools.features.store import FeatureStore, default_root
        from mitools.measures.settings import MeasureSettings

        encoder = open_encoder(spec)
        items = None if data is None else open_data(data)
        document = _description(encoder, items)
    if items is not None:
        settings = MeasureSettings(seed=seed, device=str(resolve_device(device)))
        document["control"] = _control(encoder, items, settings, FeatureStore(cache or default_root()))
    if json:
        print_json(document)
    else:
        _print(document)


def _description(encoder: Any, items: Any) -> dict[str, Any]:
    from mitools.encoders.encoder import Encoder
    from mitools.encoders.layers.inspection import inspect_layers
    from mitools.encoders.sources.precomputed import PrecomputedFeatures

    document: dict[str, Any] = {key: getattr(encoder, key) for key in ("spec", "name", "source", "digest")}
    if isinstance(encoder, PrecomputedFeatures):
        rows, width = encoder.rows.features.shape
        return document | {"rows": rows, "dim": width, "classes": len(encoder.rows.classes)}
    document["preprocess"] = encoder.preprocess.key
    if not isinstance(encoder, Encoder):
        return document | {"dim": encoder.k, "fitted": "to the training items of the data it is used on"}
    found = inspect_layers(encoder, items)
    report = encoder.load_report
    return document | {
        "preprocess_from": encoder.preprocess_from,
        "gives": list(encoder.layers),
        "load_report": report.to_dict() if report else None,
        "item": found.item,
        "layers": [asdict(layer) for layer in found.layers],
    }


def _control(encoder: Any, data: Any, settings: Any, store: Any) -> dict[str, Any] | None:
    """Compare every layer with that of the untrained twin, on the same items; None where there is no twin."""
    import numpy as np

    from mitools.auditing.row import columns
    from mitools.core.progress import uncounted
    from mitools.datasets.selection import require_classes
    from mitools.estimators.inputs.splits import SMALLEST_CLASS
    from mitools.features.extract import extract_layers
    from mitools.measures.compute import measure
    from mitools.measures.control import control_of
    from mitools.measures.item_split import split_items
    from mitools.measures.representation import Representation

    control = control_of(encoder, data, settings.seed)
    if control is None:
        return None
    require_classes(control.data, SMALLEST_CLASS)
    with progress() as advance, uncounted(advance):
        own, untrained = (
            extract_layers(network, control.data, store=store, device=settings.device, advance=advance)
            for network in (encoder, control.twin)
        )
    parts = split_items(control.data, settings.seed)
    everything = np.arange(len(control.data))
    document = {}
    for layer in encoder.layers:
        both = Representation.of_features(
            own[layer], parts, untrained=untrained[layer], untrained_items=everything
        )
        found = measure(["control_i_class", "control_gain"], both, settings)
        document[layer] = {
            "estimates": {name: estimate.to_dict() for name, estimate in found.estimates.items()},
            "metrics": columns("control_gain", found["control_gain"]),
            "warnings": found.warnings,
        }
    return document


def _print(document: dict[str, Any]) -> None:
    lines = {
        "encoder": document["name"],
        "source": document["source"],
        "digest": document["digest"],
        "preprocessing": document.get("preprocess"),
        "taken from": document.get("preprocess_from"),
        "fitted": document.get("fitted"),
        "gives": ", ".join(document.get("gives", [])) if document.get("gives") != ["output"] else None,
        "rows": document.get("rows"),
        "classes": document.get("classes"),
        "dimensions": document.get("dim"),
    }
    _print_lines(lines)
    if document.get("load_report"):
        out.print()
        _print_report(document["load_report"])
    if document.get("layers"):
        out.print()
        print_table(
            ["layer", "module", "output", "parameters"],
            [
                [
                    layer["name"],
                    layer["kind"],
                    "-" if layer["shape"] is None else "x".join(map(str, layer["shape"])),
                    f"{layer['parameters']:,}",
                ]
                for layer in document["layers"]
            ],
            title=f"layers, for {document['item']}",
        )
    if "control" in document:
        out.print()
        _print_control(document["control"])


def _print_control(control: dict[str, Any] | None) -> None:
    if control is None:
        out.print("control: none, since nothing in this encoder was trained")
        return
    for layer, found in control.items():
        untrained, gain = found["estimates"]["control_i_class"], found["metrics"]
        own = untrained["bits"] + gain["control_gain_bits"]
        interval = f"{bits(gain['control_gain_low'])} to {bits(gain['control_gain_high'])}"
        out.print(
            f"control: {layer} certifies {bits(own)} bits of the class, the same network untrained "
            f"{bits(untrained['bits'])}; {bits(gain['control_gain_bits'])} more, 95% interval {interval}",
            markup=False,
        )
        if found["warnings"]["control"]:
            err.print(
                f"no better than untrained: {layer} certifies no more than with random weights", markup=False
            )


def _print_report(report: dict[str, Any]) -> None:
    normalisation = report["normalisation"]
    if normalisation:
        mean, std = (", ".join(map(str, normalisation[key])) for key in ("mean", "std"))
        normalised = f"mean {mean}, std {std} ({normalisation['where']})"
    else:
        normalised = "none in the file: assumed"
    set_aside = [f"{key} ({why})" for key, why in report["set_aside"]]
    _print_lines(
        {
            "file": report["path"],
            "SHA-256": report["file_digest"],
            "format": f"{report['format']} ({report['container']})",
            "weights under": " > ".join(filter(None, [*report["nesting"], report["prefix"]])) or "top level",
            "place chosen": report["place_reason"],
            "weights": _choice(report),
            "numbered parts": ", ".join(report["renamed"]),
            "matched": f"{_share(report, 'tensors', 'tensors')}, {_share(report, 'parameters', 'numbers')}",
            "set aside": "; ".join(set_aside) or "nothing",
            "not made": ", ".join(report["replaced"]),
            "normalisation": normalised,
            "weights digest": report["weights_digest"],
        }
    )


def _choice(report: dict[str, Any]) -> str | None:
    if report["weights_choice"] is None:
        return None
    there = ", ".join(report["choices_available"])
    return f"{report['weights_choice']} ({report['weights_reason']}; the file has {there})"


def _share(report: dict[str, Any], what: str, called: str) -> str:
    matched, expected = report[f"{what}_matched"], report[f"{what}_expected"]
    return f"{matched:,} of {expected:,} {called} ({matched / expected:.0%})"


def _print_lines(lines: dict[str, Any]) -> None:
    width = max(map(len, lines)) + 2
    for name, value in lines.items():
        if value is not None and value != "":
            out.print(f"{name:<{width}}{value}", markup=False)
