"""``mitools encoders extract``: encode a data set once, here or on a cluster, and keep the features."""

from typing import Annotated, Literal

import typer

from mitools.cli.console import DeviceOption, EngineOption, JsonOption, SeedOption, out, print_json, progress
from mitools.cli.measuring.audit import CacheOption


def extract_command(
    spec: Annotated[str, typer.Argument(help="An encoder, as for `mitools audit`.")],
    data: Annotated[str, typer.Option(metavar="SPEC", help="Labelled data.")],
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    precision: Annotated[
        str, typer.Option(help="What the network computes in: float32, bf16 or float16.")
    ] = "float32",
    keep: Annotated[
        Literal["float32", "float16"], typer.Option(help="What features are kept as.")
    ] = "float32",
    batch_size: Annotated[int, typer.Option(help="Images a batch.", min=1)] = 256,
    workers: Annotated[int, typer.Option(help="Processes that decode images.", min=0)] = 0,
    cache: CacheOption = None,
    engine: EngineOption = None,
    json: JsonOption = False,
) -> None:
    """Encode every item and keep the features, which audits and studies then find.

    With --engine the data are divided over its workers, each of which reads them by itself and writes into
    the shared cache. A stopped extraction goes on with the shards that were finished. The seed says which
    items an encoder is fitted to that needs it (builtin:pca).
    """
    from functools import partial

    from mitools.backends.devices import resolve_device
    from mitools.backends.engines.open import engine_or_none
    from mitools.datasets.open import open_data
    from mitools.features.extract import PassOptions, extract_layers
    from mitools.features.shards import Pass, extract_on, open_encoder_spec
    from mitools.features.store import FeatureStore, default_root
    from mitools.measures.item_split import training_items

    store = FeatureStore(cache or default_root())
    asked = Pass(
        spec,
        spec,
        partial(open_data, data),
        partial(open_encoder_spec, spec),
        train=partial(training_items, seed=seed),
    )
    options: PassOptions = {
        "device": device,
        "batch_size": batch_size,
        "workers": workers,
        "precision": precision,
        "kept_as": keep,
    }
    with engine_or_none(engine, store.root / "jobs") as at_work, progress() as advance:
        if at_work is not None:
            for error in extract_on(at_work, [asked], store=store, options=options, advance=advance).values():
                raise error
        encoder, items, own = asked.open(options)
        if at_work is None:
            own["device"] = str(resolve_device(device))
        own["advance"] = advance
        found = extract_layers(encoder, items, store=store, **own)
    document = {
        layer: {
            "rows": len(features.values),
            "dim": features.values.shape[-1],
            "path": str(store.path(features.key)),
        }
        for layer, features in found.items()
    }
    if json:
        print_json(document)
        return
    for layer, kept in document.items():
        out.print(f"{layer}: {kept['rows']:,} rows of {kept['dim']:,} in {kept['path']}", markup=False)
