"""The discrete variables of a representation, measured and shown."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from mitools.api.arguments import Folder
from mitools.core.names import whole_number

if TYPE_CHECKING:
    from mitools.core.progress import Advance
    from mitools.results.variables import VariablesResult


def measure_variables(
    encoder: Any,
    data: Any,
    *,
    discretise: Literal["auto", "own", "bins", "clusters"] = "auto",
    units: int = 8,
    show: Sequence[tuple[int, int]] = (),
    view: str = "simclr",
    seed: int = 0,
    device: str = "auto",
    folder: Folder = None,
    cache: Folder = None,
    progress: "bool | Advance" = True,
    overwrite: bool = False,
) -> "VariablesResult":
    """Measure how many bits each discrete variable of a representation uses, and how redundant they are.

    Once the columns of a representation are discrete, its entropies, joint distributions and total
    correlation are computed and not bounded (Niu et al. 2024).

    Parameters
    ----------
    encoder
        One encoder, as :func:`audit` takes it.
    data
        Labelled items, as :func:`audit` takes them; labels are not used.
    discretise
        ``own`` for the variables that a run of ``imsvd`` was trained with, ``bins`` for columns in bins that
        hold equally many items, ``clusters`` for groups of columns in clusters; ``auto`` for its own where
        it has them, bins otherwise.
    units
        Values of a variable, of bins and clusters.
    show
        Pairs (variable, unit), counted from 0, whose images the page shows; the most frequent units of the
        first two variables when empty.
    view
        How two views of an image are drawn; see :func:`list_views`.
    seed, device, cache, progress, overwrite
        As for :func:`audit`.
    folder
        Write there what the command line writes.

    Returns
    -------
    VariablesResult
        ``.table`` (one row a variable), ``.estimates``, ``.units_used``, ``.agreement``, ``.plot()``,
        ``.save(folder)``.

    Raises
    ------
    InputError
        When the encoder or the data cannot be opened, the encoder has no variables of its own and they are
        asked for, or no variables can be made of its columns.

    Examples
    --------
    >>> import numpy as np, mitools
    >>> rng = np.random.default_rng(0)
    >>> one, other = rng.standard_normal((2, 2000))
    >>> rows, labels = np.stack([one, one, other], axis=1), np.arange(2000) % 2
    >>> found = mitools.measure_variables(rows, (rows, labels), units=4, progress=False)
    >>> found.table["entropy_bits"].round(2).tolist()
    [2.0, 2.0, 2.0]
    >>> round(found.estimates["redundancy"].bits, 1)  # 2 bits in one of three pairs
    0.7
    """
    from mitools.backends.devices import resolve_device
    from mitools.core.files import folder_or_scratch
    from mitools.core.progress import shown, writing
    from mitools.core.run_record import results_folder, write_record
    from mitools.features.store import FeatureStore
    from mitools.report.variables.subject import open_subject
    from mitools.report.variables.write import Unit
    from mitools.results.variables import VariablesResult

    place = results_folder(folder, "variables", overwrite)
    with shown(progress) as advance, place as out, folder_or_scratch(cache) as kept:
        subject = open_subject(
            encoder,
            data,
            FeatureStore(kept),
            how=discretise,
            units=whole_number(units, "units", 2),
            view=view,
            seed=whole_number(seed, "seed"),
            device=str(resolve_device(device)),
            advance=advance,
        )
    result = VariablesResult(subject, [Unit(*unit) for unit in show])
    if folder is not None:
        write_record(out, "variables", seed=seed, device=device, how=discretise, view=view)
        with writing(progress):
            result.save(folder)
    return result
