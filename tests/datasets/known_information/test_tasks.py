import inspect

import numpy as np
import pytest
from scipy.special import rel_entr

from mitools.core.errors import InputError
from mitools.datasets.known_information.channels import AdditiveUniform, JointTable, LabelledIntervals
from mitools.datasets.known_information.elliptical import Gaussian, StudentT, sparse_correlation
from mitools.datasets.known_information.mixtures import GaussianMixture
from mitools.datasets.known_information.tasks import KNOWN_MI_TASKS, benchmark_tasks, find_task, sample

# Czyz et al. 2023, Table 1, row "True MI": two decimals.
PUBLISHED = {
    "normal 1x1": 0.41,
    "half cube of normal 1x1": 0.41,
    "swiss roll 2x1": 0.41,
    "uniform noise 0.1 1x1": 1.71,
    "uniform noise 0.75 1x1": 0.33,
    "student 1 df 1x1": 0.22,
    "student 1 df 2x2": 0.43,
    "student 2 df 3x3": 0.29,
    "student 2 df 5x5": 0.45,
    "student 3 df 5x5": 0.30,
    "dense normal 2x2": 0.29,
    "dense normal 3x3": 0.41,
    "dense normal 5x5": 0.59,
    "dense normal 25x25": 1.29,
    "dense normal 50x50": 1.62,
    "sparse normal 2x2": 1.02,
    "sparse normal 25x25": 1.02,
    "spiral of normal cdf of sparse normal 25x25": 1.02,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_truths_agree_with_the_published_table(name):
    assert round(find_task(name).joint.truth.nats, 2) == PUBLISHED[name]


def test_the_benchmark_spans_what_it_promises():
    assert inspect.isgenerator(benchmark_tasks())
    joints = {task.name: task.joint for task in benchmark_tasks()}
    assert len(joints) == len(KNOWN_MI_TASKS) >= 40
    assert {min(d for j in joints.values() for d in (j.d_x, j.d_y)), max(j.d_x for j in joints.values())} == {
        1,
        50,
    }
    assert all(0.2 <= joint.truth.nats <= 5 for joint in joints.values())
    assert all(joint.truth.source for joint in joints.values())


@pytest.mark.parametrize("name", KNOWN_MI_TASKS)
def test_samples_have_the_stated_shape_and_follow_the_seed(name):
    task = find_task(name)
    first, again, other = (task.sample(50, seed) for seed in (7, 7, 8))
    for side, d in (("x", task.joint.d_x), ("y", task.joint.d_y)):
        values = getattr(first, side)
        discrete = values.dtype.kind == "i"
        assert values.shape == ((50,) if discrete else (50, d))
        np.testing.assert_array_equal(values, getattr(again, side))
        assert (values != getattr(other, side)).any()
    assert (first.name, first.nats) == (name, task.joint.truth.nats)


@pytest.mark.parametrize(
    "name", [task.name for task in benchmark_tasks() if hasattr(task.joint, "pointwise")]
)
def test_the_exact_log_ratio_averages_to_the_truth(name):
    known = find_task(name).sample(20_000, seed=11)
    values = find_task(name).joint.pointwise(known.x, known.y)
    error = np.hypot(values.std() / np.sqrt(len(values)), known.stderr_nats)
    assert abs(values.mean() - known.nats) < 4 * error
    assert error < 0.05


def test_student_t_with_one_degree_of_freedom():
    # From the closed form by hand: log Gamma(1/2) + log Gamma(3/2) and four digamma terms.
    assert StudentT.identity(1, 1, 1).truth.nats == pytest.approx(0.2241721, abs=1e-6)


def test_student_t_becomes_normal_with_many_degrees_of_freedom():
    matrix = sparse_correlation(3, 2, 2, 0.6)
    assert StudentT(matrix, 3, 1e7).truth.nats == pytest.approx(Gaussian(matrix, 3).truth.nats, abs=1e-5)


def test_normal_margins_and_covariance():
    joint = Gaussian.sparse(2, 3, 2, 0.7)
    x, y = joint.draw(40_000, np.random.default_rng(0))
    np.testing.assert_allclose(np.cov(np.hstack([x, y]).T), joint.covariance, atol=0.03)
    assert joint.truth.nats == pytest.approx(-np.log(1 - 0.49))


@pytest.mark.parametrize("epsilon", [0.1, 0.5, 0.75, 2.0])
def test_uniform_noise_by_integrating_entropies(epsilon):
    # I = h(Y) - h(N), with the density of Y a trapezoid.
    y = np.linspace(-epsilon, 1 + epsilon, 400_001)
    density = (np.minimum(y + epsilon, 1) - np.maximum(y - epsilon, 0)) / (2 * epsilon)
    h_y = -np.trapezoid(density * np.log(np.maximum(density, 1e-300)), y)
    assert AdditiveUniform(epsilon, 3).truth.nats == pytest.approx(3 * (h_y - np.log(2 * epsilon)), abs=1e-4)


def test_uniform_noise_stays_within_its_width():
    x, y = AdditiveUniform(0.2, 2).draw(5000, np.random.default_rng(0))
    assert 0.19 < np.abs(y - x).max() <= 0.2
    assert 0 <= x.min() < 0.01 < 0.99 < x.max() < 1


def test_a_symmetric_channel_by_its_capacity_formula():
    m, flip = 8, 0.1
    capacity = np.log(m) + (1 - flip) * np.log(1 - flip) + flip * np.log(flip / (m - 1))
    assert JointTable.symmetric_channel(m, flip).truth.nats == pytest.approx(capacity)


def test_a_joint_table_is_drawn_as_it_is_written():
    table = np.array([[0.5, 0.0, 0.1], [0.05, 0.35, 0.0]])
    x, y = JointTable(table).draw(50_000, np.random.default_rng(0))
    seen = np.zeros_like(table)
    np.add.at(seen, (x, y), 1 / len(x))
    np.testing.assert_allclose(seen, table, atol=0.01)
    outer = np.outer(table.sum(axis=1), table.sum(axis=0))
    assert JointTable(table).truth.nats == pytest.approx(rel_entr(table, outer).sum())


def test_labelled_intervals_by_integrating_the_entropy_of_x():
    m = 5
    x = np.linspace(0, m + 1, 600_001)
    density = sum((x >= k) & (x <= k + 2) for k in range(m)) / (2 * m)
    h_x = -np.trapezoid(density * np.log(np.maximum(density, 1e-300)), x)
    assert LabelledIntervals(m).truth.nats == pytest.approx(h_x - np.log(2), abs=1e-4)
    x, y = LabelledIntervals(m).draw(1000, np.random.default_rng(0))
    assert ((x[:, 0] >= y) & (x[:, 0] <= y + 2)).all()


def test_quadrature_and_simulation_agree_on_a_mixture():
    joint = GaussianMixture.bimodal(1, 1, 3.0, 0.8)
    x, y = joint.draw(200_000, np.random.default_rng(3))
    values = joint.pointwise(x, y)
    assert abs(joint.truth.nats - values.mean()) < 4 * values.std() / np.sqrt(len(values))
    assert joint.truth.stderr_nats == 0


def test_a_mixture_of_one_is_the_normal():
    normal = Gaussian.dense(1, 1, 0.6)
    mixture = GaussianMixture(np.ones(1), np.zeros((1, 2)), normal.covariance[None], 1)
    assert mixture.truth.nats == pytest.approx(normal.truth.nats, abs=1e-9)


def test_a_simulated_truth_states_its_error():
    truth = GaussianMixture.bimodal(3, 3, 2.0, 0.7).truth
    assert 0 < truth.stderr_nats < 0.003
    assert "524288 pairs" in truth.source


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Gaussian.dense(1, 1, 1.5), "positive definite"),
        (lambda: Gaussian(np.eye(3), 3), "leave at least one"),
        (lambda: Gaussian(np.ones((2, 3)), 1), "square and symmetric"),
        (lambda: Gaussian.sparse(2, 5, 3, 0.5), "3 interacting pairs do not fit"),
        (lambda: StudentT(np.eye(2), 1, 0), "degrees of freedom"),
        (lambda: AdditiveUniform(0.0), "must be positive"),
        (lambda: JointTable(np.array([0.5, 0.5])), "two axes"),
        (lambda: JointTable(np.array([[0.5, 0.6]])), "sum to one"),
        (lambda: LabelledIntervals(1), "at least 2"),
        (lambda: GaussianMixture(np.ones(1), np.zeros((2, 2)), np.eye(2)[None], 1), "a mixture of 1 normals"),
        (lambda: GaussianMixture(np.ones(1), np.zeros((1, 2)), np.ones((1, 2, 2)), 1), "positive definite"),
        (lambda: find_task("sparse normal 25x26"), "did you mean sparse normal 25x25"),
        (lambda: sample(AdditiveUniform(0.1), 0), "at least 1"),
    ],
)
def test_bad_requests_name_what_is_wrong(make, message):
    with pytest.raises(InputError, match=message) as raised:
        make()
    assert "\n" not in str(raised.value)
