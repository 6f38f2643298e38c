"""What a plane is asked for, beside checkpoints and data."""

from dataclasses import dataclass

from mitools.measures.settings import MeasureSettings

SOURCE = "source"
"""The name, and the role, of the data that a network was made for, among those it is measured on."""

TRAINED_ON = "trained on"
"""The role of data that it was trained on."""


@dataclass(frozen=True)
class PlaneSettings:
    """Settings of the methods of a plane.

    Attributes
    ----------
    bins, bin_range
        Of ``binned``: how many of equal width a unit; where they begin and end (the layer's smallest and
        largest value over all checkpoints when None).
    noise_variance
        Of ``kolchinsky_tracey``: Gaussian noise in every unit, in squared units of the layer.
    input_components
        Principal components of X that ``infonce`` reads.
    neighbour_components
        Principal components of X and of T that ``ksg`` reads.
    critic_steps
        Steps of the critics of ``infonce`` and ``mine`` at the most; held-out items stop them.
    protocol_steps, protocol_hidden
        Of ``ctc``: steps, and width of the hidden layers. Other numbers than 10,000 and 1,024 are another
        protocol than the paper's, and every reading says so.
    seed
        Of the split and of everything fitted.
    device, batch_size, workers
        Where and how encoders run and critics are fitted.
    """

    bins: int = 30
    bin_range: tuple[float, float] | None = None
    noise_variance: float = 0.1
    input_components: int = 32
    neighbour_components: int = 4
    critic_steps: int = 1000
    protocol_steps: int = 10_000
    protocol_hidden: int = 1024
    seed: int = 0
    device: str = "cpu"
    batch_size: int = 256
    workers: int = 0

    @property
    def measure_settings(self) -> MeasureSettings:
        """Those settings that measures see, whoever asks."""
        return MeasureSettings(seed=self.seed, device=self.device)
