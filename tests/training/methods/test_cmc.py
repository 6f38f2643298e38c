"""Contrastive multiview coding as a method: pairs, negatives, missing views, and several processes."""

import math
import os
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe
from mitools.training.losses import infonce, log_partition, multiview, nce, point_contrast
from mitools.training.methods import Batch, make_method
from mitools.training.methods.multiview.cmc import CMC
from mitools.training.recipes import TrainingRecipe
from mitools.training.training_data import Modality, TrainingData

N, K = 12, 6
LABELS = torch.arange(N) % 3
THREE = ["own_views:Grey", "own_views:Chroma", "image"]

OWN_VIEWS = """
from torch import nn

def tiny(channels=3):
    return nn.Sequential(nn.Conv2d(channels, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten())

class Grey:
    name, channels, draws = "python:own_views:Grey", 1, 0
    def __call__(self, items, draws):
        return items.mean(dim=1, keepdim=True)

class Chroma:
    name, channels, draws = "python:own_views:Chroma", 2, 0
    def __call__(self, items, draws):
        return 0.5 + (items[:, :2] - items[:, 2:]) / 2

class Depth:
    name, channels, draws, modality = "python:own_views:Depth", 1, 0, "depth"
    def __call__(self, items, draws):
        return items / 10

class Corner:
    name, channels, draws = "python:own_views:Corner", 3, 1
    def __call__(self, items, draws):
        return items[:, :, :5, :4]
"""


@pytest.fixture(autouse=True)
def own_views(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_views.py").write_text(OWN_VIEWS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_views", raising=False)


def data_of(missing: tuple[int, ...] = ()) -> TrainingData:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (N, 3, 8, 8), generator=generator).to(torch.uint8)
    depth, present = 10 * torch.rand(N, 1, 8, 8, generator=generator), torch.ones(N, dtype=torch.bool)
    present[list(missing)] = False
    depth[list(missing)] = 0
    return TrainingData(pixels, LABELS, 3, load_modality=lambda name: Modality(depth, present))


def recipe_of(views: list[str], **options: Any) -> TrainingRecipe:
    names = [name if ":" not in name else f"python:{name}" for name in views]
    content = {"encoder": "convnet", "data": "digits", "method": "cmc", "batch_size": K, "epochs": 2}
    return make_recipe(content | {"options": {"views": names} | options}, TrainingRecipe, "recipe")


def made(views: list[str] = THREE, missing: tuple[int, ...] = (), **options: Any) -> CMC:
    method = make_method(recipe_of(views, **options), data_of(missing))
    assert isinstance(method, CMC)
    return method.train()


def batch_of(method: CMC, items: Tensor | None = None, step: int = 0) -> Batch:
    items = torch.arange(K) if items is None else items
    views = [method.data.draw(view, items, seed) for seed, view in enumerate(method.views)]
    found = [method.data.present(view, items) for view in method.views]
    whole = torch.ones(len(items), dtype=torch.bool)
    present = torch.stack([whole if one is None else one for one in found])
    return Batch(views, LABELS[items], items, step, present=None if bool(present.all()) else present)


def rows_of(method: CMC, batch: Batch) -> list[Tensor]:
    return [network(view).detach() for network, view in zip(method.networks, batch.views, strict=True)]


def test_every_view_has_an_encoder_for_its_channels() -> None:
    method = made(encoders={"image": "cifar_resnet8"})
    assert [shape[0] for shape in method.shapes] == [1, 2, 3]
    widths = [part.network(torch.zeros(1, *shape)).shape[1] for part, shape in zip(
        method.encoder().eval().parts, method.shapes, strict=True
    )]  # fmt: skip
    assert widths == [512, 512, 64]
    grey, chroma = method.networks[0].encoder, method.networks[1].encoder
    assert not torch.equal(grey.layers[3].weight, chroma.layers[3].weight), "each starts with its own weights"


def test_two_views_may_share_an_encoder() -> None:
    method = made(["simclr", "image", "own_views:Grey"], same_encoder={"simclr": "image"})
    assert method.networks[0] is method.networks[1]
    alone = made(["simclr", "image", "own_views:Grey"])
    for shared, own in zip(method.networks[1:], alone.networks[1:], strict=True):
        for name, weight in shared.state_dict().items():
            assert torch.equal(weight, own.state_dict()[name]), "the others start as they would alone"
    batch = batch_of(method)
    drawn, image, grey = (method.networks[max(place, 1)](view) for place, view in enumerate(batch.views))
    expected = multiview([drawn, image, grey], [(0, 1), (0, 2), (1, 2)], 0.07)
    torch.testing.assert_close(method(batch).value, expected)
    queued = made(["simclr", "image"], same_encoder={"simclr": "image"}, negatives="queue", negatives_count=8)
    assert queued.momentum_networks[0] is queued.momentum_networks[1]


@pytest.mark.parametrize(
    ("shared", "options", "said"),
    [
        ({"simclr": "depth"}, {}, "options.same_encoder names 'depth', which is none of the views"),
        ({"simclr": "image", "image": "simclr"}, {}, "which has none of its own; name a view that has"),
        ({"simclr": "image"}, {"encoders": {"simclr": "convnet"}}, "name none, and no layer, of its own"),
        (
            {"simclr": "image"},
            {"point_layers": {"simclr": "layers", "image": "pool"}},
            "name none, and no layer, of its own",
        ),
    ],
)
def test_an_encoder_that_cannot_be_shared_is_one_line(
    shared: dict[str, str], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said) as caught:
        recipe_of(["image", "simclr"], same_encoder=shared, **options)
    assert "\n" not in str(caught.value)


def test_views_of_other_shapes_do_not_share_an_encoder() -> None:
    with pytest.raises(InputError, match=r"of \(1, 8, 8\) and image of \(3, 8, 8\), which"):
        made(["image", "own_views:Grey"], same_encoder={"python:own_views:Grey": "image"})


def test_crops_of_one_view_are_contrasted_with_the_whole_other_view() -> None:
    """CPC's strided crops (Appendix D.1) as the points of sub-patch contrast (B.2), crop by crop."""
    grey, name = "python:own_views:Grey", "strided_crops:python:own_views:tiny?size=4&stride=2"
    method = made(
        ["own_views:Grey", "image"],
        encoders={grey: name, "image": name},
        point_layers={grey: "crops", "image": "crops"},
    )
    batch = batch_of(method)
    places = [(row, column) for row in (0, 2, 4) for column in (0, 2, 4)]
    whole, points = [], []
    for network, view in zip(method.networks, batch.views, strict=True):
        inner = network.encoder.crops.network
        crops = torch.stack([inner(view[:, :, r : r + 4, c : c + 4]) for r, c in places], dim=1)
        points.append(network.project(crops.mT[..., None])[..., 0].mT)
        whole.append(network.head(crops.mean(dim=1)))
    loss = method(batch)
    expected = point_contrast(whole[0], points[1], 0.07) + point_contrast(whole[1], points[0], 0.07)
    torch.testing.assert_close(loss.value, expected)
    assert loss.ceiling_nats == pytest.approx(math.log(5 * 9 + 1))


def test_a_view_may_have_another_size_than_the_image() -> None:
    method = made(["own_views:Corner", "image"])
    assert method.shapes == [(3, 5, 4), (3, 8, 8)]
    assert torch.isfinite(method(batch_of(method)).value)


@pytest.mark.parametrize(
    ("graph", "pairs"),
    [
        ({"graph": "full"}, [(0, 1), (0, 2), (1, 2)]),
        ({"graph": "core"}, [(0, 1), (0, 2)]),
        ({"graph": "core", "core": "image"}, [(2, 0), (2, 1)]),
    ],
)
def test_the_graph_says_which_pairs(graph: dict[str, str], pairs: list[tuple[int, int]]) -> None:
    method = made(**graph)
    batch = batch_of(method)
    loss = method(batch)
    rows = rows_of(method, batch)
    torch.testing.assert_close(loss.value.detach(), multiview(rows, pairs, 0.07))
    names = [method.names[place] for place in range(3)]
    for i, j in pairs:
        pair = f"[{names[i]},{names[j]}]"
        both = (infonce(rows[i], rows[j], 0.07) + infonce(rows[j], rows[i], 0.07)).item()
        assert loss.terms[f"loss{pair}"].item() == pytest.approx(both, rel=1e-5)
        assert loss.terms[f"nats{pair}"].item() == pytest.approx(math.log(K) - both / 2, abs=1e-5)
        assert loss.terms[f"ceiling_nats{pair}"].item() == pytest.approx(math.log(K))
    assert len(loss.terms) == 3 * len(pairs)


def test_a_bank_is_an_m_plus_1_way_softmax_that_follows_the_rows_by_half() -> None:
    method = made(["own_views:Grey", "own_views:Chroma"], negatives="bank", negatives_count=7)
    batch = batch_of(method)
    banks = [bank.rows.clone() for bank in method.negatives.banks]
    torch.testing.assert_close(banks[0].norm(dim=1), torch.ones(N))
    queries = [normalize(rows, dim=1) for rows in rows_of(method, batch)]
    total = 0.0
    for of, to in ((0, 1), (1, 0)):
        drawn = method.negatives.banks[to].draw(7, (method.negatives.banks[to].seed, 6, 0)).tolist()
        for i in range(K):
            own, *others = (queries[of][i] @ banks[to][j] / 0.07 for j in [i, *(j for j in drawn if j != i)])
            total -= own.item() - torch.stack([own, *others]).logsumexp(dim=0).item()
    loss = method(batch)
    assert loss.value.item() == pytest.approx(total / K, rel=1e-5)
    assert loss.ceiling_nats == pytest.approx(math.log(8))
    method.after_step(batch)
    for bank, before, rows in zip(method.negatives.banks, banks, queries, strict=True):
        torch.testing.assert_close(bank.rows[:K], normalize(before[:K] + rows, dim=1))
        assert torch.equal(bank.rows[K:], before[K:])


def test_z_is_estimated_on_the_first_batch_and_kept() -> None:
    method = made(["own_views:Grey", "own_views:Chroma"], negatives="nce", negatives_count=5)
    assert method.negatives.log_z.isnan().all()
    first, second = batch_of(method), batch_of(method, torch.arange(K, N), step=1)
    queries, banks = rows_of(method, first), [bank.rows.clone() for bank in method.negatives.banks]
    value = method(first).value
    kept = method.negatives.log_z.clone()
    total = torch.zeros(())
    for of, to in ((0, 1), (1, 0)):
        noise = banks[to][method.negatives.banks[to].draw(5, (method.negatives.banks[to].seed, 6, 0))]
        log_z = log_partition(queries[of], banks[to][:K], noise, N)
        assert kept[of, to].item() == pytest.approx(log_z.item(), rel=1e-5)
        total += nce(queries[of], banks[to][:K], noise, log_z, N)
    assert value.item() == pytest.approx(total.item(), rel=1e-5)
    method.after_step(first)
    method(second)
    assert torch.equal(method.negatives.log_z[[0, 1], [1, 0]], kept[[0, 1], [1, 0]])


def test_a_queue_holds_keys_of_momentum_encoders() -> None:
    method = made(["own_views:Grey", "image"], negatives="queue", negatives_count=8, momentum=0.9)
    first, second = batch_of(method), batch_of(method, torch.arange(K, N), step=1)
    keys = rows_of(method, first)  # momentum encoders begin as the encoders are
    method(first).value.backward()
    with torch.no_grad():
        for weight in method.networks.parameters():
            weight += 0.1
        before = [weight.clone() for weight in method.momentum_networks.parameters()]
        method.after_step(first)
    for queue, rows in zip(method.negatives.queues, keys, strict=True):
        torch.testing.assert_close(queue.rows[:K], normalize(rows, dim=1))
        assert queue.items.tolist() == [*range(K), -1, -1]
    moved = zip(method.momentum_networks.parameters(), before, method.networks.parameters(), strict=True)
    for moving, old, weight in moved:
        torch.testing.assert_close(moving, 0.9 * old + 0.1 * weight)
        assert moving.grad is None
    queues = [queue.rows.clone() for queue in method.negatives.queues]
    queries = [normalize(rows, dim=1) for rows in rows_of(method, second)]
    keys = [
        normalize(network(view), dim=1)
        for network, view in zip(method.momentum_networks, second.views, strict=True)
    ]
    expected = torch.zeros(())
    for of, to in ((0, 1), (1, 0)):
        scores = torch.cat([(queries[of] * keys[to]).sum(1, keepdim=True), queries[of] @ queues[to].T], dim=1)
        expected += torch.nn.functional.cross_entropy(scores / 0.07, torch.zeros(K, dtype=torch.int64))
    torch.testing.assert_close(method(second).value.detach(), expected)
    # Each of the first six meets itself in the queue: one way fewer of nine.
    again = method(first)
    assert again.terms["ceiling_nats[python:own_views:Grey,image]"].item() == pytest.approx(math.log(8))
    assert again.ceiling_nats == math.log(9)


@pytest.mark.parametrize("negatives", ["batch", "bank", "nce", "queue"])
def test_what_an_item_lacks_is_left_out_of_its_pairs_and_of_all_statistics(negatives: str) -> None:
    """Depth of items 1 and 4: the pair with depth has four items, that of the image all six."""
    options = {} if negatives == "batch" else {"negatives_count": 4}
    views = ["own_views:Depth", "own_views:Grey", "image"]
    depth = "python:own_views:Depth"
    made_so = {"missing": (1, 4), "negatives": negatives, "encoders": {depth: "cifar_resnet8"}} | options
    method = made(views, **made_so)
    assert any(isinstance(module, torch.nn.BatchNorm2d) for module in method.networks[0].modules())
    batch = batch_of(method)
    loss = method(batch)
    if negatives == "batch":
        assert loss.terms[f"ceiling_nats[{depth},image]"].item() == pytest.approx(math.log(4))
        assert loss.terms["ceiling_nats[python:own_views:Grey,image]"].item() == pytest.approx(math.log(6))
    with_others = replace(batch, views=[batch.views[0].clone(), *batch.views[1:]])
    with_others.views[0][[1, 4]] = 99.0
    again = made(views, **made_so)
    assert torch.equal(again(with_others).value, loss.value)
    method.after_step(batch)
    if negatives == "bank":
        start = again.negatives.banks[0].rows
        unmoved = (method.negatives.banks[0].rows == start).all(dim=1)
        assert unmoved.tolist() == [False, True, False, False, True, False] + [True] * 6


def test_sub_patch_contrast_reads_a_map_inside_each_encoder() -> None:
    grey = "python:own_views:Grey"
    layers = {grey: "layers.2", "image": "layers.8"}
    method = made(["own_views:Grey", "image"], point_layers=layers)
    batch = batch_of(method)
    whole, points = [], []
    for network, view, layer in zip(method.networks, batch.views, layers.values(), strict=True):
        encoder = network.encoder
        found = encoder.layers[: int(layer.removeprefix("layers.")) + 1](view)
        points.append(network.project(found).flatten(2).transpose(1, 2))
        whole.append(network.head(encoder(view)))
    assert [one.shape for one in points] == [(K, 64, 128), (K, 4, 128)]
    loss = method(batch)
    expected = point_contrast(whole[0], points[1], 0.07) + point_contrast(whole[1], points[0], 0.07)
    torch.testing.assert_close(loss.value, expected)
    assert loss.ceiling_nats == pytest.approx(math.log(5 * 64 + 1))
    ceilings = (math.log(5 * 64 + 1) + math.log(5 * 4 + 1)) / 2
    assert loss.terms[f"ceiling_nats[{grey},image]"].item() == pytest.approx(ceilings)
    assert all(weight.grad is None for weight in method.parameters())
    loss.value.backward()
    assert all(weight.grad is not None for weight in method.parameters())


def test_a_batch_without_a_single_item_of_a_pair_still_trains_the_others() -> None:
    method = made(["own_views:Depth", "own_views:Grey", "image"], missing=tuple(range(K)))
    loss = method(batch_of(method))
    loss.value.backward()
    assert loss.terms["loss[python:own_views:Depth,image]"] == 0
    assert loss.terms["loss[python:own_views:Grey,image]"] > 0
    assert all(weight.grad is not None for weight in method.networks.parameters())
    assert not any(weight.grad.any() for weight in method.networks[0].parameters())


@pytest.mark.parametrize(
    ("views", "options", "said"),
    [
        (["image"], {}, "cmc contrasts two views or more, and options.views names 1"),
        (["image", "image"], {}, "options.views names image twice, and nothing in it is random"),
        (["image", "simclrr"], {}, "no view 'simclrr'|'simclrr'.*simclr"),
        (
            ["image", "simclr"],
            {"core": "lab:l", "graph": "core"},
            "options.core names 'lab:l', which is none",
        ),
        (["image", "simclr"], {"core": "image"}, "options.core is for graph: core"),
        (
            ["image", "simclr"],
            {"encoders": {"grey": "convnet"}},
            "options.encoders names 'grey', which is none",
        ),
        (["image", "simclr"], {"negatives_count": 4}, "negatives: batch takes no negatives_count"),
        (["image", "simclr"], {"negatives": "all"}, "'options.negatives': "),
        (
            ["image", "simclr"],
            {"point_layers": {"image": "layers"}},
            "names a layer of every view: image, simclr",
        ),
    ],
)
def test_a_wrong_recipe_is_one_line(views: list[str], options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        recipe_of(views, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("views", "options", "said"),
    [
        (
            ["image", "simclr"],
            {"negatives": "bank", "negatives_count": 12},
            "negatives_count 12 must be fewer than the data's 12 items",
        ),
        (
            ["image", "simclr"],
            {"negatives": "queue", "negatives_count": 40},
            "must be fewer than the data's 12",
        ),
        (
            ["image", "own_views:Grey"],
            {"encoders": {"python:own_views:Grey": "python:torch.nn:ReLU"}},
            "view python:own_views:Grey, of 1 channels: ",
        ),
        (
            ["image", "simclr"],
            {"point_layers": {"image": "layers", "simclr": "lyers"}},
            "no layer 'lyers'; nearest: layers",
        ),
        (["image", "simclr"], {"point_layers": {"image": "layers", "simclr": ""}}, "no layer ''"),
        (["image", "own_views:None"], {}, "view 'python:own_views:None' cannot be imported"),
    ],
)
def test_what_does_not_fit_the_data_is_one_line(views: list[str], options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        made(views, **options)
    assert "\n" not in str(caught.value)


DOUBLE = """
from mitools.training.methods import Batch

class DoubleBatch(Batch):
    'What networks give stays in float64.'
    def embed(self, network, views=None):
        (view,) = views
        return self.gather(network(view))[None]
"""

PROGRAM = """
import sys

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from double_batch import DoubleBatch
from mitools.backends.gathering import gather_with_gradient

rank, found = int(sys.argv[2]), {}
distributed.init_process_group("gloo", init_method=sys.argv[3], rank=rank, world_size=2)
for name, (method, views, *rest, present) in torch.load(sys.argv[1], weights_only=False).items():
    share = slice(3 * rank, 3 * rank + 3)
    views = [view[share] for view in views]
    own = DoubleBatch(views, *rest, 0, share, gather_with_gradient, present=present)
    wrapped = DistributedDataParallel(method, broadcast_buffers=False)
    loss = wrapped(own)
    loss.value.backward()
    with torch.no_grad():
        method.after_step(own)
    gradient = {key: weight.grad for key, weight in method.networks.named_parameters()}
    found[name] = (loss.value.detach(), gradient, dict(method.negatives.named_buffers()))
if rank == 0:
    torch.save(found, sys.argv[4])
distributed.barrier()
distributed.destroy_process_group()
"""


def test_two_processes_have_the_loss_the_gradient_and_the_memory_of_one_in_float64(tmp_path: Path) -> None:
    (tmp_path / "double_batch.py").write_text(DOUBLE)
    (tmp_path / "program.py").write_text(PROGRAM)
    double = import_module("double_batch").DoubleBatch
    cases: dict[str, tuple[CMC, Any]] = {}
    grey, tiny = "python:own_views:Grey", "python:own_views:tiny"
    methods = {
        negatives: made(
            ["own_views:Depth", "own_views:Grey", "image"],
            missing=(4,),
            negatives=negatives,
            encoders={"python:own_views:Depth": tiny, grey: tiny, "image": tiny},
            **({} if negatives == "batch" else {"negatives_count": 5}),
        )
        for negatives in ("batch", "bank", "nce", "queue")
    }
    two = {"encoders": {grey: tiny, "image": tiny}}
    methods["points"] = made(["own_views:Grey", "image"], point_layers={grey: "0", "image": "0"}, **two)
    methods["jigsaw"] = made(["own_views:Grey", "image"], jigsaw="jigsaw?crop_area=0.9&keep=1", **two)
    methods["shared"] = made(["simclr", "image"], same_encoder={"simclr": "image"}, encoders={"image": tiny})
    for name, method in methods.items():
        batch = batch_of(method.double())
        cases[name] = (
            method,
            ([view.double() for view in batch.views], LABELS[:K], batch.items, batch.present),
        )
        method.data = None  # it goes to the other processes without data, of which the loss reads none
    torch.save({name: (method, *batch) for name, (method, batch) in cases.items()}, tmp_path / "cases.pt")
    files = [str(tmp_path / name) for name in ("program.py", "cases.pt")]
    meeting, out = f"file://{tmp_path / 'meeting'}", tmp_path / "found.pt"
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    settings = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    processes = [
        subprocess.Popen([sys.executable, "-P", *files, str(rank), meeting, str(out)], env=settings)
        for rank in range(2)
    ]
    for process in processes:
        process.wait(timeout=120)
    found = torch.load(out, weights_only=True)
    for case, (method, (*batch, present)) in cases.items():
        value, gradient, buffers = found[case]
        whole = double(*batch, present=present)
        loss = method(whole)
        loss.value.backward()
        with torch.no_grad():
            method.after_step(whole)
        assert value.item() == pytest.approx(loss.value.item(), rel=1e-10)
        for name, weight in method.networks.named_parameters():
            assert weight.grad is not None
            torch.testing.assert_close(gradient[name], weight.grad, rtol=1e-8, atol=1e-10)
        for name, buffer in method.negatives.named_buffers():
            torch.testing.assert_close(buffers[name], buffer, rtol=1e-8, atol=1e-10, equal_nan=True)
