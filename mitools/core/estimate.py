"""What every estimator returns: a number with everything needed to trust it."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, NoReturn, get_args

from mitools.core.entropy import bits_to_nats, nats_to_bits
from mitools.core.errors import InputError
from mitools.core.files import parse_json
from mitools.core.html import html_notes, html_table

Kind = Literal["lower bound", "asymptotic lower bound", "upper bound", "point estimate"]
WarningWord = Literal[
    "saturated",
    "exceeds_entropy",
    "indistinguishable_from_zero",
    "overfit",
    "still_rising",
    "small_sample",
    "undersampled",
    "few_pairs",
    "methods_disagree",
    "rises_with_n",
    "not_normal",
    "dependence_left",
    "copies",
    "near_copies",
    "serial_dependence",
]


class Interval(NamedTuple):
    """A two-sided interval in nats and the probability with which such intervals cover."""

    low: float
    high: float
    confidence: float


class EstimateWarning(NamedTuple):
    """A reason not to take an estimate at its face value.

    Attributes
    ----------
    word
        What a program can test.
    sentence
        What is the matter, for people.
    remedy
        What to do about it; empty in documents that were written before there were remedies.
    """

    word: WarningWord
    sentence: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.word}: {self.sentence}" + (f"; {self.remedy}" if self.remedy else "")

    def to_dict(self) -> dict[str, str]:
        """Give the warning as JSON values; without its remedy where it has none."""
        return {key: value for key, value in self._asdict().items() if value or key != "remedy"}


@dataclass(frozen=True, repr=False)
class Estimate:
    """A mutual information reading.

    Attributes
    ----------
    method
        The estimator's name, such as ``class_posterior``.
    kind
        What the number is, by proof and not by hope.
    nats
        The reading. Never clipped: it may lie below 0 or above the entropy, and is then flagged.
    stderr_nats
        Its standard error, or None where the method has none.
    interval_nats
        The two-sided interval, or None.
    ceiling_nats
        What the method can at most return here (``log K``), or None where nothing caps it.
    entropy_nats
        H(C) or H(Y) where known: no true mutual information lies above it.
    null_nats
        The same method on permuted pairs: what it reads when the truth is 0.
    n_train, n_select, n_report
        Images (not pairs) in the three disjoint parts.
    seconds
        Wall-clock time of the estimate, the null included.
    settings
        Everything needed to repeat it, as JSON values.
    warnings
        Reasons not to take the number at its face value.
    """

    method: str
    kind: Kind
    nats: float
    stderr_nats: float | None = None
    interval_nats: Interval | None = None
    ceiling_nats: float | None = None
    entropy_nats: float | None = None
    null_nats: float | None = None
    n_train: int = 0
    n_select: int = 0
    n_report: int = 0
    seconds: float = 0.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[EstimateWarning, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"kind {self.kind!r} is none of {', '.join(get_args(Kind))}")
        low, high, _ = self.interval_nats or (None, None, None)
        for name, nats in [
            ("reading", self.nats), ("standard error", self.stderr_nats),
            ("lower limit", low), ("upper limit", high), ("ceiling", self.ceiling_nats),
            ("entropy", self.entropy_nats), ("null", self.null_nats),
        ]:  # fmt: skip
            if nats is not None and not math.isfinite(nats):
                raise InputError(f"{self.method}: the {name} is {nats}; look for extreme values in the input")

    @property
    def bits(self) -> float:
        """The reading in bits."""
        return nats_to_bits(self.nats)

    @property
    def stderr_bits(self) -> float | None:
        """Its standard error in bits."""
        return _bits(self.stderr_nats)

    @property
    def interval_bits(self) -> Interval | None:
        """The two-sided interval in bits."""
        if self.interval_nats is None:
            return None
        low, high, confidence = self.interval_nats
        return Interval(nats_to_bits(low), nats_to_bits(high), confidence)

    @property
    def ceiling_bits(self) -> float | None:
        """What the method can at most return here, in bits."""
        return _bits(self.ceiling_nats)

    @property
    def entropy_bits(self) -> float | None:
        """H(C) or H(Y) in bits."""
        return _bits(self.entropy_nats)

    @property
    def null_bits(self) -> float | None:
        """What the method reads on permuted pairs, in bits."""
        return _bits(self.null_nats)

    def has_warning(self, word: WarningWord) -> bool:
        """Whether a warning of this word was raised."""
        return any(warning.word == word for warning in self.warnings)

    def to_dict(self) -> dict[str, Any]:
        """Give the estimate as JSON values; every quantity in bits, the reading in nats as well."""
        interval = self.interval_bits
        return {
            "method": self.method,
            "kind": self.kind,
            "bits": self.bits,
            "nats": self.nats,
            "stderr_bits": self.stderr_bits,
            "low_bits": interval.low if interval else None,
            "high_bits": interval.high if interval else None,
            "confidence": interval.confidence if interval else None,
            "ceiling_bits": self.ceiling_bits,
            "entropy_bits": self.entropy_bits,
            "null_bits": self.null_bits,
            "n_train": self.n_train,
            "n_select": self.n_select,
            "n_report": self.n_report,
            "seconds": self.seconds,
            "settings": dict(self.settings),
            "warnings": [warning.to_dict() for warning in self.warnings],
        }

    def to_json(self) -> str:
        """Give the estimate as one JSON document."""
        return json.dumps(self.to_dict(), allow_nan=False)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Estimate":
        """Read an estimate back from :meth:`to_dict`.

        The document is the record: written again, it is the same to the last digit. What it holds in bits
        alone may differ in nats by one rounding.

        Raises
        ------
        InputError
            When a key is missing or unknown, or a value is not what its key says.
        """
        missing, unknown = _KEYS - values.keys(), values.keys() - _KEYS
        if missing or unknown:
            parts = [f"lacks {', '.join(sorted(missing))}"] if missing else []
            parts += [f"has unknown {', '.join(sorted(unknown))}"] if unknown else []
            raise InputError(f"this is no estimate: it {' and '.join(parts)}")
        try:
            return cls._from_known_keys(values)
        except InputError:
            raise
        except (TypeError, ValueError) as error:
            raise InputError(f"this is no estimate: {error}") from None

    @classmethod
    def _from_known_keys(cls, values: Mapping[str, Any]) -> "Estimate":
        interval = None
        if values["low_bits"] is not None:
            interval = Interval(
                bits_to_nats(values["low_bits"]), bits_to_nats(values["high_bits"]), values["confidence"]
            )
        return cls(
            method=values["method"],
            kind=values["kind"],
            nats=values["nats"],
            stderr_nats=_nats(values["stderr_bits"]),
            interval_nats=interval,
            ceiling_nats=_nats(values["ceiling_bits"]),
            entropy_nats=_nats(values["entropy_bits"]),
            null_nats=_nats(values["null_bits"]),
            n_train=values["n_train"],
            n_select=values["n_select"],
            n_report=values["n_report"],
            seconds=values["seconds"],
            settings=values["settings"],
            warnings=tuple(EstimateWarning(**warning) for warning in values["warnings"]),
        )

    @classmethod
    def from_json(cls, text: str) -> "Estimate":
        """Read an estimate back from :meth:`to_json`.

        Raises
        ------
        InputError
            When the text is no JSON object of an estimate.
        """
        try:
            values = parse_json(text)
        except ValueError as error:
            raise InputError(f"this is no estimate: not JSON ({error})") from None
        if not isinstance(values, dict):
            raise InputError("this is no estimate: not a JSON object")
        return cls.from_dict(values)

    def __float__(self) -> NoReturn:
        """Refuse: a bare number does not say its unit, its kind or its interval."""
        raise TypeError("an Estimate is no bare number: take .bits or .nats")

    def __str__(self) -> str:
        """One line in bits, for a terminal."""
        text = f"{self.method}: {self.bits:.3f} bits ({self.kind}"
        if interval := self.interval_bits:
            text += f", {interval.confidence:.0%} interval {interval.low:.3f} to {interval.high:.3f}"
        for name, value in [
            ("ceiling", self.ceiling_bits), ("entropy", self.entropy_bits), ("null", self.null_bits)
        ]:  # fmt: skip
            text += "" if value is None else f", {name} {value:.3f}"
        return text + ")" + "".join(f" [{warning.word}]" for warning in self.warnings)

    def __repr__(self) -> str:
        """Say at a prompt what :meth:`__str__` says; everything is in :meth:`to_dict`."""
        return f"<Estimate {self}>"

    def _repr_html_(self) -> str:
        """Show the estimate in a notebook, in bits, and its warnings."""
        interval = self.interval_bits
        confidence = f"{interval.confidence:.0%} interval" if interval else "interval"
        shown: dict[str, str | None] = {
            "method": self.method,
            "bits": f"{self.bits:.3f}",
            confidence: f"{interval.low:.3f} to {interval.high:.3f}" if interval else None,
            "kind": self.kind,
            "ceiling": _three_decimals(self.ceiling_bits),
            "entropy": _three_decimals(self.entropy_bits),
            "null": _three_decimals(self.null_bits),
            "train, select, report": f"{self.n_train:,}, {self.n_select:,}, {self.n_report:,}",
        }
        known = {name: text for name, text in shown.items() if text is not None}
        return html_table(list(known), [list(known.values())]) + html_notes(map(str, self.warnings))


def _bits(nats: float | None) -> float | None:
    return None if nats is None else nats_to_bits(nats)


def _three_decimals(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}"


def _nats(bits: float | None) -> float | None:
    return None if bits is None else bits_to_nats(bits)


_KEYS = Estimate("", "point estimate", 0.0).to_dict().keys()
