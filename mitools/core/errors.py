"""The one exception a user meets when the request was wrong, and the one warning about data."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def as_codes(text: str) -> str:
    r"""Write every character that is no letter, sign or space as its code.

    Examples
    --------
    >>> print(as_codes("cat" + chr(27) + "[2Jdog"))
    cat\x1b[2Jdog
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


class InputError(ValueError):
    """The request cannot be carried out as written.

    The message is a single line that names the thing and the remedy; the command line prints it
    and leaves with exit code 2. Control characters, which a name in somebody's data may hold, are written
    as their codes.
    """

    def __init__(self, message: str) -> None:
        super().__init__(as_codes(message))


class EngineLostError(RuntimeError):
    """What did the tasks of a command has gone in the middle of them; what was finished is kept.

    The message is a single line; the command line prints it and leaves with exit code 1.
    """


def reason_of(error: Exception, length: int = 300) -> str:
    """Put into one line what somebody else's code raised: its type, where that says more, and its words.

    Examples
    --------
    >>> reason_of(KeyError("mean")), reason_of(ZeroDivisionError()), reason_of(RuntimeError("out of memory"))
    ("KeyError: 'mean'", 'ZeroDivisionError', 'out of memory')
    """
    words = " ".join(str(error).split())[:length]
    if type(error) in (RuntimeError, ValueError) and words:
        return words
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


_NO_MEMORY = (
    "failed to map segment",
    "cannot allocate memory",
    "can't allocate memory",
    "not enough memory",
    "out of memory",
    "can't start new thread",
    "unable to mmap",
    "bad_alloc",
)
"""What libraries write, each in an error of another type, where the system gives them no memory or thread."""


def lacks_memory(error: BaseException) -> bool:
    """Whether an error, or what it came from, says that memory was asked for in vain.

    Examples
    --------
    >>> lacks_memory(ImportError("libtorch.so: failed to map segment from shared object"))
    True
    >>> lacks_memory(ImportError("No module named 'av'"))
    False
    """
    chain: BaseException | None = error
    while chain is not None:
        said = str(chain).lower()
        if isinstance(chain, MemoryError) or any(words in said for words in _NO_MEMORY):
            return True
        chain = chain.__cause__ or chain.__context__
    return False


class DataNote(Warning):
    """Something that a reader has changed or left out: told, and never an error."""


@contextmanager
def notes_to(tell: Callable[[str], None]) -> Iterator[None]:
    """Hand every note of the block to a function, as one line; other warnings are shown as ever.

    Parameters
    ----------
    tell
        Takes the sentence.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("always", DataNote)
        show = warnings.showwarning

        def told(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if issubclass(category, DataNote):
                tell(str(message))
            else:
                show(message, category, *where, **more)

        warnings.showwarning = told
        yield
