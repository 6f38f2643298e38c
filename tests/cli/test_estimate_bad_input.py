"""Input that cannot be used ends in one line, and odd input that can in a stated handling: every method."""

import warnings

import numpy as np
import pytest

from mitools.cli.main import run
from mitools.core.errors import InputError
from mitools.estimators.registry import ESTIMATORS, make_estimator

N = 60
RNG = np.random.default_rng(0)
LABELS = np.arange(N) % 2
X = LABELS[:, None] + 0.5 * RNG.standard_normal((N, 3))
Y = X + 0.5 * RNG.standard_normal((N, 3))


def partner(method, rows):
    """Rows of y: one column where h(Y) must be known."""
    return rows[:, :1] if method == "barber_agakov" else rows


every_method = pytest.mark.parametrize("method", sorted(ESTIMATORS))


def with_value(rows, value):
    spoilt = rows.copy()
    spoilt[17, 1] = value
    return spoilt


UNUSABLE = {
    "NaN": (with_value(X, np.nan), "NaN"),
    "infinity": (with_value(X, -np.inf), "infinite"),
    "complex numbers": (X + 1j, "complex"),
    "Python objects": (X.astype(object), "x.npy"),
    "times": (np.full((N, 2), np.datetime64("2020-01-01")), "datetime"),
    "other length": (np.round(X[:-1]), "59"),
    "no rows": (X[:0], "shape (0, 3)"),
    "no columns": (X[:, :0], "shape (60, 0)"),
    "three axes": (X[:, :, None], "shape (60, 3, 1)"),
    "one number": (np.float64(3.0), "shape"),
}


@every_method
@pytest.mark.parametrize("what", sorted(UNUSABLE))
def test_unusable_x_ends_with_two_and_one_line(method, what, tmp_path, capsys):
    rows, word = UNUSABLE[what]
    np.save(tmp_path / "x.npy", rows)
    np.save(tmp_path / "y.npy", LABELS if ESTIMATORS[method].needs_labels else partner(method, Y))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        code = run(["estimate", str(tmp_path / "x.npy"), str(tmp_path / "y.npy"), "--method", method])
    shown = capsys.readouterr()
    assert code == 2
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    assert word in shown.err
    assert {path.name for path in tmp_path.iterdir()} == {"x.npy", "y.npy"}


@pytest.mark.parametrize(
    ("content", "said"), [(b"hello\n", "it is of another format"), (b"\x80\x04N.", "holds Python objects")]
)
def test_what_is_no_array_is_called_what_it_is(content, said, tmp_path, capsys):
    (tmp_path / "x.npy").write_bytes(content)
    np.save(tmp_path / "y.npy", Y)
    assert run(["estimate", str(tmp_path / "x.npy"), str(tmp_path / "y.npy")]) == 2
    assert said in capsys.readouterr().err


@every_method
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_unusable_y_is_named(method, value):
    y = LABELS.astype(float) if ESTIMATORS[method].needs_labels else Y[:, 0].copy()
    y[3] = value
    with pytest.raises(InputError) as error:
        quick(method).estimate(whole(X) if ESTIMATORS[method].needs_symbols else X, y)
    assert "\n" not in str(error.value)
    assert any(word in str(error.value) for word in ("y", "labels"))


def quick(method):
    """Make an estimator that takes milliseconds."""
    estimator = make_estimator(method)
    brief = {"hidden": (8,), "max_steps": 4, "check_every": 2, "folds": 2 if method == "components" else 1}
    return estimator.set_params(**{key: brief[key] for key in brief.keys() & estimator.get_params().keys()})


def whole(rows):
    return np.round(rows).astype(int)


REFUSES_TIES = {
    "barber_agakov": "needs a continuous y, but many values",
    "residuals": "values recur in a column",
}
"""Methods that read densities, which values that come again do not have."""


def usable(method, n=N):
    """Rows of x and of y that suit a method."""
    x = whole(X) if ESTIMATORS[method].needs_symbols else X
    y = (
        whole(Y)[:, 0]
        if ESTIMATORS[method].needs_symbols
        else LABELS
        if ESTIMATORS[method].needs_labels
        else partner(method, Y)
    )
    return x[:n], y[:n]


def read_quietly(method, x, y):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimate = quick(method).estimate(x, y)
    interval = estimate.interval_nats
    assert np.isfinite(estimate.nats)
    assert interval is None or interval.low <= estimate.nats <= interval.high
    return estimate


@every_method
def test_a_constant_column_changes_nothing_or_little(method):
    x, y = usable(method)
    wider = np.column_stack([x, np.full(len(x), 7)])
    other = np.column_stack([y, np.full(len(y), 7)]) if method == "nt_xent" else y
    bare, beside = read_quietly(method, x, y), read_quietly(method, wider, other)
    if bare.n_train == 0:
        assert beside.nats == pytest.approx(bare.nats, abs=1e-9)
    elif method in ("class_posterior", "label_information"):
        assert beside.nats == pytest.approx(bare.nats, abs=0.02)


@every_method
def test_constant_rows_share_nothing(method):
    x, y = usable(method)
    estimate = read_quietly(method, np.ones_like(x), y)
    assert estimate.nats == pytest.approx(0, abs=1e-4)
    assert estimate.has_warning("indistinguishable_from_zero")


@every_method
def test_rows_that_come_again_read_a_finite_number(method):
    x, y = usable(method)
    some = np.arange(N) % 20
    if method in REFUSES_TIES:
        with pytest.raises(InputError, match=REFUSES_TIES[method]):
            quick(method).estimate(x[some], y[some])
        return
    # Twenty different rows: no more than log 20 is there, but for what a small sample adds to an estimate.
    assert read_quietly(method, x[some], y[some]).nats < np.log(N)
    if ESTIMATORS[method].needs_labels:
        return
    if method in ("gaussian", "gaussian_copula"):
        with pytest.raises(InputError, match="determine a direction of each other exactly"):
            quick(method).estimate(x[some], x[some])
    else:
        read_quietly(method, x[some], x[some])


@every_method
@pytest.mark.parametrize("n", [2, 9, 30])
def test_few_rows_are_refused_in_one_line_or_read_with_care(method, n):
    x, y = usable(method, n)
    try:
        estimate = read_quietly(method, x, y)
    except InputError as refusal:
        message = str(refusal)
    else:
        few = estimate.has_warning("small_sample") or estimate.has_warning("undersampled")
        assert estimate.n_train > 0 or few
        assert estimate.n_report <= n
        return
    assert "\n" not in message
    assert any(character.isdigit() for character in message)


@pytest.mark.parametrize("method", sorted(name for name in ESTIMATORS if ESTIMATORS[name].needs_labels))
class TestLabels:
    def test_whole_floats_and_names_are_labels_too(self, method):
        x, y = usable(method)
        expected = read_quietly(method, x, y).nats
        assert read_quietly(method, x, y.astype(float)).nats == expected
        assert read_quietly(method, x, y[:, None]).nats == expected
        assert read_quietly(method, x, np.array(list("abcdefgh"))[y - y.min()]).nats == expected

    def test_fractions_are_no_labels(self, method):
        x, _ = usable(method)
        with pytest.raises(InputError, match="whole numbers"):
            quick(method).estimate(x, Y[:, 0])

    def test_a_row_of_labels_an_item_is_refused_or_one_symbol(self, method):
        x, y = usable(method)
        if ESTIMATORS[method].needs_symbols:
            assert np.isfinite(quick(method).estimate(x, np.column_stack([y, y])).nats)
            return
        with pytest.raises(InputError, match="one label a row"):
            quick(method).estimate(x, np.column_stack([y, y]))


@pytest.mark.parametrize("method", sorted(name for name in ESTIMATORS if not ESTIMATORS[name].needs_labels))
def test_whole_numbers_are_rows_too(method):
    x, y = usable(method)
    if method in REFUSES_TIES:
        with pytest.raises(InputError, match=REFUSES_TIES[method]):
            quick(method).estimate(whole(x), whole(y))
        return
    as_floats = read_quietly(method, whole(x).astype(float), whole(y).astype(float))
    assert read_quietly(method, whole(x), whole(y)).nats == pytest.approx(as_floats.nats, abs=1e-6)


def test_more_pairs_a_batch_than_there_are_rows():
    # 256 pairs a step by default, and 39 rows to draw them from.
    estimate = read_quietly("infonce", X, Y)
    assert estimate.settings["batch_size"] == 256
    assert estimate.n_train < 256
