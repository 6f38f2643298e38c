"""What is trained: one method a file. For one of your own see ``mitools/guide/adding-a-method.md``."""

from mitools.training.methods.base import Batch, Loss, Method, Stage
from mitools.training.methods.registry import TRAINING_METHODS, make_method
from mitools.training.methods.shared_encoder import SharedEncoder

__all__ = ["TRAINING_METHODS", "Batch", "Loss", "Method", "SharedEncoder", "Stage", "make_method"]
