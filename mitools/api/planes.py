"""Information planes of a run or of encoders in order of time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mitools.api.arguments import Folder
from mitools.core.names import whole_number

if TYPE_CHECKING:
    from mitools.core.progress import Advance
    from mitools.results.plane import PlaneResult


def information_plane(
    run: Any,
    data: Any = None,
    *,
    layers: str | Sequence[str] = "all",
    methods: Sequence[str] | None = None,
    bins: int = 30,
    bin_range: tuple[float, float] | None = None,
    noise: float = 0.1,
    steps: int = 10_000,
    hidden: int = 1024,
    seed: int = 0,
    device: str = "auto",
    batch_size: int = 256,
    workers: int = 0,
    folder: Folder = None,
    html: bool = True,
    cache: Folder = None,
    progress: "bool | Advance" = True,
    overwrite: bool = False,
) -> "PlaneResult":
    """Read I(X;T) and I(T;Y) of every layer at every kept checkpoint.

    For a deterministic network I(X;T) of a continuous layer is infinite: the column ``measures`` and every
    figure say what a finite number measures.

    Parameters
    ----------
    run
        A run: its folder, its spec ``run:DIR``, or what :func:`train` returned. Or a list of encoder specs,
        in order of time.
    data
        What the network is made for, as :func:`audit` takes data; or several by name, of which ``source`` is
        that, and the others are targets. The data that a run was trained on when None.
    layers
        Names, or ``all``.
    methods
        ``certificate``, ``mine``, ``infonce``, ``ksg``, ``binned``, ``kolchinsky_tracey``, ``ctc``; all but
        ``mine`` and ``ctc`` when None.
    bins, bin_range
        Of ``binned``: bins a unit, and where they begin and end (the run's smallest and largest value).
    noise
        Of ``kolchinsky_tracey``: the variance of the noise.
    steps, hidden
        Of ``ctc``: steps and width of its critics.
    seed, device, batch_size, workers, folder, html, cache, progress, overwrite
        As for :func:`audit`.

    Returns
    -------
    PlaneResult
        ``.table``, ``.plot(name)``, ``.save(folder)``.

    Raises
    ------
    InputError
        When there is no such run, a method or layer is unknown, or nothing could be measured.

    Examples
    --------
    >>> import mitools
    >>> plane = mitools.information_plane(
    ...     ["timm:test_resnet.r160_in1k?pretrained=no&image_size=32"], "digits?limit=100",
    ...     layers=["output"], methods=["binned"], progress=False)
    >>> plane.table["quantity"].tolist(), plane.table["layer"].unique().tolist()
    (['I(T;Y)', 'I(X;T)'], ['output'])
    """
    from dataclasses import asdict

    from mitools.backends.devices import resolve_device
    from mitools.core.files import folder_or_scratch
    from mitools.core.progress import shown, writing
    from mitools.core.run_record import digests, results_folder, write_record
    from mitools.datasets.accepted import as_labelled_data
    from mitools.features.store import FeatureStore
    from mitools.plane.checkpoints import checkpoints_and_data
    from mitools.plane.measure import measure_plane
    from mitools.plane.methods import DEFAULT_METHODS, require_methods
    from mitools.plane.settings import PlaneSettings
    from mitools.results.plane import PlaneResult

    chosen = list(DEFAULT_METHODS) if methods is None else list(methods)
    require_methods(chosen)
    settings = PlaneSettings(
        bins=bins,
        bin_range=bin_range,
        noise_variance=noise,
        protocol_steps=steps,
        protocol_hidden=hidden,
        seed=whole_number(seed, "seed"),
        device=str(resolve_device(device)),
        batch_size=whole_number(batch_size, "batch_size", 1),
        workers=workers,
    )
    checkpoints, named, trained_on = checkpoints_and_data(getattr(run, "spec", run), data)
    place = results_folder(folder, "plane", overwrite)
    with shown(progress) as advance, place as out, folder_or_scratch(cache) as kept:
        opened = {name: as_labelled_data(one, advance=advance) for name, one in named.items()}
        found = measure_plane(
            checkpoints,
            opened,
            out=out,
            store=FeatureStore(kept),
            layers=layers,
            methods=chosen,
            settings=settings,
            trained_on=trained_on,
            advance=advance,
        )
        if folder is not None:
            encoders = [one.encoder for one in checkpoints]
            write_record(
                out,
                "plane",
                seed=settings.seed,
                device=settings.device,
                data=digests(opened),
                encoders=encoders,
                settings=asdict(settings),
            )
    result = PlaneResult(found, trained_on)
    if folder is not None:
        with writing(progress):
            result.save(folder, html=html)
    return result
