"""What the folder of a class is called: one name a class, and never a way out of the folder around it."""

from urllib.parse import quote

NO_NAME = "%"
"""The folder of a class whose name is empty: no other name is written so."""


def class_folder(name: str) -> str:
    """Name the folder of a class.

    Most names stay as they are. A slash, a percent sign, control characters and a dot at the beginning (which
    would hide the folder, and as ``..`` leads out of the one around it) are written as in web addresses, so
    that two classes never have one folder.

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
    first = f"%{ord('.'):02X}" if name[0] == "." else _safe(name[0])
    return first + "".join(map(_safe, name[1:]))


def _safe(character: str) -> str:
    awkward = character in "/\\%" or not character.isprintable()
    return quote(character, safe="", errors="surrogatepass") if awkward else character
