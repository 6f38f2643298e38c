"""mitools: mutual information that can be trusted."""

from mitools.core.errors import InputError
from mitools.core.estimate import Estimate, Interval

__version__ = "0.1.0"
__all__ = ["Estimate", "InputError", "Interval", "__version__"]
