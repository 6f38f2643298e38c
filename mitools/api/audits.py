"""Audits of encoders: the arguments, made into what an audit of classes or of other targets takes."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mitools.api.arguments import Folder, listed
from mitools.core.names import whole_number

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from mitools.backends.engines.base import Engine
    from mitools.core.progress import Advance
    from mitools.results.audit import AuditResult
    from mitools.results.target_audit import TargetAuditResult


def audit(
    encoders: Any,
    data: Any,
    *,
    groups: Any = None,
    test_data: Any = None,
    test_schedule: str | None = None,
    pairing: str | Sequence[str] = "same_class",
    views: int = 2,
    prior: str = "empirical",
    seed: int = 0,
    critic: bool = True,
    quick_critic: bool = False,
    trained_head: bool = False,
    control: bool = True,
    measures: str | Sequence[str] | None = None,
    complement: bool = False,
    similarity: str | Sequence[str] | None = None,
    layers: str | Sequence[str] | None = None,
    pool: str = "auto",
    preprocess: Callable[[Any], Any] | Mapping[str, Any] | None = None,
    label: str | Sequence[str] | None = None,
    target: Literal["class", "continuous", "multi-label"] | None = None,
    device: str = "auto",
    precision: str = "float32",
    keep: Literal["float32", "float16"] = "float32",
    batch_size: int = 256,
    workers: int | None = None,
    folder: Folder = None,
    html: bool = True,
    cache: Folder = None,
    progress: "bool | Advance" = True,
    overwrite: bool = False,
    engine: str | None = None,
) -> "AuditResult | TargetAuditResult":
    """Measure how much class information encoders carry, with a guarantee, and all it is compared with.

    Data are streamed, so that memory stays that of a few batches, and nothing is kept unless a folder is
    given. The same weights on the same items, in the same order, give the numbers of ``mitools audit`` to the
    last digit.

    Parameters
    ----------
    encoders
        One of these, several as a list, or several as a dict by name: a spec (``"timm:resnet50"``, see
        :func:`list_encoders`); a torch module; a function that maps a batch to (B, d), which may be a method
        of a module; an array, tensor or DataFrame (n, d), one row an item of the data; or what
        :func:`train` returned. A module runs in evaluation mode, on the device where it lies, and comes back
        as it was: mode, hooks, gradients, buffers, layout.
    data
        A spec (``"tar:images.tar"``, see :func:`list_datasets`); a torch Dataset of (item, label), or a
        DataLoader of them; ``(X, y)`` in arrays, tensors or lists; a DataFrame with a column of labels.
        Labels are numbers or names; classes are in the order of their numbers, or else of their names. A
        Dataset or DataLoader is read once more to learn its labels, in the order of the Dataset, each item
        once: shuffling does not matter.
    groups
        Shape (n,): which items depend on each other (frames of one clip, slides of one patient, crops of one
        image), as numbers or names, or the path of a file of them: none of a group is held out from the
        others, and errors are those of groups. A spec names its own: ``folder:images?groups=clips.csv``.
    test_data
        Items of the same classes, in the forms of `data`, such as the official test part: a linear classifier
        fitted to all of `data` is read on them (``linear_test_acc``). All other columns are of `data` alone.
    test_schedule
        ``imsvd``, ``places205`` or ``cmc``: on `test_data`, also read a linear classifier trained by SGD as
        that paper trains it (``sgd_test_acc``).
    pairing
        ``same_class``, and views whose pairs are measured as well: ``["same_class", "simclr?strength=0.5"]``.
    views
        Draws of each view an image, then.
    prior
        The class distribution that is meant: ``empirical`` or ``uniform``.
    seed
        Of the split, the critics and the views.
    critic
        Fit an InfoNCE critic beside the certificate: most of the time, once encoded.
    quick_critic
        Fit smaller critics in fewer steps: a fifth of the time, lower bounds all the same.
    trained_head
        For ``run:`` encoders, fit a critic that starts from the projection head too.
    control
        Compare every trained network with a copy of its architecture untrained.
    measures
        Further measures, by the names of :func:`list_measures`; ``quick``, which takes seconds at 10,000
        items, or ``all``; or groups such as ``spectrum``, ``neural_collapse`` and ``discrete`` (entropies and
        dependence of discrete variables, a run's own where it has them, columns in equal-mass bins
        otherwise). `mitools guide measures` says what each is.
    complement, similarity
        With a folder, write there too what every encoder adds to every other, and how alike they are:
        ``linear_cka``, ``rbf_cka``, ``svcca``, ``procrustes``, ``mutual_neighbours``. In memory,
        ``.complement()`` and ``.similarity()`` of the result read them when they are called.
    layers, pool
        ``"all"``, or names as ``named_modules`` has them: read these layers, one row each, of every encoder
        whose spec does not name its own. `pool` says how a layer becomes one row an item: ``auto``, ``mean``,
        ``cls`` or ``flatten``.
    preprocess
        How PIL images (and uint8 pixels) become the input of modules and functions: a function of a PIL image
        such as a torchvision transform, or options as specs have them (``image_size``, ``mean``, ``std``,
        ...). When None, images keep their size and are normalised by ImageNet's mean and std. A float tensor
        of a Dataset goes into the module as it is. Specs bring their own preprocessing, and read images only.
    label
        The column of labels of a DataFrame, or several; ``label`` or ``labels`` when None.
    target
        What labels in memory are: ``class``, ``continuous`` or ``multi-label``; recognised, and told, when
        None: numbers with fractions are continuous targets, rows of 0 and 1 several labels an item. A spec
        says it itself (``csv:images.csv?label=age&target=continuous``). For what is no class the audit reads
        other measures: `mitools guide data`.
    device
        Where encoders of specs run and critics are fitted: ``auto``, ``cpu``, ``cuda`` or ``mps``.
    precision, keep
        What networks compute in (``float32``, ``bf16``, ``float16``), and what features are kept as.
    batch_size
        Items in work at a time.
    workers
        Processes that read items; those of a DataLoader, or none, when None.
    folder
        Write there what the command line writes, and go on from what an earlier audit has finished there.
    html
        Write the page ``report.html`` into the folder too.
    cache
        Keep features there: encoders seen before, by their weights, are not run again. Plain functions are
        run at every call, and so are networks whose `preprocess` is one.
    progress
        Show a bar where there is a terminal or a notebook; or a function (what, done, total).
    overwrite
        Whether `folder` may hold other files than those of an earlier audit, or one of other data: files of
        the same names are then replaced. Without, an audit of the same data and seed adds its rows to those
        that lie there.
    engine
        Where encoders run and are measured: ``local?workers=2``, ``dask:ADDRESS``, ``slurm:FILE.yaml``, see
        :func:`mitools.backends.engines.open.open_engine`; in this process when None. Its workers open data
        and encoders by themselves, so that both are specs, and share `folder` and `cache` with this process.

    Returns
    -------
    AuditResult
        ``.table`` (one row an encoder or layer), ``.comparisons``, ``.correlation``, ``.estimates``,
        ``.plot(name)``, ``.save(folder)``. Of continuous targets, or several labels an item, a
        TargetAuditResult: the same, and ``.targets``, one row an encoder and target.

    Raises
    ------
    InputError
        When encoders or data are of another kind, no encoder could be audited, or the engine does not answer;
        when fewer than two are given, or are left, to be compared. One encoder's error is kept in
        ``.failures`` while others succeed.
    mitools.core.errors.EngineLostError
        When the engine has gone; the same call goes on with what was finished.

    Examples
    --------
    >>> import numpy as np, torch, mitools
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(0, 3, 300)
    >>> X = 3 * np.eye(3)[y] + rng.standard_normal((300, 3))
    >>> net = torch.nn.Linear(3, 8).train()
    >>> audit = mitools.audit({"net": net, "rows": X}, (X, y), critic=False, progress=False)
    >>> audit.table["encoder"].tolist(), audit.table["dim"].tolist(), net.training
    (['net', 'rows'], [8, 3], True)
    >>> len(audit.comparisons)  # every two encoders, with paired intervals
    1
    """
    from mitools.api.class_audits import audit_classes, save_with_comparisons
    from mitools.api.target_audits import audit_targets
    from mitools.auditing.requests import LayerChoice, as_requests
    from mitools.auditing.settings import AuditSettings
    from mitools.auditing.spread import AuditedData
    from mitools.backends.devices import resolve_device
    from mitools.backends.precision import require_precision
    from mitools.comparing.encoder_set import require_several
    from mitools.comparing.similarity import check_similarities
    from mitools.core.files import folder_or_scratch
    from mitools.core.progress import shown, writing
    from mitools.core.run_record import results_folder
    from mitools.datasets.accepted import as_labelled_data
    from mitools.datasets.grouped import with_groups
    from mitools.datasets.targets import targets_of
    from mitools.features.store import FeatureStore

    if similarity:
        check_similarities(listed(similarity))
    pairings = dict.fromkeys(listed(pairing))
    requests = as_requests(encoders, preprocess, LayerChoice(layers, pool))
    if complement or similarity:
        require_several(len(requests), "complement" if complement else "similarity")
    where = device
    if engine is None:
        where = str(resolve_device(device))
        require_precision(precision, resolve_device(device))
    place = results_folder(folder, "audit", overwrite)
    started = _engine(engine, folder, cache, data, groups, test_data)
    with started as at_work, shown(progress) as advance, place as out, folder_or_scratch(cache) as kept:
        labelled = as_labelled_data(data, label=label, target=target, workers=workers, advance=advance)
        own_workers = getattr(labelled, "workers", 0)
        if groups is not None:
            labelled = with_groups(labelled, groups)
        tested = None
        if test_data is not None:
            of_test = None if isinstance(test_data, str) else label
            tested = as_labelled_data(test_data, label=of_test, workers=workers, advance=advance)
        settings = AuditSettings(
            view_pairings=tuple(name for name in pairings if name != "same_class"),
            views=whole_number(views, "views", 2),
            prior=prior,
            seed=whole_number(seed, "seed"),
            critic=critic,
            quick_critic=quick_critic,
            trained_head=trained_head,
            control=control,
            further_measures=tuple(dict.fromkeys(listed(measures))),
            test_schedule=test_schedule,
            precision=precision,
            kept_as=keep,
            device=where,
            batch_size=whole_number(batch_size, "batch_size", 1),
            workers=own_workers if workers is None else whole_number(workers, "workers"),
        )
        store, keep_rows = FeatureStore(kept), folder is not None
        if targets_of(labelled) is not None:
            refused = {"test_data": test_data is not None, "complement": complement,
                       "test_schedule": test_schedule is not None,
                       "similarity": bool(similarity), "engine": engine is not None}  # fmt: skip
            of_targets = audit_targets(
                labelled, requests, settings, out=out, keep=keep_rows, store=store, overwrite=overwrite,
                refused=refused, advance=advance,
            )  # fmt: skip
            if folder is not None:
                with writing(advance):
                    of_targets.save(folder, html=html)
            return of_targets
        spread = None
        if at_work is not None:
            spread = (at_work, AuditedData(data, None if groups is None else Path(groups), test_data))
        result = audit_classes(
            labelled, requests, settings, test=tested, out=out, keep=keep_rows, store=store,
            overwrite=overwrite, spread=spread, advance=advance,
        )  # fmt: skip
    if folder is not None:
        save_with_comparisons(result, Path(folder), html, complement, listed(similarity), progress)
    return result


def _engine(
    engine: str | None, folder: Folder, cache: Folder, data: Any, groups: Any, test_data: Any
) -> "AbstractContextManager[Engine | None]":
    """Open the engine of an audit, once its workers can read by themselves what it is of."""
    from mitools.backends.engines.open import open_engine
    from mitools.core.errors import InputError

    if engine is None:
        return nullcontext()
    if folder is None or cache is None:
        raise InputError(f"engine {engine}: name folder= and cache=, which its workers share")
    named = {"data": data, "test_data": test_data, "groups": groups}
    for what, given in named.items():
        if given is not None and not isinstance(given, str | PathLike):
            raise InputError(
                f"engine {engine}: {what} lies in memory, and workers read by themselves; name it as on the"
                " command line, or leave the engine out"
            )
    return open_engine(engine, Path(folder) / "jobs")
