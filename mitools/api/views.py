"""What two views share, measured before anyone trains on them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mitools.api.arguments import Folder
from mitools.core.names import whole_number

if TYPE_CHECKING:
    from mitools.core.progress import Advance
    from mitools.results.views import ViewsResult


def measure_views(
    data: Any,
    views: str | Sequence[str],
    *,
    sweep: str | None = None,
    methods: str | Sequence[str] = ("infonce", "mine"),
    groups: Any = None,
    steps: int = 400,
    width: int = 16,
    embedding: int = 64,
    batch_size: int = 256,
    folds: int = 2,
    image_size: int | None = None,
    label: str | None = None,
    seed: int = 0,
    device: str = "auto",
    folder: Folder = None,
    html: bool = True,
    progress: "bool | Advance" = True,
    overwrite: bool = False,
) -> "ViewsResult":
    """Measure what two views share and what they say of the label, before anyone trains on them.

    For every pair I(v1;v2), I(v1;y), I(v2;y) and I(x;y) are read by small networks that are fitted to the
    views of some images and read on others, each image once: lower bounds, as far as networks of this size
    see. The columns ``up_to`` say what is not excluded: where the readings lead with more images, by fits to
    half of them; empty where no end is told. What follows is said in the words of Tian et al. 2020 (What
    Makes for Good Views), Sec. 3.2: *missing information*, *sweet spot*, *excess*, as far as the intervals
    allow.

    Parameters
    ----------
    data
        Labelled images, as :func:`audit` takes data.
    views
        ``"V1,V2"``, or ``"V"`` for two draws of one view; several pairs as a list. See :func:`list_views`.
    sweep
        ``"crop_area=0.08:1:6"``: every pair with this option of its views at each of these values.
    methods
        How I(v1;v2) is read: ``infonce`` (the fitted networks are the critic), and names of
        :func:`list_estimators`, fitted to what the networks embed. The first lower bound judges the regimes.
    groups
        Which images depend on each other, as for :func:`audit`; equal images are a group when None.
    steps, width, embedding, batch_size, folds
        Of the networks: see :class:`mitools.shared_information.settings.ViewSettings`.
    image_size
        Images are brought to this size; None for their own.
    label
        The column of labels of a DataFrame.
    seed
        Of everything random.
    device
        Where the networks are fitted.
    folder
        Write there what the command line writes, and go on from what was finished there.
    html
        Write the page ``report.html`` into the folder too.
    progress, overwrite
        As for :func:`audit`.

    Returns
    -------
    ViewsResult
        ``.table`` (one row a pair), ``.readings``, ``.finding`` in words, ``.plot()``, ``.save(folder)``.

    Raises
    ------
    InputError
        When a view, method or option is unknown, no method is a lower bound, or the data cannot be measured
        on.

    Examples
    --------
    >>> import mitools
    >>> data = "cdp?n=120&size=28&background=none&shared=color&partners=color"
    >>> found = mitools.measure_views(data, "image,partner:1", methods="infonce", steps=20, progress=False)
    >>> found.table["views"].tolist()  # one row a pair of views
    ['image, partner:1']
    """
    from dataclasses import asdict

    from mitools.backends.devices import resolve_device
    from mitools.core.errors import InputError
    from mitools.core.progress import shown, writing
    from mitools.core.run_record import results_folder, write_record
    from mitools.datasets.accepted import as_labelled_data
    from mitools.datasets.grouped import with_groups
    from mitools.results.views import ViewsResult
    from mitools.shared_information.measure import measure_view_pairs
    from mitools.shared_information.settings import ViewSettings
    from mitools.shared_information.view_pair import read_pair, read_sweep, swept

    named = [views] if isinstance(views, str) else list(views)
    if not named:
        raise InputError("no views are named; give one for two draws of it, or two as lab:l,lab:ab")
    pairs = [read_pair(one) for one in named] if sweep is None else swept(named, read_sweep(sweep))
    settings = ViewSettings(
        methods=(methods,) if isinstance(methods, str) else tuple(methods),
        folds=whole_number(folds, "folds"),
        steps=whole_number(steps, "steps"),
        batch_size=whole_number(batch_size, "batch_size"),
        width=whole_number(width, "width"),
        embedding=whole_number(embedding, "embedding"),
        seed=whole_number(seed, "seed"),
        device=str(resolve_device(device)),
    )
    with shown(progress) as advance, results_folder(folder, "views", overwrite) as out:
        labelled = as_labelled_data(data, label=label, advance=advance)
        labelled = labelled if groups is None else with_groups(labelled, groups)
        found = measure_view_pairs(
            labelled, pairs, out=out, settings=settings, image_size=image_size, advance=advance
        )
        if folder is not None:
            write_record(
                out,
                "views",
                seed=settings.seed,
                device=settings.device,
                data={labelled.name: labelled.digest},
                settings=asdict(settings),
            )
    result = ViewsResult(found)
    if folder is not None:
        with writing(progress):
            result.save(folder, html=html)
    return result
