"""How each project writes its checkpoints: one row a format, read by the recogniser."""

from dataclasses import dataclass, field
from itertools import product

ONLINE, EMA = "online", "ema"


@dataclass(frozen=True)
class Place:
    """Where an encoder's weights may lie in a file.

    Attributes
    ----------
    nesting
        The keys that lead to them, outermost first.
    prefix
        What stands before every name once training wrappers (:data:`WRAPPERS`) are off.
    weights
        Which they are: ``online`` or ``ema`` (moving average, momentum encoder, teacher); where a project
        trains an encoder a view, its name follows behind a dot.
    """

    nesting: tuple[str, ...]
    prefix: str
    weights: str = ONLINE


@dataclass(frozen=True)
class Format:
    """One row of the table.

    Attributes
    ----------
    name
        Whose files these are.
    places
        Where encoders lie. Of several kinds of weights the first is the one that the project itself
        evaluates; it is taken unless another is asked for.
    heads
        What else lies beside the weights and is set aside: the beginning of its name, and what it is.
    keys
        Keys, dotted where nested, that the file has; alternatives are separated by ``|``.
    names
        Beginnings of names, of which each occurs among the weights; alternatives likewise.
    default
        Why the first kind of weights is the default.
    renamed
        Whose names the tensors have, where they are not the encoder's: a key of
        :data:`mitools.encoders.checkpoints.renaming.RENAMINGS`.
    """

    name: str
    places: tuple[Place, ...] = ()
    heads: dict[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    default: str = ""
    renamed: str = ""


def _at(nestings: str, prefixes: str = "", weights: str = ONLINE) -> tuple[Place, ...]:
    """List places: ``a.b|c`` for nested keys, ``x.|y.`` for prefixes, every one with every other."""
    paths = [tuple(filter(None, path.split("."))) for path in nestings.split("|")]
    return tuple(Place(path, prefix, weights) for path, prefix in product(paths, prefixes.split("|")))


# What training wrappers put into names, at any place of them and in any number.
WRAPPERS = frozenset(
    {"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module"}
)

_PROJECTION, _PREDICTION = "projection head", "prediction head"
_LIGHTNING = "pytorch-lightning_version"
_MOMENTUM = "momentum copy of a head"
_MASK = "stands for masked patches in training"

_SOLO_LEARN_HEADS = {
    "classifier.": "classifier",
    "projector.": _PROJECTION,
    "predictor.": _PREDICTION,
    "prototypes.": "prototypes",
    "head.": _PROJECTION,
    "queue": "queue of negatives",
    "momentum_classifier.": _MOMENTUM,
    "momentum_projector.": _MOMENTUM,
    "momentum_prototypes.": _MOMENTUM,
    "momentum_head.": _MOMENTUM,
}

# More telling rows stand first: of rows that fit equally well the first is named.
FORMATS = (
    Format(
        "VISSL",
        places=_at("classy_state_dict.base_model.model.trunk", "_feature_blocks.|"),
    ),
    Format(
        "MoCo v3",
        places=_at("state_dict|", "base_encoder.") + _at("state_dict|", "momentum_encoder.", EMA),
        heads={
            f"{encoder}_encoder.{head}.": _PROJECTION
            for encoder in ("base", "momentum")
            for head in ("head", "fc")
        }
        | {"predictor.": _PREDICTION},
        names=("base_encoder.",),
        default="its linear evaluation reads base_encoder",
    ),
    Format(
        "MoCo v1 or v2",
        places=_at("state_dict|", "encoder_q.|encoder_q.0.|encoder_q.net.")
        + _at("state_dict|", "encoder_k.|encoder_k.0.|encoder_k.net.", EMA),
        heads={"encoder_q.fc.": _PROJECTION, "encoder_q.1.": _PROJECTION}
        | {"queue": "queue of negatives", "encoder_k.fc.": _PROJECTION, "encoder_k.1.": _PROJECTION},
        names=("encoder_q.",),
        default="its linear evaluation reads encoder_q",
    ),
    Format(
        "Lightly",
        places=_at("state_dict|", "backbone.|online_backbone.")
        + _at("state_dict|", "backbone_momentum.|momentum_backbone.", EMA),
        heads={
            "projection_head.": _PROJECTION,
            "projection_head_momentum.": _MOMENTUM,
            "prediction_head.": _PREDICTION,
            "prototypes.": "prototypes",
            "online_classifier.": "classifier",
            "criterion.": "state of the loss",
            "memory_bank": "queue of negatives",
        },
        names=("projection_head.|prediction_head.|backbone_momentum.|online_classifier.",),
        default="its benchmarks evaluate backbone",
    ),
    Format(
        "Lightly (teacher and student)",
        places=_at("state_dict|", "student_backbone.|backbone.")
        + _at("state_dict|", "teacher_backbone.", EMA),
        heads={
            "student_head": "head of the student",
            "teacher_head": "head of the teacher",
            "student_projection_head.": "head of the student",
            "teacher_projection_head.": "head of the teacher",
            "head.": _PROJECTION,
            "criterion.": "state of the loss",
            "online_classifier.": "classifier",
        },
        names=("teacher_backbone.",),
        default="its benchmarks evaluate the student's backbone",
    ),
    Format(
        "solo-learn",
        places=_at("state_dict", "backbone.") + _at("state_dict", "momentum_backbone.", EMA),
        heads=_SOLO_LEARN_HEADS,
        keys=(_LIGHTNING,),
        names=("projector.|classifier.|predictor.|prototypes.|head.|momentum_backbone.",),
        default="its linear evaluation reads backbone",
    ),
    Format(
        "solo-learn before 1.0.3",
        places=_at("state_dict", "encoder.") + _at("state_dict", "momentum_encoder.", EMA),
        heads=_SOLO_LEARN_HEADS,
        keys=(_LIGHTNING,),
        names=("projector.|classifier.|predictor.|prototypes.|head.|momentum_encoder.",),
        default="its linear evaluation reads encoder",
    ),
    Format(
        "SimSiam",
        places=_at("state_dict", "encoder."),
        heads={"encoder.fc.": _PROJECTION, "predictor.": _PREDICTION},
        names=("encoder.", "predictor."),
    ),
    Format(
        "SimCLR of sthalles",
        places=_at("state_dict|", "backbone."),
        heads={"backbone.fc.": _PROJECTION},
        names=("backbone.fc.",),
    ),
    Format(
        "SimCLR of sthalles, 2020",
        places=_at("state_dict|", "features."),
        heads={"l1.": _PROJECTION, "l2.": _PROJECTION},
        names=("l1.",),
    ),
    Format(
        "SwAV",
        places=_at("|state_dict"),
        heads={"projection_head.": _PROJECTION, "prototypes.": "prototypes"},
        names=("prototypes.", "projection_head."),
    ),
    Format(
        "DINOv2",
        places=_at("teacher", "backbone.", EMA)
        + _at("model", "teacher.backbone.", EMA)
        + _at("student", "backbone.")
        + _at("model", "student.backbone."),
        heads={
            "dino_head.": _PROJECTION,
            "ibot_head.": _PROJECTION,
            "teacher.dino_head.": _PROJECTION,
            "teacher.ibot_head.": _PROJECTION,
            "student.dino_head.": _PROJECTION,
            "student.ibot_head.": _PROJECTION,
            "backbone.mask_token": _MASK,
            "teacher.backbone.mask_token": _MASK,
            "student.backbone.mask_token": _MASK,
            "dino_loss.": "state of the loss",
            "ibot_patch_loss.": "state of the loss",
        },
        names=("dino_head.|teacher.dino_head.|backbone.mask_token|backbone.blocks.0.0.",),
        default="its evaluations read the teacher",
        renamed="DINOv2",
    ),
    Format(
        "DINOv2, released backbone",
        places=_at(""),
        heads={"mask_token": _MASK},
        names=("mask_token", "blocks.0.ls1.|blocks.0.0.ls1."),
        renamed="DINOv2",
    ),
    Format(
        "DINO",
        places=_at("teacher", "backbone.", EMA) + _at("student", "backbone."),
        heads={"head.": _PROJECTION},
        default="its evaluations read the teacher (--checkpoint_key)",
    ),
    Format(
        "Barlow Twins",
        places=_at("model", "backbone."),
        heads={"projector.": _PROJECTION, "bn.": "normalisation of the embeddings"},
        names=("projector.", "bn.running_mean"),
    ),
    Format(
        "VICReg or IMSVD",
        places=_at("model", "backbone."),
        heads={"projector.": _PROJECTION},
        names=("projector.",),
    ),
    Format(
        "CMC",
        places=_at("model", "encoder.l_to_ab.", "online.l_to_ab")
        + _at("model", "encoder.ab_to_l.", "online.ab_to_l"),
        heads={
            f"encoder.{view}.{head}.": _PROJECTION
            for view in ("l_to_ab", "ab_to_l")
            for head in ("fc", "fc8")
        },
        default="the first of its views",
    ),
    Format(
        "PyContrast, two encoders",
        places=_at("model", "encoder1.", "online.encoder1")
        + _at("model", "encoder2.", "online.encoder2")
        + _at("model_ema", "encoder1.", "ema.encoder1")
        + _at("model_ema", "encoder2.", "ema.encoder2"),
        heads={"head": _PROJECTION},
        names=("encoder1.",),
        default="the first of its views, not averaged",
    ),
    Format(
        "PyContrast",
        places=_at("model", "encoder.") + _at("model_ema", "encoder.", EMA),
        heads={"head": _PROJECTION},
        keys=("contrast",),
        default="its linear evaluation reads model",
    ),
    Format(
        "SupCon",
        places=_at("model", "encoder."),
        heads={"head.": _PROJECTION, "fc.": "classifier"},
        keys=("opt",),
    ),
    Format(
        "timm, training checkpoint",
        places=_at("state_dict_ema", "", EMA) + _at("state_dict"),
        keys=("arch", "version|state_dict_ema"),
        default="timm's load_checkpoint takes the average where there is one",
    ),
    Format(
        "torchvision, training checkpoint",
        places=_at("model_ema", "", EMA) + _at("model"),
        heads={"n_averaged": "steps averaged over"},
        keys=("model_ema.n_averaged",),
        default="its reference script evaluates the average where there is one",
    ),
    Format(
        "CLIP or open_clip",
        places=_at("state_dict||model", "visual."),
        heads={
            "visual.proj": "projection into the space shared with texts",
            "transformer.": "the text tower",
            "text.": "the text tower",
            "token_embedding.": "the text tower",
            "positional_embedding": "the text tower",
            "ln_final.": "the text tower",
            "text_projection": "the text tower",
            "logit_scale": "temperature of the loss",
            "logit_bias": "temperature of the loss",
        },
        names=("visual.class_embedding", "visual.transformer.resblocks."),
        renamed="CLIP",
    ),
    Format(
        "MMPretrain",
        places=_at("state_dict|", "backbone."),
        heads={"head.": "classifier", "neck.": "neck", "data_preprocessor.": "normalisation of the input"},
        names=("backbone.layers.0.ln1.",),
        renamed="MMPretrain",
    ),
    # No project can be told from these: any nesting below, any prefixes.
    Format("PyTorch Lightning", keys=(_LIGHTNING,), default="what was trained"),
    Format("plain weights", default="what was trained"),
)

# For the rows without places. Nested keys:
NESTINGS = {
    "state_dict": ONLINE,
    "model_state_dict": ONLINE,
    "model": ONLINE,
    "net": ONLINE,
    "network": ONLINE,
    "module": ONLINE,
    "backbone": ONLINE,
    "encoder": ONLINE,
    "params": ONLINE,
    "weights": ONLINE,
    "student": ONLINE,
    "teacher": EMA,
    "state_dict_ema": EMA,
    "model_ema": EMA,
    "ema": EMA,
    "ema_state_dict": EMA,
}
# And what stands before names, in any order and number.
PREFIXES = {
    "model.": ONLINE,
    "backbone.": ONLINE,
    "encoder.": ONLINE,
    "net.": ONLINE,
    "network.": ONLINE,
    "base_encoder.": ONLINE,
    "encoder_q.": ONLINE,
    "trunk.": ONLINE,
    "_feature_blocks.": ONLINE,
    "online_encoder.": ONLINE,
    "student.": ONLINE,
    "teacher.": EMA,
    "model_ema.": EMA,
    "ema_model.": EMA,
    "target_encoder.": EMA,
    "encoder_k.": EMA,
    "momentum_encoder.": EMA,
}
# What stands on top of an encoder, whoever wrote the file.
HEADS = {
    "fc.": "classifier",
    "linear.": "classifier",
    "head.": "classifier",
    "heads.": "classifier",
    "head_dist.": "classifier",
    "classifier.": "classifier",
    "last_linear.": "classifier",
    "projector.": _PROJECTION,
    "projection.": _PROJECTION,
    "projection_head.": _PROJECTION,
    "proj_head.": _PROJECTION,
    "predictor.": _PREDICTION,
    "prediction_head.": _PREDICTION,
    "prototypes.": "prototypes",
    "queue": "queue of negatives",
    "n_averaged": "steps averaged over",
}
