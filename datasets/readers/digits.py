"""scikit-learn's handwritten digits: real images that need no download."""

import hashlib

import numpy as np

from mitools.core.files import digest_text
from mitools.core.specs import Spec
from mitools.datasets.in_memory import ImageArray


def open_digits(_: Spec) -> ImageArray:
    """Open ``digits``: 1,797 grey images of 8x8 pixels, ten classes.

    The 17 grey levels of the source are spread over 0 to 255.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    labels = digits.target.astype(np.int64)
    return ImageArray(
        name="digits",
        classes=[str(name) for name in digits.target_names],
        images=images,
        labels=labels,
        digest=digest_text("digits", hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()),
    )
