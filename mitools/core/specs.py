"""The one-line language that names encoders and data: ``source:name?key=value&key=value``."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from mitools.core.errors import InputError
from mitools.core.files import FULL_DISK
from mitools.core.names import nearest

MOST_DIGITS = 18
"""Digits of a whole number that fits into 64 bits, whatever they are."""

LARGEST_SEED = 10**MOST_DIGITS - 1


class UnknownOptionError(InputError):
    """A spec has an option that what it names does not take."""


@dataclass(frozen=True)
class Spec:
    """A parsed spec.

    Attributes
    ----------
    text
        The spec as the user wrote it.
    source
        What comes before the first colon (``checkpoint``), or the whole when there is none (``digits``).
    name
        What stands between the colon and the question mark; may be empty.
    options
        The ``key=value`` pairs behind the question mark, as strings.
    """

    text: str
    source: str
    name: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    def only(self, *keys: str) -> None:
        """Refuse every option but these.

        Raises
        ------
        UnknownOptionError
            When the spec has another option; the nearest accepted one is named.
        """
        for key in self.options:
            if key not in keys:
                accepted = f"accepted: {nearest(key, keys)}" if keys else "it takes none"
                raise UnknownOptionError(f"spec {self.text!r}: unknown option {key!r}; {accepted}")

    def integer(self, key: str, default: int, at_least: int = 0, at_most: int | None = None) -> int:
        """Read an option as a whole number.

        Raises
        ------
        InputError
            When it is not a whole number, is smaller than `at_least` or larger than `at_most`, or has more
            digits than 64 bits hold.
        """
        text = self.options.get(key)
        if text is None:
            return default
        is_whole = text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS
        if not is_whole or int(text) < at_least or (at_most is not None and int(text) > at_most):
            most = f"{MOST_DIGITS} digits" if at_most is None else at_most
            raise InputError(
                f"spec {self.text!r}: {key}={text[:40]} must be a whole number of at least {at_least}"
                f" and at most {most}"
            )
        return int(text)

    def need_name(self, example: str) -> str:
        """Return the name, or say what one would look like.

        Raises
        ------
        InputError
            When the spec has no name.
        """
        if not self.name:
            raise InputError(
                f"spec {self.text!r}: nothing behind {self.source!r}; write for example {example}"
            )
        return self.name


@contextmanager
def opening(text: str) -> Iterator[None]:
    """Turn what a disk or a memory refuses while a spec is opened into one line.

    Parameters
    ----------
    text
        The spec.

    Raises
    ------
    InputError
        When a path cannot be looked at, or more memory is asked for than there is. A full disk stays an
        OSError: it is not the spec's fault.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL_DISK:
            raise
        raise InputError(f"spec {_short(text)!r}: {error.strerror or error}") from None
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "allocate" not in str(error).lower():
            raise
        remedy = "take fewer items, or raise the limit (ulimit -v)"
        raise InputError(f"spec {_short(text)!r}: it needs more memory than there is; {remedy}") from None


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}..."


def parse_spec(text: str, sources: Iterable[str], suggest: Callable[[str], str] | None = None) -> Spec:
    """Split a spec into source, name and options.

    Parameters
    ----------
    text
        For example ``checkpoint:weights.pth?arch=cifar_resnet20``.
    sources
        The sources that would be accepted.
    suggest
        Told what stands before the options of a spec whose source is unknown; gives the spec that was meant,
        or nothing.

    Raises
    ------
    InputError
        When the source is unknown, an option has no value or is given twice, or a name is no UTF-8, as which
        results are written.

    Examples
    --------
    >>> parse_spec("builtin:pca?k=16", ["builtin"])
    Spec(text='builtin:pca?k=16', source='builtin', name='pca', options={'k': '16'})
    """
    sources = list(sources)
    if text != text.encode("utf-8", "ignore").decode():
        raise InputError(f"spec {text!r}: a file or folder is named in other bytes than UTF-8; rename it")
    body, _, query = text.partition("?")
    source, _, name = body.partition(":")
    if source not in sources:
        close = difflib.get_close_matches(source, sources, 1)
        meant = (suggest(body) if suggest else "") or (f"{close[0]}{body[len(source) :]}" if close else "")
        hint = f"did you mean {meant}? " if meant else ""
        raise InputError(
            f"spec {text!r}: unknown source {source!r}; {hint}accepted: {', '.join(sorted(sources))}"
        )
    options: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        key, equals, value = part.partition("=")
        if not equals or not key or not value:
            raise InputError(f"spec {text!r}: option {part!r} is not of the form key=value")
        if key in options:
            raise InputError(f"spec {text!r}: option {key!r} is given twice")
        options[key] = value
    return Spec(text, source, name, options)


def shown_name(text: str) -> str:
    """Give the name that a spec asks to be shown by, or the spec itself.

    Examples
    --------
    >>> shown_name("builtin:pca?k=16&name=small"), shown_name("builtin:pixels")
    ('small', 'builtin:pixels')
    """
    options = dict(part.partition("=")[::2] for part in text.partition("?")[2].split("&"))
    return options.get("name") or text
