import os
import sys

import numpy as np
import pytest
from PIL import Image

from mitools.core.errors import InputError
from mitools.datasets import open_data
from mitools.datasets.base import MultimodalData, modalities_of
from mitools.datasets.readers.frames import frame_files, middle_frames
from mitools.datasets.selection import groups_of

SIZE = (24, 32)


def frames_of(seed, count):
    """Frames of noise: every one differs from every other."""
    return np.random.default_rng(seed).integers(0, 256, (count, *SIZE, 3), dtype=np.uint8)


def write_frames(folder, frames):
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames, 1):
        Image.fromarray(frame).save(folder / f"frame{number}.png")


def write_video(path, frames, codec="ffv1", pixels="bgr0"):
    av = pytest.importorskip("av")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.height, stream.width = SIZE
        stream.pix_fmt = pixels
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture
def root(tmp_path):
    """Two classes of two clips: 12 frames each, but 25 for the last."""
    folder = tmp_path / "clips"
    for k, name in enumerate(
        ("Run/v_Run_g01_c01", "Run/v_Run_g01_c02", "Walk/v_Walk_g01_c01", "Walk/v_Walk_g02_c01")
    ):
        write_frames(folder / name, frames_of(k, 25 if k == 3 else 12))
    return folder


def test_a_clip_is_the_frames_in_the_middle_in_the_order_of_their_numbers(root):
    data = open_data(f"clips:{root}?frames=8")
    assert isinstance(data, MultimodalData)
    assert modalities_of(data) == ("image", "clip")
    assert list(data.classes) == ["Run", "Walk"]
    assert data.labels.tolist() == [0, 0, 1, 1]
    for item, count in enumerate((12, 12, 12, 25)):
        frames, start = frames_of(item, count), (count - 8) // 2
        clip = data.modality(item, "clip")
        assert clip.shape == (8, 3, *SIZE)
        assert np.array_equal(clip, frames[start : start + 8].transpose(0, 3, 1, 2))
        image, label = data[item]
        assert np.array_equal(np.asarray(image), frames[(count - 1) // 2])
        assert label == data.labels[item]


@pytest.mark.parametrize("ending", ["avi", "mkv"])
def test_videos_read_as_the_frames_they_were_made_of(root, tmp_path, ending):
    """With a codec that loses nothing; Matroska does not state how many frames there are."""
    for item, (name, count) in enumerate((("Run/a", 12), ("Walk/b", 25))):
        write_video(tmp_path / "videos" / f"{name}.{ending}", frames_of(item, count))
    data = open_data(f"clips:{tmp_path}/videos?frames=12")
    assert np.array_equal(data.modality(0, "clip"), frames_of(0, 12).transpose(0, 3, 1, 2))
    assert np.array_equal(data.modality(1, "clip"), frames_of(1, 25)[6:18].transpose(0, 3, 1, 2))
    assert np.array_equal(np.asarray(data[1][0]), frames_of(1, 25)[12])


def test_a_common_codec_gives_the_frames_in_order(tmp_path):
    grey = [np.full((*SIZE, 3), 10 * k, dtype=np.uint8) for k in range(20)]
    write_video(tmp_path / "a.mp4", grey, "mpeg4", "yuv420p")
    levels = middle_frames(tmp_path / "a.mp4", 10).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(levels, 10 * np.arange(5, 15), atol=3)


def test_only_the_frames_asked_for_are_kept(root, monkeypatch):
    read = []
    decode = sys.modules["mitools.datasets.readers.frames"].decode_image
    monkeypatch.setattr(
        "mitools.datasets.readers.frames.decode_image",
        lambda content, where: read.append(where) or decode(content, where),
    )
    open_data(f"clips:{root}?frames=5").modality(3, "clip")
    assert [os.path.basename(where) for where in read] == [f"frame{k}.png" for k in range(11, 16)]


def test_numbers_in_names_are_read_as_numbers(tmp_path):
    for name in ("f10.png", "f2.png", "f1.png", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in frame_files(tmp_path)] == ["f1.png", "f2.png", "f10.png"]


def test_clips_of_one_video_are_a_group_where_names_tell(root):
    data = open_data(f"clips:{root}")
    assert groups_of(data).tolist() == ["v_Run_g01", "v_Run_g01", "v_Walk_g01", "v_Walk_g02"]
    (root / "Walk/v_Walk_g02_c01").rename(root / "Walk/other")
    assert groups_of(open_data(f"clips:{root}")) is None


def test_ucf_lists_name_their_part(root, tmp_path):
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "trainlist01.txt").write_text("Run/v_Run_g01_c01.avi 1\nWalk/v_walk_g02_c01.avi 2\n")
    (lists / "testlist01.txt").write_text("Walk/v_Walk_g01_c01.avi\n\nRun/v_Run_g01_c02.avi\n")
    train, test = (open_data(f"clips:{root}?split={lists}/{part}list01.txt") for part in ("train", "test"))
    assert [np.asarray(train[k][0])[0, 0, 0] for k in (0, 1)] == [
        frames_of(0, 12)[5, 0, 0, 0],
        frames_of(3, 25)[12, 0, 0, 0],
    ]
    assert test.labels.tolist() == [0, 1]
    assert list(test.classes) == list(train.classes) == ["Run", "Walk"]
    assert open_data(f"clips:{root}?split={lists}/testlist01.txt&part=test").digest == test.digest
    with pytest.raises(InputError, match="lists the test part, not part=train"):
        open_data(f"clips:{root}?split={lists}/testlist01.txt&part=train")


def test_hmdb_files_mark_both_parts(root, tmp_path):
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "Run_test_split1.txt").write_text("v_Run_g01_c01.avi 1 \nv_Run_g01_c02.avi 2 \n")
    (lists / "Walk_test_split1.txt").write_text("v_Walk_g01_c01.avi 0 \nv_Walk_g02_c01.avi 1 \n")
    (lists / "Walk_test_split2.txt").write_text("v_Walk_g01_c01.avi 2 \n")
    spec = f"clips:{root}?split={lists}/Run_test_split1.txt"
    assert open_data(f"{spec}&part=train").labels.tolist() == [0, 1]
    assert open_data(f"{spec}&part=test").labels.tolist() == [0]
    with pytest.raises(InputError, match="has both parts; add part=train or part=test"):
        open_data(spec)


def test_a_clip_shorter_than_asked_for_is_one_line(root, tmp_path):
    write_video(tmp_path / "videos/a/short.avi", frames_of(0, 5))
    for data in (open_data(f"clips:{root}?frames=13"), open_data(f"clips:{tmp_path}/videos?frames=13")):
        with pytest.raises(InputError, match=r"has (12|5) frames and frames=13 are asked for") as caught:
            data.modality(0, "clip")
        assert "\n" not in str(caught.value)


def test_a_file_that_is_no_video_is_one_line(tmp_path):
    pytest.importorskip("av")
    (tmp_path / "a").mkdir()
    (tmp_path / "a/broken.avi").write_bytes(b"no video at all")
    with pytest.raises(InputError, match=r"broken.avi: cannot be read as a video") as caught:
        open_data(f"clips:{tmp_path}")[0]
    assert "\n" not in str(caught.value)


def test_frames_of_several_sizes_are_refused(root):
    Image.new("RGB", (8, 8)).save(root / "Run/v_Run_g01_c01/frame6.png")
    with pytest.raises(InputError, match="its frames are of several sizes"):
        open_data(f"clips:{root}?frames=4").modality(0, "clip")


def test_wrong_requests_are_one_line(root, tmp_path):
    (tmp_path / "empty/a").mkdir(parents=True)
    lists = {"bad.txt": "no slash here\n", "missing.txt": "Run/v_Run_g09_c01.avi\n", "nothing.txt": "\n",
             "Run_test_split1.txt": "v_Run_g01_c01.avi\n"}  # fmt: skip
    for name, text in lists.items():
        (tmp_path / name).write_text(text)
    for spec, message in [
        (f"clips:{tmp_path}/nowhere", "no such folder"),
        (f"clips:{tmp_path}/empty", "no videos and no folders of frames directly inside"),
        (f"clips:{root}?frames=0", "frames=0 must be a whole number of at least 1"),
        (f"clips:{root}?part=train", "part=train needs the lists; add split=FILE"),
        (f"clips:{root}?split={tmp_path}/gone.txt", "gone.txt: no such file"),
        (f"clips:{root}?split={tmp_path}/bad.txt", "is neither UCF101's"),
        (f"clips:{root}?split={tmp_path}/nothing.txt", "names no clip"),
        (
            f"clips:{root}?split={tmp_path}/missing.txt",
            "names 1 clips that clips lacks, such as run/v_run_g09",
        ),
        (
            f"clips:{root}?split={tmp_path}/Run_test_split1.txt&part=test",
            "is not of the form CLIP.avi 0, 1 or 2",
        ),
        (f"clips:{root}?split={tmp_path}/bad.txt&part=val", "part=val is unknown; accepted: train or test"),
    ]:
        with pytest.raises(InputError, match=message) as caught:
            open_data(spec)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="unknown modality of clips 'depth'; accepted: clip"):
        open_data(f"clips:{root}").modality(0, "depth")


def test_the_digest_follows_files_and_frames(root):
    digests = {open_data(f"clips:{root}{more}").digest for more in ("", "?frames=5")}
    path = root / "Run/v_Run_g01_c01/frame3.png"
    state, content = path.stat(), path.read_bytes()
    os.utime(path, ns=(0, 1))
    assert open_data(f"clips:{root}").digest in digests
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))  # the same size and the same time
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert len(digests | {open_data(f"clips:{root}").digest}) == 3


def test_without_pyav_the_message_names_the_extra(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/one.avi").touch()
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(InputError, match=r'clips: needs av.*pip install "mitools\[clips\]"'):
        open_data(f"clips:{tmp_path}")[0]


def test_a_clip_that_a_list_may_mean_twice_is_refused(tmp_path):
    """Lists are read without capitals and endings: of two that differ in them alone neither is meant."""
    for name in ("Run", "run"):
        write_frames(tmp_path / "videos" / name / "v_g01_c01", frames_of(0, 2))
    (tmp_path / "testlist01.txt").write_text("Run/v_g01_c01.avi\n")
    with pytest.raises(InputError, match=r"names run/v_g01_c01, which videos has 2 times"):
        open_data(f"clips:{tmp_path}/videos?frames=1&split={tmp_path}/testlist01.txt")
