"""Transfer by a linear classifier on frozen features: known answers, the protocol, and what it leaves out."""

import numpy as np
import pytest
import torch

from mitools.core.errors import InputError
from mitools.estimators.inputs.splits import Parts, split
from mitools.metrics.transfer import TransferProtocol, frozen_transfer

FAST = TransferProtocol(steps=90, batch_size=256)


def clusters(n: int, gap: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, Parts]:
    """Draw two Gaussians `gap` standard deviations apart along the first of four axes."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    features = rng.standard_normal((n, 4)).astype(np.float32)
    features[:, 0] += gap * (labels - 0.5)
    return features, labels, split(n, labels, seed)


def test_two_gaussians_reach_the_accuracy_of_bayes() -> None:
    from scipy.stats import norm

    features, labels, parts = clusters(10_000, 2.0)
    right = frozen_transfer(features, labels, parts, FAST)
    best = norm.cdf(1.0)
    stderr = np.sqrt(best * (1 - best) / len(parts.report))
    assert right.shape == (len(parts.report),)
    assert abs(right.mean() - best) < 3 * stderr


def test_labels_that_have_nothing_to_do_with_features_are_guessed() -> None:
    features, _, _ = clusters(4000, 2.0)
    labels = np.random.default_rng(1).integers(0, 4, 4000)
    parts = split(4000, labels, 0)
    accuracy = frozen_transfer(features, labels, parts, FAST).mean()
    assert abs(accuracy - 0.25) < 4 * np.sqrt(0.25 * 0.75 / len(parts.report))


def test_the_rate_drops_at_5000_and_10000_of_15000_steps() -> None:
    protocol = TransferProtocol()
    assert (protocol.steps, protocol.batch_size) == (15_000, 512)
    rates = [protocol.rate(step) for step in (0, 4999, 5000, 9999, 10_000, 14_999)]
    np.testing.assert_allclose(rates, [0.4, 0.4, 0.04, 0.04, 0.004, 0.004])


def test_a_step_is_sgd_on_the_mean_cross_entropy() -> None:
    """From zero weights, one step over all items is the gradient written out."""
    features, labels, parts = clusters(40, 1.0)
    seen: list[torch.Tensor] = []
    hook = torch.nn.modules.module.register_module_forward_hook(
        lambda module, _, __: seen.append(module.weight.detach().clone())
    )
    frozen_transfer(features, labels, parts, TransferProtocol(steps=2, weight_decay=0.0))
    hook.remove()
    used = np.concatenate([parts.train, parts.select])
    pull = (labels[used] == 1) - 0.5
    rows = features[used] * pull[:, None]
    expected = np.stack([-rows.mean(axis=0), rows.mean(axis=0)])
    # The second of the three forward passes sees what the first step made, at the rate of the first third.
    np.testing.assert_allclose(seen[1].numpy(), 0.4 * expected, atol=1e-5)


def test_nothing_is_learnt_from_what_is_reported_on() -> None:
    features, labels, parts = clusters(2000, 1.0)
    first = frozen_transfer(features, labels, parts, FAST)
    again = labels.copy()
    again[parts.report] = 1 - again[parts.report]
    assert np.array_equal(frozen_transfer(features, again, parts, FAST), ~first)


def test_one_seed_gives_one_answer() -> None:
    features, labels, parts = clusters(3000, 0.5)
    short = TransferProtocol(steps=30)
    first, again = (frozen_transfer(features, labels, parts, short, seed=0) for _ in range(2))
    other = frozen_transfer(features, labels, parts, short, seed=1)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_wrong_input_is_one_line() -> None:
    features, labels, parts = clusters(100, 1.0)
    with pytest.raises(InputError, match=r"diverged at learning rate 0\.4.* need a smaller one"):
        frozen_transfer(1e30 * features, labels, parts, FAST)
    with pytest.raises(InputError, match="features"):
        frozen_transfer(features[:50], labels, parts, FAST)
