"""The strict loader: every number of the encoder comes from the file, or nothing is loaded."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mitools.core.errors import InputError
from mitools.encoders.checkpoints.choice import choose_place
from mitools.encoders.checkpoints.file_kinds import altered
from mitools.encoders.checkpoints.normalisation import Normalisation, find_normalisation, is_normalisation
from mitools.encoders.checkpoints.other_tensors import other_tensors
from mitools.encoders.checkpoints.recognise import (
    Match,
    bare_name,
    head_of,
    nearest_name,
)
from mitools.encoders.checkpoints.search import SEARCHED, as_options, distinct, whole_places
from mitools.encoders.checkpoints.weight_files import read_weight_file

_NAMED_AT_MOST = 3


@dataclass(frozen=True)
class LoadReport:
    """What was loaded into an encoder, and from where in the file.

    Attributes
    ----------
    path, file_digest
        The file, and the SHA-256 of its content (of index and shards, where it comes in shards).
    format
        Whose checkpoint it is: a row of :data:`mitools.encoders.checkpoints.formats.FORMATS`.
    container
        How it is stored: pickle, safetensors, and in how many shards.
    nesting
        The keys that led to the weights, outermost first.
    prefix
        What was stripped from every name.
    renamed
        ``part <- number`` for parts of the encoder that the file numbers instead of naming.
    weights_choice
        ``ema``, ``online``, or the name of one of several encoders; None where a file of this format has
        only one kind of weights.
    choices_available
        The kinds of weights that the file holds.
    weights_reason
        Who made the choice.
    tensors_matched, tensors_expected
        The encoder's parameters and buffers, by count. BatchNorm's ``num_batches_tracked`` is not counted:
        files differ in having it, and evaluation never reads it.
    parameters_matched, parameters_expected
        The same in numbers.
    set_aside
        What of the file was not loaded: a key or the beginning of keys, and why.
    normalisation
        What the file says of it; None where it says nothing, so that the encoder's is an assumption.
    weights_digest
        :func:`digest_weights` of the encoder after loading.
    place_reason
        Why the weights were taken from this place of the file.
    replaced
        Classes that the file names beside tensors; objects without content stood in for them.
    """

    path: str
    file_digest: str
    format: str
    container: str
    nesting: tuple[str, ...]
    prefix: str
    renamed: tuple[str, ...]
    weights_choice: str | None
    choices_available: tuple[str, ...]
    weights_reason: str
    tensors_matched: int
    tensors_expected: int
    parameters_matched: int
    parameters_expected: int
    set_aside: tuple[tuple[str, str], ...]
    normalisation: Normalisation | None
    weights_digest: str
    place_reason: str = ""
    replaced: tuple[str, ...] = ()

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
        return json.loads(json.dumps(asdict(self))) | shares


def load_weights(
    module: nn.Module,
    path: Path,
    weights: str | None = None,
    *,
    key: str | None = None,
    prefix: str | None = None,
) -> LoadReport:
    """Fill an encoder from a checkpoint, entirely or not at all.

    The file's format is recognised (:mod:`mitools.encoders.checkpoints.formats`), which says where the
    weights lie and what else lies there. Where no known place holds them, every place of the file is
    looked at, and the only one that holds all of the encoder's tensors by name and shape is taken. Tensors
    of a classifier or of another known head are set aside and reported.

    Parameters
    ----------
    module
        The encoder without its classifier; changed in place.
    path
        A file of ``torch.save``, ``.safetensors``, or the index of one in shards.
    weights
        ``ema`` or ``online`` (or, where a project trains an encoder a view, its name), for files that hold
        several. When None, what the project itself evaluates.
    key, prefix
        Where the weights lie, for a file in which several places would do: the keys that lead to them, with
        dots between them, and what stands before every name. Nothing else is then looked at.

    Raises
    ------
    InputError
        When the file cannot be read (:func:`mitools.encoders.checkpoints.weight_files.read_weight_file`),
        when it lacks the weights asked for, when a parameter or buffer of the encoder is missing in it or
        has another shape (at most three are named, each with the nearest found), when tensors are left
        over that belong to no known head, or when a value is not finite.
    """
    content, container, file_digest, replaced = read_weight_file(path)
    state = module.state_dict()
    expected = {name: value for name, value in state.items() if not _is_step_count(name)}
    if not expected:
        raise InputError(f"{path}: the architecture has no weights to load")
    choice = choose_place(path, content, expected, weights, key, prefix)
    match, others, reason = choice.match, choice.others, choice.weights_reason
    _refuse_missing(path, content, match, others, expected)
    set_aside = _set_aside(path, match, others, state) | other_tensors(content, match.place.nesting, others)
    found = {name: match.inside[name].tensor for name in match.fitting}
    broken = [name for name, value in found.items() if not bool(torch.isfinite(value).all())]
    if broken:
        raise InputError(
            f"{path}: {len(broken)} tensors hold values that are not finite ({', '.join(broken[:3])});"
            " the training diverged, or the file is damaged: take another checkpoint"
        )
    module.load_state_dict(state | found)
    several = reason != "" or len(match.choices) > 1
    return LoadReport(
        path=str(path),
        file_digest=file_digest,
        format=match.format.name,
        container=container,
        nesting=match.place.nesting,
        prefix=match.prefix,
        renamed=match.renamed,
        weights_choice=match.place.weights if several else None,
        choices_available=match.choices if several else (),
        weights_reason=reason,
        tensors_matched=len(match.fitting),
        tensors_expected=len(expected),
        parameters_matched=match.numbers,
        parameters_expected=sum(value.numel() for value in expected.values()),
        set_aside=tuple(set_aside.items()),
        normalisation=_normalisation(content, match),
        weights_digest=digest_weights(module),
        place_reason=choice.place_reason,
        replaced=replaced,
    )


def digest_weights(module: nn.Module) -> str:
    """SHA-256 over a network's parameters and buffers: names, dtypes, shapes and values, in order of name.

    ``num_batches_tracked`` is left out, as in :class:`LoadReport`.
    """
    state = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        if not isinstance(value, Tensor):  # a module's own state, which need be no tensor
            state.update(f"{name} {value!r};".encode())
        elif not _is_step_count(name):
            state.update(f"{name} {value.dtype} {tuple(value.shape)};".encode())
            state.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return state.hexdigest()


def _is_step_count(name: str) -> bool:
    return name.rpartition(".")[2] == "num_batches_tracked"


def _refuse_missing(
    path: Path,
    content: Mapping[Any, Any],
    match: Match,
    others: Iterable[Match],
    expected: Mapping[str, Tensor],
) -> None:
    missing = [name for name in expected if name not in match.fitting]
    if not missing:
        return
    tensors = {held.key: held.tensor for held in (*match.inside.values(), *match.beside.values())}
    if why := altered(tensors, missing):
        raise InputError(f"{path}: {why}; nothing was loaded")
    described = []
    for name in missing[:_NAMED_AT_MOST]:
        near = nearest_name(name, match.inside)
        held = match.inside[near] if near is not None else None
        there = f"{held.key!r} {_shape(held.tensor)}" if held else "nothing"
        described.append(f"{name!r} {_shape(expected[name])} (nearest in the file: {there})")
    whole = [other.place.weights for other in others if len(other.fitting) == len(expected)]
    remedy = f"weights={whole[0]} would fit" if whole else "name the architecture it was trained with"
    if not whole and match.format is not SEARCHED:
        elsewhere = distinct(whole_places(content, expected, None, None))
        remedy = f"{as_options(elsewhere[0])} would fit" if elsewhere else remedy
    raise InputError(
        f"{path}: {len(missing)} of the encoder's {len(expected)} tensors are not in the file by name and "
        f"shape: {_list(described, len(missing))}; nothing was loaded; the file was read as "
        f"{match.format.name}; {remedy}"
    )


def _set_aside(
    path: Path, match: Match, others: Sequence[Match], state: Mapping[str, Tensor]
) -> dict[str, str]:
    """Sort out what lies beside the encoder's tensors; refuse what no known head explains."""
    left_over = [held.key for held in match.beside.values()]
    left_over += [held.key for name, held in match.inside.items() if name not in state]
    set_aside, unexpected = {}, []
    for key in left_over:
        name = bare_name(key)
        if _is_step_count(name):
            continue
        if is_normalisation(name):
            set_aside[key] = "normalisation of the input"
        elif head := head_of(match, others, name, key):
            set_aside[head[0]] = head[1]
        elif match.format is SEARCHED and not name.startswith(match.place.prefix):
            set_aside[key.partition(".")[0]] = "beside the encoder"
        else:
            unexpected.append(key)
    if unexpected:
        raise InputError(
            f"{path}: {len(unexpected)} tensors fit nowhere in the encoder and belong to no known head: "
            f"{_list(map(repr, unexpected), len(unexpected))}; nothing was loaded; the file was read as "
            f"{match.format.name}; name the architecture it was trained with, or remove them from the file"
        )
    return set_aside


def _normalisation(content: Mapping[Any, Any], match: Match) -> Normalisation | None:
    # The encoder applies what lies inside it; only what lies beside it is the caller's to apply.
    outside = [held for name, held in match.inside.items() if name not in match.fitting]
    outside += match.beside.values()
    return find_normalisation(content, {bare_name(held.key): held.tensor for held in outside})


def _list(described: Iterable[str], count: int) -> str:
    shown = list(described)[:_NAMED_AT_MOST]
    return ", ".join(shown) + (f" and {count - len(shown)} more" if count > len(shown) else "")


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"
