"""Which measures ``--measures`` means: names, groups of them, ``quick`` or ``all``."""

from collections.abc import Iterable

from mitools.core.errors import InputError
from mitools.core.names import check_name
from mitools.measures.registry import MEASURES

SETS = ("quick", "all")
"""``quick`` takes seconds at 10,000 items, ``all`` minutes; what needs views is left out without them."""


def selected_measures(
    asked: Iterable[str], groups: dict[str, tuple[str, ...]], views: bool
) -> tuple[str, ...]:
    """Name the measures that are asked for beyond those that an audit has anyhow.

    Parameters
    ----------
    asked
        Names of measures, of groups, or :data:`SETS`.
    groups
        The measures of every group that is computed on demand.
    views
        Whether features of views are there.

    Returns
    -------
    tuple of str
        In the order of the registry, each once.

    Raises
    ------
    InputError
        When there is no such name, or a measure that is named needs views that are not there.
    """
    on_demand = [name for names in groups.values() for name in names]
    of_audits = [name for name, one in MEASURES.items() if "audit" in one.tables]
    known = dict.fromkeys([*SETS, *groups, *of_audits])
    chosen: set[str] = set()
    for word in asked:
        check_name("measures", word, known)
        if word in SETS:
            named = [name for name in on_demand if word == "all" or MEASURES[name].quick]
            chosen.update(name for name in named if views or not MEASURES[name].needs_views)
            continue
        for name in groups.get(word, (word,)):
            if MEASURES[name].needs_views and not views:
                raise InputError(
                    f"{name} reads features of augmented views, which are not there; add --pairing"
                    " same_class,simclr to an audit, views= to measure_features, or leave it out"
                )
            if name in on_demand:
                chosen.add(name)
    return tuple(name for name in MEASURES if name in chosen)
