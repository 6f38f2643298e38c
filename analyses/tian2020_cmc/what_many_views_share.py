"""What each encoder keeps of attributes that all views share, some, or none (Tian et al. 2020, Fig. 3)."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from mitools.analyses.shared.evaluation import Evaluation, EvaluationRecipe
from mitools.analyses.shared.figure_subject import subject_of
from mitools.analyses.shared.finding import Finding, write_finding
from mitools.analyses.shared.training_runs import require_held_out, train_all
from mitools.analyses.tian2020_cmc.shared_attributes_figure import attributes_chart
from mitools.analyses.tian2020_cmc.shared_attributes_words import describe
from mitools.backends.runtime import Runtime
from mitools.core.errors import InputError
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.datasets.synthetic.cdp import ATTRIBUTES, CDP
from mitools.encoders.sources.run import run_spec
from mitools.features.extract import Features
from mitools.report.figures.save import write_chart
from mitools.training.methods.multiview.options import CMCOptions
from mitools.training.recipes import TrainingRecipe

UNTRAINED = "untrained"
"""In the column ``graph``: the networks as all runs start from them."""

FULL = "full"
"""The full graph; a core view's graph is named ``core VIEW``."""

IMAGE = "image"


class WhatManyViewsShareRecipe(Recipe):
    """What the analysis is made from.

    Attributes
    ----------
    training
        What all runs share: ``cmc`` on ``cdp?partners=...``, its views ``image`` and the partners; the graph
        is left to the runs.
    cores
        One run with each of these as the core view, beside the full graph.
    evaluation
        See :class:`mitools.analyses.shared.evaluation.EvaluationRecipe`; ``cdp`` with the same partners.
    """

    training: TrainingRecipe
    cores: Annotated[tuple[str, ...], Field(min_length=1)] = (IMAGE,)
    evaluation: EvaluationRecipe

    @model_validator(mode="after")
    def _leave_the_graph_to_the_runs(self) -> "WhatManyViewsShareRecipe":
        training = self.training
        if (
            training.method != "cmc"
            or not training.data.startswith("cdp")
            or "partners=" not in training.data
        ):
            raise ValueError("the method must be cmc, and the data cdp with partners=")
        options = CMCOptions(**training.options)
        if options.graph != FULL:
            raise ValueError(
                "graph and core are set by the runs; leave them out, and name core views in cores"
            )
        unknown = [core for core in self.cores if core not in options.views]
        if unknown:
            raise ValueError(f"cores names {unknown[0]!r}, which is none of the views {options.views}")
        return self


def run(
    recipe: WhatManyViewsShareRecipe,
    out: Path,
    advance: Advance | None = None,
    runtime: Runtime | None = None,
) -> Finding | None:
    """Train with the full graph and with each core view, and certify every attribute in every encoder.

    An encoder is read on its own view, and an attribute is the one which that view shows: of a partner that
    does not share the image's position, the partner's own position.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`.
    """
    require_held_out(recipe.training.data, recipe.evaluation.data)
    runtime = runtime or Runtime()
    graphs: dict[str, dict[str, Any]] = {FULL: {}}
    graphs |= {f"core {core}": {"graph": "core", "core": core} for core in recipe.cores}
    runs = train_all(
        {_folder(name): recipe.training.with_options(**options) for name, options in graphs.items()},
        out,
        runtime,
        advance,
    )
    if not runtime.is_main:
        return None
    evaluation = Evaluation(recipe.evaluation, out, runtime, advance)
    carried = carried_attributes(evaluation.data)
    rows = []
    for graph in (*graphs, UNTRAINED):
        folder, epoch = (
            runs[_folder(FULL if graph == UNTRAINED else graph)],
            0 if graph == UNTRAINED else None,
        )
        options = CMCOptions(**recipe.training.with_options(**graphs.get(graph, {})).options)
        pairs = (
            [] if graph == UNTRAINED else [(options.views[i], options.views[j]) for i, j in options.pairs()]
        )
        for view in options.views:
            features = evaluation.features(run_spec(folder.path, epoch, view=view))
            for attribute in ATTRIBUTES:
                labelled = _labelled(features, evaluation.data, view, attribute)
                certified = evaluation.certify_features(labelled, (view, attribute))
                weights = objective_weights(pairs, carried, attribute, view)
                rows.append(
                    {"graph": graph, "view": view, "attribute": attribute} | weights | certified.columns
                )
    table = _with_shares(pd.DataFrame(rows))
    subject = subject_of(recipe.evaluation.data, table)
    figures = write_chart(out / "what_many_views_share", attributes_chart, table, subject=subject)
    return write_finding(table, describe(table), out, figures)


def carried_attributes(data: object) -> dict[str, tuple[str, ...]]:
    """Give the attributes that every view has in common with the image, by the view's name.

    Raises
    ------
    InputError
        When the data are not CDP with partners.
    """
    if not isinstance(data, CDP) or not data.partners:
        raise InputError(
            "the evaluation data have no partners; evaluate on cdp with the partners= of training"
        )
    return {IMAGE: ATTRIBUTES} | dict(zip(data.modalities, data.partners, strict=True))


def objective_weights(
    pairs: list[tuple[str, str]], carried: Mapping[str, tuple[str, ...]], attribute: str, view: str
) -> dict[str, int]:
    """Count the objectives to which an attribute contributes, as the information diagrams of Fig. 3 do.

    Parameters
    ----------
    pairs
        The pairs of views that are contrasted.
    carried
        What each view has in common with the image; what two views both carry, they share.
    attribute, view
        What is counted, and the view whose own objectives are counted beside.

    Returns
    -------
    dict
        ``weight``, of all objectives, and ``view_weight``, of those that `view` is part of.
    """
    sharing = [pair for pair in pairs if all(attribute in carried[one] for one in pair)]
    return {"weight": len(sharing), "view_weight": sum(view in pair for pair in sharing)}


def _labelled(features: Features, data: object, view: str, attribute: str) -> Features:
    """Label an encoder's rows by the attribute that its own view shows."""
    assert isinstance(data, CDP)
    codes = data.attributes if view == IMAGE else data.partner_codes(view)
    return replace(features, labels=np.ascontiguousarray(codes[:, ATTRIBUTES.index(attribute)]))


def _with_shares(table: pd.DataFrame) -> pd.DataFrame:
    shares = {
        f"i_class_share{end}": table[f"i_class_{of}"] / table["h_c_bits"]
        for end, of in (("", "bits"), ("_low", "low"), ("_high", "high"))
    }
    return table.assign(**shares)


def _folder(graph: str) -> str:
    return graph.replace(" ", "-").replace(":", "-")
