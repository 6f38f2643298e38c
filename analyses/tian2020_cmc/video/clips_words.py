"""What the table of clips says, in words that pairs of splits or seeds allow."""

import pandas as pd

from mitools.analyses.shared.finding import listed
from mitools.analyses.shared.paired_seeds import paired_by_seed
from mitools.analyses.tian2020_cmc.view_encoders.measure_words import ONE_SEED, VERDICTS, Measure
from mitools.analyses.tian2020_cmc.view_encoders.quality import UNTRAINED

VENTRAL, DORSAL, BOTH = "neighbour", "flow", "neighbour + flow"
"""Methods: the frame contrasted with a neighbouring frame, with the flow around it, with both."""

RECOGNISED = "recognition_acc"
"""The column of the share of clips that are recognised; ``_low`` and ``_high`` are its interval."""

ACCURACY = Measure(RECOGNISED, "accuracy", "%", 100.0, 1)

QUESTIONS = (
    (VENTRAL, UNTRAINED),
    (DORSAL, UNTRAINED),
    (BOTH, UNTRAINED),
    (BOTH, VENTRAL),
    (BOTH, DORSAL),
)
"""The pairs of methods that are compared."""

LEVEL = 0.05
"""How often one or more of a task's intervals misses what it is of."""

PAPER_FINDING = (
    "On UCF101 Tian et al. found 48.2% from random weights, 55.3% with neighbouring frames, 57.1% with flow"
    " and 59.1% with both."
)


def describe(table: pd.DataFrame) -> str:
    """Say, by task, what each stream brings over random weights, and both over one.

    Parameters
    ----------
    table
        One row a task, method, split and seed, as ``results.csv`` of ``clips`` has them.
    """
    seeds, splits = table["seed"].nunique(), table["split"].nunique()
    paired, as_if = "seed", ""
    if splits > 1:
        # Official splits share clips, and what they share makes their differences alike.
        paired, as_if = "splits, each the mean over its seeds", ", as if splits had no clips in common"
    text = (
        f"An encoder of frames is fine-tuned to recognise clips, {seeds} seed{'s' * (seeds > 1)} of {splits}"
        f" split{'s' * (splits > 1)}, differences paired by {paired};"
        f" those of one task hold together in 95%{as_if}."
    )
    for task, own in table.groupby("task", sort=False):
        text += _task(str(task), _units(own))
    return f"{text} {PAPER_FINDING}{ONE_SEED * (max(seeds, splits) == 1)}"


def _units(own: pd.DataFrame) -> pd.DataFrame:
    """Give one row a method and split, in the column ``seed``; of one split, one a method and seed.

    Seeds of one split share its clips, so that they say little of how another split would have read.
    """
    if own["split"].nunique() == 1:
        return own
    means = own.groupby(["method", "split"], sort=False)[[RECOGNISED, "commonest_class", "n_test"]].mean()
    return means.reset_index().rename(columns={"split": "seed"})


def _task(task: str, own: pd.DataFrame) -> str:
    means = own.groupby("method", sort=False)[RECOGNISED].mean()
    reached = listed([f"{ACCURACY.value(means[name])} {_after(str(name))}" for name in means.index])
    told, confidence = [], 1 - LEVEL / len(QUESTIONS)
    for one, other in QUESTIONS:
        difference = paired_by_seed(own, RECOGNISED, {"method": one}, {"method": other}, confidence)
        told.append(f"{one} against {other} {ACCURACY.change(difference)}, {VERDICTS[difference.sign]}")
    commonest = ACCURACY.value(own["commonest_class"].mean())
    return (
        f" {task}: {reached} of the test clips, {int(own['n_test'].iloc[0]):,} a split, of which the"
        f" commonest class is {commonest}. In points: {'; '.join(told)}."
    )


def _after(method: str) -> str:
    return "from random weights" if method == UNTRAINED else f"after contrast with {method}"
