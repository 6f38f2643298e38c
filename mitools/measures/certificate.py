"""The certificate of class information."""

from mitools.auditing.settings import AuditSettings
from mitools.core.result_store import Values
from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.estimators.inputs.splits import Parts
from mitools.features.extract import Features


def certificate(features: Features, parts: Parts, settings: AuditSettings) -> Values:
    """Certify I_class, bound the label information, and read the linear probe off the same classifier."""
    fitted = ClassPosterior(prior=settings.prior, seed=settings.seed)
    fitted.fit(features.values[:, 0], features.labels, parts)
    return {
        "estimates": {
            "i_class": fitted.dv_estimate_.to_dict(),
            "i_class_nwj": fitted.nwj_estimate_.to_dict(),
            "label_information": fitted.label_information_.to_dict(),
        },
        "metrics": {"linear_acc": fitted.accuracy_},
        "influence_nats": fitted.influence_.tolist(),
    }
