"""Networks of Hugging Face's transformers, for images and for texts."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from typing import Any

import torch

from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.core.optional_packages import need
from mitools.core.specs import Spec
from mitools.encoders.checkpoints.load import digest_weights
from mitools.encoders.downloads import hub_files
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.preprocess import PREPROCESS_OPTIONS
from mitools.encoders.inputs.read import Preparation
from mitools.encoders.sources.huggingface_inputs import image_preprocess, text_tokens
from mitools.encoders.sources.pooled_transformer import POOLS, PooledTransformer
from mitools.encoders.sources.sentences import is_sentence_model, open_sentences
from mitools.encoders.spec_options import one_of

_TOWERS = {
    "vision": ("vision_model", "vision_tower", "vision_encoder", "visual"),
    "text": ("text_model", "text_encoder", "language_model"),
}
_NAMED_AT_MOST = 3


def open_huggingface(spec: Spec) -> Encoder:
    """Open ``hf:ORG/NAME?pool=mean|cls|pooler``, or ``hf:FOLDER`` with ``config.json`` and weights.

    What the pools are stands in :class:`mitools.encoders.sources.pooled_transformer.PooledTransformer`.
    Of a network of two towers (CLIP, SigLIP, BLIP), ``tower=vision`` or ``tower=text`` says which
    (``part=`` is the same); ``max_length=N`` cuts texts shorter than the network would; ``revision=`` names
    a branch, a tag or a commit. Of an encoder and a decoder (T5) the encoder is taken. A model of
    sentence-transformers is read by that library, as its authors define it
    (:mod:`mitools.encoders.sources.sentences`), unless ``pool=`` asks for the transformer alone. Code that
    lies beside the weights is never run.

    Raises
    ------
    InputError
        When transformers is missing, the network cannot be had or reads neither images nor texts, or some
        of its weights are not in the files, so that they would stay untrained (those of a pooler that is
        not asked for may be missing).
    """
    name = spec.need_name("hf:google-bert/bert-base-uncased?pool=cls")
    spec.only("pool", "part", "tower", "max_length", "revision", *PREPROCESS_OPTIONS)
    pool = one_of(spec, "pool", POOLS, "mean")
    transformers = need("transformers", "hf", "hf")
    revision = spec.options.get("revision", "main")
    with _quiet(transformers):
        if "pool" not in spec.options and is_sentence_model(transformers, name, revision):
            return open_sentences(spec, name, revision)
    with _quiet(transformers):
        whole, missing = _load(transformers, name, revision, spec)
        network, inside = _part(whole, spec)
        missing = [key for key in missing if key.startswith(inside)]
        if pool != "pooler" and "add_pooling_layer" in signature(type(network)).parameters:
            network.pooler = None  # its weights are not read, and many files lack them
            missing = [key for key in missing if not _is_pooler(key)]
        _refuse_missing(name, missing)
        preprocess: Preparation
        if network.main_input_name == "pixel_values":
            preprocess, origin = image_preprocess(transformers, name, revision, spec)
        elif network.main_input_name == "input_ids":
            preprocess, origin = text_tokens(transformers, name, revision, spec, network.config, pool)
        else:
            raise InputError(f"hf: {name} reads {network.main_input_name}; only images and texts will do")
    module = PooledTransformer(network, pool)
    tower = _asked_tower(spec)
    part = f"-{tower}" if tower else ""
    identity = (type(network).__name__, _configuration(network.config), pool)
    return Encoder(
        spec.text,
        f"{name.rstrip('/').rpartition('/')[2]}{part}-{pool}",
        spec.source,
        digest_text("hf", *identity, digest_weights(network)),
        module,
        preprocess,
        preprocess_from=origin,
    )


def _load(transformers: Any, name: str, revision: str, spec: Spec) -> tuple[Any, list[str]]:
    """Load a network; returns it with the names of its weights that are in no file."""
    try:
        with hub_files(name):
            config = transformers.AutoConfig.from_pretrained(name, revision=revision, trust_remote_code=False)
            if getattr(config, "mask_ratio", 0):
                config.mask_ratio = 0.0  # a masked autoencoder hides patches at random, in evaluation as well
            network, info = transformers.AutoModel.from_pretrained(
                name,
                config=config,
                revision=revision,
                trust_remote_code=False,
                dtype=torch.float32,
                output_loading_info=True,
            )
    except Exception as error:  # the hub, the disk and the network's code may raise anything
        reason = " ".join(str(error).split())[:300]
        raise InputError(
            f"spec {spec.text!r}: {name} cannot be had ({type(error).__name__}: {reason}); "
            "check the name and the network, or give a folder"
        ) from None
    return network, sorted(info["missing_keys"])


def _part(network: Any, spec: Spec) -> tuple[Any, str]:
    """Choose what is taken of a network, and what the names of its weights begin with."""
    towers = {
        tower: next((name for name in names if hasattr(network, name)), None)
        for tower, names in _TOWERS.items()
    }
    asked = _asked_tower(spec)
    if all(towers.values()):
        if asked not in towers:
            said = f"tower={asked} is unknown" if asked else "the network has two towers"
            raise InputError(f"spec {spec.text!r}: {said}; choose tower={' or tower='.join(towers)}")
        return getattr(network, str(towers[asked])), f"{towers[asked]}."
    if asked:
        raise InputError(f"spec {spec.text!r}: the network has no two towers; leave tower= out")
    if getattr(network.config, "is_encoder_decoder", False):
        return network.get_encoder(), ""
    return network, ""


def _asked_tower(spec: Spec) -> str:
    if "part" in spec.options and "tower" in spec.options:
        raise InputError(f"spec {spec.text!r}: tower= and part= are the same; leave part= out")
    return spec.options.get("tower", spec.options.get("part", ""))


def _refuse_missing(name: str, missing: list[str]) -> None:
    pooler = [key for key in missing if _is_pooler(key)]
    if pooler and len(pooler) == len(missing):
        raise InputError(
            f"hf: {name} has no weights of its pooler ({pooler[0]}), which would stay untrained; "
            "take pool=mean or pool=cls"
        )
    if missing:
        shown = ", ".join(missing[:_NAMED_AT_MOST])
        more = f" and {len(missing) - _NAMED_AT_MOST} more" if len(missing) > _NAMED_AT_MOST else ""
        raise InputError(
            f"hf: {len(missing)} tensors of {name} are in none of its files and would stay untrained: "
            f"{shown}{more}; save the network whole"
        )


def _is_pooler(key: str) -> bool:
    return "pooler" in key.split(".")


def _configuration(config: Any) -> str:
    """Give what a network computes with its weights, without where it lay and who wrote the file."""
    aside = {"_name_or_path", "architectures", "dtype", "torch_dtype", "transformers_version"}
    return repr(sorted((key, value) for key, value in config.to_diff_dict().items() if key not in aside))


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Keep transformers from printing what is checked and reported here."""
    log = transformers.utils.logging
    level = log.get_verbosity()
    bars = log.is_progress_bar_enabled()
    log.set_verbosity(log.CRITICAL)
    log.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.set_verbosity(level)
        if bars:
            log.enable_progress_bar()
