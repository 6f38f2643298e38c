"""What was found, in sentences that claim no more than the intervals tell."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import pandas as pd

from mitools.comparing.complement import ADDS
from mitools.report.figures.style import method_words

NAMED_ENCODERS = 8
"""Encoders up to which every one is named; of more only the first and the counts."""

NAMED_NETWORKS = 4
"""Networks with several layers up to which the layers of every one are spoken of."""

NOT_TOLD_APART = "not told apart"


def audit_finding(results: pd.DataFrame, comparisons: pd.DataFrame | None) -> list[str]:
    """Say what an audit found: how much is certified, who carries more, what training added.

    Parameters
    ----------
    results
        One row an encoder or layer, as :func:`mitools.report.audit.audit_tables` gives them.
    comparisons
        Every two of them, or None. A difference is told only where its verdict is, by Holm's p over all
        pairs.

    Returns
    -------
    list of str
        Sentences.
    """
    last = last_layers(results)
    sentences = [_certified(last)]
    if comparisons is not None and len(last) > 1:
        names = list(last.sort_values("i_class_bits", ascending=False)["encoder"])
        within = comparisons[comparisons["encoder_a"].isin(names) & comparisons["encoder_b"].isin(names)]
        sentences += carries_more(names, within)
    return [*sentences, *_over_untrained(last), *_over_depth(results, comparisons)]


def complement_finding(table: pd.DataFrame, h_c_bits: float) -> str:
    """Say how many ordered pairs of encoders add bits of the label to each other, and where most is added.

    Parameters
    ----------
    table
        One row an ordered pair, as :func:`mitools.comparing.complement.complement` gives them.
    h_c_bits
        H(C).
    """
    told = table[table["verdict"] == ADDS]
    text = f"In {len(told)} of {len(table)} ordered pairs an encoder adds class information to the other"
    if len(told):
        most = told.loc[told["complement_bits"].idxmax()]
        text += (
            f"; {most['encoder']} adds most, to {most['given']}: {most['complement_bits']:.3f} bits"
            f" ({most['low_bits']:.3f} to {most['high_bits']:.3f}) of H(C) = {h_c_bits:.3f}"
        )
    return text + ". This is what a linear classifier gains, not a bound on I(C; A | B)."


def plane_finding(table: pd.DataFrame) -> list[str]:
    """Say at which layer the most is read of the label at the last checkpoint, and since when.

    Parameters
    ----------
    table
        As :class:`mitools.plane.measure.Plane` has it.

    Returns
    -------
    list of str
        A sentence a data set, of the first lower bound of I(T;Y) that has intervals: a point estimate may
        read much where there is nothing.
    """
    bounds = table["kind"].isin(["lower bound", "asymptotic lower bound"])
    of_label = table[(table["quantity"] == "I(T;Y)") & table["low_bits"].notna() & bounds]
    sentences = []
    for data, rows in of_label.groupby("data", sort=False):
        rows = rows[rows["method"] == rows["method"].iloc[0]]
        last = rows[rows["epoch"] == rows["epoch"].max()]
        best = last.loc[last["bits"].idxmax()]
        began = rows[(rows["layer"] == best["layer"]) & (rows["epoch"] == rows["epoch"].min())].iloc[0]
        said = f"{data}: at epoch {best['epoch']} most of the label is read at {best['layer']}"
        interval = f"{best['low_bits']:.3f} to {best['high_bits']:.3f}"
        said += f", {best['bits']:.3f} bits by {method_words(best['method'])} ({interval})"
        if began["epoch"] < best["epoch"]:
            apart = best["low_bits"] > began["high_bits"] or best["high_bits"] < began["low_bits"]
            before = f"{began['bits']:.3f} ({began['low_bits']:.3f} to {began['high_bits']:.3f})"
            told = "" if apart else ", and the two intervals overlap"
            said += f"; at epoch {began['epoch']} it was {before}{told}"
        sentences.append(said + ".")
    return sentences


def last_layers(results: pd.DataFrame) -> pd.DataFrame:
    """Leave out all layers of an encoder but its last."""
    return results.groupby("network", sort=False).tail(1) if "network" in results else results


def carries_more(names: Sequence[str], comparisons: pd.DataFrame) -> list[str]:
    """Say which encoders carry more than which, and which are not told apart.

    Parameters
    ----------
    names
        From the one that reads most down.
    comparisons
        Every two of them.

    Examples
    --------
    >>> told = pd.DataFrame({"encoder_a": ["a", "a", "b"], "encoder_b": ["b", "c", "c"]})
    >>> told["verdict"] = ["not told apart", "a carries more", "a carries more"]
    >>> carries_more(["a", "b", "c"], told)
    ['a and b carry more class information than c; they are not told apart from each other.']
    >>> carries_more(["a", "b", "c"], told.assign(verdict="a carries more"))
    ['From most to least class information, every two told apart: a, b and c.']
    """
    below = _less(comparisons)
    if not any(below.values()):
        who = listed(names) if len(names) <= NAMED_ENCODERS else f"The {len(names)} encoders"
        return [f"{who} are not told apart."]
    if len(names) > NAMED_ENCODERS:
        return _in_numbers(names, below, comparisons)
    if len(names) > 2 and all(set(names[k + 1 :]) <= below.get(name, set()) for k, name in enumerate(names)):
        return [f"From most to least class information, every two told apart: {listed(names)}."]
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        groups.setdefault(tuple(other for other in names if other in below.get(name, ())), []).append(name)
    sentences, said = [], set()
    for less, more in groups.items():
        if not less:
            continue
        # Two that carry more than the same others cannot carry more than each other.
        said |= {frozenset(pair) for pair in combinations(more, 2)}
        verb = "carries" if len(more) == 1 else "carry"
        apart = "; they are not told apart from each other" if len(more) > 1 else ""
        sentences.append(f"{listed(more)} {verb} more class information than {listed(less)}{apart}.")
    left = [
        f"{a} and {b}"
        for a, b in combinations(names, 2)
        if b not in below.get(a, ()) and a not in below.get(b, ()) and frozenset((a, b)) not in said
    ]
    return [*sentences, f"Not told apart: {'; '.join(left)}."] if left else sentences


def listed(names: Iterable[str]) -> str:
    """Join names as a sentence does.

    Examples
    --------
    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    names = list(names)
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def listed_few(names: Sequence[str]) -> str:
    """Join names as :func:`listed` does; of many give the number."""
    return listed(names) if len(names) <= NAMED_ENCODERS else f"{len(names)} others"


def _certified(last: pd.DataFrame) -> str:
    entropy = last["h_c_bits"].iloc[0]
    lows, highest = last["i_class_low"], last.loc[last["i_class_bits"].idxmax()]
    of = f"of the {entropy:.2f} bits of H(C)"
    if len(last) == 1:
        low = float(lows.iloc[0])
        name = highest["encoder"]
        if low <= 0:
            return f"No class information is certified in {name}: its interval reaches down to 0."
        return f"{name} holds at least {low:.2f} {of}, the entropy of the classes."
    if (lows <= 0).all():
        return "No class information is certified in any encoder: every interval reaches down to 0."
    empty = int((lows <= 0).sum())
    text = (
        f"What is certified of the encoders reaches from {max(0.0, lows.min()):.2f} to {lows.max():.2f} {of},"
        f" the entropy of the classes; most in {last.loc[lows.idxmax(), 'encoder']}"
    )
    return text + (f"; nothing is certified of {empty}." if empty else ".")


def _less(comparisons: pd.DataFrame) -> dict[str, set[str]]:
    """Give for each encoder those that it is told to carry more than."""
    below: dict[str, set[str]] = {}
    for a, b, verdict in zip(
        comparisons["encoder_a"], comparisons["encoder_b"], comparisons["verdict"], strict=True
    ):
        if verdict != NOT_TOLD_APART:
            more, less = (a, b) if verdict == "a carries more" else (b, a)
            below.setdefault(more, set()).add(less)
    return below


def _in_numbers(names: Sequence[str], below: Mapping[str, set[str]], comparisons: pd.DataFrame) -> list[str]:
    told = int((comparisons["verdict"] != NOT_TOLD_APART).sum())
    first = names[0]
    beside = [name for name in names[1:] if name not in below.get(first, ())]
    sentences = [f"{told} of {len(comparisons)} pairs of encoders are told apart."]
    if not beside:
        return [*sentences, f"{first} carries more class information than all others."]
    some = listed(beside[:4]) if len(beside) <= 4 else f"{', '.join(beside[:3])} and {len(beside) - 3} others"
    return [*sentences, f"{first} reads most, and is not told apart from {some}."]


def _over_untrained(last: pd.DataFrame) -> list[str]:
    if "control_gain_low" not in last or not last["control_gain_low"].notna().any():
        return []
    known = last[last["control_gain_low"].notna()]
    more, not_more = known[known["control_gain_low"] > 0], known[known["control_gain_low"] <= 0]
    sentences = []
    if len(more):
        who = (
            "It" if len(last) == 1 else listed(more["encoder"]) if len(more) <= 4 else f"{len(more)} encoders"
        )
        one = len(more) == 1
        if len(last) == len(more) > 1:
            who, one = "All", False
        gains = more[["control_gain_bits", "control_gain_low", "control_gain_high"]].to_numpy(float)
        least, most = (
            "{:.2f} bits ({:.2f} to {:.2f})".format(*gains[k]) for k in gains[:, 0].argsort()[[0, -1]]
        )
        size = least if one else f"{least} to {most}"
        sentences.append(
            f"{who} carr{'ies' if one else 'y'} more than the same network untrained, by {size}."
        )
    if len(not_more):
        who = listed(not_more["encoder"]) if len(not_more) <= 4 else f"{len(not_more)} encoders"
        sentences.append(
            f"{who} {'is' if len(not_more) == 1 else 'are'} not seen to carry more than the same network"
            " untrained."
        )
    return sentences


def _over_depth(results: pd.DataFrame, comparisons: pd.DataFrame | None) -> list[str]:
    """Say of each network with several layers which reads least and most, if the two are told apart."""
    if "network" not in results or comparisons is None:
        return []
    below = _less(comparisons)
    sentences = []
    for network, layers in results.groupby("network", sort=False):
        if layers["i_class_bits"].nunique() < 2:
            continue
        least = layers.loc[layers["i_class_bits"].idxmin()]
        most = layers.loc[layers["i_class_bits"].idxmax()]
        if least["encoder"] not in below.get(most["encoder"], ()):
            ends = f"{least['layer']} and {most['layer']}"
            sentences.append(f"The layers of {network} that read least and most ({ends}) are not told apart.")
            continue
        lower = below[most["encoder"]]
        beside = [
            str(layer)
            for layer, encoder in zip(layers["layer"], layers["encoder"], strict=True)
            if encoder not in lower and encoder != most["encoder"]
        ]
        sentences.append(
            f"Of the {len(layers)} layers of {network}, {least['layer']} reads least ({_bits_of(least)}) and"
            f" {most['layer']} most ({_bits_of(most)}"
            + (f"; not told apart from {listed_few(beside)})." if beside else ").")
        )
    return sentences if len(sentences) <= NAMED_NETWORKS else []


def _bits_of(row: pd.Series) -> str:
    """Write I_class of a row with its interval."""
    return f"{row['i_class_bits']:.2f} bits, {row['i_class_low']:.2f} to {row['i_class_high']:.2f}"
