import json

import numpy as np
import pytest
import torch
from PIL import Image

from mitools.core.errors import InputError
from mitools.datasets import open_data
from mitools.datasets.in_memory import ImageArray
from mitools.encoders import open_encoder
from mitools.encoders.inputs.read import finish_inputs, read_inputs
from mitools.features.extract import extract
from mitools.features.store import FeatureStore

transformers = pytest.importorskip("transformers")

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "film", "very", "a"]
SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}


def make_tokenizer(words=WORDS, **special):
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    if "cls_token" in special:
        ends = [(word, words.index(word)) for word in ("[CLS]", "[SEP]")]
        tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", **special)


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """A BERT of two layers with its tokenizer, saved with its pooler; the folder and the network."""
    folder = tmp_path_factory.mktemp("models") / "tiny-bert"
    config = transformers.BertConfig(vocab_size=len(WORDS), max_position_embeddings=12, **SMALL)
    torch.manual_seed(0)
    network = transformers.BertModel(config).eval()
    network.save_pretrained(folder)
    make_tokenizer(pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]").save_pretrained(folder)
    return folder, network


@pytest.fixture(scope="module")
def vit(tmp_path_factory):
    """A ViT of two layers with its image processor; the folder and the network."""
    folder = tmp_path_factory.mktemp("models") / "tiny-vit"
    torch.manual_seed(1)
    network = transformers.ViTModel(transformers.ViTConfig(image_size=16, patch_size=4, **SMALL)).eval()
    network.save_pretrained(folder)
    processor = transformers.ViTImageProcessor(size={"height": 16, "width": 16}, image_mean=[0.2, 0.4, 0.6])
    processor.save_pretrained(folder)
    return folder, network


@pytest.fixture
def reviews(tmp_path):
    texts = [
        "good film",
        "a very very good film",
        "bad",
        "a bad film unheard of",
        "good",
        "very bad film",
    ] * 4
    rows = [f"{text},{'praise' if 'good' in text else 'blame'}" for text in texts]
    (tmp_path / "reviews.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    return open_data(f"text:{tmp_path}/reviews.csv"), texts


def refused(spec) -> str:
    with pytest.raises(InputError) as caught:
        open_encoder(spec)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def alone(network, text, pool):
    """One text at a time, so without padding: what the network says itself."""
    ids = [WORDS.index(word) if word in WORDS else 1 for word in text.split()]
    with torch.no_grad():
        outputs = network(input_ids=torch.tensor([[2, *ids, 3]]))
    hidden = outputs.last_hidden_state[0]
    return {"mean": hidden.mean(0), "cls": hidden[0], "pooler": outputs.pooler_output[0]}[pool].numpy()


@pytest.mark.parametrize("pool", ["mean", "cls", "pooler"])
def test_texts_become_rows_whatever_stands_beside_them(bert, reviews, tmp_path, pool):
    folder, network = bert
    data, texts = reviews
    encoder = open_encoder(f"hf:{folder}?pool={pool}")
    features = extract(encoder, data, store=FeatureStore(tmp_path / "features"), batch_size=7)
    assert features.values.shape == (24, 1, 16)
    expected = np.stack([alone(network, text, pool) for text in texts])
    np.testing.assert_allclose(features.values[:, 0], expected, rtol=1e-4, atol=1e-5)
    assert encoder.name == f"tiny-bert-{pool}"
    assert encoder.preprocess_from == "its tokenizer; texts cut to 12 tokens"


def test_texts_are_cut_and_the_length_is_part_of_the_key(bert):
    folder, network = bert
    short, long = open_encoder(f"hf:{folder}?max_length=4"), open_encoder(f"hf:{folder}")
    assert short.network_digest == long.network_digest
    assert short.digest != long.digest
    assert short.preprocess.key != long.preprocess.key
    batch = short.preprocess.batch(["good film bad film", "good film"])
    assert batch["input_ids"].tolist() == [[2, 4, 6, 3]] * 2
    np.testing.assert_allclose(short.module(batch)[1], alone(network, "good film", "mean"), atol=1e-5)


def test_the_digest_follows_weights_and_pool_and_not_the_folder(bert, tmp_path):
    folder, network = bert
    digest = open_encoder(f"hf:{folder}").digest
    network.save_pretrained(tmp_path / "copy")
    make_tokenizer(pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]").save_pretrained(tmp_path / "copy")
    assert open_encoder(f"hf:{tmp_path}/copy").digest == digest
    assert open_encoder(f"hf:{folder}?pool=cls").digest != digest
    changed = transformers.BertModel.from_pretrained(tmp_path / "copy")
    with torch.no_grad():
        changed.encoder.layer[0].output.dense.bias += 1e-3
    changed.save_pretrained(tmp_path / "copy")
    assert open_encoder(f"hf:{tmp_path}/copy").digest != digest


def resave(folder, to, keep, **config):
    """Save again with the tensors that `keep` wants alone."""
    from safetensors.torch import load_file, save_file

    to.mkdir()
    for path in folder.iterdir():
        (to / path.name).write_bytes(path.read_bytes())
    tensors = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in tensors.items() if keep(name)}
    assert len(kept) < len(tensors) or config
    save_file(kept, to / "model.safetensors", metadata={"format": "pt"})
    settings = json.loads((folder / "config.json").read_text())
    (to / "config.json").write_text(json.dumps(settings | config))
    return to


def test_the_digest_follows_configuration_and_tokenizer(bert, tmp_path):
    """What the weights do not say: the non-linearity, the constant of a norm, the words and their case."""
    folder, _ = bert
    digests = [open_encoder(f"hf:{folder}").digest]
    for name, config in {"relu": {"hidden_act": "relu"}, "norm": {"layer_norm_eps": 0.1}}.items():
        digests.append(open_encoder(f"hf:{resave(folder, tmp_path / name, lambda _: True, **config)}").digest)
    words = resave(folder, tmp_path / "words", lambda _: True, same="weights")
    text = (words / "tokenizer.json").read_text()
    assert '"good"' in text
    (words / "tokenizer.json").write_text(text.replace('"good"', '"fine"'))
    digests.append(open_encoder(f"hf:{words}").digest)
    assert len(set(digests)) == 4
    assert open_encoder(f"hf:{folder}").digest == digests[0]


def test_a_pooler_without_weights_is_refused_when_asked_for(bert, tmp_path):
    folder, network = bert
    bare = resave(folder, tmp_path / "bare", lambda name: not name.startswith("pooler."))
    message = refused(f"hf:{bare}?pool=pooler")
    assert "has no weights of its pooler (pooler.dense.bias), which would stay untrained" in message
    encoder = open_encoder(f"hf:{bare}?pool=cls")
    row = encoder.module(encoder.preprocess.batch(["good film"]))[0]
    np.testing.assert_allclose(row, alone(network, "good film", "cls"), atol=1e-5)
    assert encoder.digest == open_encoder(f"hf:{folder}?pool=cls").digest
    assert not any("pooler" in layer for layer in open_encoder(f"hf:{bare}?layers=all").layers)
    message = refused(f"hf:{bare}?layer=network.pooler")
    assert "no layer 'network.pooler'" in message


def test_missing_weights_are_refused(bert, tmp_path):
    folder, _ = bert
    part = resave(folder, tmp_path / "part", lambda name: "layer.1.output" not in name)
    message = refused(f"hf:{part}")
    assert "4 tensors of" in message
    assert "encoder.layer.1.output.LayerNorm.bias" in message
    assert "and 1 more; save the network whole" in message


def test_a_layer_is_read_on_the_way(bert, reviews, tmp_path):
    folder, network = bert
    texts = reviews[1]
    encoder = open_encoder(f"hf:{folder}?layer=network.encoder.layer.0&pool=cls")
    with torch.no_grad():
        outputs = encoder.module(encoder.preprocess.batch([texts[0]]))
        inner = network(
            input_ids=encoder.preprocess.batch([texts[0]])["input_ids"], output_hidden_states=True
        ).hidden_states[1]
    (rows,) = outputs.values()
    torch.testing.assert_close(rows, inner[:, 0])


@pytest.mark.parametrize("pool", ["mean", "cls", "pooler"])
def test_images_become_rows_as_the_processor_says(vit, tmp_path, pool):
    folder, network = vit
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (9, 16, 16, 3), dtype=np.uint8)
    data = ImageArray("noise", ("a", "b"), images, np.arange(9) % 2, "digest")
    encoder = open_encoder(f"hf:{folder}?pool={pool}")
    features = extract(encoder, data, store=FeatureStore(tmp_path / "features"), batch_size=4)
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    pixels = processor([Image.fromarray(image) for image in images], return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        outputs = network(pixel_values=pixels)
    hidden = outputs.last_hidden_state
    expected = {"mean": hidden[:, 1:].mean(1), "cls": hidden[:, 0], "pooler": outputs.pooler_output}[pool]
    np.testing.assert_allclose(features.values[:, 0], expected, rtol=1e-4, atol=1e-5)
    assert encoder.preprocess.mean == (0.2, 0.4, 0.6)
    assert encoder.preprocess_from == "its image processor"


PROCESSORS = {
    "CLIP": ({}, "shorter_side 224 bicubic, centre crop 224"),
    "Bit": (
        {"size": {"shortest_edge": 256}, "crop_size": {"height": 224, "width": 224}},
        "shorter_side 256 bicubic, centre crop 224",
    ),
    "ConvNext": ({"size": {"shortest_edge": 224}}, "shorter_side 256 bicubic, centre crop 224"),
    "ViT": (
        {"size": {"height": 48, "width": 48}, "do_normalize": False},
        "squash 48 bilinear, centre crop 48",
    ),
}


@pytest.mark.parametrize("kind", PROCESSORS)
@pytest.mark.parametrize("size", [(60, 60), (300, 220), (37, 90)])
def test_processors_of_every_kind_are_followed(kind, size, tmp_path):
    from mitools.core.specs import Spec
    from mitools.encoders.sources.huggingface_inputs import image_preprocess

    options, key = PROCESSORS[kind]
    processor = getattr(transformers, f"{kind}ImageProcessor")(**options)
    processor.save_pretrained(tmp_path)
    preprocess, _ = image_preprocess(transformers, str(tmp_path), "main", Spec("hf:x", "hf"))
    assert preprocess.key.startswith(key + ", mean")
    # Smooth, so that Pillow's and torchvision's rounding to bytes is all that may differ.
    x, y = np.meshgrid(np.linspace(0, 1, size[0]), np.linspace(0, 1, size[1]))
    image = Image.fromarray((np.stack([x, y, x * y], -1) * 255).astype(np.uint8))
    theirs = processor([image], return_tensors="pt")["pixel_values"][0]
    ours = preprocess.finish(preprocess.evaluate(image))
    assert ours.shape == theirs.shape
    step = 1 / 255 / min(preprocess.std)
    assert (ours - theirs).abs().mean() < step


def test_a_masked_autoencoder_hides_nothing(tmp_path):
    config = transformers.ViTMAEConfig(image_size=16, patch_size=4, mask_ratio=0.75, **SMALL)
    transformers.ViTMAEModel(config).save_pretrained(tmp_path)
    encoder = open_encoder(f"hf:{tmp_path}?image_size=16&mean=0,0,0&std=1,1,1")
    x = torch.rand(2, 3, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(encoder.module(x), encoder.module(x), rtol=1e-4, atol=1e-5)


def test_one_of_two_parts_is_named(tmp_path):
    text = {**SMALL, "vocab_size": len(WORDS), "max_position_embeddings": 12, "eos_token_id": 3}
    vision = {**SMALL, "image_size": 16, "patch_size": 4}
    network = transformers.CLIPModel(transformers.CLIPConfig(text_config=text, vision_config=vision)).eval()
    network.save_pretrained(tmp_path)
    transformers.CLIPImageProcessor(size={"shortest_edge": 16}, crop_size=16).save_pretrained(tmp_path)
    make_tokenizer(pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]").save_pretrained(tmp_path)
    assert "the network has two towers; choose tower=vision or tower=text" in refused(f"hf:{tmp_path}")
    assert "tower=image is unknown" in refused(f"hf:{tmp_path}?tower=image")
    assert "tower= and part= are the same" in refused(f"hf:{tmp_path}?tower=text&part=text")
    seeing = open_encoder(f"hf:{tmp_path}?tower=vision&pool=pooler")
    x = torch.rand(2, 3, 16, 16)
    with torch.no_grad():
        expected = network.vision_model(pixel_values=x).pooler_output
        torch.testing.assert_close(seeing.module(x), expected)
    assert seeing.name.endswith("-vision-pooler")
    reading = open_encoder(f"hf:{tmp_path}?part=text&pool=pooler")
    tokens = reading.preprocess.batch(["good", "a bad film"])
    with torch.no_grad():
        torch.testing.assert_close(reading.module(tokens), network.text_model(**tokens).pooler_output)


def test_of_encoder_and_decoder_the_encoder_is_taken(tmp_path):
    config = transformers.T5Config(vocab_size=9, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2)
    network = transformers.T5Model(config).eval()
    network.save_pretrained(tmp_path)
    make_tokenizer(pad_token="[PAD]").save_pretrained(tmp_path)
    assert "give max_length=N" in refused(f"hf:{tmp_path}")
    encoder = open_encoder(f"hf:{tmp_path}?max_length=8")
    with torch.no_grad():
        expected = network.encoder(input_ids=torch.tensor([[4, 6]])).last_hidden_state[0].mean(0)
        rows = encoder.module(encoder.preprocess.batch(["good film", "a very bad film"]))
    torch.testing.assert_close(rows[0], expected)


def test_a_decoder_without_padding_is_averaged_over_its_own_tokens(tmp_path):
    config = transformers.GPT2Config(vocab_size=9, n_positions=12, n_embd=16, n_layer=2, n_head=2)
    network = transformers.GPT2Model(config).eval()
    network.save_pretrained(tmp_path)
    make_tokenizer(eos_token="[SEP]").save_pretrained(tmp_path)
    assert "has no class token; take pool=mean" in refused(f"hf:{tmp_path}?pool=cls")
    encoder = open_encoder(f"hf:{tmp_path}")
    batch = encoder.preprocess.batch(["good film", "a very bad film"])
    with torch.no_grad():
        ids = batch["input_ids"][:1][batch["attention_mask"][:1] == 1][None]
        expected = network(input_ids=ids).last_hidden_state[0].mean(0)
        torch.testing.assert_close(encoder.module(batch)[0], expected)


def test_items_of_another_kind_are_refused(bert, vit, reviews):
    data, _ = reviews
    pixels = np.zeros((4, 16, 16), np.uint8)
    images = ImageArray("pictures", ("a", "b"), pixels, np.arange(4) % 2, "digest")
    reading, seeing = open_encoder(f"hf:{bert[0]}"), open_encoder(f"hf:{vit[0]}")
    for encoder, wrong, message in (
        (reading, images, "reads texts and pictures holds images; use an encoder of images"),
        (seeing, data, "reads images and reviews holds texts; use an hf: encoder of texts"),
    ):
        with pytest.raises(InputError) as caught:
            encoder.require_readable(wrong)
        assert message in str(caught.value)
        with pytest.raises(InputError, match="holds"):
            read_inputs(wrong, [0], encoder.preprocess)
    reading.require_readable(data)
    seeing.require_readable(images)
    tokens = read_inputs(data, [0, 1], reading.preprocess)
    assert finish_inputs(tokens, reading.preprocess) is tokens


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("hf:", "write for example hf:google-bert/bert-base-uncased?pool=cls"),
        ("hf:BERT?pool=last", "pool=last; accepted: mean, cls or pooler"),
        ("hf:BERT?image_size=8", "the network reads texts; leave image_size= out"),
        ("hf:BERT?max_length=13", "give max_length=N, the tokens a text may have, at most 12"),
        ("hf:BERT?part=text", "the network has no two towers; leave tower= out"),
        ("hf:BERT?arch=x", "unknown option 'arch'"),
        ("hf:VIT?max_length=3", "the network reads images; leave max_length= out"),
        ("hf:/nowhere/at/all", "hf:/nowhere/at/all cannot be had"),
    ],
)
def test_wrong_specs_are_refused(bert, vit, spec, message):
    spec = spec.replace("BERT", str(bert[0])).replace("VIT", str(vit[0]))
    assert message.replace("hf:/nowhere/at/all cannot", "/nowhere/at/all cannot") in refused(spec)


def test_missing_processors_ask_for_what_they_would_say(vit, bert, tmp_path):
    vit[1].save_pretrained(tmp_path / "vit")
    assert "has no image processor that could be read" in refused(f"hf:{tmp_path}/vit")
    given = open_encoder(f"hf:{tmp_path}/vit?image_size=16&mean=0,0,0&std=1,1,1")
    assert given.preprocess.size == 16
    bert[1].save_pretrained(tmp_path / "bert")
    assert "has no vocabulary; save the tokenizer beside the network" in refused(f"hf:{tmp_path}/bert")
