"""Models of sentence-transformers, read as their authors define them."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.core.optional_packages import need
from mitools.core.specs import Spec
from mitools.encoders.checkpoints.load import digest_weights
from mitools.encoders.downloads import hub_files
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.tokens import Tokens

MODULES = "modules.json"
"""The file by which a folder says what follows its transformer: pooling, layers, normalisation."""

_OWN = "sentence_transformers."


class SentenceTokens(Tokens):
    """Texts as a sentence-transformer prepares them: prompt, lower case and length are the model's own."""

    def batch(self, texts: list[str]) -> dict[str, Tensor]:
        """Cut a batch of texts; returns the tensors among what the model prepares."""
        prepared = _prepare(self.tokenizer, texts)
        return {key: value for key, value in prepared.items() if _is_batch(value, len(texts))}


class SentenceNetwork(nn.Module):
    """A sentence-transformer as a network that gives one row a text.

    Parameters
    ----------
    model
        A ``SentenceTransformer``.
    beside
        What the model prepares for every batch beside its tensors, such as the length of the prompt.
    """

    def __init__(self, model: nn.Module, beside: dict[str, Any]) -> None:
        super().__init__()
        self.model = model
        self.beside = beside

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        """Map tokens by name to (B, d): the sentence embedding, behind all of the model's modules."""
        rows: Tensor = self.model({**inputs, **self.beside})["sentence_embedding"]
        width = getattr(self.model, "truncate_dim", None)
        return rows if width is None else rows[:, :width]


def is_sentence_model(transformers: Any, name: str, revision: str) -> bool:
    """Whether a folder, or a repository of the hub, is a model of sentence-transformers."""
    if Path(name).is_dir():
        return (Path(name) / MODULES).is_file()
    try:
        with hub_files():
            found = transformers.utils.cached_file(
                name,
                MODULES,
                revision=revision,
                _raise_exceptions_for_gated_repo=False,
                _raise_exceptions_for_missing_entries=False,
                _raise_exceptions_for_connection_errors=False,
            )
    except (OSError, ValueError):
        return False
    return found is not None


def open_sentences(spec: Spec, name: str, revision: str) -> Encoder:
    """Open a model of sentence-transformers with its pooling, layers, normalisation, length and prompt.

    Parameters
    ----------
    spec
        ``hf:FOLDER`` or ``hf:ORG/NAME``, with ``max_length=N`` where texts are to be cut shorter.
    name, revision
        Of the model.

    Raises
    ------
    InputError
        When sentence-transformers is missing, the model cannot be had, or it names code of its own.
    """
    spec.only("max_length", "revision")
    _refuse_own_code(name)
    library = need("sentence_transformers", "sentence-transformers", "hf")
    try:
        with hub_files(name):
            model = library.SentenceTransformer(
                name, device="cpu", trust_remote_code=False, revision=revision
            )
    except Exception as error:  # the hub, the disk and the library may raise anything
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"spec {spec.text!r}: {name} cannot be had ({reason}); give a whole folder"
        ) from None
    model = model.to(torch.float32).eval()
    known = model.max_seq_length
    length = spec.integer("max_length", known or 0, at_least=1)
    if known and length > known:
        raise InputError(
            f"spec {spec.text!r}: the model takes at most {known} tokens; give max_length={known}"
        )
    model.max_seq_length = length
    prompt = _prompt(model)
    probe = _prepare(model, ["a"])
    beside = {key: value for key, value in probe.items() if not _is_batch(value, 1)}
    parts = [(type(part).__name__, _configuration(part)) for part in model.children()]
    described = json.dumps([parts, prompt, length, model.truncate_dim], default=str, sort_keys=True)
    tokenizer = digest_text(model.tokenizer.backend_tokenizer.to_str(), described)
    key = f"sentence-transformer {tokenizer}, at most {length} tokens"
    shown = " > ".join(part for part, _ in parts)
    prompted = f", after the prompt {prompt!r}" if prompt else ""
    return Encoder(
        spec.text,
        name.rstrip("/").rpartition("/")[2],
        spec.source,
        digest_text("sentences", described, digest_weights(model)),
        SentenceNetwork(model, beside),
        SentenceTokens(model, length, key),
        preprocess_from=f"{MODULES}: {shown}; texts cut to {length} tokens{prompted}",
    )


def _prepare(model: Any, texts: list[str]) -> dict[str, Any]:
    """Let the model prepare texts, in the words of its version."""
    prompt = _prompt(model)
    if hasattr(model, "preprocess"):
        return dict(model.preprocess(texts, prompt=prompt))
    return dict(model.tokenize([(prompt or "") + text for text in texts]))


def _prompt(model: Any) -> str | None:
    name = getattr(model, "default_prompt_name", None)
    prompt: str | None = model.prompts.get(name) if name else None
    return prompt


def _is_batch(value: Any, count: int) -> bool:
    return isinstance(value, Tensor) and value.ndim > 0 and len(value) == count


def _configuration(part: Any) -> Any:
    """Give what a module is set to, without where it lay."""
    describe = getattr(part, "get_config_dict", None)
    return describe() if callable(describe) else repr(part)


def _refuse_own_code(name: str) -> None:
    path = Path(name) / MODULES
    if not path.is_file():
        return
    try:
        types = [str(part["type"]) for part in json.loads(path.read_bytes())]
    except (ValueError, LookupError, TypeError):
        raise InputError(f"{path}: damaged; fetch it again") from None
    foreign = next((kind for kind in types if not kind.startswith(_OWN)), None)
    if foreign is not None:
        raise InputError(
            f"hf: {name} is made of {foreign}, code of its own, which is never run; wrap it in a function and"
            " open it as python:MODULE:FACTORY"
        )
