"""Where data may come from: every source by its name, a table that imports no reader."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from mitools.core.specs import Spec
from mitools.datasets.base import LabelledData

# Those of mitools.datasets.images.decode, which is imported when images are.
IMAGE_OPTIONS = ("background", "exif", "on_error")
_GENERATED = ("background", "glyphs", "n", "part", "seed", "shared")


@dataclass(frozen=True)
class DataSource:
    """A source of data, the first word of a spec.

    Attributes
    ----------
    what
        One line for people.
    example
        A spec.
    module, function
        What opens the source's specs; imported when one is opened.
    options
        The options that it reads beyond ``limit``, ``classes`` and ``groups``, which every source takes.
    """

    what: str
    example: str
    module: str
    function: str
    options: tuple[str, ...] = ()

    @property
    def opener(self) -> Callable[[Spec], LabelledData]:
        """The function that opens a spec."""
        opener: Callable[[Spec], LabelledData] = getattr(import_module(self.module), self.function)
        return opener


DATA_SOURCES: dict[str, DataSource] = {
    "cdp": DataSource(
        "generated images of a coloured digit at a position, with any joint distribution (Lee et al. 2023)",
        "cdp?shared=color,digit&size=64",
        "mitools.datasets.synthetic.open",
        "open_cdp",
        (*_GENERATED, "colors", "dependency", "digits", "joint", "partners", "positions", "size", "strength"),
    ),
    "clips": DataSource(
        "videos, or folders of frames, in one folder a class; with the splits of UCF101 and HMDB51",
        "clips:UCF-101?split=ucfTrainTestlist/testlist01.txt&frames=16",
        "mitools.datasets.readers.clips",
        "open_clips",
        ("frames", "part", "split"),
    ),
    "colorful_moving_mnist": DataSource(
        "generated clips of a digit that moves over a background (Tian et al. 2020)",
        "colorful_moving_mnist?shared=position",
        "mitools.datasets.synthetic.open",
        "open_colorful_moving_mnist",
        (*_GENERATED, "frame", "grid"),
    ),
    "csv": DataSource(
        "image files of a folder or a tar archive whose paths and labels stand in a CSV or Parquet table",
        "csv:images.csv?image=path&label=label",
        "mitools.datasets.images.paths",
        "open_csv",
        ("image", "label", "root", "target", *IMAGE_OPTIONS),
    ),
    "digits": DataSource(
        "scikit-learn's handwritten digits, 1,797 images of 8x8 pixels; nothing to download",
        "digits",
        "mitools.datasets.readers.digits",
        "open_digits",
    ),
    "features": DataSource(
        "features computed elsewhere, with labels: npz, safetensors, parquet, or two npy files",
        "features:features.npz",
        "mitools.datasets.readers.features",
        "open_features",
        ("features", "label", "labels", "target"),
    ),
    "folder": DataSource(
        "images in one folder a class",
        "folder:images/test",
        "mitools.datasets.readers.folder",
        "open_folder",
        IMAGE_OPTIONS,
    ),
    "hdf5": DataSource(
        "images in an HDF5 file: an array of pixels, or of image files",
        "hdf5:images.h5?image=images&label=labels",
        "mitools.datasets.images.hdf5",
        "open_hdf5",
        ("image", "label", "target", *IMAGE_OPTIONS),
    ),
    "hf-datasets": DataSource(
        "a data set of Hugging Face: a saved folder, Parquet files, or a name to fetch",
        "hf-datasets:saved?split=test&image=image&label=label",
        "mitools.datasets.images.arrow",
        "open_hugging_face",
        ("image", "label", "split", "target", *IMAGE_OPTIONS),
    ),
    "lmdb": DataSource(
        "image files in an LMDB, with the class in the key or in a table",
        "lmdb:images.lmdb?labels=labels.csv",
        "mitools.datasets.images.lmdb",
        "open_lmdb",
        ("labels", "target", *IMAGE_OPTIONS),
    ),
    "mnist": DataSource(
        "MNIST and its relatives as idx files, gzipped or not",
        "mnist:mnist?part=test",
        "mitools.datasets.readers.mnist",
        "open_mnist",
        ("part",),
    ),
    "nyu_depth": DataSource(
        "NYU-Depth-V2's labelled images of rooms, with depth, normals and segmentation",
        "nyu_depth:nyu_depth_v2_labeled.mat?splits=splits.mat&part=train",
        "mitools.datasets.readers.nyu_depth",
        "open_nyu_depth",
        ("part", "segments", "splits"),
    ),
    "parquet": DataSource(
        "images as bytes in Parquet files",
        "parquet:test-*.parquet?image=image&label=label",
        "mitools.datasets.images.arrow",
        "open_parquet",
        ("image", "label", "target", *IMAGE_OPTIONS),
    ),
    "scenes": DataSource(
        "generated images of an object on a floor before a wall, with depth, normals and segmentation",
        "scenes?label=shape,colour",
        "mitools.datasets.synthetic.open",
        "open_scenes",
        ("label", "n", "part", "seed", "size"),
    ),
    "tar": DataSource(
        "images in one folder a class inside a tar archive, which is not extracted",
        "tar:cifar10-test.tar.gz",
        "mitools.datasets.readers.tar",
        "open_tar",
        ("under", *IMAGE_OPTIONS),
    ),
    "text": DataSource(
        "labelled texts in a CSV or Parquet file",
        "text:reviews.csv?text=review&label=stars",
        "mitools.datasets.readers.text",
        "open_text",
        ("label", "target", "text"),
    ),
    "torchvision": DataSource(
        "any classification set of torchvision",
        "torchvision:CIFAR100?root=data&split=test",
        "mitools.datasets.images.torchvision_sets",
        "open_torchvision",
        ("download", "kind", "root", "split"),
    ),
    "webdataset": DataSource(
        "images in shards of the WebDataset format",
        "webdataset:train-{000..009}.tar?label=cls",
        "mitools.datasets.images.webdataset",
        "open_webdataset",
        ("label", "target", *IMAGE_OPTIONS),
    ),
}
"""Every source by its name."""
