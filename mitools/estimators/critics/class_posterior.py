"""The critic that a class posterior gives in closed form."""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from mitools.core.errors import InputError
from mitools.estimators.class_information.calibrated_posterior import CalibratedPosterior
from mitools.estimators.class_information.minibatch_logistic import MinibatchLogistic


class ClassPosteriorBase(nn.Module):
    """``log sum_c p(c|x) p(c|y) / pi_c``: the log density ratio of two views of one class.

    It is that ratio where x and y are drawn independently from one class, C ~ pi, and the posterior is
    the true one; see :mod:`mitools.estimators.class_information.class_pairs`.

    Parameters
    ----------
    posterior
        Fitted with its default classifier, logistic regression, on rows scaled as x and y will be.

    Raises
    ------
    InputError
        When the posterior is of another classifier, whose probabilities torch cannot compute.
    """

    weight: Tensor
    bias: Tensor
    prior: Tensor
    floor: Tensor

    def __init__(self, posterior: CalibratedPosterior) -> None:
        super().__init__()
        model = posterior.fitted_
        if not isinstance(model, LogisticRegression | MinibatchLogistic):
            raise InputError(
                f"a class-posterior base needs logistic regression, not {type(model).__name__}; leave the"
                " classifier out"
            )
        d = len(posterior.mean_)
        decided = model.decision_function(np.eye(d + 1, d, dtype=np.float32))
        if decided.ndim == 1:
            decided = np.stack([np.zeros_like(decided), decided], axis=1)
        # The last row is 0 and gives the bias; the others are one feature each.
        weight, bias = (decided[:-1] - decided[-1]).T, decided[-1]
        weight = weight / posterior.scale_
        bias = bias - weight @ posterior.mean_ - posterior._log_odds_shift
        buffers = {
            "weight": posterior.sharpness_ * weight,
            "bias": posterior.sharpness_ * bias + np.log(posterior.prior_),
            "prior": posterior.prior_,
            "floor": posterior._floor,
        }
        for name, values in buffers.items():
            self.register_buffer(name, torch.tensor(values, dtype=torch.float32))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Score x, shape (n, d), against y, shape (m, d): shape (n, m)."""
        return (self._evidence(x) @ self._evidence(y).T).log()

    def _evidence(self, rows: Tensor) -> Tensor:
        """Give p(c|row) / sqrt(pi_c), shape (n, C)."""
        posterior = nn.functional.linear(rows, self.weight, self.bias).softmax(dim=1)
        return ((1 - self.floor) * posterior + self.floor * self.prior) / self.prior.sqrt()
