"""The frames in the middle of a clip, read from a video file or from a folder of images."""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.optional_packages import need
from mitools.datasets.images.decode import decode_image, is_image_name

VIDEO_ENDINGS = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm"})


def is_clip(path: Path) -> bool:
    """Whether something is a clip: a video by its ending, or a folder with images inside; not hidden.

    Pipes and devices are none: one that is read may never end.
    """
    if path.name.startswith("."):
        return False
    if path.is_dir():
        return any(is_image_name(file.name) and file.is_file() for file in path.iterdir())
    return path.suffix.lower() in VIDEO_ENDINGS and path.is_file()


def frame_files(folder: Path) -> list[Path]:
    """List the images of a folder in the order of their names, in which 2 comes before 10."""
    files = (path for path in folder.iterdir() if is_image_name(path.name) and path.is_file())
    return sorted(files, key=lambda path: [int(part) if part.isdecimal() else part for part in _parts(path)])


def middle_frames(clip: Path, count: int) -> NDArray[np.uint8]:
    """Read successive frames from the middle of a clip; no others are kept in memory.

    Parameters
    ----------
    clip
        A video file, or a folder of images.
    count
        How many; frame ``(n - count) // 2`` of the clip's n, counted from 0, is the first.

    Returns
    -------
    NDArray[np.uint8]
        Shape (count, 3, H, W), RGB.

    Raises
    ------
    InputError
        When the clip is shorter, cannot be read, or its frames are of several sizes; or when it is a video
        and PyAV is not installed.
    """
    frames = _from_folder(clip, count) if clip.is_dir() else _from_video(clip, count)
    if len({frame.shape for frame in frames}) > 1:
        raise InputError(f"{clip}: its frames are of several sizes; make them all of one")
    return np.ascontiguousarray(np.stack(frames).transpose(0, 3, 1, 2))


def _from_folder(folder: Path, count: int) -> list[NDArray[np.uint8]]:
    files = frame_files(folder)
    start = _start(folder, len(files), count)
    frames = []
    for path in files[start : start + count]:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from None
        frames.append(np.asarray(decode_image(content, str(path))))
    return frames


def _from_video(path: Path, count: int) -> list[NDArray[np.uint8]]:
    av = need("av", "clips", "clips")
    try:
        total = _stated_length(av, path)
        frames, seen = _decoded(av, path, max(0, total - count) // 2, count)
        if len(frames) < count:  # the file states more frames than it has
            frames, seen = _decoded(av, path, _start(path, seen, count), count)
    except (av.error.FFmpegError, IndexError) as error:
        raise InputError(f"{path}: cannot be read as a video ({error})") from None
    return frames


def _stated_length(av: Any, path: Path) -> int:
    """Give how many frames a video says it has; count its packets where it says nothing."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return stream.frames or sum(1 for packet in container.demux(stream) if packet.size)


def _decoded(av: Any, path: Path, start: int, count: int) -> tuple[list[NDArray[np.uint8]], int]:
    """Decode frames from `start` on, and tell how many frames were seen until the last of them."""
    frames: list[NDArray[np.uint8]] = []
    seen = 0
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if seen >= start:
                frames.append(frame.to_ndarray(format="rgb24"))
            seen += 1
            if len(frames) == count:
                break
    return frames, seen


def _start(clip: Path, length: int, count: int) -> int:
    if length < count:
        raise InputError(
            f"{clip}: has {length} frames and frames={count} are asked for; ask for fewer or leave it out"
        )
    return (length - count) // 2


def _parts(path: Path) -> list[str]:
    return re.split(r"(\d+)", path.name)
