"""LEEP: how well labels are predicted from a source classifier's class scores."""

import numpy as np
from numpy.typing import ArrayLike

from mitools.core.errors import InputError
from mitools.estimators.inputs.validation import as_labels, same_length


def leep(class_scores: ArrayLike, labels: ArrayLike) -> float:
    """Mean log likelihood of the labels under the empirical predictor through source classes; at most 0.

    With theta the source classifier's probabilities, ``P(y | z)`` is the mean of theta_z over items of class
    y as a share of that over all items, and LEEP the mean of ``log sum_z P(y_i | z) theta_z(x_i)``. In nats;
    higher is better.

    Parameters
    ----------
    class_scores
        Shape (n, Z): probabilities of Z source classes; each row sums to 1.
    labels
        Shape (n,), of the target.

    Raises
    ------
    InputError
        When the scores are no probabilities, or the lengths differ.

    References
    ----------
    Nguyen, Hassner, Seeger and Archambeau, "LEEP: A New Measure to Evaluate Transferability of Learned
    Representations", ICML 2020, Eq. 2.

    Examples
    --------
    >>> leep(np.eye(2)[[0, 0, 1, 1]], [5, 5, 7, 7])  # every source class is one target class
    0.0
    """
    theta, index = np.asarray(class_scores, dtype=np.float64), as_labels(labels)
    if theta.ndim != 2 or not (theta >= 0).all() or not np.allclose(theta.sum(axis=1), 1, atol=1e-4):
        raise InputError(
            f"class_scores of shape {theta.shape} are no probabilities: rows of (n, Z) that sum to 1 are"
            " needed; apply a softmax to logits first"
        )
    same_length(len(theta), len(index), "class_scores", "labels")
    joint = np.zeros((int(index.max()) + 1, theta.shape[1]))
    np.add.at(joint, index, theta)
    total = joint.sum(axis=0)
    given = np.divide(joint, total, out=np.zeros_like(joint), where=total > 0)
    return float(np.log(np.einsum("ij,ij->i", given[index], theta)).mean())
