"""Which clips make the train and the test part: the lists of UCF101 and of HMDB51."""

import re
from pathlib import Path

from mitools.core.errors import InputError
from mitools.core.names import nearest
from mitools.datasets.readers.frames import VIDEO_ENDINGS

PARTS = ("train", "test")

_HMDB_FILE = re.compile(r"(?P<class_name>.+)_test_split(?P<number>\d+)\.txt")
_HMDB_MARKS = {"0": "", "1": "train", "2": "test"}  # 0: in neither part


def clip_key(class_name: str, file: str) -> str:
    """Name a clip as splits and folders both know it: without an ending, in lower case.

    UCF101's own lists and folders write some names with other capitals, and frames lie in folders that have
    no ending.
    """
    name = Path(file)
    return f"{class_name}/{name.stem if name.suffix.lower() in VIDEO_ENDINGS else name.name}".lower()


def read_split(path: Path, part: str | None) -> set[str]:
    """Read the clips of one part, as :func:`clip_key` names them.

    Parameters
    ----------
    path
        A list of UCF101 (``trainlist01.txt``, ``testlist01.txt``: a line ``CLASS/CLIP.avi`` for each clip,
        which may end with the number of its class), which is one part; or the file of any class of HMDB51
        (``wave_test_split1.txt``: lines ``CLIP.avi MARK`` with mark 1 for train and 2 for test), which stands
        for the files of all classes beside it.
    part
        ``train`` or ``test``; may be left out for UCF101, whose file names it.

    Raises
    ------
    InputError
        When the file cannot be read or is of neither layout, or the part does not fit.
    """
    if part is not None and part not in PARTS:
        raise InputError(f"part={part} is unknown; accepted: {nearest(part, PARTS)}")
    hmdb = _HMDB_FILE.fullmatch(path.name)
    return _hmdb(path, hmdb["number"], part) if hmdb else _ucf(path, part)


def _ucf(path: Path, part: str | None) -> set[str]:
    stated = next((one for one in PARTS if path.name.startswith(f"{one}list")), None)
    if None not in (part, stated) and part != stated:
        raise InputError(f"split={path} lists the {stated} part, not part={part}; name the other list")
    keys = set()
    for line in _lines(path):
        name, *mark = line.split()
        if name.count("/") != 1 or len(mark) > 1:
            raise InputError(
                f"{path}: line {line!r} is neither UCF101's (CLASS/CLIP.avi) nor the file HMDB51's"
                " (CLASS_test_splitN.txt)"
            )
        keys.add(clip_key(*name.split("/")))
    return keys


def _hmdb(path: Path, number: str, part: str | None) -> set[str]:
    if part is None:
        raise InputError(f"split={path} has both parts; add part=train or part=test")
    _lines(path)  # that the named one can be read is told first
    keys = set()
    for file in sorted(path.parent.glob(f"*_test_split{number}.txt")):
        match = _HMDB_FILE.fullmatch(file.name)
        assert match is not None
        for line in _lines(file):
            name, *mark = line.split()
            if len(mark) != 1 or mark[0] not in _HMDB_MARKS:
                raise InputError(f"{file}: line {line!r} is not of the form CLIP.avi 0, 1 or 2")
            if _HMDB_MARKS[mark[0]] == part:
                keys.add(clip_key(match["class_name"], name))
    return keys


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a list of clips ({error})") from None
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise InputError(f"{path}: names no clip")
    return lines
