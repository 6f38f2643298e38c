"""What an array is taken for."""

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.estimators.inputs.sides import recognise_side, take_side

N = 400


RNG = np.random.default_rng(0)


class TestWhatAnArrayIsTakenFor:
    @pytest.mark.parametrize(
        ("values", "kind"),
        [
            (RNG.integers(0, 4, N), "labels"),
            (RNG.integers(0, 4, (N, 1)), "labels"),
            (RNG.random(N) < 0.5, "labels"),
            (RNG.choice(["cat", "dog"], N), "labels"),
            (RNG.integers(0, 4, N).astype(float), "symbols"),
            (RNG.integers(0, 4, N) / 10, "symbols"),
            (np.arange(N) // 4, "numbers"),
            (np.arange(N) // 5, "labels"),
            (np.arange(N).astype(float) % 20, "symbols"),
            (np.arange(N).astype(float) % 21, "numbers"),
            (RNG.integers(0, 4, (N, 2)), "numbers"),
            (RNG.standard_normal(N), "numbers"),
        ],
    )
    def test_kind(self, values, kind):
        assert recognise_side(values, "x").kind == kind

    def test_symbols_are_numbered_and_numbers_are_rows(self):
        np.testing.assert_array_equal(
            recognise_side(np.repeat([0.5, -1.0, 0.5], 10), "x").values[9:12], [1, 0, 0]
        )
        assert recognise_side(np.linspace(0, 1, N), "x").values.shape == (N, 1)

    @pytest.mark.parametrize("values", [[1.0, np.nan], [[1, 2], [3]], [None, 3], [1j, 2], []])
    def test_what_is_neither_is_refused_by_name(self, values):
        with pytest.raises(InputError, match=r"^x "):
            recognise_side(values, "x")


class TestIds:
    """Whole numbers whose order means nothing are told from those that have a smooth histogram."""

    @staticmethod
    def kind(values):
        return recognise_side(values, "x").kind

    def test_ids_of_unequal_frequency_are_symbols(self):
        p = 1 / np.arange(1, 1001)
        names = RNG.choice(10**9, 1000, replace=False)
        assert self.kind(RNG.choice(names, 2000, p=p / p.sum())) == "symbols"

    def test_quantities_are_numbers(self):
        assert self.kind(np.rint(RNG.normal(0, 300, 2000)).astype(int)) == "numbers"
        assert self.kind(np.rint(RNG.lognormal(4, 1, 1000)).astype(int)) == "numbers"
        assert self.kind(RNG.integers(0, 900, 2000)) == "numbers"

    def test_the_reason_is_given(self):
        assert recognise_side(RNG.integers(0, 4, N), "x").because == (
            "4 whole numbers occur 5 times each or more on average"
        )


class TestTakenAsTold:
    @pytest.mark.parametrize("kind", ["numbers", "labels", "symbols"])
    def test_whole_numbers_are_what_the_caller_says(self, kind):
        side = take_side(RNG.integers(0, 300, N), "x", kind)
        assert (side.kind, side.because) == (kind, "x_as says so")
        assert not side.may_be_numbers or kind == "numbers"

    def test_the_values_come_back(self):
        values = RNG.integers(5, 9, N) * 10
        for kind in ("numbers", "labels", "symbols"):
            np.testing.assert_array_equal(take_side(values, "x", kind).original.ravel(), values)

    @pytest.mark.parametrize(
        ("values", "kind", "message"),
        [
            (["cat", "dog"] * 20, "numbers", "x holds names"),
            (RNG.standard_normal(N), "labels", "x are not whole numbers"),
            (RNG.standard_normal((N, 2)), "symbols", "x has 2 columns"),
            (RNG.standard_normal(N), "digits", "kind of x"),
        ],
    )
    def test_what_it_is_not_is_refused(self, values, kind, message):
        with pytest.raises(InputError, match=message):
            take_side(values, "x", kind)


class TestNewValues:
    """Taken for what the values of the fit were taken for."""

    def test_labels_keep_their_numbers_where_they_must(self):
        side = recognise_side(np.array(["ape", "bee", "cat"] * 10), "x").without_values()
        new = ["cat", "bee"]
        np.testing.assert_array_equal(side.of_new(new, "x", same_numbers=True), [2, 1])
        np.testing.assert_array_equal(side.of_new(new, "x", same_numbers=False), [1, 0])
        with pytest.raises(InputError, match="x hold 'dog', which is none of the 3 classes"):
            side.of_new(["dog"], "x", same_numbers=True)

    def test_numbers_have_the_columns_of_the_fit(self):
        side = recognise_side(RNG.standard_normal((N, 2)), "x").without_values()
        assert len(side.values) == 0
        assert side.of_new([[1, 2], [3, 4]], "x", same_numbers=True).tolist() == [[1, 2], [3, 4]]
        with pytest.raises(InputError, match="x has 1 columns, but the fit had 2"):
            side.of_new([1.0, 2.0], "x", same_numbers=True)
