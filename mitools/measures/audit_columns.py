"""The measures of an audit, in the order of its columns."""

from mitools.measures.base import Computation, Measure

_CERTIFICATE = Computation("mitools.measures.certificate:certificate")
_CONTROL = Computation("mitools.measures.control:compare_with_untrained")
_NEIGHBOURS = Computation("mitools.measures.quality:neighbour_accuracies")
_TOLERANCE = Computation("mitools.measures.quality:class_tolerance")
_VARIABLES = Computation("mitools.measures.discrete:discrete_variables")
_FEATURE_FAULTS = Computation("mitools.measures.feature_faults:feature_faults")

_LEE = "Lee et al. 2023"
_NIU = "Niu et al. 2024"
_HYPERSPHERE = "Wang and Isola 2020, Sec. 4.1"

AUDIT_MEASURES = (
    Measure(
        "i_class",
        "estimate",
        _CERTIFICATE,
        what="the certificate: class information that is certain, with the class posterior as critic",
        source=f"{_LEE}, Sec. III-A; Donsker and Varadhan 1983",
        pairing="same_class",
        estimator="class_posterior",
        tables=("audit", "study", "plane"),
    ),
    Measure(
        "i_class_nwj",
        "estimate",
        _CERTIFICATE,
        what="the same critic read without bias on a sample; never above i_class",
        source="Nguyen, Wainwright and Jordan 2010",
        pairing="same_class",
    ),
    Measure(
        "label_information",
        "estimate",
        _CERTIFICATE,
        what="what the same classifier knows of the label: H(C) less its cross-entropy",
        source="Barber and Agakov 2003",
        pairing="labels",
        estimator="label_information",
        tables=("audit", "study", "plane"),
    ),
    Measure(
        "i_class_infonce",
        "estimate",
        Computation("mitools.measures.critics:same_class_critic", "infonce"),
        what="same-class information, with a projection head trained on the frozen features as critic",
        source=f"{_LEE}, Sec. III-C; van den Oord et al. 2018",
        pairing="same_class",
        estimator="infonce",
    ),
    Measure(
        "i_simclr",
        "estimate",
        Computation("mitools.measures.critics:view_critic", "infonce"),
        what="information that two augmented views of an item share, with a critic of the same kind",
        source=f"{_LEE}, Sec. III-C; Chen et al. 2020",
        pairing="simclr",
        estimator="infonce",
        reads=("views",),
    ),
    Measure(
        "i_class_head",
        "estimate",
        Computation("mitools.measures.critics:same_class_head"),
        what="as i_class_infonce, with a critic that starts from the head trained with the encoder",
        source=f"{_LEE}, Sec. III-C",
        pairing="same_class",
        reads=("rows", "labels", "head"),
    ),
    Measure(
        "i_simclr_head",
        "estimate",
        Computation("mitools.measures.critics:view_head"),
        what="as i_simclr, with a critic that starts from the head trained with the encoder",
        source=f"{_LEE}, Sec. III-C",
        pairing="simclr",
        reads=("views", "head"),
    ),
    Measure(
        "control_i_class",
        "estimate",
        _CONTROL,
        what="the certificate of the same network untrained, on at most 2,000 items",
        source=f"{_LEE}, Sec. III-A; Donsker and Varadhan 1983",
        pairing="same_class",
        reads=("rows", "labels", "untrained"),
        higher_is_better=False,
    ),
    Measure(
        "linear_acc",
        "metric",
        _CERTIFICATE,
        what="accuracy of the linear classifier behind the certificate",
        source="Alain and Bengio 2017",
        pairing="labels",
        unit="share",
    ),
    *(
        Measure(
            f"knn{k}_acc",
            "metric",
            _NEIGHBOURS,
            what=f"accuracy of a vote of the {k} nearest training items",
            source="Wu et al. 2018, Sec. 3.4",
            pairing="labels",
            unit="share",
        )
        for k in (20, 200)
    ),
    Measure(
        "alignment",
        "metric",
        Computation("mitools.measures.quality:same_class_alignment"),
        what="mean squared distance of two items of one class on the unit sphere",
        source=_HYPERSPHERE,
        pairing="same_class",
        unit="",
        higher_is_better=False,
    ),
    Measure(
        "uniformity",
        "metric",
        Computation("mitools.measures.quality:report_uniformity"),
        what="log of the mean Gaussian potential of two items on the unit sphere",
        source=_HYPERSPHERE,
        pairing="items",
        reads=("rows",),
        unit="",
        higher_is_better=False,
    ),
    Measure(
        "tolerance",
        "metric",
        _TOLERANCE,
        what="mean cosine of two items of one class",
        source=f"Wang and Liu 2021; over same-class pairs as in {_LEE}",
        pairing="same_class",
        unit="cosine",
    ),
    Measure(
        "tolerance_all_pairs",
        "metric",
        _TOLERANCE,
        what="mean over any two items of their cosine where the class is the same, and of 0 elsewhere",
        source="Wang and Liu 2021",
        pairing="items",
        unit="cosine",
    ),
    Measure(
        "recall_at_1",
        "metric",
        Computation("mitools.measures.quality:nearest_item_recall"),
        what="share of items whose nearest other item is of their class",
        source="Oh Song et al. 2016",
        pairing="labels",
        unit="share",
    ),
    Measure(
        "nmi",
        "metric",
        Computation("mitools.measures.quality:cluster_agreement"),
        what="normalised mutual information of k-means clusters and classes",
        source="Oh Song et al. 2016",
        pairing="labels",
        unit="",
    ),
    *(
        Measure(
            name,
            "metric",
            _FEATURE_FAULTS,
            what=what,
            source="mitools.metrics.feature_quality",
            pairing="",
            reads=("rows",),
            unit="count",
            higher_is_better=False,
        )
        for name, what in {
            "constant_dims": "dimensions that are alike for all items",
            "dead_units": "dimensions that are 0 for all items",
            "duplicate_rows": "rows equal to an earlier one",
            "nonfinite_rows": "rows with NaN or infinite values",
        }.items()
    ),
    Measure(
        "effective_rank",
        "metric",
        _FEATURE_FAULTS,
        what="how many directions the features use: exp of the entropy of their singular values",
        source="Roy and Vetterli 2007, Sec. 2",
        pairing="",
        reads=("rows",),
        unit="count",
    ),
    Measure(
        "alignment_simclr",
        "metric",
        Computation("mitools.measures.quality:view_alignment"),
        what="mean squared distance of two views of an item on the unit sphere",
        source=_HYPERSPHERE,
        pairing="simclr",
        reads=("views",),
        unit="",
        higher_is_better=False,
    ),
    Measure(
        "control_gain",
        "difference",
        _CONTROL,
        what="how much more the certificate finds in the network than in the same network untrained",
        source="paired influence functions: van der Vaart 1998, chapter 12",
        pairing="same_class",
        reads=("rows", "labels", "untrained"),
    ),
    *(
        Measure(
            name,
            "estimate",
            _VARIABLES,
            what=what,
            source=f"{_NIU}, {where}",
            pairing="",
            reads=("rows",),
            may_read=("variables",),
            higher_is_better=name == "entropy",
        )
        for name, what, where in (
            ("entropy", "bits that a variable uses: its own, or a column in eight equal-mass bins", "Eq. 7"),
            ("redundancy", "information that two variables share, less what chance gives", "Eq. 8"),
            ("total_correlation", "what three variables have in common, less what chance gives", "Eq. 8"),
        )
    ),
    *(
        Measure(
            name,
            "metric",
            _VARIABLES,
            what=what,
            source=f"{_NIU}, Sec. V-C",
            pairing="",
            reads=("rows",),
            may_read=("variables",),
            unit=unit,
        )
        for name, what, unit in (
            ("units_used", "units of a variable that are the most likely one for some item", "count"),
            ("one_hot_share", "share of soft variables whose greatest probability is above 0.9", "share"),
            ("one_hot_share_99", "share of soft variables whose greatest probability is above 0.99", "share"),
        )
    ),
)
"""Estimates first, then what they are compared with."""
