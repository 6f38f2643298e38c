"""Videos, or folders of frames, in one folder a class."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mitools.core.errors import InputError
from mitools.core.files import digest_file, digest_text
from mitools.core.names import check_name
from mitools.core.specs import Spec
from mitools.datasets.base import LabelledData
from mitools.datasets.opened_files import OpenedFiles
from mitools.datasets.readers.clip_splits import clip_key, read_split
from mitools.datasets.readers.frames import frame_files, is_clip, middle_frames
from mitools.datasets.selection import Selection

FRAMES = 20
"""Frames of a clip where no other number is asked for."""

_UCF_CLIP = re.compile(r"(?P<group>v_.+_g\d+)_c\d+")


class Clips:
    """A folder with one folder a class; meets :class:`mitools.datasets.base.MultimodalData`.

    An item is the middle frame of a clip, and its modality ``clip`` the frames around it. A clip is a video
    file, read by PyAV, or a folder of images. Frames are read on demand: memory holds those of the items
    being read. Where files are named as in UCF101 (``v_CLASS_gNN_cNN``), the clips cut out of one video are
    one group. The digest covers names and contents of all files.

    Parameters
    ----------
    root
        The folder.
    frames
        How many successive frames, in the middle, make a clip.

    Attributes
    ----------
    groups
        Shape (n,): the video that each clip was cut from, or None where names do not tell.

    Raises
    ------
    InputError
        When there is no such folder, or one of its folders has no clip directly inside.
    """

    modalities = ("clip",)

    def __init__(self, root: Path, frames: int = FRAMES) -> None:
        if frames < 1:
            raise InputError(f"frames={frames} must be at least 1")
        if not root.is_dir():
            raise InputError(f"{root}: no such folder")
        folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
        if not folders:
            raise InputError(f"{root}: no class folders inside; put the clips into one folder a class")
        self.name, self.frames = root.resolve().name, frames
        self.classes: Sequence[str] = [folder.name for folder in folders]
        self.paths: list[Path] = []
        counts = []
        for folder in folders:
            clips = sorted(path for path in folder.iterdir() if is_clip(path))
            if not clips:
                raise InputError(
                    f"{folder}: no videos and no folders of frames directly inside; name the folder that has"
                    " one folder a class"
                )
            counts.append(len(clips))
            self.paths += clips
        self.labels: NDArray[np.int64] = np.repeat(np.arange(len(folders)), counts).astype(np.int64)
        self.groups = _groups(self.paths)
        files = _files(self.paths)
        self.opened = OpenedFiles(files)
        names = (f"{file.relative_to(root).as_posix()} {digest_file(file)}" for file in files)
        self.digest = digest_text("clips", str(frames), *names)

    def __len__(self) -> int:
        """Count the clips."""
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        """Read the middle frame of one clip and its label.

        Raises
        ------
        InputError
            When the clip cannot be read.
        """
        frame = middle_frames(self.paths[index], 1)[0]
        return Image.fromarray(np.ascontiguousarray(frame.transpose(1, 2, 0))), int(self.labels[index])

    def modality(self, index: int, name: str) -> NDArray[np.uint8]:
        """Read the ``clip`` of one item, shape (frames, 3, H, W).

        Raises
        ------
        InputError
            When it is another modality, or the clip cannot be read or has fewer frames.
        """
        check_name(f"modality of {self.name}", name, self.modalities)
        return middle_frames(self.paths[index], self.frames)


def open_clips(spec: Spec) -> LabelledData:
    """Open ``clips:FOLDER?frames=N&split=FILE&part=train|test``.

    ``split`` is read by :func:`mitools.datasets.readers.clip_splits.read_split`; without it all clips are
    taken.

    Raises
    ------
    InputError
        As :class:`Clips`, or when the split cannot be read or names clips that the folder lacks.
    """
    data = Clips(Path(spec.need_name("clips:path/to/videos")), spec.integer("frames", FRAMES, at_least=1))
    part = spec.options.get("part")
    if "split" not in spec.options:
        if part is not None:
            raise InputError(f"spec {spec.text!r}: part={part} needs the lists; add split=FILE")
        return data
    split = spec.options["split"]
    wanted = read_split(Path(split), part)
    keys = [clip_key(path.parent.name, path.name) for path in data.paths]
    missing = sorted(wanted.difference(keys))
    if missing:
        raise InputError(
            f"split={split} names {len(missing)} clips that {data.name} lacks, such as {missing[0]}"
        )
    items = np.array([item for item, key in enumerate(keys) if key in wanted], dtype=np.int64)
    several = next((key for key, count in Counter(keys[item] for item in items).items() if count > 1), None)
    if several is not None:
        raise InputError(
            f"split={split} names {several}, which {data.name} has {keys.count(several)} times (capitals and"
            " endings do not count); leave the others out of the folder"
        )
    return Selection(data, items, data.labels[items], data.classes)


def _groups(paths: Sequence[Path]) -> NDArray[np.str_] | None:
    """Name the video that every clip was cut from, where all names tell it as UCF101's do."""
    matches = [_UCF_CLIP.fullmatch(path.stem) for path in paths]
    return np.array([match["group"] for match in matches if match]) if all(matches) else None


def _files(clips: Sequence[Path]) -> list[Path]:
    """List the videos, and every frame of the folders."""
    return [file for clip in clips for file in (frame_files(clip) if clip.is_dir() else [clip])]
