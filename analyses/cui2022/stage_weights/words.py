"""What the weights of CTC's stages do, in words that intervals over seeds allow."""

import pandas as pd

from mitools.analyses.cui2022.changes import SOURCE_DATA, TRANSFER_QUANTITIES, VANILLA
from mitools.analyses.cui2022.settings_table import (
    Transfer,
    at_end,
    best_rows,
    bits,
    epochs_span,
    excluded_above,
    fall,
    falls_of,
    gains_of,
    points,
    seeds_said,
    targets_of,
)
from mitools.analyses.shared.finding import listed
from mitools.analyses.shared.paired_seeds import CONFIDENCE, over_seeds, slope_over_seeds

STEP = "step"
"""The place of an alpha among those tried, from 0: what a trend is taken over."""


def describe(table: pd.DataFrame) -> str:
    """Say what falls without CTC, whether more weight brings transfer back, and what it costs the source.

    Parameters
    ----------
    table
        As ``results.csv`` has it.
    """
    targets = targets_of(table)
    sentences = [_baseline(table, targets)]
    ctc = table[table["setting"] != VANILLA]
    for beta, own in ctc.groupby("beta"):
        sentences.append(_trends(own, float(beta), targets))
    sentences += [_settings(table, name) for name in targets]
    sentences += [_schedule(table, name) for name in targets]
    sentences += [_early_stopping(table, name) for name in targets]
    return " ".join([*filter(None, sentences), seeds_said(table)])


def _baseline(table: pd.DataFrame, targets: list[str]) -> str:
    own = at_end(table, VANILLA, SOURCE_DATA, "test_acc")
    falls = [
        f"transfer to {name} changes from its best epoch to the last by"
        f" {Transfer.of(falls_of(table, VANILLA, name))}"
        for name in targets
    ]
    information = over_seeds(fall(table, VANILLA, SOURCE_DATA, "input_bits"))
    return (
        f"With cross-entropy alone the source accuracy ends at {own.mean():.1%}, {'; '.join(falls)}; the"
        f" bound on I(X;T) on the source changes by {bits(information)}."
    )


def _trends(ctc: pd.DataFrame, beta: float, targets: list[str]) -> str:
    """Say how everything moves from one alpha to the next, with one weight of the second stage."""
    alphas = sorted(ctc["alpha"].unique())
    if len(alphas) < 2:
        return ""
    ctc = ctc.assign(**{STEP: ctc["alpha"].map({alpha: k for k, alpha in enumerate(alphas)})})
    source = ctc[ctc["data"] == SOURCE_DATA]
    said = [f"source accuracy by {points(slope_over_seeds(source, 'test_acc', STEP))}"]
    rises: list[str] = []
    falls: list[str] = []
    for name in targets:
        own = ctc[ctc["data"] == name]
        slopes = Transfer(*(slope_over_seeds(own, column, STEP) for column in TRANSFER_QUANTITIES))
        said.append(f"transfer to {name} by {slopes}")
        if slopes.sign:
            (rises if slopes.sign > 0 else falls).append(name)
    for column, what in (("input_bits", "I(X;T)"), ("label_bits", "I(T;Y)")):
        said.append(f"the bound on {what} of the source by {bits(slope_over_seeds(source, column, STEP))}")
    ladder = listed([f"{alpha:g}" for alpha in alphas])
    verdict = (
        f"so more weight on the first stage brings more transfer to {listed(rises)}"
        if rises
        else "so that more weight on the first stage is not seen to bring more transfer"
    )
    if falls:
        verdict += f" and less to {listed(falls)}"
    return f"With beta {beta:g}, each step of alpha ({ladder}) changes {'; '.join(said)}: {verdict}."


def _settings(table: pd.DataFrame, target: str) -> str:
    """Name the weights that are told apart from cross-entropy alone at its last epoch, all together."""
    names = [name for name in dict.fromkeys(table["setting"]) if name != VANILLA]
    confidence = 1 - (1 - CONFIDENCE) / len(names)
    above: list[str] = []
    below: list[str] = []
    apart: list[Transfer] = []
    for name in names:
        change = Transfer.of(gains_of(table, name, VANILLA, target), confidence)
        if not change.sign:
            apart.append(change)
            continue
        cost = gains_of(table, name, VANILLA, SOURCE_DATA)("test_acc")
        text = f"{_weights(table, name)} ({change}; source accuracy {points(over_seeds(cost, confidence))})"
        (above if change.sign > 0 else below).append(text)
    said = []
    if above:
        said.append(f"better is {listed(above)}")
    if below:
        said.append(f"worse is {listed(below)}")
    if apart:
        text = f"{len(apart)} of {len(names)} pairs of weights are not told apart from it"
        said.append(" and for them ".join(filter(None, [text, excluded_above(apart)])))
    return (
        f"Transfer to {target}, against cross-entropy alone at the last epoch (intervals at"
        f" {confidence:.1%}, so that those of all {len(names)} by one classifier hold together in 95%):"
        f" {'; '.join(said)}."
    )


def _schedule(table: pd.DataFrame, target: str) -> str:
    """Part what CTC changes into its learning rate, which falls once in either stage, and its contrast.

    Nothing where no run has both weights 0, or no other has weights.
    """
    own = table.dropna(subset="alpha").drop_duplicates("setting").sort_values(["alpha", "beta"])
    control, most = own.iloc[0], own.iloc[-1]
    if control[["alpha", "beta"]].any() or len(own) == 1:
        return ""
    schedule = Transfer.of(gains_of(table, control["setting"], VANILLA, target))
    contrast = Transfer.of(gains_of(table, most["setting"], control["setting"], target))
    limit = excluded_above([contrast])
    verdict = {
        1: "the contrast itself brings transfer",
        0: "what the contrast itself brings is not told from 0" + (f" ({limit})" if limit else ""),
        -1: "the contrast itself costs transfer",
    }[contrast.sign]
    return (
        f"By CTC's two stages with both weights 0, which is cross-entropy with CTC's learning rates, transfer"
        f" to {target} changes by {schedule}, and from there to {_weights(table, most['setting'])} by"
        f" {contrast}: {verdict}."
    )


def _early_stopping(table: pd.DataFrame, target: str) -> str:
    """Set the baseline's best epoch beside its last one, and the weights with most transfer beside both."""
    best = best_rows(table, VANILLA, target)
    gain = Transfer.of(lambda column: -fall(table, VANILLA, target, column))
    cost = best["test_acc"] - at_end(table, VANILLA, target, "test_acc")
    names = [name for name in dict.fromkeys(table["setting"]) if name != VANILLA]
    # Chosen on *select*, compared on *report*.
    chosen = max(names, key=lambda name: at_end(table, name, target, "label_select_bits").mean())
    against = Transfer.of(lambda column: at_end(table, chosen, target, column) - best[column])
    beside = over_seeds(at_end(table, chosen, target, "test_acc") - best["test_acc"])
    verdict = {
        1: "which early stopping does not reach",
        0: "which is not told from early stopping",
        -1: "which is less than early stopping gives",
    }[against.sign]
    return (
        f"Stopping cross-entropy at its best {epochs_span(best['epoch'])} for {target}, chosen on other"
        f" images, instead of at its end gives transfer {gain} and source accuracy"
        f" {points(over_seeds(cost))}; CTC with {_weights(table, chosen)}, chosen alike, changes transfer"
        f" beside that by {against}, {verdict}, and source accuracy by {points(beside)}."
    )


def _weights(table: pd.DataFrame, name: str) -> str:
    row = table[table["setting"] == name].iloc[0]
    return f"alpha {row['alpha']:g}, beta {row['beta']:g}"
