"""What a class is called in files: one name a class, and a folder that is never a way out."""

from collections.abc import Sequence
from urllib.parse import quote

from mitools.core.errors import InputError
from mitools.core.run_record import RECORD
from mitools.datasets.readers.folder import LEFT_BY_ARCHIVERS

TABLE = "labels.csv"
"""The table of all images that an export writes beside the folders of its classes."""

NO_NAME = "%"
"""The folder of a class whose name is empty: no other name is written so."""

_TAKEN = frozenset(name.lower() for name in (TABLE, RECORD, *LEFT_BY_ARCHIVERS))
"""Names of other things in such a folder, in lower case: some disks take capitals for the same."""


def class_folder(name: str) -> str:
    """Name the folder of a class.

    Most names stay as they are. A slash, a percent sign, control characters and a dot at the beginning (which
    would hide the folder, and as ``..`` leads out of the one around it) are written as in web addresses; and
    so is the first letter of a name that something else has (``labels.csv``). So two classes never have one
    folder.

    Parameters
    ----------
    name
        Of the class.

    Returns
    -------
    str
        A name that a folder can have, another one for every class.

    Examples
    --------
    >>> class_folder("red fox"), class_folder("and/or"), class_folder("..")
    ('red fox', 'and%2For', '%2E.')
    """
    if not name:
        return NO_NAME
    first = f"%{ord(name[0]):02X}" if name[0] == "." or name.lower() in _TAKEN else _safe(name[0])
    return first + "".join(map(_safe, name[1:]))


def utf8_names(classes: Sequence[str], data: str) -> list[str]:
    r"""Give the names of classes as text in UTF-8: of a name that is none, the codes of its bytes.

    Parameters
    ----------
    classes
        The names.
    data
        What messages call the data.

    Raises
    ------
    InputError
        When two become one.

    Examples
    --------
    >>> print(*utf8_names(["café", "caf\udce9"], "pets"))
    café caf\udce9
    """
    names = [name.encode("utf-8", "backslashreplace").decode() for name in classes]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(
            f"{data}: a class whose name is no UTF-8 would be written as {twice!r}, as another class is"
            " called; rename one of them"
        )
    return names


def _safe(character: str) -> str:
    awkward = character in "/\\%" or not character.isprintable()
    return quote(character, safe="", errors="surrogatepass") if awkward else character
