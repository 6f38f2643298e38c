"""What an audit is asked for, beside data and encoders."""

from dataclasses import dataclass

from mitools.core.result_store import Values
from mitools.features.store import FeatureDtype
from mitools.measures.settings import MeasureSettings


@dataclass(frozen=True)
class AuditSettings:
    """What an audit measures, and how encoders run for it.

    Attributes
    ----------
    view_pairings
        Names of views (:func:`mitools.views.registry.make_view`). Of each, the information that two draws
        share is measured too, on `views` draws an image: the encoder runs that many more times.
    prior
        The class distribution that is meant: ``empirical`` or ``uniform``.
    seed
        Of the split, the critics and the views.
    critic
        Fit an InfoNCE critic beside the certificate: most of the time of an audit whose features are kept.
    quick_critic
        Fit smaller critics in fewer steps: a fifth of the time, and lower bounds all the same.
    trained_head
        For runs with a projection head, fit a critic that starts from it too.
    control
        Compare every trained network with its architecture untrained.
    further_measures
        Names of measures beyond those of every audit: of :data:`mitools.auditing.cells.GROUPS`.
    test_schedule
        Of :data:`mitools.metrics.protocols.sgd_linear.SCHEDULES`: on the test items, where there are any, a
        linear classifier trained by SGD is read too.
    precision, kept_as
        What networks compute in, and what features are kept as: see
        :class:`mitools.features.extract.PassOptions`.
    device, batch_size, workers
        Where and how encoders run; no number depends on them.
    """

    view_pairings: tuple[str, ...] = ()
    views: int = 2
    prior: str = "empirical"
    seed: int = 0
    critic: bool = True
    quick_critic: bool = False
    trained_head: bool = False
    control: bool = True
    further_measures: tuple[str, ...] = ()
    test_schedule: str | None = None
    precision: str = "float32"
    kept_as: FeatureDtype = "float32"
    device: str = "cpu"
    batch_size: int = 256
    workers: int = 0

    def record(self) -> Values:
        """Give what a reader needs to repeat the audit, as JSON values."""
        return {
            "seed": self.seed,
            "prior": self.prior,
            "views_an_item": self.views,
            "precision": self.precision,
            "kept_as": self.kept_as,
            "device": self.device,
            **({"test_schedule": self.test_schedule} if self.test_schedule else {}),
            **({"quick_critic": True} if self.quick_critic else {}),
        }

    def precision_record(self) -> Values:
        """Give what every number of a row depends on in how networks run, as JSON values; none by default."""
        return {
            **({"precision": self.precision} if self.precision != "float32" else {}),
            **({"kept_as": self.kept_as} if self.kept_as != "float32" else {}),
        }

    @property
    def measure_settings(self) -> MeasureSettings:
        """Those settings that measures see, whoever asks."""
        return MeasureSettings(self.prior, self.seed, self.device, self.quick_critic)
