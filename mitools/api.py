"""The front door: what ``import mitools`` offers. Every function imports what it needs when it is called."""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mitools.core.whole_number import whole_number as _whole

if TYPE_CHECKING:
    from mitools.core.estimate import Estimate
    from mitools.core.progress import Advance
    from mitools.encoders.export.export import Exported
    from mitools.estimators.base import MIEstimator
    from mitools.results.audit import AuditResult
    from mitools.results.calibration import CalibrationResult
    from mitools.results.certificate import Certificate
    from mitools.results.correlation import CorrelationResult
    from mitools.results.plane import PlaneResult
    from mitools.results.study import StudyResult
    from mitools.results.training import TrainedRun
    from mitools.results.views import ViewsResult
    from mitools.studies.definition import Study
    from mitools.training.recipes import TrainingRecipe

Folder = str | Path | None


def mutual_information(
    x: Any,
    y: Any,
    method: "str | MIEstimator" = "auto",
    *,
    groups: Any = None,
    block: int | None = None,
    x_as: str | None = None,
    y_as: str | None = None,
    seed: int = 0,
    device: str = "cpu",
    **settings: Any,
) -> "Estimate":
    """Estimate the mutual information of paired rows, I(X;Y).

    Parameters
    ----------
    x, y
        n rows of numbers (n, d) or (n,), or n labels; row i of `x` belongs to row i of `y`. Arrays, tensors
        (on any device, with gradients), DataFrames, Series or lists.
    method
        One of :func:`list_estimators`, or an estimator object. ``auto`` takes what suits `x` and `y`, and
        says why in ``estimate.settings["because"]``.
    groups
        Shape (n,): which rows know each other, as for :func:`certify`.
    block
        For series, rows in the order of time: after how many rows they hardly know of each other any more. Of
        the closed forms and ``auto``; see ``mitools guide rows``.
    x_as, y_as
        What ``auto`` takes x and y for: ``numbers``, ``labels`` or ``symbols`` (without order: ids). When
        None it looks at them, and says in ``estimate.settings["x"]`` and ``["x_because"]`` what it found.
    seed
        Of everything random.
    device
        Where neural critics are fitted: ``cpu``, ``cuda``, ``mps`` or ``auto``.
    **settings
        Of the method, by the names that its class has; ``k=5`` of ``ksg``.

    Returns
    -------
    Estimate
        The number in bits and nats, with its kind, interval, ceiling, null and warnings.

    Raises
    ------
    InputError
        When the method or a setting is unknown, or `x` and `y` are not what it reads.

    Examples
    --------
    >>> import numpy as np, mitools
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal(2000)
    >>> y = 0.75 * x + np.sqrt(1 - 0.75**2) * rng.standard_normal(2000)  # truth: 0.60 bits
    >>> estimate = mitools.mutual_information(x, y)
    >>> estimate.settings["chosen"], estimate.kind, abs(estimate.bits - 0.60) < 0.08
    ('ksg', 'point estimate', True)
    >>> mitools.mutual_information(x, y, "ksg", k=5).settings["k"]
    5
    """
    from mitools.backends.devices import resolve_device
    from mitools.core.arrays import as_array
    from mitools.core.names import check_name
    from mitools.estimators.registry import make_estimator

    if isinstance(method, str):
        estimator = make_estimator(method, _whole(seed, "seed"), str(resolve_device(device)))
    else:
        from sklearn.base import clone

        estimator = clone(method)
    told = {name: kind for name, kind in [("x_as", x_as), ("y_as", y_as)] if kind is not None}
    for name in settings | told:
        check_name(f"setting of {method}", name, estimator.get_params(deep=False))
    estimator.set_params(**settings, **told)
    named = None if groups is None else as_array(groups, "groups")
    return estimator.estimate(as_array(x, "x"), as_array(y, "y"), named, block)


def certify(
    features: Any,
    labels: Any,
    *,
    groups: Any = None,
    prior: Any = "empirical",
    classifier: Any = None,
    seed: int = 0,
) -> "Certificate":
    """Certify how much class information a representation carries.

    Draw a class, then two of its items independently: what these share through the representation is a lower
    bound on its class information, and at most H(C). A calibrated linear classifier gives the critic in
    closed form, so there is no log K ceiling (Lee et al. 2023, Proposition III.1).

    Parameters
    ----------
    features
        Shape (n, d): an array, tensor, DataFrame or list.
    labels
        Shape (n,): class numbers or names.
    groups
        Shape (n,): which rows know each other (one image's, one patient's, one clip's), as numbers or names:
        none of a group is held out from the others, and errors are those of groups. Rows that are exact
        copies are a group when None.
    prior
        The class distribution that is meant: ``empirical``, ``uniform``, or one probability a class.
    classifier
        The linear one when None; ``auto`` for the family (linear, neighbours, kernel, trees, network) that
        predicts held-out labels best; or any scikit-learn classifier with ``predict_proba``.
    seed
        Of the split into train, select and report.

    Returns
    -------
    Certificate
        The bound with its interval, the verdict, the accuracy of the same classifier, and how each item moves
        the bound.

    Raises
    ------
    InputError
        When rows and labels do not pair up, or a class has fewer than five items.

    Examples
    --------
    >>> import numpy as np, mitools
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.integers(0, 4, 1000)
    >>> features = 4 * np.eye(4)[labels] + rng.standard_normal((1000, 4))
    >>> certificate = mitools.certify(features, labels)
    >>> certificate.estimate.kind, certificate.verdict
    ('lower bound', 'bracketed')
    >>> 1.5 < certificate.estimate.bits < 2.0 == certificate.estimate.entropy_bits.__round__(1)
    True
    """
    from mitools.core.arrays import as_array
    from mitools.datasets.arrays import number_labels
    from mitools.estimators.class_information.certificate import ClassPosterior
    from mitools.results.certificate import Certificate

    classes, numbers = number_labels(labels)
    fitted = ClassPosterior(classifier, prior, seed=_whole(seed, "seed")).fit(
        as_array(features, "features"),
        numbers,
        groups=None if groups is None else as_array(groups, "groups"),
    )
    return Certificate.of(fitted, tuple(classes))


def audit(
    encoders: Any,
    data: Any,
    *,
    groups: Any = None,
    pairing: str | Sequence[str] = "same_class",
    views: int = 2,
    prior: str = "empirical",
    seed: int = 0,
    critic: bool = True,
    trained_head: bool = False,
    control: bool = True,
    measures: str | Sequence[str] | None = None,
    layers: str | Sequence[str] | None = None,
    pool: str = "auto",
    preprocess: Callable[[Any], Any] | Mapping[str, Any] | None = None,
    label: str | None = None,
    device: str = "auto",
    precision: str = "float32",
    keep: Literal["float32", "float16"] = "float32",
    batch_size: int = 256,
    workers: int | None = None,
    folder: Folder = None,
    cache: Folder = None,
    progress: "bool | Advance" = True,
) -> "AuditResult":
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
        Shape (n,): which items know each other (frames of one clip, slides of one patient, crops of one
        image), as numbers or names, or the path of a file of them: none of a group is held out from the
        others, and errors are those of groups. A spec names its own: ``folder:images?groups=clips.csv``.
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
    trained_head
        For ``run:`` encoders, fit a critic that starts from the projection head too.
    control
        Compare every trained network with a copy of its architecture untrained.
    measures
        Further measures: ``discrete`` for entropies and dependence of discrete variables, a run's own where
        it has them (``imsvd``), columns in equal-mass bins otherwise.
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
        The column of labels of a DataFrame; ``label`` or ``labels`` when None.
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
    cache
        Keep features there: encoders seen before, by their weights, are not run again. Plain functions are
        run at every call, and so are networks whose `preprocess` is one.
    progress
        Show a bar where there is a terminal or a notebook; or a function (what, done, total).

    Returns
    -------
    AuditResult
        ``.table`` (one row an encoder or layer), ``.comparisons``, ``.correlation``, ``.estimates``,
        ``.plot(name)``, ``.save(folder)``.

    Raises
    ------
    InputError
        When encoders or data are of another kind, or no encoder could be audited. One encoder's error is kept
        in ``.failures`` while others succeed.

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
    from mitools.auditing.auditor import run_audit
    from mitools.auditing.requests import LayerChoice, as_requests
    from mitools.auditing.settings import AuditSettings
    from mitools.backends.devices import resolve_device
    from mitools.backends.precision import require_precision
    from mitools.core.files import folder_or_scratch
    from mitools.core.progress import shown
    from mitools.datasets.accepted import as_labelled_data
    from mitools.datasets.grouped import with_groups
    from mitools.features.store import FeatureStore
    from mitools.results.audit import AuditResult

    pairings = dict.fromkeys(_listed(pairing))
    where = resolve_device(device)
    require_precision(precision, where)
    requests = as_requests(encoders, preprocess, LayerChoice(layers, pool))
    with shown(progress) as advance, folder_or_scratch(folder) as out, folder_or_scratch(cache) as kept:
        labelled = as_labelled_data(data, label=label, workers=workers, advance=advance)
        own_workers = getattr(labelled, "workers", 0)
        if groups is not None:
            labelled = with_groups(labelled, groups)
        settings = AuditSettings(
            view_pairings=tuple(name for name in pairings if name != "same_class"),
            views=_whole(views, "views", 2),
            prior=prior,
            seed=_whole(seed, "seed"),
            critic=critic,
            trained_head=trained_head,
            control=control,
            further_measures=tuple(dict.fromkeys(_listed(measures))),
            precision=precision,
            kept_as=keep,
            device=str(where),
            batch_size=_whole(batch_size, "batch_size", 1),
            workers=own_workers if workers is None else _whole(workers, "workers"),
        )
        store = FeatureStore(kept)
        found = run_audit(labelled, requests, out=out, store=store, settings=settings, advance=advance)
    result = AuditResult(found, seed)
    if folder is not None:
        result.save(folder)
    return result


def correlate(
    table: Any,
    target: str = "linear_acc",
    *,
    lower_is_better: str | Sequence[str] | None = None,
    confidence: float = 0.95,
    bootstrap: int = 2000,
    seed: int = 0,
) -> "CorrelationResult":
    """Correlate every numeric column of a table with a target column.

    Pearson, Kendall (tau-b) and Spearman with bootstrap intervals, the range over leaving one row out, and
    p-values adjusted (Holm) for the number of columns.

    Parameters
    ----------
    table
        One row an encoder: a DataFrame, the path of a CSV file, or an audit.
    target
        The column to correlate with.
    lower_is_better
        The column, or columns, whose sign is turned; ``alignment`` and ``uniformity`` where present when
        None.
    confidence
        Of the intervals.
    bootstrap
        Resamples of the rows, 100 to 20,000.
    seed
        Of the resamples.

    Returns
    -------
    CorrelationResult
        Its ``table`` has one row a column.

    Raises
    ------
    InputError
        When the table cannot be read, or the target is no numeric column that varies over three rows.

    Examples
    --------
    >>> import pandas as pd, mitools
    >>> table = pd.DataFrame({"bits": [1.0, 1.5, 1.9, 2.3], "linear_acc": [0.5, 0.7, 0.8, 0.9]})
    >>> found = mitools.correlate(table, target="linear_acc")
    >>> found.table["column"].tolist(), found.table["pearson"].round(2).tolist()
    (['bits'], [0.99])
    """
    import pandas as pd

    from mitools.core.errors import InputError
    from mitools.report.tables.read import read_csv
    from mitools.results.correlation import CorrelationResult
    from mitools.statistics import correlation

    if isinstance(table, str | PathLike):
        table = read_csv(Path(table))
    if not isinstance(table, pd.DataFrame):  # asked first: a column may be called "table"
        table = getattr(table, "table", table)
    if not isinstance(table, pd.DataFrame):
        raise InputError(
            f"the table is a {type(table).__name__}; give a DataFrame, the path of a CSV file, or an audit"
        )
    turned = correlation.LOWER_IS_BETTER if lower_is_better is None else lower_is_better
    found = correlation.correlate(
        table, target, lower_is_better=turned, confidence=confidence, bootstrap=bootstrap, seed=seed
    )
    numeric = correlation.numeric_columns(table)
    others = [str(name) for name in table.columns if str(name) not in numeric]
    return CorrelationResult(found, str(target), len(table), others, confidence)


def calibrate(
    features: Any,
    labels: Any = None,
    methods: str | Sequence[str] = ("class_posterior", "infonce"),
    *,
    groups: Any = None,
    bits: int = 10,
    truths: Sequence[float] | None = None,
    n: int | None = None,
    components: int | None = None,
    classes: tuple[str, str] | None = None,
    seed: int = 0,
    device: str = "cpu",
    folder: Folder = None,
    progress: "bool | Advance" = True,
) -> "CalibrationResult":
    """Read pairs made of your own features, whose mutual information is known, by several methods.

    Bits are sent through a channel that flips some; x shows the bits sent and y the bits received, each by a
    random row of one class or the other (Lee & Rhee 2024).

    Parameters
    ----------
    features, labels
        Rows (n, d) and the class of each, as for :func:`certify`; or, without labels, a spec or a DataFrame
        that holds both, as :func:`audit` takes them.
    methods
        Names of :func:`list_estimators` that compare rows with rows, and ``class_posterior``.
    groups
        Which rows know each other, as for :func:`audit`: they are then shown in one part alone.
    bits
        Bits of a pair, and so rows of features side by side.
    truths
        The true values in bits; a fifth to four fifths of `bits` when None.
    n
        Pairs; as many as the two classes have rows when None.
    components
        Principal components that stand for a row; all of its dimensions when None.
    classes
        Names of the two classes that show 0 and 1; the two with most rows when None.
    seed
        Of everything random.
    device
        Where neural critics are fitted.
    folder
        Write there what the command line writes, and go on from what was finished there.
    progress
        As for :func:`audit`.

    Returns
    -------
    CalibrationResult
        ``.table`` (one row a reading), ``.finding`` in words, ``.plot()``, ``.save(folder)``.

    Raises
    ------
    InputError
        When a method or class is unknown, a truth is out of range, or no method could be read.

    Examples
    --------
    >>> import numpy as np, mitools
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.integers(0, 2, 1000)
    >>> features = labels[:, None] + 0.1 * rng.standard_normal((1000, 3))
    >>> found = mitools.calibrate(features, labels, "class_posterior", bits=2, truths=[1.0], progress=False)
    >>> bool(abs(found.table["error_bits"][0]) < 0.2)
    True
    """
    from mitools.backends.devices import resolve_device
    from mitools.calibration import CalibrationSettings, run_calibration
    from mitools.core.errors import InputError
    from mitools.core.files import folder_or_scratch
    from mitools.core.progress import shown
    from mitools.datasets.accepted import as_labelled_data
    from mitools.datasets.grouped import Grouped, with_groups
    from mitools.datasets.readers.features import FeatureRows
    from mitools.datasets.selection import groups_of
    from mitools.results.calibration import CalibrationResult

    rows = as_labelled_data(features if labels is None else (features, labels))
    if groups is not None:
        rows = with_groups(rows, groups)
    named = groups_of(rows)
    rows = rows.data if isinstance(rows, Grouped) else rows
    if not isinstance(rows, FeatureRows):
        raise InputError(f"{rows.name} holds no feature rows; give numbers (n, d) and their labels")
    settings = CalibrationSettings(
        bits=bits,
        truths=tuple(bits * k / 5 for k in range(1, 5)) if truths is None else tuple(truths),
        n=n,
        components=components,
        classes=classes,
        seed=_whole(seed, "seed"),
        device=str(resolve_device(device)),
    )
    names = [methods] if isinstance(methods, str) else list(methods)
    with shown(progress) as advance, folder_or_scratch(folder) as out:
        found = run_calibration(rows, names, out=out, settings=settings, groups=named, advance=advance)
    result = CalibrationResult(found)
    if folder is not None:
        result.save(folder)
    return result


def train(
    recipe: "TrainingRecipe | Mapping[str, Any] | str | PathLike[str]",
    folder: Folder = None,
    *,
    device: str = "auto",
    precision: str = "float32",
    compiled: bool = False,
    progress: "bool | Advance" = True,
) -> "TrainedRun":
    """Train an encoder, or go on with a run that was stopped.

    Parameters
    ----------
    recipe
        What to train, on what, how: a :class:`mitools.training.recipes.TrainingRecipe`, its keys and values,
        or the path of a YAML file.
    folder
        The run's folder; one that goes with the result when None.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    precision
        ``float32``, ``tf32`` or ``bf16``.
    compiled
        Whether the network goes through ``torch.compile``.
    progress
        As for :func:`audit`.

    Returns
    -------
    TrainedRun
        ``.encoder`` (a module), ``.spec`` (for :func:`audit`), ``.metrics``, ``.save(folder)``.

    Raises
    ------
    InputError
        When the recipe is malformed or does not fit the data, or another recipe's run lies in the folder.
    mitools.training.loop.trainer.NotFiniteError
        When the loss is not finite; it names the checkpoint that is kept.

    Examples
    --------
    >>> import mitools
    >>> recipe = {"encoder": "convnet", "data": "digits?limit=100", "method": "cross_entropy"}
    >>> run = mitools.train(recipe | {"epochs": 1, "batch_size": 50}, progress=False)
    >>> run.epochs, run.encoder.training
    ([1], False)
    """
    from tempfile import TemporaryDirectory

    from mitools.backends.processes import require_shared
    from mitools.backends.runtime import Runtime
    from mitools.core.files import writable_folder
    from mitools.core.progress import shown
    from mitools.results.training import TrainedRun
    from mitools.training.loop.trainer import train as run
    from mitools.training.recipes import TrainingRecipe

    wanted = _recipe(recipe, TrainingRecipe, "recipe")
    require_shared(folder)
    temporary = TemporaryDirectory(prefix="mitools-") if folder is None else None
    out = Path(temporary.name) if temporary else writable_folder(folder)  # type: ignore[arg-type]
    runtime = Runtime(device, precision, compiled)
    with shown(progress if runtime.is_main else False) as advance:
        trained = run(wanted, out, runtime, advance)
    runtime.close()
    return TrainedRun(trained, temporary)


def export_encoder(
    encoder: Any, out: "str | PathLike[str]", to: str, *, preprocess: Any = None
) -> "Exported":
    """Write an encoder into a file of another library, which is kept only if it gives the same features.

    Parameters
    ----------
    encoder
        Of images: a spec, or a torch module, which comes back as it was.
    out
        A new file, with the ending that the library goes by.
    to
        ``torchvision``, ``timm``, ``detectron2``, ``safetensors``, ``onnx`` or ``torchscript``; see
        :func:`mitools.encoders.export.export.export_encoder`.
    preprocess
        Of a module, as for :func:`audit`: the file does not prepare images, and the result says how it must
        be done.

    Returns
    -------
    Exported
        The library's network, how far its features lie from the encoder's, and how the file is read.

    Raises
    ------
    InputError
        When the format is unknown, the file exists or has another ending, or the library has no network that
        holds the encoder.

    Examples
    --------
    >>> import mitools
    >>> from tempfile import mkdtemp
    >>> found = mitools.export_encoder("builtin:random_conv?width=4", f"{mkdtemp()}/conv.pt", "torchscript")
    >>> found.features, found.difference < 1e-5
    (16, True)
    """
    from torch import nn

    from mitools.core.errors import InputError
    from mitools.encoders.export.export import export_encoder as write
    from mitools.encoders.in_memory import encoder_of_module
    from mitools.encoders.open import open_encoder

    if isinstance(encoder, str) and preprocess is None:
        return write(open_encoder(encoder), out, to)
    if isinstance(encoder, nn.Module):
        return write(encoder_of_module(encoder, type(encoder).__name__, preprocess), out, to)
    kind = "a spec, which has its own preprocessing" if isinstance(encoder, str) else type(encoder).__name__
    raise InputError(f"encoder is {kind}; give a spec alone, or a torch module with or without preprocess=")


def study(
    study: "Study | Mapping[str, Any] | str | PathLike[str]",
    folder: Folder = None,
    *,
    retry_failed: bool = False,
    device: str = "auto",
    batch_size: int = 256,
    workers: int = 0,
    cache: Folder = None,
    progress: "bool | Advance" = True,
) -> "StudyResult":
    """Measure many encoders on many data sets, by every pairing, estimator, metric and seed asked for.

    Any number of processes and machines may work on one folder; finished cells are never computed again.

    Parameters
    ----------
    study
        What is asked for: a :class:`mitools.studies.definition.Study`, its keys and values, or the path of a
        YAML file.
    folder
        Where cells are kept; nowhere when None.
    retry_failed
        Try again what has failed in that folder.
    device, batch_size, workers, cache, progress
        As for :func:`audit`.

    Returns
    -------
    StudyResult
        ``.table`` (one row an encoder and data set), ``.cells``, ``.failures``, ``.correlate(target)``,
        ``.save(folder)``.

    Raises
    ------
    InputError
        When the study is malformed.

    Examples
    --------
    >>> import mitools
    >>> asked = {"data": ["digits?limit=200"], "encoders": ["builtin:pixels"], "metrics": ["linear_acc"]}
    >>> found = mitools.study(asked, progress=False)
    >>> sorted(found.table.columns)
    ['data', 'encoder', 'family', 'linear_acc', 'same_class:class_posterior', 'seeds']
    """
    from mitools.backends.processes import own_device, process_rank, require_shared
    from mitools.core.files import folder_or_scratch
    from mitools.core.progress import shown
    from mitools.features.store import FeatureStore
    from mitools.results.study import StudyResult
    from mitools.studies.definition import Study
    from mitools.studies.folder import StudyFolder
    from mitools.studies.worker import Worker

    wanted = _recipe(study, Study, "study")
    require_shared(folder)
    bar = shown(progress if process_rank() == 0 else False)
    with bar as advance, folder_or_scratch(folder) as out, folder_or_scratch(cache) as kept:
        kept_cells = StudyFolder(wanted, out)
        if retry_failed:
            kept_cells.forget_failures()
        store = FeatureStore(kept)
        Worker(kept_cells, store, str(own_device(device)), batch_size, workers, advance).run()
        result = StudyResult(kept_cells)
    if folder is not None and process_rank() == 0:
        result.save(folder)
    return result


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
    cache: Folder = None,
    progress: "bool | Advance" = True,
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
    seed, device, batch_size, workers, folder, cache, progress
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
    from mitools.backends.devices import resolve_device
    from mitools.core.files import folder_or_scratch
    from mitools.core.progress import shown
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
        seed=_whole(seed, "seed"),
        device=str(resolve_device(device)),
        batch_size=_whole(batch_size, "batch_size", 1),
        workers=workers,
    )
    checkpoints, named, trained_on = checkpoints_and_data(getattr(run, "spec", run), data)
    with shown(progress) as advance, folder_or_scratch(folder) as out, folder_or_scratch(cache) as kept:
        found = measure_plane(
            checkpoints,
            {name: as_labelled_data(one, advance=advance) for name, one in named.items()},
            out=out,
            store=FeatureStore(kept),
            layers=layers,
            methods=chosen,
            settings=settings,
            trained_on=trained_on,
            advance=advance,
        )
    result = PlaneResult(found, trained_on)
    if folder is not None:
        result.save(folder)
    return result


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
    progress: "bool | Advance" = True,
) -> "ViewsResult":
    """Measure what two views share and what they say of the label, before anyone trains on them.

    For every pair I(v1;v2), I(v1;y), I(v2;y) and I(x;y) are read by small networks that are fitted to the
    views of some images and read on others, each image once: lower bounds, as far as networks of this size
    see. What follows is said in the words of Tian et al. 2020 (What Makes for Good Views), Sec. 3.2: *missing
    information*, *sweet spot*, *excess*, as far as the intervals allow.

    Parameters
    ----------
    data
        Labelled images, as :func:`audit` takes data.
    views
        ``"V1,V2"``, or ``"V"`` for two draws of one view; several pairs as a list. See :func:`list_views`.
    sweep
        ``"crop_area=0.08:1:6"``: every pair with this option of its views at each of these values.
    methods
        How I(v1;v2) is read, the first for the regimes: ``infonce`` (the fitted networks are the critic), and
        names of :func:`list_estimators`, fitted to what the networks embed.
    groups
        Which images know each other, as for :func:`audit`; equal images are a group when None.
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
    progress
        As for :func:`audit`.

    Returns
    -------
    ViewsResult
        ``.table`` (one row a pair), ``.readings``, ``.finding`` in words, ``.plot()``, ``.save(folder)``.

    Raises
    ------
    InputError
        When a view, method or option is unknown, or the data cannot be measured on.

    Examples
    --------
    >>> import mitools
    >>> data = "cdp?n=200&size=32&background=none&shared=color&partners=color"
    >>> found = mitools.measure_views(data, "image,partner:1", methods="infonce", steps=50, progress=False)
    >>> found.table["regime"].tolist() != []
    True
    """
    from mitools.backends.devices import resolve_device
    from mitools.core.errors import InputError
    from mitools.core.files import folder_or_scratch
    from mitools.core.progress import shown
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
        folds=_whole(folds, "folds"),
        steps=_whole(steps, "steps"),
        batch_size=_whole(batch_size, "batch_size"),
        width=_whole(width, "width"),
        embedding=_whole(embedding, "embedding"),
        seed=_whole(seed, "seed"),
        device=str(resolve_device(device)),
    )
    with shown(progress) as advance, folder_or_scratch(folder) as out:
        labelled = as_labelled_data(data, label=label, advance=advance)
        labelled = labelled if groups is None else with_groups(labelled, groups)
        found = measure_view_pairs(
            labelled, pairs, out=out, settings=settings, image_size=image_size, advance=advance
        )
    result = ViewsResult(found)
    if folder is not None:
        result.save(folder)
    return result


def _listed(words: str | Sequence[str] | None) -> list[str]:
    """Take words of a list, or of a text with commas between them."""
    words = words.split(",") if isinstance(words, str) else words or ()
    return [str(word).strip() for word in words]


def _recipe(given: Any, kind: Any, name: str) -> Any:
    """Take a recipe, its keys and values, or the path of its file."""
    from mitools.core.errors import InputError
    from mitools.core.recipes import make_recipe, read_recipe

    if isinstance(given, kind):
        return given
    if isinstance(given, Mapping):
        return make_recipe(dict(given), kind, name)
    if isinstance(given, str | PathLike):
        return read_recipe(Path(given), kind)
    raise InputError(
        f"{name} is a {type(given).__name__}; give keys and values, the path of a YAML file, or a"
        f" {kind.__name__}"
    )
