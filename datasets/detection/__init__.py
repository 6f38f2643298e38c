"""Images with the boxes and masks of their objects."""

from mitools.datasets.detection.base import DetectionData, Objects
from mitools.datasets.detection.open import open_detection

__all__ = ["DetectionData", "Objects", "open_detection"]
