"""Whole modules in files of torch before 1.6: read as stand-ins, like those of files of today.

Such a file notes the class of a module as a *persistent id*, ``("module", class, file, source)``, which
torch's weights-only unpickler refuses, since it allows storages alone. The id is rewritten before that
unpickler reads it: the same four values become the arguments of a class that gives back the second, which is
a stand-in by then. All else in the pickle stays what it was, and nothing is run.
"""

import pickletools
import shutil
import tempfile
from pathlib import Path
from typing import IO, Any

from mitools.encoders.checkpoints.pickle_globals import PICKLES_OF_A_LEGACY_FILE
from mitools.encoders.checkpoints.stand_ins import Inert

_REDUCE = b"R"
_PUTS = ("PUT", "BINPUT", "LONG_BINPUT")


class ClassOfModule:
    """Takes what a legacy file notes of a module's class and gives the class, which does nothing."""

    def __new__(cls, kind: Any, made: Any, *source: Any) -> type:  # type: ignore[misc]
        """Give the stand-in that was made of the class's name; the file and source are dropped."""
        return made if isinstance(made, type) and issubclass(made, Inert) else Inert


_CALL = f"c{ClassOfModule.__module__}\n{ClassOfModule.__qualname__}\n".encode()


def rewritten(path: Path) -> IO[bytes] | None:
    """Copy a legacy file with its modules rewritten; None where it has none, or is no legacy file.

    Parameters
    ----------
    path
        What ``torch.save`` wrote.

    Returns
    -------
    file
        In a temporary file without a name, at its start: for ``torch.load(..., weights_only=True)`` that is
        allowed to make :class:`ClassOfModule`.

    Raises
    ------
    ValueError, LookupError, EOFError
        When it is no pickle.
    """
    with path.open("rb") as stream:
        edits: list[tuple[int, int, bytes]] = []
        for _ in range(PICKLES_OF_A_LEGACY_FILE):
            if stream.read(1) != b"\x80":
                break
            stream.seek(-1, 1)
            edits += _edits(stream)
        if not edits:
            return None
        stream.seek(0)
        copy = tempfile.TemporaryFile()  # noqa: SIM115 - the caller reads it; closed when it is dropped
        for place, length, text in sorted(edits):
            copy.write(stream.read(place - stream.tell()))
            stream.seek(length, 1)
            copy.write(text)
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        return copy


def _edits(stream: IO[bytes]) -> list[tuple[int, int, bytes]]:
    """Find the persistent ids of modules in one pickle: where to write what, and in the place of how much.

    An id is a tuple made right before it is used; between the two stands at most a note for the memo.
    """
    edits = []
    texts: dict[int, str] = {}  # what the memo holds, of texts alone
    marks: list[int] = []
    first: dict[int, str] = {}  # the text right behind a mark, by the mark's place
    made: int | None = None  # the mark of the tuple that lies on top
    last: str | None = None
    for opcode, argument, position in pickletools.genops(stream):
        name, place = opcode.name, int(position or 0)
        text = argument if isinstance(argument, str) and opcode.stack_after else None
        if name in ("GET", "BINGET", "LONG_BINGET"):
            text = texts.get(int(argument or 0))
        elif name in _PUTS:
            if last is not None:
                texts[int(argument or 0)] = last
            continue
        if name == "MARK":
            marks.append(place)
        elif marks and text is not None and marks[-1] not in first:
            first[marks[-1]] = text
        elif marks and marks[-1] not in first:
            first[marks[-1]] = ""
        if name == "BINPERSID" and made is not None and first.get(made) == "module":
            edits += [(made, 0, _CALL), (place, 1, _REDUCE)]
        closes = pickletools.markobject in opcode.stack_before
        ended = marks.pop() if closes and marks else None
        made = ended if name == "TUPLE" else None
        last = text
    return edits
