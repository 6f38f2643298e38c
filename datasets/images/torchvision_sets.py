"""The classification sets of torchvision, by name."""

import inspect
import io
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from mitools.core.errors import InputError
from mitools.core.names import FEW_NAMES, nearest
from mitools.core.specs import Spec
from mitools.datasets.base import LabelledData
from mitools.datasets.images.cifar import read_cifar

# Sets whose second value is no class of the image, and those that torchvision reads from pickles.
_OTHERS = frozenset(
    {
        "CelebA", "Cityscapes", "CocoCaptions", "CocoDetection", "DatasetFolder", "FakeData", "Flickr30k",
        "Flickr8k", "FlyingChairs", "HD1K", "HMDB51", "ImageFolder", "Kinetics", "Kitti", "KittiFlow",
        "LFWPairs", "LSUN", "LSUNClass", "MovingMNIST", "PhotoTour", "SBDataset", "SBU", "UCF101",
        "VOCDetection", "VOCSegmentation", "VisionDataset", "WIDERFace",
    }
)  # fmt: skip
_TEST = "test"


def open_torchvision(spec: Spec) -> LabelledData:
    """Open ``torchvision:NAME?root=FOLDER&split=test``, any set of torchvision with an image and its class.

    ``split`` is ``test`` where nothing is said, or the word that the set itself uses; EMNIST takes
    ``kind=letters`` and the like beside it. Nothing is downloaded unless ``download=yes`` says so. CIFAR's
    pickles are read by :func:`mitools.datasets.images.cifar.read_cifar`, which runs nothing in them.

    Raises
    ------
    InputError
        When there is no such set or split, or its files are not in the folder.
    """
    from mitools.datasets.torch_items import read_dataset

    name = spec.need_name("torchvision:CIFAR100?root=data&split=test")
    kinds = classification_sets()
    if name not in kinds:
        known = nearest(name, list(kinds), FEW_NAMES)
        raise InputError(
            f"spec {spec.text!r}: torchvision has no classification set {name!r}; nearest: {known}"
        )
    download = spec.options.get("download", "no")
    if download not in ("yes", "no"):
        raise InputError(f"spec {spec.text!r}: download={download} is unknown; accepted: yes, no")
    options = _options(spec, name, kinds[name])
    takes_download = name == "EMNIST" or "download" in inspect.signature(kinds[name].__init__).parameters
    if takes_download:
        options["download"] = download == "yes"
    root = Path(spec.options.get("root", "data"))
    pickled = name.startswith("CIFAR")
    if pickled and download == "no":
        return read_cifar(name, root, "train" if options["train"] else _TEST)
    try:
        with redirect_stdout(io.StringIO()):  # what it says of downloads is no result
            dataset = kinds[name](root=str(root), **options)
    except (RuntimeError, OSError, ValueError, LookupError, ImportError) as error:
        reason = " ".join(str(error).split())[:200]
        hint = "; download=yes fetches it" if takes_download and download == "no" else ""
        raise InputError(f"torchvision:{name} in {root}: {reason}{hint}") from None
    if pickled:  # fetched, and compared with the published checksums
        return read_cifar(name, root, "train" if options["train"] else _TEST)
    return read_dataset(dataset, name=f"{name}-{spec.options.get('split', _TEST)}")


def classification_sets() -> dict[str, Any]:
    """Give torchvision's sets of images and classes by name."""
    from torchvision import datasets

    kinds = {name: getattr(datasets, name) for name in datasets.__all__ if name not in _OTHERS}
    return {
        name: kind
        for name, kind in kinds.items()
        if inspect.isclass(kind)
        and issubclass(kind, datasets.VisionDataset)
        and "root" in inspect.signature(kind.__init__).parameters
        and not {"pass_name", "camera"} & set(inspect.signature(kind.__init__).parameters)
        and not hasattr(kind, "_read_flow")
        and not hasattr(kind, "_read_disparity")
    }


def _options(spec: Spec, name: str, kind: Any) -> dict[str, Any]:
    """Put the spec's split into the words of a set."""
    accepted = inspect.signature(kind.__init__).parameters
    split = spec.options.get("split", _TEST)
    if name == "EMNIST":
        return {"split": spec.options.get("kind", "balanced"), "train": _is_train(spec, split)}
    if "kind" in spec.options:
        raise InputError(f"spec {spec.text!r}: {name} takes no kind=; leave it out")
    if name == "QMNIST":
        return {"what": split}
    if "train" in accepted:
        return {"train": _is_train(spec, split)}
    if "split" in accepted:
        return {"split": split}
    if "background" in accepted:
        return {"background": _is_train(spec, split)}
    if "split" in spec.options:
        raise InputError(f"spec {spec.text!r}: {name} has no splits; leave split= out")
    return {}


def _is_train(spec: Spec, split: str) -> bool:
    if split not in ("train", _TEST):
        raise InputError(f"spec {spec.text!r}: split={split} is unknown; accepted: train, {_TEST}")
    return split == "train"
