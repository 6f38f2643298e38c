"""The strict loader: every number of the encoder comes from the file, or nothing is loaded."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mitools.encoders.layouts import CLASSIFIERS, OTHER_HEADS, Match, best_match, is_part, nearest_name
from mitools.encoders.weight_files import read_weight_file
from mitools.errors import InputError
from mitools.files import digest_file

_NAMED_AT_MOST = 3


@dataclass(frozen=True)
class LoadReport:
    """What was loaded into an encoder, and from where in the file.

    Attributes
    ----------
    path, file_digest
        The file, and the SHA-256 of its content.
    nesting
        The keys that led to the weights, outermost first.
    prefix
        What was stripped from every name.
    tensors_matched, tensors_expected
        The encoder's parameters and buffers, by count. BatchNorm's ``num_batches_tracked`` is not counted:
        files differ in having it, and evaluation never reads it.
    parameters_matched, parameters_expected
        The same in numbers.
    classifier_keys
        Keys of the file set aside as its classifier.
    other_head_keys
        Keys set aside as another head (projection, prediction, prototypes, queue).
    weights_digest
        :func:`digest_weights` of the encoder after loading.
    """

    path: str
    file_digest: str
    nesting: tuple[str, ...]
    prefix: str
    tensors_matched: int
    tensors_expected: int
    parameters_matched: int
    parameters_expected: int
    classifier_keys: tuple[str, ...]
    other_head_keys: tuple[str, ...]
    weights_digest: str

    @property
    def matched_share(self) -> float:
        """Share of the encoder's tensors found in the file."""
        return self.tensors_matched / self.tensors_expected

    @property
    def matched_parameters_share(self) -> float:
        """Share of the encoder's numbers found in the file."""
        return self.parameters_matched / self.parameters_expected

    def to_dict(self) -> dict[str, Any]:
        """Give the report as JSON values, with the two shares."""
        shares = {
            "matched_share": self.matched_share,
            "matched_parameters_share": self.matched_parameters_share,
        }
        lists = {key: list(value) for key, value in asdict(self).items() if isinstance(value, tuple)}
        return asdict(self) | lists | shares


def load_weights(module: nn.Module, path: Path) -> LoadReport:
    """Fill an encoder from a checkpoint, entirely or not at all.

    The weights are looked for in the usual nestings and behind the usual prefixes
    (:mod:`mitools.encoders.layouts`), and the place that matches most of the encoder's numbers by name and
    shape is taken. Tensors of a classifier or of another known head are set aside and reported.

    Parameters
    ----------
    module
        The encoder without its classifier; changed in place.
    path
        A file of ``torch.save`` or ``.safetensors``.

    Raises
    ------
    InputError
        When the file cannot be read (:func:`mitools.encoders.weight_files.read_weight_file`), when a
        parameter or buffer of the encoder is missing in it or has another shape (at most three are named,
        each with the nearest found), or when tensors are left over that belong to no known head.
    """
    content = read_weight_file(path)
    state = module.state_dict()
    expected = {name: value for name, value in state.items() if not _is_step_count(name)}
    if not expected:
        raise InputError(f"{path}: the architecture has no weights to load")
    match = best_match(content, expected)
    if match is None:
        keys = ", ".join(map(repr, list(content)[:_NAMED_AT_MOST])) or "nothing"
        raise InputError(f"{path}: no tensors at any place known to hold weights (top level: {keys})")
    _refuse_missing(path, match, expected)
    left_over = [match.prefix + name for name in match.tensors if name not in state]
    left_over += match.others
    classifier = tuple(name for name in left_over if is_part(name, CLASSIFIERS))
    other_heads = tuple(name for name in left_over if is_part(name, OTHER_HEADS))
    _refuse_unexpected(path, [name for name in left_over if name not in {*classifier, *other_heads}])
    module.load_state_dict(state | {name: match.tensors[name] for name in match.fitting})
    return LoadReport(
        path=str(path),
        file_digest=digest_file(path),
        nesting=match.nesting,
        prefix=match.prefix,
        tensors_matched=len(match.fitting),
        tensors_expected=len(expected),
        parameters_matched=sum(expected[name].numel() for name in match.fitting),
        parameters_expected=sum(value.numel() for value in expected.values()),
        classifier_keys=classifier,
        other_head_keys=other_heads,
        weights_digest=digest_weights(module),
    )


def digest_weights(module: nn.Module) -> str:
    """SHA-256 over a network's parameters and buffers: names, dtypes, shapes and values, in order of name.

    ``num_batches_tracked`` is left out, as in :class:`LoadReport`.
    """
    state = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        if not _is_step_count(name):
            state.update(f"{name} {value.dtype} {tuple(value.shape)};".encode())
            state.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return state.hexdigest()


def _is_step_count(name: str) -> bool:
    return name.rpartition(".")[2] == "num_batches_tracked"


def _refuse_missing(path: Path, match: Match, expected: Mapping[str, Tensor]) -> None:
    missing = [name for name in expected if name not in match.fitting]
    if not missing:
        return
    described = []
    for name in missing[:_NAMED_AT_MOST]:
        near = nearest_name(name, match.tensors)
        there = f"{near!r} {_shape(match.tensors[near])}" if near is not None else "nothing"
        described.append(f"{name!r} {_shape(expected[name])} (nearest in the file: {there})")
    raise InputError(
        f"{path}: {len(missing)} of the encoder's {len(expected)} tensors are not in the file by name and "
        f"shape: {_list(described, len(missing))}; nothing was loaded; "
        "name the architecture it was trained with"
    )


def _refuse_unexpected(path: Path, unexpected: list[str]) -> None:
    if unexpected:
        raise InputError(
            f"{path}: {len(unexpected)} tensors fit nowhere in the encoder and belong to no known head: "
            f"{_list(map(repr, unexpected), len(unexpected))}; nothing was loaded; "
            "name the architecture it was trained with, or remove them from the file"
        )


def _list(described: Iterable[str], count: int) -> str:
    shown = list(described)[:_NAMED_AT_MOST]
    return ", ".join(shown) + (f" and {count - len(shown)} more" if count > len(shown) else "")


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"
