import pickle

import numpy as np
import pytest
from scipy.io import savemat
from torch.utils.data import DataLoader

from mitools.core.errors import InputError
from mitools.datasets import open_data
from mitools.datasets.base import MultimodalData, modalities_of
from mitools.datasets.pinhole import Pinhole
from mitools.datasets.selection import groups_of

h5py = pytest.importorskip("h5py")

N, HEIGHT, WIDTH = 6, 24, 32
NAMES = ["book", "bottle", "cabinet", "wall"]
TYPES = ["kitchen", "bedroom", "kitchen", "bedroom", "study", "kitchen"]
SCENES = ["kitchen_0004", "bedroom_0001", "kitchen_0004", "bedroom_0002", "study_0001", "kitchen_0005"]
CAMERA = Pinhole(518.858 / 20, 519.470 / 20, 324.582 / 20, 252.736 / 20)


def cells(file, name, texts):
    """Write a MATLAB column of cells, as version 7.3 does: references to arrays of UTF-16 code units."""
    references = np.empty((1, len(texts)), dtype=h5py.ref_dtype)
    for k, text in enumerate(texts):
        entry = file.create_dataset(f"#refs#/{name}{k}", data=np.array([[ord(c)] for c in text], np.uint16))
        references[0, k] = entry.ref
    file.create_dataset(name, data=references, dtype=h5py.ref_dtype)


def contents():
    """Images (H, W, 3, N), depths and labels (H, W, N), as MATLAB has them; each scene is one plane."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (HEIGHT, WIDTH, 3, N), dtype=np.uint8)
    rows, columns = np.indices((HEIGHT, WIDTH))
    x, y = (columns - CAMERA.centre_x) / CAMERA.focal_x, (rows - CAMERA.centre_y) / CAMERA.focal_y
    normals = np.array([(0.1 * k, -0.3, -1.0) for k in range(N)])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    depths = np.stack([-2.0 / (a * x + b * y + c) for a, b, c in normals], axis=-1).astype(np.float32)
    labels = np.zeros((HEIGHT, WIDTH, N), dtype=np.uint16)  # wall most, then cabinet; bottle seldom
    labels[:12], labels[12:18], labels[18, :5, 0] = 4, 3, 2
    return images, depths, labels, normals


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("nyu") / "nyu_depth_v2_labeled.mat"
    images, depths, labels, _ = contents()
    with h5py.File(path, "w", userblock_size=512) as mat:
        for name, array in (("images", images), ("depths", depths), ("labels", labels)):
            mat.create_dataset(name, data=array.T)  # HDF5 lists MATLAB's axes in reverse
        cells(mat, "names", NAMES)
        cells(mat, "sceneTypes", TYPES)
        cells(mat, "scenes", SCENES)
    return path


@pytest.fixture(scope="module")
def splits(tmp_path_factory):
    path = tmp_path_factory.mktemp("nyu") / "splits.mat"
    savemat(path, {"trainNdxs": np.array([[2], [3], [6]]), "testNdxs": np.array([[1], [4], [5]])})
    return path


def test_images_and_scene_types_are_those_of_the_file(file):
    data, (images, *_) = open_data(f"nyu_depth:{file}"), contents()
    assert isinstance(data, MultimodalData)
    assert modalities_of(data) == ("image", "depth", "normals", "segmentation")
    assert list(data.classes) == ["bedroom", "kitchen", "study"]
    assert [data.classes[label] for label in data.labels] == TYPES
    assert groups_of(data).tolist() == SCENES
    for item in (0, 4, -1):
        image, label = data[item]
        assert np.array_equal(np.asarray(image), images[..., item])
        assert label == data.labels[item]


def test_depths_normals_and_segments_are_those_of_the_planes(file):
    data, (_, depths, labels, normals) = open_data(f"nyu_depth:{file}"), contents()
    for item in range(N):
        assert np.array_equal(data.modality(item, "depth")[0], depths[..., item])
        found = data.modality(item, "normals")
        np.testing.assert_allclose(
            found, np.broadcast_to(normals[item][:, None, None], found.shape), atol=1e-5
        )
        expected = np.select([labels[..., item] == k for k in (4, 3, 2)], [0, 1, 2], 255)
        assert np.array_equal(data.modality(item, "segmentation")[0], expected)
        assert data.modality(item, "segmentation").dtype == np.uint8
    assert data.segments == ["wall", "cabinet", "bottle"]


def test_segments_beyond_the_number_asked_for_have_no_class(file):
    data = open_data(f"nyu_depth:{file}?segments=2")
    assert data.segments == ["wall", "cabinet"]
    assert np.unique(data.modality(0, "segmentation")).tolist() == [0, 1, 255]
    assert data.digest != open_data(f"nyu_depth:{file}").digest


def test_the_split_of_the_authors_is_taken(file, splits):
    data, everything = (open_data(f"nyu_depth:{file}{more}") for more in (f"?splits={splits}&part=test", ""))
    assert [data.classes[label] for label in data.labels] == ["kitchen", "bedroom", "study"]
    assert np.asarray(data[1][0]).tobytes() == np.asarray(everything[3][0]).tobytes()
    assert np.array_equal(data.modality(2, "depth"), everything.modality(4, "depth"))
    assert len(open_data(f"nyu_depth:{file}?splits={splits}&part=train")) == 3


def test_workers_and_copies_read_the_same(file):
    data = open_data(f"nyu_depth:{file}")
    expected = [np.asarray(data[k][0]) for k in range(N)]
    for workers in (0, 2):
        loaded = [image for image, _ in DataLoader(data, batch_size=None, num_workers=workers)]
        assert np.array_equal([np.asarray(image) for image in loaded], expected)
    copy = pickle.loads(pickle.dumps(data))
    assert np.array_equal(copy.modality(3, "depth"), data.modality(3, "depth"))


def test_a_mat_that_is_no_nyu_file_is_one_line(file, tmp_path):
    savemat(tmp_path / "old.mat", {"images": np.zeros(3)})
    with h5py.File(tmp_path / "other.mat", "w") as mat:
        mat.create_dataset("images", data=np.zeros((3, 3, 4, 4), np.uint8))
    with h5py.File(file) as whole, h5py.File(tmp_path / "short.mat", "w") as mat:
        for name in ("images", "depths", "labels"):
            mat.create_dataset(name, data=whole[name][: 5 if name == "depths" else N])
        for name, texts in (("names", NAMES), ("sceneTypes", TYPES), ("scenes", SCENES)):
            cells(mat, name, texts)
    for name, message in [
        ("old.mat", "no HDF5 file, so not the labelled file of NYU-Depth-V2"),
        ("other.mat", "not the labelled file of NYU-Depth-V2: it has no 'depths'"),
        ("short.mat", "it has 6 images, 5 depths, 6 labels"),
        ("missing.mat", "no such file"),
    ]:
        with pytest.raises(InputError, match=message) as caught:
            open_data(f"nyu_depth:{tmp_path / name}")
        assert "\n" not in str(caught.value)


def test_wrong_options_are_one_line(file, splits, tmp_path):
    savemat(tmp_path / "far.mat", {"trainNdxs": np.array([[7]])})
    savemat(tmp_path / "none.mat", {"other": np.array([[7]])})
    for options, message in [
        ("?part=train", "splits=FILE and part= go together"),
        (f"?splits={splits}", "splits=FILE and part= go together"),
        (f"?splits={splits}&part=val", "part=val is unknown; accepted: train or test"),
        (f"?splits={tmp_path}/far.mat&part=train", "trainNdxs must name some of the 6 images"),
        (f"?splits={tmp_path}/none.mat&part=train", "not the splits of NYU-Depth-V2"),
        (f"?splits={file}&part=train", "not the splits of NYU-Depth-V2"),
        (f"?splits={tmp_path}/gone.mat&part=train", "gone.mat: no such file"),
        ("?segments=300", "segments=300 must lie between 1 and 255"),
    ]:
        with pytest.raises(InputError, match=message) as caught:
            open_data(f"nyu_depth:{file}{options}")
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="unknown modality of nyu_depth 'clip'; accepted: depth, normals"):
        open_data(f"nyu_depth:{file}").modality(0, "clip")


def test_without_h5py_the_message_names_the_extra(file, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(InputError, match=r'nyu_depth: needs h5py.*pip install "mitools\[nyu\]"'):
        open_data(f"nyu_depth:{file}")
