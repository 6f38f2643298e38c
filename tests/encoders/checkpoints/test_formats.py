"""Every row of the format table: a file as the project writes it, the features it gives, and a refusal."""

import argparse
import json
from collections import OrderedDict

import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.models.vision_transformer import checkpoint_filter_fn
from torch import nn

from mitools.core.errors import InputError
from mitools.encoders import load_weights
from mitools.encoders.architectures import CifarResNet
from mitools.encoders.checkpoints.formats import FORMATS
from mitools.encoders.checkpoints.load import digest_weights

IMAGES = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def randomised(module, seed):
    """Give every parameter and statistic a value of its own, as training would."""
    generator = torch.Generator().manual_seed(seed)
    for value in module.state_dict().values():
        if value.is_floating_point():
            value.copy_(0.5 + torch.rand(value.shape, generator=generator) / (1 + value[0].numel()))
    return module.eval()


def resnet(seed=0, channels=3):
    sizes = {"layers": [1, 1, 1, 1], "channels": [8, 8, 8, 16], "num_classes": 0, "in_chans": channels}
    return randomised(timm.create_model("resnet18", **sizes), seed)


def vit(seed=0, **options):
    sizes = {"img_size": 32, "patch_size": 8, "embed_dim": 16, "depth": 2, "num_heads": 2, "num_classes": 0}
    return randomised(timm.create_model("vit_tiny_patch16_224", **sizes, **options), seed)


def head(width=16, *widths):
    return nn.Sequential(nn.Linear(width, 8), nn.ReLU(), nn.Linear(8, 4))


def net(**parts):
    """Build a module of named parts; tensors become buffers."""
    module = nn.Module()
    for name, part in parts.items():
        if isinstance(part, nn.Module):
            module.add_module(name, part)
        else:
            module.register_buffer(name, part)
    return module


def topped(encoder, name, top=None):
    """Put a head on an encoder in the place of its classifier, as most projects do."""
    encoder.add_module(name, top or head())
    return encoder


def trunk(encoder):
    """Number the children in place of naming them: ``nn.Sequential(*list(children)[:-1])``."""
    return nn.Sequential(*list(encoder.children())[:-1])


def distributed(module):
    return net(module=module)  # the names that DistributedDataParallel gives


def state(module):
    return module.state_dict()


def optimizer():
    return {"state": {0: {"momentum_buffer": torch.ones(3)}}, "param_groups": [{"lr": 0.1, "params": [0]}]}


def epoch(**more):
    return {"epoch": 200, "arch": "resnet18", "optimizer": optimizer(), **more}


def lightning(weights, **more):
    return {
        "epoch": 9,
        "global_step": 100,
        "pytorch-lightning_version": "1.6.4",
        "state_dict": weights,
        "optimizer_states": [optimizer()],
        "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(0.5)}},
        **more,
    }


def options(**more):
    return argparse.Namespace(lr=0.03, batch_size=256, devices=[0, 1], output_dir=None, **more)


def moco(q, k):
    return distributed(
        net(
            encoder_q=topped(q, "fc"),
            encoder_k=topped(k, "fc"),
            queue=torch.ones(4, 8),
            queue_ptr=torch.zeros(1, dtype=torch.long),
        )
    )


def dinov2(encoder):
    return net(backbone=encoder, dino_head=head(), ibot_head=head())


def chunked(weights):
    """Number the blocks as FSDP's chunks do: the chunk before the block."""
    return {name.replace("blocks.", "blocks.0."): value for name, value in weights.items()}


def clip_names(weights):
    """Name a transformer's tensors as CLIP does, in its tower of images beside one of texts."""
    names = {
        "patch_embed.proj.": "conv1.", "blocks.": "transformer.resblocks.", "norm_pre.": "ln_pre.",
        ".norm1.": ".ln_1.", ".norm2.": ".ln_2.", ".attn.qkv.": ".attn.in_proj_",
        ".attn.proj.": ".attn.out_proj.", ".mlp.fc1.": ".mlp.c_fc.", ".mlp.fc2.": ".mlp.c_proj.",
    }  # fmt: skip
    tower = {"proj": torch.ones(16, 4)}
    for name, value in weights.items():
        other = "ln_post." + name[5:] if name.startswith("norm.") else name
        for ours, theirs in names.items():
            other = other.replace(ours, theirs)
        other = {"cls_token": "class_embedding", "pos_embed": "positional_embedding"}.get(name, other)
        tower[other] = value.flatten() if name == "cls_token" else value[0] if name == "pos_embed" else value
    texts = {
        "positional_embedding": torch.ones(7, 16),
        "transformer.resblocks.0.ln_1.bias": torch.ones(16),
        "token_embedding.weight": torch.ones(9, 16),
        "ln_final.weight": torch.ones(16),
        "text_projection": torch.ones(16, 4),
        "logit_scale": torch.tensor(1.0),
    }
    return {f"visual.{name}": value for name, value in tower.items()} | texts


def mmpretrain_names(weights):
    """Name a transformer's tensors as MMPretrain does."""
    names = {
        "patch_embed.proj.": "patch_embed.projection.", "blocks.": "layers.", ".norm1.": ".ln1.",
        ".norm2.": ".ln2.", ".mlp.fc1.": ".ffn.layers.0.0.", ".mlp.fc2.": ".ffn.layers.1.",
    }  # fmt: skip
    named = {}
    for name, value in weights.items():
        other = "ln1." + name[5:] if name.startswith("norm.") else name
        for ours, theirs in names.items():
            other = other.replace(ours, theirs)
        named[f"backbone.{other}"] = value
    return named


def solo(name, encoder, momentum):
    parts = {
        name: encoder,
        "classifier": nn.Linear(16, 10),
        "projector": head(),
        "predictor": head(),
        f"momentum_{name}": momentum,
        "momentum_projector": head(),
    }
    return lightning(state(net(**parts)))


# name, the file as the project writes it from two encoders (a: what it evaluates, b: the other kind of
# weights), the format's name, the kind of a and of b.
CASES = [
    (
        "MoCo v1 and v2",
        lambda a, b: epoch(state_dict=state(moco(a, b))),
        "MoCo v1 or v2",
        ("online", "ema"),
    ),
    (
        "MoCo, one process",
        lambda a, b: epoch(state_dict=state(moco(a, b).module)),
        "MoCo v1 or v2",
        ("online", "ema"),
    ),
    (
        "MoCo, encoder and head in one Sequential",
        lambda a, b: {
            "state_dict": state(net(encoder_q=nn.Sequential(a, head()), encoder_k=nn.Sequential(b, head())))
        },
        "MoCo v1 or v2",
        ("online", "ema"),
    ),
    (
        "MoCo, CIFAR demo",
        lambda a, b: {
            "state_dict": state(
                net(
                    encoder_q=net(net=nn.Sequential(*trunk(a), nn.Flatten(), nn.Linear(16, 8))),
                    encoder_k=net(net=nn.Sequential(*trunk(b), nn.Flatten(), nn.Linear(16, 8))),
                    queue=torch.ones(4, 8),
                    queue_ptr=torch.zeros(1),
                )
            )
        },
        "MoCo v1 or v2",
        ("online", "ema"),
    ),
    (
        "MoCo v3",
        lambda a, b: epoch(
            state_dict=state(
                distributed(
                    net(base_encoder=topped(a, "fc"), momentum_encoder=topped(b, "fc"), predictor=head(4))
                )
            ),
            scaler={"scale": 65536.0},
        ),
        "MoCo v3",
        ("online", "ema"),
    ),
    (
        "SimSiam",
        lambda a, b: epoch(state_dict=state(distributed(net(encoder=topped(a, "fc"), predictor=head(4))))),
        "SimSiam",
        (None,),
    ),
    (
        "sthalles SimCLR",
        lambda a, b: epoch(state_dict=state(net(backbone=topped(a, "fc")))),
        "SimCLR of sthalles",
        (None,),
    ),
    (
        "sthalles SimCLR, 2020",
        lambda a, b: state(net(features=trunk(a), l1=nn.Linear(16, 16), l2=nn.Linear(16, 8))),
        "SimCLR of sthalles, 2020",
        (None,),
    ),
    (
        "Lightly",
        lambda a, b: lightning(
            state(
                net(
                    backbone=trunk(a),
                    projection_head=net(layers=head()),
                    prediction_head=net(layers=head(4)),
                    backbone_momentum=trunk(b),
                    projection_head_momentum=net(layers=head()),
                )
            )
        ),
        "Lightly",
        ("online", "ema"),
    ),
    (
        "Lightly, weights alone",
        lambda a, b: state(net(backbone=trunk(a), projection_head=net(layers=head()))),
        "Lightly",
        ("online",),
    ),
    (
        "Lightly, DINO",
        lambda a, b: lightning(
            state(net(student_backbone=a, student_head=head(), teacher_backbone=b, teacher_head=head()))
            | {"criterion.center": torch.ones(1, 8)}
        ),
        "Lightly (teacher and student)",
        ("online", "ema"),
    ),
    ("solo-learn", lambda a, b: solo("backbone", a, b), "solo-learn", ("online", "ema")),
    ("solo-learn, older", lambda a, b: solo("encoder", a, b), "solo-learn before 1.0.3", ("online", "ema")),
    (
        "SwAV",
        lambda a, b: state(distributed(topped(topped(a, "projection_head"), "prototypes", nn.Linear(4, 30)))),
        "SwAV",
        (None,),
    ),
    (
        "SwAV, training",
        lambda a, b: {
            "epoch": 3,
            "state_dict": state(
                distributed(
                    topped(topped(a, "projection_head"), "prototypes", net(prototypes0=nn.Linear(4, 30)))
                )
            ),
            "optimizer": optimizer(),
        },
        "SwAV",
        (None,),
    ),
    (
        "DINO",
        lambda a, b: {
            "teacher": state(net(backbone=a, head=net(mlp=head(), last_layer=nn.Linear(4, 8)))),
            "student": state(distributed(net(backbone=b, head=head()))),
            "optimizer": optimizer(),
            "args": options(arch="vit_small", saveckp_freq=20),
            "dino_loss": {"center": torch.ones(1, 8)},
            "epoch": 100,
        },
        "DINO",
        ("ema", "online"),
    ),
    (
        "DINOv2, teacher",
        lambda a, b: {"teacher": chunked(state(dinov2(a))) | {"backbone.mask_token": torch.ones(1, 16)}},
        "DINOv2",
        ("ema",),
    ),
    (
        "DINOv2, training",
        lambda a, b: {
            "model": state(net(teacher=dinov2(a), student=dinov2(b)))
            | {"dino_loss.center": torch.ones(1, 8), "teacher.backbone.mask_token": torch.ones(1, 16)},
            "optimizer": optimizer(),
            "iteration": 5,
        },
        "DINOv2",
        ("ema", "online"),
    ),
    (
        "DINOv2, released",
        lambda a, b: state(a) | {"mask_token": torch.ones(1, 16)},
        "DINOv2, released backbone",
        (None,),
    ),
    (
        "Barlow Twins",
        lambda a, b: {
            "epoch": 9,
            "model": state(
                distributed(net(backbone=a, projector=head(), bn=nn.BatchNorm1d(4, affine=False)))
            ),
            "optimizer": optimizer(),
        },
        "Barlow Twins",
        (None,),
    ),
    (
        "VICReg and IMSVD",
        lambda a, b: {
            "model": state(distributed(net(backbone=a, projector=head()))),
            "optimizer": optimizer(),
        },
        "VICReg or IMSVD",
        (None,),
    ),
    (
        "SupCon",
        lambda a, b: {
            "opt": options(model="resnet18"),
            "model": state(net(encoder=a, head=head())),
            "optimizer": optimizer(),
            "epoch": 1000,
        },
        "SupCon",
        (None,),
    ),
    (
        "SupCon, several devices",
        lambda a, b: {
            "opt": options(),
            "model": state(net(encoder=distributed(a), head=head())),
            "optimizer": optimizer(),
        },
        "SupCon",
        (None,),
    ),
    (
        "PyContrast",
        lambda a, b: {
            "opt": options(mem="moco"),
            "model": state(distributed(net(encoder=a, head=head()))),
            "contrast": {"memory": torch.ones(4, 8)},
            "model_ema": state(distributed(net(encoder=b, head=head()))),
            "optimizer": optimizer(),
        },
        "PyContrast",
        ("online", "ema"),
    ),
    (
        "PyContrast, several encoders",
        lambda a, b: {
            "opt": options(),
            "model": state(
                distributed(net(encoder1=a, encoder2=b, head1=head(), head2=head(), head_jig=head()))
            ),
            "contrast": {"memory_1": torch.ones(4, 8)},
        },
        "PyContrast, two encoders",
        ("online.encoder1", "online.encoder2"),
    ),
    (
        "CMC",
        lambda a, b: {
            "opt": options(),
            "model": state(net(encoder=distributed(net(l_to_ab=a, ab_to_l=b)))),
            "contrast": {"memory_l": torch.ones(4, 8)},
        },
        "CMC",
        ("online.l_to_ab", "online.ab_to_l"),
    ),
    (
        "VISSL",
        lambda a, b: {
            "phase_idx": 3,
            "classy_state_dict": {
                "base_model": {
                    "model": {
                        "trunk": state(net(_feature_blocks=a)),
                        "heads": state(net(**{"0": net(clf=head())})),
                    },
                    "meters": {},
                },
                "optimizer": optimizer(),
            },
        },
        "VISSL",
        (None,),
    ),
    (
        "PyTorch Lightning",
        lambda a, b: lightning(
            state(net(model=a, fc=nn.Linear(16, 10))), hyper_parameters=OrderedDict(lr=0.1, args=options())
        ),
        "PyTorch Lightning",
        (None,),
    ),
    (
        "timm, training",
        lambda a, b: epoch(
            version=2, args=options(), metric=71.3, state_dict=state(b), state_dict_ema=state(a)
        ),
        "timm, training checkpoint",
        ("ema", "online"),
    ),
    (
        "torchvision, training",
        lambda a, b: {
            "model": state(topped(b, "fc", nn.Linear(16, 10))),
            "model_ema": state(net(module=topped(a, "fc", nn.Linear(16, 10)), n_averaged=torch.tensor(7))),
            "optimizer": optimizer(),
            "lr_scheduler": {"last_epoch": 3},
            "args": options(),
        },
        "torchvision, training checkpoint",
        ("ema", "online"),
    ),
    (
        "CLIP and open_clip",
        lambda a, b: {"state_dict": clip_names(state(a)), "epoch": 3},
        "CLIP or open_clip",
        (None,),
    ),
    (
        "MMPretrain, vision transformer",
        lambda a, b: {
            "meta": {"epoch": 3},
            "state_dict": mmpretrain_names(state(a)) | {"head.layers.head.bias": torch.ones(10)},
        },
        "MMPretrain",
        (None,),
    ),
    (
        "timm and torchvision, released",
        lambda a, b: state(topped(a, "fc", nn.Linear(16, 10))),
        "plain weights",
        (None,),
    ),
    (
        "Barlow Twins, VICReg and IMSVD, released",
        lambda a, b: state(a),
        "plain weights",
        (None,),
    ),
]
PARAMETERS = [pytest.param(*case[1:], id=case[0]) for case in CASES]


def encoder_for(form, seed):
    if form.startswith("CLIP"):
        return vit(seed, pre_norm=True)
    if form == "MMPretrain":
        return vit(seed)
    return vit(seed, init_values=1e-5) if form.startswith("DINO") else resnet(seed)


def written(tmp_path, build, form):
    """Write a file; return its content and the two encoders in it, before heads were put on them."""
    a, b = encoder_for(form, 1), encoder_for(form, 2)
    features = a(IMAGES), b(IMAGES)
    content = build(a, b)
    torch.save(content, tmp_path / "x.pth")
    return content, features, a


def loaded(path, form, weights=None):
    encoder = encoder_for(form, 3)
    report = load_weights(encoder, path, weights)
    return encoder.eval()(IMAGES), report


@pytest.mark.parametrize(("build", "form", "kinds"), PARAMETERS)
def test_the_file_is_named_and_gives_the_same_features(tmp_path, build, form, kinds):
    _, features, _ = written(tmp_path, build, form)
    assert (features[0] - features[1]).abs().max() > 1e-3
    found, report = loaded(tmp_path / "x.pth", form)
    torch.testing.assert_close(found, features[0], rtol=0, atol=1e-6)
    assert (report.format, report.weights_choice) == (form, kinds[0])
    assert report.choices_available == (() if kinds == (None,) else kinds)
    assert report.matched_share == report.matched_parameters_share == 1.0
    for kind in kinds[1:]:
        found, report = loaded(tmp_path / "x.pth", form, kind)
        torch.testing.assert_close(found, features[1], rtol=0, atol=1e-6)
        assert (report.weights_choice, report.weights_reason) == (kind, "asked for")


@pytest.mark.parametrize(("build", "form", "kinds"), PARAMETERS)
def test_its_twin_with_one_key_renamed_is_refused(tmp_path, build, form, kinds):
    content, _, a = written(tmp_path, build, form)
    one = next(value for name, value in a.named_parameters() if name.endswith(("bn1.bias", "norm1.bias")))
    weights, key = holding(content, one)
    weights[f"{key}_"] = weights.pop(key)
    torch.save(content, tmp_path / "x.pth")
    encoder = encoder_for(form, 3)
    before = digest_weights(encoder)
    with pytest.raises(InputError) as caught:
        load_weights(encoder, tmp_path / "x.pth")
    assert digest_weights(encoder) == before
    message = str(caught.value)
    assert f"{tmp_path}/x.pth: 1 of the encoder's " in message
    assert f"(nearest in the file: '{key}_'" in message
    assert f"nothing was loaded; the file was read as {form};" in message


def holding(content, tensor):
    """Find the mapping and the key under which a file's content holds a tensor."""
    for key, value in content.items():
        if isinstance(value, torch.Tensor) and value.data_ptr() == tensor.data_ptr():
            return content, key
        if isinstance(value, dict) and (found := holding(value, tensor)):
            return found
    return None


def test_every_row_of_the_table_is_tested():
    assert {form.name for form in FORMATS} == {case[2] for case in CASES}


def test_heads_and_what_else_lies_there_are_named(tmp_path):
    torch.save(epoch(state_dict=state(moco(resnet(1), resnet(2)))), tmp_path / "x.pth")
    report = load_weights(resnet(3), tmp_path / "x.pth")
    assert dict(report.set_aside) == {
        "module.encoder_q.fc.": "projection head",
        "module.encoder_k.fc.": "projection head",
        "module.encoder_k.": "the ema weights; weights=ema takes them",
        "module.queue": "queue of negatives",
        "module.queue_ptr": "queue of negatives",
        "optimizer": "state of training",
    }
    assert (report.nesting, report.prefix) == (("state_dict",), "module.encoder_q.")
    assert report.weights_reason == "default: its linear evaluation reads encoder_q"


def test_numbered_parts_are_stated(tmp_path):
    torch.save(state(net(backbone=trunk(resnet(1)), projection_head=head())), tmp_path / "x.pth")
    report = load_weights(resnet(3), tmp_path / "x.pth")
    assert report.renamed == ("conv1 <- 0", "bn1 <- 1", *(f"layer{k} <- {k + 3}" for k in (1, 2, 3, 4)))


def test_a_numbered_trunk_with_a_stage_more_is_refused(tmp_path):
    longer = nn.Sequential(*trunk(resnet(1)), resnet(1).layer4)
    torch.save(state(net(backbone=longer, projection_head=head())), tmp_path / "x.pth")
    with pytest.raises(InputError, match=r"15 tensors fit nowhere in the encoder.*'backbone\.9\.0\.conv1"):
        load_weights(resnet(3), tmp_path / "x.pth")


def test_of_two_views_the_encoder_for_these_channels_is_taken(tmp_path):
    model = net(encoder1=resnet(1, channels=1), encoder2=resnet(2, channels=2), head1=head())
    torch.save({"opt": options(), "model": state(model), "contrast": {}}, tmp_path / "x.pth")
    loaded = resnet(3, channels=2)
    report = load_weights(loaded, tmp_path / "x.pth")
    assert report.weights_digest == digest_weights(resnet(2, channels=2))
    assert report.weights_choice == "online.encoder2"
    assert report.weights_reason == "the online.encoder1 weights have other shapes"
    assert load_weights(resnet(3, channels=1), tmp_path / "x.pth").weights_choice == "online.encoder1"


@pytest.mark.parametrize("asked", ["encoder2", "online.encoder2"])
def test_the_encoder_of_a_view_can_be_asked_for(tmp_path, asked):
    torch.save({"model": state(net(encoder1=resnet(1), encoder2=resnet(2)))}, tmp_path / "x.pth")
    assert load_weights(resnet(3), tmp_path / "x.pth", asked).weights_digest == digest_weights(resnet(2))


def test_moco_v3_with_a_vision_transformer(tmp_path):
    parts = {"base_encoder": topped(vit(1), "head"), "momentum_encoder": vit(2), "predictor": head(4)}
    torch.save({"state_dict": state(distributed(net(**parts)))}, tmp_path / "x.pth")
    for weights, seed in ((None, 1), ("online", 1), ("ema", 2)):
        report = load_weights(vit(3), tmp_path / "x.pth", weights)
        assert report.weights_digest == digest_weights(vit(seed))
        assert report.format == "MoCo v3"


def test_dinov2_with_registers_is_read_as_timm_reads_it(tmp_path):
    options = {"init_values": 1e-5, "reg_tokens": 4, "no_embed_class": True}
    released = state(vit(1, **options))
    registers, positions = released.pop("reg_token"), released.pop("pos_embed")
    released |= {
        "register_tokens": registers,
        "mask_token": torch.zeros(1, 16),
        "pos_embed": torch.cat([torch.full((1, 1, 16), 0.3), positions], dim=1),
    }
    torch.save(released, tmp_path / "x.pth")
    ours, theirs = vit(2, **options), vit(3, **options)
    assert load_weights(ours, tmp_path / "x.pth").format == "DINOv2, released backbone"
    theirs.load_state_dict(checkpoint_filter_fn(dict(released), theirs))
    torch.testing.assert_close(ours(IMAGES), theirs(IMAGES), rtol=0, atol=1e-6)


def test_safetensors_single_and_in_shards_give_the_same_features(tmp_path):
    source = resnet(1)
    weights = dict(state(net(backbone=source)))
    save_file(weights, tmp_path / "x.safetensors")
    first = dict(list(weights.items())[:20])
    held = {"a.safetensors": first, "b.safetensors": {k: weights[k] for k in weights.keys() - first.keys()}}
    for shard, tensors in held.items():
        save_file(tensors, tmp_path / shard)
    index = {"weight_map": {name: shard for shard, tensors in held.items() for name in tensors}}
    (tmp_path / "x.safetensors.index.json").write_text(json.dumps(index))
    for name, container in (
        ("x.safetensors", "safetensors"),
        ("x.safetensors.index.json", "safetensors in 2 shards"),
    ):
        found, report = loaded(tmp_path / name, "plain weights")
        torch.testing.assert_close(found, source(IMAGES), rtol=0, atol=1e-6)
        assert (report.format, report.container, report.prefix) == ("plain weights", container, "backbone.")


WRAPPINGS = {
    "MoCo v1 or v2": lambda w: {
        "state_dict": {f"module.encoder_q.{name}": value for name, value in w.items()}
        | {f"module.encoder_k.{name}": value + 1 for name, value in w.items()}
        | {"module.queue": torch.ones(4, 8)}
    },
    "VISSL": lambda w: {
        "classy_state_dict": {
            "base_model": {"model": {"trunk": {f"_feature_blocks.{n}": v for n, v in w.items()}, "heads": {}}}
        }
    },
    "DINO": lambda w: {
        "teacher": {f"backbone.{name}": value for name, value in w.items()},
        "student": {f"module.backbone.{name}": value + 1 for name, value in w.items()},
        "args": options(arch="resnet"),
    },
}


@pytest.mark.parametrize("depth", [20, 32, 44, 56])
def test_real_checkpoints_in_other_projects_formats_have_one_digest(shared, tmp_path, depth):
    (path,) = (shared / "checkpoints").glob(f"resnet{depth}-*.th")
    original = load_weights(CifarResNet(depth), path)
    weights = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    trunk = {name.removeprefix("module."): value for name, value in weights.items() if "linear" not in name}
    for form, wrap in WRAPPINGS.items():
        torch.save(wrap(trunk), tmp_path / "x.pth")
        report = load_weights(CifarResNet(depth), tmp_path / "x.pth")
        assert (report.format, report.weights_digest) == (form, original.weights_digest)
        assert report.matched_parameters_share == 1.0


def test_a_tower_of_clip_is_read_as_timm_reads_it(tmp_path):
    whole = clip_names(state(vit(1, pre_norm=True)))
    torch.save(whole, tmp_path / "x.pt")
    ours, theirs = vit(2, pre_norm=True), vit(3, pre_norm=True)
    report = load_weights(ours, tmp_path / "x.pt")
    theirs.load_state_dict(checkpoint_filter_fn(whole, theirs), strict=False)
    torch.testing.assert_close(ours.eval()(IMAGES), theirs.eval()(IMAGES), rtol=0, atol=1e-6)
    assert dict(report.set_aside)["visual.proj"] == "projection into the space shared with texts"
    assert dict(report.set_aside)["token_embedding."] == "the text tower"


def test_a_classifier_nested_in_mocos_encoders_is_set_aside(tmp_path):
    a, b = (net(net=topped(resnet(seed), "fc", head())) for seed in (1, 2))
    torch.save({"state_dict": state(net(encoder_q=a, encoder_k=b))}, tmp_path / "x.pth")
    report = load_weights(resnet(3), tmp_path / "x.pth")
    assert report.weights_digest == digest_weights(resnet(1))
    assert dict(report.set_aside)["encoder_q.net.fc."] == "classifier"
