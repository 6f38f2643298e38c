"""Weights in npz files: JAX's transformers as timm reads them, Flax's and Keras's layers, and plain names."""

import numpy as np
import pytest
import timm
import torch
from torch import nn

from mitools.core.errors import InputError
from mitools.encoders.checkpoints.load import load_weights

GOOGLE = {"attention": "MultiHeadDotProductAttention_1", "norm2": "LayerNorm_2", "mlp": "MlpBlock_3"}
BIG_VISION = {"attention": "MultiHeadDotProductAttention_0", "norm2": "LayerNorm_1", "mlp": "MlpBlock_0"}


def vit():
    sizes = {"img_size": 32, "patch_size": 8, "embed_dim": 16, "depth": 2, "num_heads": 2, "num_classes": 0}
    return timm.create_model("vit_tiny_patch16_224", **sizes).eval()


def jax_transformer(attention, norm2, mlp):
    """Draw the weights of a transformer under the names that JAX projects give."""
    rng = np.random.default_rng(0)

    def draw(*shape):
        return rng.normal(0, 0.3, shape).astype(np.float32)

    arrays = {
        "embedding/kernel": draw(8, 8, 3, 16), "embedding/bias": draw(16), "cls": draw(1, 1, 16),
        "Transformer/posembed_input/pos_embedding": draw(1, 17, 16),
        "Transformer/encoder_norm/scale": draw(16), "Transformer/encoder_norm/bias": draw(16),
        "head/kernel": draw(16, 10), "head/bias": draw(10),
    }  # fmt: skip
    for number in range(2):
        here = f"Transformer/encoderblock_{number}/"
        for norm in ("LayerNorm_0", norm2):
            arrays |= {f"{here}{norm}/scale": draw(16), f"{here}{norm}/bias": draw(16)}
        for part in ("query", "key", "value"):
            arrays[f"{here}{attention}/{part}/kernel"] = draw(16, 2, 8)
            arrays[f"{here}{attention}/{part}/bias"] = draw(2, 8)
        arrays |= {f"{here}{attention}/out/kernel": draw(2, 8, 16), f"{here}{attention}/out/bias": draw(16)}
        arrays |= {f"{here}{mlp}/Dense_0/kernel": draw(16, 64), f"{here}{mlp}/Dense_0/bias": draw(64)}
        arrays |= {f"{here}{mlp}/Dense_1/kernel": draw(64, 16), f"{here}{mlp}/Dense_1/bias": draw(16)}
    return arrays


@pytest.mark.parametrize("names", [GOOGLE, BIG_VISION], ids=["vision_transformer", "big_vision"])
@pytest.mark.parametrize("prefix", ["", "params/", "opt/target/"])
def test_a_transformer_of_jax_is_read_as_timm_reads_it(tmp_path, names, prefix):
    arrays = jax_transformer(**names)
    np.savez(tmp_path / "bare.npz", **jax_transformer(**GOOGLE))  # the same numbers: timm knows these names
    np.savez(tmp_path / "x.npz", **{prefix + name: array for name, array in arrays.items()})
    ours, theirs = vit(), vit()
    theirs.load_pretrained(str(tmp_path / "bare.npz"))
    report = load_weights(ours, tmp_path / "x.npz")
    images = torch.rand(3, 3, 32, 32)
    torch.testing.assert_close(ours(images), theirs(images), rtol=0, atol=1e-6)
    assert report.container == "npz"
    assert any("head" in key for key, _ in report.set_aside)


def test_blocks_stacked_along_an_axis_are_the_same(tmp_path):
    arrays = jax_transformer(**GOOGLE)
    stacked = {name: array for name, array in arrays.items() if "encoderblock" not in name}
    for name in [name for name in arrays if "encoderblock_0" in name]:
        both = np.stack([arrays[name], arrays[name.replace("block_0", "block_1")]])
        stacked[name.replace("encoderblock_0", "encoderblock")] = both
    np.savez(tmp_path / "x.npz", **arrays)
    np.savez(tmp_path / "y.npz", **stacked)
    first, second = (load_weights(vit(), tmp_path / name) for name in ("x.npz", "y.npz"))
    assert first.weights_digest == second.weights_digest


def network():
    return nn.Sequential(nn.Conv2d(3, 4, (3, 5)), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2)).eval()


@pytest.mark.parametrize("flax", [True, False], ids=["Flax", "Keras"])
def test_layers_of_flax_and_keras_get_pytorchs_names_and_axes(tmp_path, flax):
    """The output is that of the same convolution, normalisation and product, written out in NumPy."""
    rng = np.random.default_rng(0)
    kernel, bias, dense = rng.normal(size=(3, 5, 3, 4)), rng.normal(size=4), rng.normal(size=(4, 2))
    scale, shift, mean, var = rng.normal(size=4), rng.normal(size=4), rng.normal(size=4), rng.uniform(1, 2, 4)
    names = (
        ("params/1/scale", "params/1/bias", "batch_stats/1/mean", "batch_stats/1/var")
        if flax
        else ("1/gamma:0", "1/beta:0", "1/moving_mean:0", "1/moving_variance:0")
    )
    arrays = {"0/kernel": kernel, "0/bias": bias, "3/kernel": dense, "3/bias": np.zeros(2)}
    arrays = {f"params/{name}" if flax else f"{name}:0": array for name, array in arrays.items()}
    arrays |= dict(zip(names, (scale, shift, mean, var), strict=True))
    np.savez(tmp_path / "x.npz", **{name: array.astype(np.float32) for name, array in arrays.items()})
    module = network()
    load_weights(module, tmp_path / "x.npz")
    image = rng.normal(size=(3, 5, 3))  # height, width, channels: one place of the kernel
    convolved = np.einsum("hwc,hwco->o", image, kernel) + bias
    expected = ((convolved - mean) / np.sqrt(var + 1e-5) * scale + shift) @ dense
    found = module(torch.tensor(image.transpose(2, 0, 1)[None], dtype=torch.float32))[0]
    np.testing.assert_allclose(found.detach().numpy(), expected, atol=1e-4)


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "f8", "f2"])
def test_names_with_dots_stay_as_they_are(tmp_path, dtype):
    source, loaded = network(), network()
    weights = {name: value.numpy() for name, value in source.state_dict().items()}
    weights = {
        name: array.astype(dtype) if array.dtype.kind == "f" else array for name, array in weights.items()
    }
    np.savez(tmp_path / "x.npz", **weights)
    load_weights(loaded, tmp_path / "x.npz")
    tolerance = 1e-3 if dtype == "f2" else 0
    torch.testing.assert_close(loaded[0].weight, source[0].weight, rtol=0, atol=tolerance)


def test_objects_in_an_npz_are_refused_unread(tmp_path):
    class Bad:
        def __reduce__(self):
            return (tmp_path / "canary").touch, ()

    np.savez(tmp_path / "x.npz", weight=np.array([Bad()], dtype=object))
    with pytest.raises(InputError, match="could run code; nothing was run"):
        load_weights(network(), tmp_path / "x.npz")
    assert not (tmp_path / "canary").exists()
