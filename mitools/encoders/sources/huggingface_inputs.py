"""What a repository of Hugging Face says on how its network is to be fed."""

from typing import Any, Literal

from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.core.specs import Spec
from mitools.encoders.downloads import hub_files
from mitools.encoders.inputs.preprocess import (
    ASSUMED,
    PREPROCESS_OPTIONS,
    Preprocess,
    crop_fraction,
    preprocess_origin,
)
from mitools.encoders.inputs.tokens import Tokens

Resize = Literal["shorter_side", "squash"]
_SHORTER_SIDE: Resize = "shorter_side"
_SQUASH: Resize = "squash"
_INTERPOLATIONS = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}
_SMALLEST_UNCROPPED = 384  # ConvNeXt's processor squashes images from this size on
_NEUTRAL = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
_NO_LIMIT = 1_000_000  # transformers writes 1e30 where a tokenizer knows no limit


def image_preprocess(transformers: Any, name: str, revision: str, spec: Spec) -> tuple[Preprocess, str]:
    """Read the image processor of a repository, and apply the spec's options to it.

    Pixels are resized by Pillow, with the processor's size, crop and interpolation.

    Raises
    ------
    InputError
        When there is none and the spec gives no ``image_size``, ``mean`` and ``std`` either, or it does
        what :class:`mitools.encoders.inputs.preprocess.Preprocess` cannot.
    """
    if "max_length" in spec.options:
        raise InputError(f"spec {spec.text!r}: the network reads images; leave max_length= out")
    try:
        with hub_files(name):
            processor = transformers.AutoImageProcessor.from_pretrained(
                name, revision=revision, trust_remote_code=False
            ).to_dict()
    except Exception as error:  # the hub, the disk and the processor's code may raise anything
        if {"image_size", "mean", "std"} <= set(spec.options):
            return Preprocess().overridden(spec), preprocess_origin(ASSUMED, spec)
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"spec {spec.text!r}: {name} has no image processor that could be read ({reason}); "
            "give image_size=, mean= and std="
        ) from None
    return _from_processor(processor, name).overridden(spec), preprocess_origin("its image processor", spec)


def _from_processor(processor: dict[str, Any], name: str) -> Preprocess:
    factor = processor.get("rescale_factor", 1 / 255) if processor.get("do_rescale", True) else 1.0
    if abs(factor * 255 - 1) > 1e-6:
        raise InputError(f"hf: the image processor of {name} does not scale pixels to [0, 1] before its mean")
    normalised = processor.get("do_normalize", True)
    mean, std = (processor[f"image_{key}"] if normalised else neutral for key, neutral in _NEUTRAL.items())
    size, fraction, resize = _geometry(processor, name)
    return Preprocess(
        size=size,
        crop_fraction=fraction,
        resize=resize,
        interpolation=_INTERPOLATIONS[int(processor.get("resample", 2))],
        mean=(float(mean[0]), float(mean[1]), float(mean[2])),
        std=(float(std[0]), float(std[1]), float(std[2])),
    )


def _geometry(processor: dict[str, Any], name: str) -> tuple[int | None, float, Resize]:
    """Give size, crop fraction and kind of resizing in the terms of a Preprocess."""
    size = processor.get("size") or {}
    crop = (processor.get("crop_size") or {}) if processor.get("do_center_crop") else {}
    if not processor.get("do_resize", True) and not crop:
        return None, 1.0, "shorter_side"
    square = size["height"] if size.get("height") and size.get("height") == size.get("width") else None
    shortest = size.get("shortest_edge") if not size.get("longest_edge") else None
    cropped = crop["height"] if crop.get("height") and crop.get("height") == crop.get("width") else None
    resized, resize = (square, _SQUASH) if square else (shortest, _SHORTER_SIDE)
    if processor.get("do_resize", True) and resized:
        if cropped and cropped <= resized:
            return cropped, crop_fraction(cropped, resized), resize
        if not crop and processor.get("crop_pct") and shortest:
            if shortest >= _SMALLEST_UNCROPPED:
                return shortest, 1.0, _SQUASH
            return shortest, crop_fraction(shortest, int(shortest / processor["crop_pct"])), _SHORTER_SIDE
        if not crop and square:
            return square, 1.0, _SQUASH
    raise InputError(
        f"hf: the image processor of {name} resizes to {size} and crops to {crop or 'nothing'}; "
        "only square images are supported, so give image_size=, mean= and std="
    )


def text_tokens(
    transformers: Any, name: str, revision: str, spec: Spec, config: Any, pool: str
) -> tuple[Tokens, str]:
    """Read the tokenizer of a repository; texts are cut to what the network can read, or to ``max_length=``.

    Raises
    ------
    InputError
        When there is none, it marks no padding, no length is known, or it puts no class token before a text
        and ``pool=cls`` asks for one.
    """
    if images := [key for key in PREPROCESS_OPTIONS if key in spec.options]:
        raise InputError(f"spec {spec.text!r}: the network reads texts; leave {images[0]}= out")
    try:
        with hub_files(name):
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                name, revision=revision, trust_remote_code=False
            )
    except Exception as error:  # the hub, the disk and the tokenizer's code may raise anything
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"hf: {name} has no tokenizer that could be read ({reason})") from None
    if set(tokenizer.get_vocab()) <= set(tokenizer.all_special_tokens):
        # What transformers makes up where the files of a tokenizer are missing.
        raise InputError(f"hf: {name} has no vocabulary; save the tokenizer beside the network")
    if "attention_mask" not in tokenizer.model_input_names or not tokenizer.is_fast:
        raise InputError(f"hf: the tokenizer of {name} is of an old kind, or marks no padding")
    if pool == "cls" and tokenizer.cls_token is None:
        raise InputError(f"hf: {name} has no class token; take pool=mean")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token  # never read: the attention mask is 0 there
    tokenizer.padding_side = "right"
    limits = (tokenizer.model_max_length, getattr(config, "max_position_embeddings", None))
    known = min((limit for limit in limits if limit and limit < _NO_LIMIT), default=0)
    length = spec.integer("max_length", known, at_least=1)
    if not length or (known and length > known):
        limit = f", at most {known}" if known else ""
        raise InputError(f"spec {spec.text!r}: give max_length=N, the tokens a text may have{limit}")
    key = digest_text(tokenizer.backend_tokenizer.to_str(), str(tokenizer.pad_token_id))
    return Tokens(tokenizer, length, f"tokenizer {key}, at most {length} tokens"), (
        f"its tokenizer; texts cut to {length} tokens"
    )
