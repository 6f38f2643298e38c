"""Information of paired rows, of rows and their labels, and of pairs made of one's own features."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mitools.api.arguments import Folder
from mitools.core.names import whole_number

if TYPE_CHECKING:
    from mitools.core.estimate import Estimate
    from mitools.core.progress import Advance
    from mitools.estimators.base import MIEstimator
    from mitools.results.calibration import CalibrationResult
    from mitools.results.certificate import Certificate


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
        Shape (n,): which rows depend on each other, as for :func:`certify`.
    block
        For series, rows in the order of time: after how many rows they hardly depend on each other any more.
        Of the closed forms and ``auto``; see ``mitools guide rows``.
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
        estimator = make_estimator(method, whole_number(seed, "seed"), str(resolve_device(device)))
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
        Shape (n,): which rows depend on each other (one image's, one patient's, one clip's), as numbers or
        names: none of a group is held out from the others, and errors are those of groups. Rows that are
        exact copies are a group when None.
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
    fitted = ClassPosterior(classifier, prior, seed=whole_number(seed, "seed")).fit(
        as_array(features, "features"),
        numbers,
        groups=None if groups is None else as_array(groups, "groups"),
    )
    return Certificate.of(fitted, tuple(classes))


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
    html: bool = True,
    progress: "bool | Advance" = True,
    overwrite: bool = False,
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
        Which rows depend on each other, as for :func:`audit`: they are then shown in one part alone.
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
    html
        Write the page ``report.html`` into the folder too.
    progress, overwrite
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
    from dataclasses import asdict

    from mitools.backends.devices import resolve_device
    from mitools.calibration import CalibrationSettings, run_calibration
    from mitools.core.errors import InputError
    from mitools.core.progress import shown, writing
    from mitools.core.run_record import results_folder, write_record
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
        seed=whole_number(seed, "seed"),
        device=str(resolve_device(device)),
    )
    names = [methods] if isinstance(methods, str) else list(methods)
    with shown(progress) as advance, results_folder(folder, "calibration", overwrite) as out:
        found = run_calibration(rows, names, out=out, settings=settings, groups=named, advance=advance)
        if folder is not None:
            write_record(
                out,
                "calibration",
                seed=settings.seed,
                device=settings.device,
                data={rows.name: rows.digest},
                settings=asdict(settings),
            )
    result = CalibrationResult(found)
    if folder is not None:
        with writing(progress):
            result.save(folder, html=html)
    return result
