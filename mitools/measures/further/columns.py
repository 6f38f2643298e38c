"""The measures that are computed on demand: what each says, in which direction, from what, at what cost.

A measure is quick where 10,000 rows of 512 columns take it a few seconds on one core.
"""

from mitools.measures.base import Computation, Measure, ReadField

_SPECTRUM = Computation("mitools.measures.further.spectrum:spectrum")
_LIDAR = Computation("mitools.measures.further.spectrum:lidar_of_views")
_TWO_NN = Computation("mitools.measures.further.intrinsic_dimension:intrinsic_dimension")
_CLUSTERS = Computation("mitools.measures.further.intrinsic_dimension:learnability")
_COLLAPSE = Computation("mitools.measures.further.neural_collapse:neural_collapse")
_EFFICIENCY = Computation("mitools.measures.further.label_efficiency:label_efficiency")

_PAPYAN = "Papyan, Han and Donoho 2020"
_WHITNEY = "Whitney et al. 2020"
_XU = "Xu et al. 2020, Definition 2"

_ROWS: tuple[ReadField, ...] = ("rows",)


def _transferability(name: str) -> Computation:
    return Computation("mitools.measures.further.transferability:transferability", name)


def _v_information(family: str) -> Computation:
    return Computation("mitools.measures.further.v_information:v_information", family)


FURTHER_MEASURES = (
    Measure(
        "v_information_neighbours",
        "estimate",
        _v_information("neighbours"),
        what="V-information of the label for nearest-neighbour votes; label_information is that of lines",
        source=_XU,
        pairing="",
        range="at most H(C)",
        cost="n^2 d, five folds",
    ),
    Measure(
        "v_information_mlp",
        "estimate",
        _v_information("mlp"),
        what="V-information of the label for networks of one hidden layer",
        source=_XU,
        pairing="",
        range="at most H(C)",
        cost="a small network, five folds",
    ),
    *(
        Measure(
            name,
            "metric",
            _SPECTRUM,
            what=what,
            source=source,
            pairing="",
            reads=_ROWS,
            unit="",
            higher_is_better=name != "alpha_req",
            best=1.0 if name == "alpha_req" else None,
            range=range_,
            cost="n d^2",
            quick=True,
        )
        for name, what, source, range_ in (
            (
                "rankme",
                "effective rank of the features as they are",
                "Garrido et al. 2023, Eq. 1",
                "1 to min(n, d)",
            ),
            (
                "alpha_req",
                "exponent of the power law of the covariance's eigenvalues",
                "Agrawal et al. 2022, Sec. 3",
                "0 upwards",
            ),
            (
                "nesum",
                "eigenvalues of the covariance as shares of the largest, summed",
                "He and Ozay 2022, Sec. 4",
                "1 to min(n, d)",
            ),
            (
                "stable_rank",
                "squared Frobenius over squared spectral norm of the features",
                "Rudelson and Vershynin 2007",
                "1 to min(n, d)",
            ),
            (
                "participation_ratio",
                "how many principal components share the variance",
                "Gao et al. 2017, Eq. 5",
                "1 to min(n, d)",
            ),
        )
    ),
    Measure(
        "lidar_simclr",
        "metric",
        _LIDAR,
        what="effective rank of what tells items apart in spite of the augmentations",
        source="Thilak et al. 2024, Eq. 1 to 4",
        pairing="simclr",
        reads=("views",),
        unit="",
        range="1 to min(n, d)",
        cost="n V d^2, V views",
        quick=True,
    ),
    Measure(
        "two_nn",
        "metric",
        _TWO_NN,
        what="intrinsic dimension, from the ratio of the distances to two neighbours",
        source="Facco et al. 2017, Eq. 5",
        pairing="",
        reads=_ROWS,
        unit="",
        range="0 upwards",
        cost="n^2 d, 8,192 items at most",
        quick=True,
    ),
    Measure(
        "cluster_learnability",
        "metric",
        _CLUSTERS,
        what="how fast the features' own clusters are learnt; its z-score and that of two_nn are CLID",
        source="Lu et al. 2023, Sec. 3",
        pairing="",
        reads=_ROWS,
        unit="share",
        range="0 to 1",
        cost="n^2 d, 4,096 items at most",
        quick=True,
    ),
    *(
        Measure(
            name,
            "metric",
            _transferability(name),
            what=what,
            source=source,
            pairing="labels",
            unit=unit,
            range=range_,
            cost=cost,
            quick=name != "nleep",
        )
        for name, what, source, unit, range_, cost in (
            (
                "logme",
                "log evidence of linear models of the classes, per item",
                "You et al. 2021, Algorithm 1",
                "nats an item",
                "any number",
                "n d^2",
            ),
            (
                "h_score",
                "between-class covariance, measured in the features' own, with shrinkage",
                "Ibrahim et al. 2022, Eq. 9",
                "",
                "0 to min(d, C - 1)",
                "n d^2",
            ),
            (
                "nleep",
                "log likelihood of the labels through the components of a Gaussian mixture",
                "Li et al. 2021, Sec. 3.2",
                "nats an item",
                "at most 0",
                "n d^2, and a mixture of 5 C components",
            ),
            (
                "transrate",
                "coding rate of all features less that within the classes",
                "Huang et al. 2022, Eq. 5",
                "bits of code",
                "0 upwards",
                "n d^2",
            ),
        )
    ),
    *(
        Measure(
            name,
            "metric",
            _COLLAPSE,
            what=what,
            source=f"{_PAPYAN}, {where}",
            pairing="labels",
            unit="",
            higher_is_better=False,
            range=range_,
            cost="n d^2",
            quick=True,
        )
        for name, what, where, range_ in (
            ("nc1", "covariance within classes over that of the class means", "Fig. 6", "0 upwards"),
            ("nc2_norms", "spread of the lengths of the class means, as a share", "Fig. 2", "0 upwards"),
            (
                "nc2_angles",
                "distance of the means' cosines from those of a simplex",
                "Fig. 4",
                "0 to 2",
            ),
            (
                "nc3",
                "squared distance of a linear classifier's weights from the class means",
                "Fig. 5",
                "0 to 4",
            ),
            ("nc4", "share of items that the nearest class mean decides otherwise", "Fig. 7", "0 to 1"),
        )
    ),
    *(
        Measure(
            name,
            "metric",
            _EFFICIENCY,
            what=what,
            source=source,
            pairing="labels",
            unit=unit,
            higher_is_better=False,
            range=range_,
            cost="27 linear probes",
        )
        for name, what, source, unit, range_ in (
            (
                "code_length",
                "bits that a training label costs when labels are sent and learnt one block after another",
                "Blier and Ollivier 2018, Eq. 3",
                "bits a label",
                "0 upwards",
            ),
            (
                "surplus_description_length",
                "bits lost on the way to a loss of a quarter of H(C)",
                f"{_WHITNEY}, Definition 4",
                "bits of code",
                "0 upwards",
            ),
            (
                "sample_complexity",
                "labels that a probe needs for a loss of a quarter of H(C)",
                f"{_WHITNEY}, Definition 5",
                "count",
                "2 C to the labels there",
            ),
        )
    ),
)
"""Estimates first, then those that need no labels, then those that do."""
