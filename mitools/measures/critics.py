"""Critics trained on frozen features: same-class pairs and augmented views."""

from torch import nn

from mitools.auditing.settings import AuditSettings
from mitools.core.result_store import Values
from mitools.estimators.inputs.splits import Parts
from mitools.estimators.neural.variational import VariationalEstimator
from mitools.features.extract import Features
from mitools.metrics.alignment import alignment
from mitools.pairing.same_class import SameClassPairs
from mitools.pairing.view_pairs import ViewPairs


def same_class_critic(
    features: Features, parts: Parts, settings: AuditSettings, head: nn.Module | None = None
) -> Values:
    """Estimate I_class after training, with a projection head as critic (Lee et al., Sec. III-C).

    Parameters
    ----------
    features, parts, settings
        As for every measure.
    head
        The head that the encoder was trained with, as a critic to start from, as the paper does; a fresh
        one when None.
    """
    rows = features.values[:, 0]
    critic = _projection_critic(settings, head)
    critic.fit(rows, rows, SameClassPairs(features.labels, settings.prior), parts)
    column = "i_class_infonce" if head is None else "i_class_head"
    return {"estimates": {column: critic.estimate_.to_dict()}}


def view_critic(
    features: Features, parts: Parts, settings: AuditSettings, head: nn.Module | None = None
) -> Values:
    """Estimate I_SimCLR after training, on augmented views; arguments as for :func:`same_class_critic`."""
    n, n_views, d = features.values.shape
    rows = features.values.reshape(n * n_views, d)
    critic = _projection_critic(settings, head)
    critic.fit(rows, rows, ViewPairs(n, n_views, features.labels), parts)
    if head is not None:
        return {"estimates": {"i_simclr_head": critic.estimate_.to_dict()}}
    report = features.values[parts.report]
    return {
        "estimates": {"i_simclr": critic.estimate_.to_dict()},
        "metrics": {"alignment_simclr": alignment(report[:, 0], report[:, 1], device=settings.device)},
    }


def _projection_critic(settings: AuditSettings, head: nn.Module | None) -> VariationalEstimator:
    """Make the papers' critic; features of one network need no ranks, which cost it a hundredth of a bit."""
    return VariationalEstimator(
        "infonce",
        "projection" if head is None else head,
        # A trained head reads features as they are.
        scaling="standardise" if head is None else "none",
        device=settings.device,
        seed=settings.seed,
    )
