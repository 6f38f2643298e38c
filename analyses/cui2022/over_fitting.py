"""Whether over-fitting may be why transfer falls: the source's test loss over the same epochs (A.4)."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mitools.analyses.cui2022.changes import (
    SOURCE_DATA,
    VANILLA,
    Change,
    ValuesByCheckpoint,
    accuracy_change,
    best_epoch,
    mean_over_images,
)
from mitools.analyses.cui2022.classifier_losses import TrainAndTest
from mitools.analyses.shared.finding import listed

OVER_FITTING_QUESTION = "vanilla, best transfer to last"

TEST_LOSS, TEST_ACCURACY, TRAIN_LOSS = "test_loss_bits", "test_acc", "train_loss_bits"


def loss_changes(
    points: Mapping[str, ValuesByCheckpoint], losses: Mapping[tuple[str, int], TrainAndTest]
) -> pd.DataFrame:
    """Compare the source's losses at the last epoch with those where a target's transfer was best.

    Parameters
    ----------
    points
        Of one seed, by data set, and there by run and epoch.
    losses
        Of one seed, by run and epoch.

    Returns
    -------
    pandas.DataFrame
        As :func:`mitools.analyses.cui2022.changes.paired_changes`, one row a target and quantity: test and
        train loss in bits, and the share of test images that the run's own classifier gets right.
    """
    rows: list[dict[str, Any]] = []
    for data, found in points.items():
        if data == SOURCE_DATA:
            continue
        last, best = max(epoch for _, epoch in found), best_epoch("label_bits", found)
        end, start = losses[VANILLA, last], losses[VANILLA, best]
        made = {
            TEST_LOSS: mean_over_images(end.test.bits - start.test.bits),
            TEST_ACCURACY: accuracy_change(end.test.right, start.test.right),
            TRAIN_LOSS: mean_over_images(end.train.bits - start.train.bits),
        }
        for quantity, change in made.items():
            one = change if best < last else Change(0.0, float("nan"), float("nan"))
            rows.append(
                {
                    "question": OVER_FITTING_QUESTION,
                    "data": data,
                    "quantity": quantity,
                    "from_epoch": best,
                    "to_epoch": last,
                    **one._asdict(),
                    "n": len(end.train.bits if quantity == TRAIN_LOSS else end.test.bits),
                }
            )
    return pd.DataFrame(rows)


def tabulate_losses(losses: Mapping[tuple[str, int, int], TrainAndTest]) -> pd.DataFrame:
    """Lay out one row a run, seed and epoch: losses in bits with intervals over images, and shares right."""
    rows = []
    for (run, seed, epoch), both in losses.items():
        row: dict[str, Any] = {"run": run, "seed": seed, "epoch": epoch}
        for part, own in both._asdict().items():
            loss = own.loss
            row |= {f"{part}_loss_bits": loss.difference}
            row |= {f"{part}_loss_low": loss.low, f"{part}_loss_high": loss.high}
            row |= {f"{part}_acc": float(own.right.mean()), f"{part}_n": len(own.right)}
        rows.append(row)
    return pd.DataFrame(rows)


def describe_over_fitting(changes: pd.DataFrame, fell: list[str]) -> str:
    """Say whether over-fitting is ruled out as the reason why transfer fell.

    It is where the loss on images not trained on fell over the same epochs, by its whole interval. Where
    that interval holds 0, the greatest rise that it allows is named.

    Parameters
    ----------
    changes
        The rows of :data:`OVER_FITTING_QUESTION`.
    fell
        Targets whose transfer fell.
    """
    if not fell:
        return "Transfer to no target is seen to fall, so that there is nothing for over-fitting to explain."
    known = changes.set_index(["data", "quantity"])
    by_side: dict[int, list[str]] = {-1: [], 0: [], 1: []}
    said = []
    for name in fell:
        loss, right, train = (known.loc[name, one] for one in (TEST_LOSS, TEST_ACCURACY, TRAIN_LOSS))
        by_side[int(loss["low"] > 0) - int(loss["high"] < 0)].append(name)
        said.append(
            f"since the best transfer to {name} the source's test loss changes by"
            f" {_interval(loss, 1, 'bits', 3)}, the share of its test images that the run's own classifier"
            f" gets right by {_interval(right, 100, 'points', 1)} and its train loss by"
            f" {_interval(train, 1, 'bits', 3)}"
        )
    verdicts = []
    if by_side[-1]:
        verdicts.append(
            f"over-fitting is ruled out as the reason for {listed(by_side[-1])}: the loss on images not"
            " trained on fell as well"
        )
    if by_side[0]:
        largest = max(known.loc[name, TEST_LOSS]["high"] for name in by_side[0])
        verdicts.append(
            f"over-fitting is not seen where {listed(by_side[0])} fell, and a rise of the test loss by more"
            f" than {largest:.3f} bits is excluded"
        )
    if by_side[1]:
        verdicts.append(f"over-fitting is not ruled out for {listed(by_side[1])}: the test loss rose as well")
    return f"Over-fitting: {'; '.join(said)}. So {'; '.join(verdicts)}."


def _interval(row: pd.Series, scale: float, unit: str, digits: int) -> str:
    value, low, high = (f"{scale * row[name]:+.{digits}f}" for name in ("difference", "low", "high"))
    return f"{value} {unit} ({low} to {high})"
