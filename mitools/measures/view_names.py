"""Measures of pairs of views: registered once, under ``simclr``, and named after the view that is drawn."""

from dataclasses import replace

from mitools.core.errors import InputError
from mitools.measures.measured import Measured
from mitools.measures.registry import MEASURES, PAIRINGS

DEFAULT_VIEW = "simclr"
"""The view that the registered measures of views are named after."""


def registered_pairing(pairing: str) -> str:
    """Give the pairing under which the registry has the measures of a pairing: that of any view is one.

    Examples
    --------
    >>> registered_pairing("simclr?strength=0.5"), registered_pairing("labels")
    ('simclr', 'labels')
    """
    return pairing if pairing in PAIRINGS else DEFAULT_VIEW


def view_columns(view: str) -> tuple[str, str]:
    """Name the columns of a view that are compared with a target: its information, and its alignment.

    Examples
    --------
    >>> view_columns("simclr?strength=0.5")
    ('i_simclr?strength=0.5_bits', 'alignment_simclr?strength=0.5')
    """
    return f"i_{view}_bits", f"alignment_{view}"


def require_own_columns(view: str) -> None:
    """Refuse a name of a view under which its columns would be those of another measure.

    Raises
    ------
    InputError
        With the measure, such as ``i_class`` of a view that is named ``class``.
    """
    columns = [name.replace(DEFAULT_VIEW, view) for name in MEASURES if DEFAULT_VIEW in name]
    taken = [name for name in columns if name in MEASURES and view != DEFAULT_VIEW]
    if taken:
        raise InputError(f"a view named {view!r} would be the measure {taken[0]}; give it another name=")


def named_after_view(measured: Measured, view: str) -> Measured:
    """Name measures of pairs of views after the view that was drawn: ``i_simclr`` becomes ``i_VIEW``."""
    numbers = {name.replace(DEFAULT_VIEW, view): number for name, number in measured.numbers.items()}
    return replace(measured, numbers=numbers)
