"""The branch of nine crops in contrastive multiview coding: who asks whom, and what is refused."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe
from mitools.training.losses import infonce
from mitools.training.methods import Batch, make_method
from mitools.training.methods.multiview.cmc import CMC
from mitools.training.recipes import TrainingRecipe
from mitools.training.training_data import TrainingData
from mitools.views.augmentation.jigsaw import JigsawOfView, JigsawView
from mitools.views.base import draw_numbers
from mitools.views.registry import make_view

N, K = 20, 6


def recipe_of(**options: Any) -> TrainingRecipe:
    content = {"encoder": "convnet", "data": "digits", "method": "cmc", "batch_size": K, "epochs": 1}
    return make_recipe(content | {"options": {"jigsaw": "jigsaw"} | options}, TrainingRecipe, "recipe")


def made(**options: Any) -> tuple[CMC, Batch]:
    pixels = torch.randint(0, 256, (N, 3, 12, 12), generator=torch.Generator().manual_seed(0))
    data = TrainingData(pixels.to(torch.uint8), torch.arange(N) % 3, 3)
    method = make_method(recipe_of(**options), data)
    assert isinstance(method, CMC)
    items = torch.arange(K)
    numbers = draw_numbers(method.views)
    views = [data.draw(view, items, 7 + n) for view, n in zip(method.views, numbers, strict=True)]
    return method.train(), Batch(views, data.labels[items], items)


def rows_of(method: CMC, batch: Batch) -> tuple[list[Tensor], list[Tensor]]:
    """Whole views, and nine crops one by one, in their order."""
    assert method.jigsaw_heads is not None
    whole = [network(view) for network, view in zip(method.networks, batch.views[:2], strict=True)]
    crops = []
    for network, head, view in zip(method.networks, method.jigsaw_heads, batch.views[2:], strict=True):
        channels = view.shape[1] // 9
        parts = [head.of_crop(network.encoder(one)) for one in view.split(channels, dim=1)]
        crops.append(head.joined(torch.cat(parts, dim=1)))
    return whole, crops


def test_the_crops_of_all_views_are_of_the_same_places() -> None:
    items = torch.rand(4, 3, 18, 18, generator=torch.Generator().manual_seed(1))
    pieces = JigsawView()
    draws = torch.rand(4, pieces.draws, generator=torch.Generator().manual_seed(2))
    crops = pieces(items, draws)
    for name in ("rgb:r", "rgb:gb", "lab:ab"):
        view = make_view(name)
        found = JigsawOfView(pieces, view)(items, draws)
        assert found.shape[1:3] == (9, view.channels)
        for place in range(9):
            torch.testing.assert_close(found[:, place], view(crops[:, place], torch.empty(4, 0)))
    method, _ = made()
    assert draw_numbers(method.views)[2:] == [2, 2]


def test_crops_of_one_view_ask_for_the_whole_other_view() -> None:
    method, batch = made(temperature=0.2)
    assert [view.shape[1] for view in batch.views] == [1, 2, 9, 18]
    loss = method(batch)
    (light, chroma), (light_crops, chroma_crops) = rows_of(method, batch)
    whole = infonce(light, chroma, 0.2) + infonce(chroma, light, 0.2)
    crops = infonce(light_crops, chroma, 0.2) + infonce(chroma_crops, light, 0.2)
    torch.testing.assert_close(loss.value, (whole + crops) / 2)
    names = ("lab:l,lab:ab", "jigsaw:lab:l,lab:ab")
    for name, value in zip(names, (whole, crops), strict=True):
        assert float(loss.terms[f"loss[{name}]"]) == pytest.approx(value.item() / 2, rel=1e-5)
        assert float(loss.terms[f"nats[{name}]"]) == pytest.approx(math.log(K) - value.item() / 2, abs=1e-5)
    loss.value.backward()
    assert method.jigsaw_heads is not None
    assert all(weight.grad is not None for weight in method.jigsaw_heads.parameters())
    assert [part.view.name for part in method.encoder().parts] == ["lab:l", "lab:ab"]


def test_whole_views_alone_are_remembered() -> None:
    method, batch = made(negatives="queue", negatives_count=10, momentum=0.5)
    before = [queue.rows.clone() for queue in method.negatives.queues]
    (light, chroma), _ = rows_of(method, batch)  # momentum encoders begin as the encoders
    method(batch)
    with torch.no_grad():
        method.after_step(batch)
    for queue, was, rows in zip(method.negatives.queues, before, (light, chroma), strict=True):
        torch.testing.assert_close(queue.rows[:K], normalize(rows.detach(), dim=1))
        assert torch.equal(queue.rows[K:], was[K:])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"jigsaw": "simclr"}, "options.jigsaw names 'simclr', which has no nine crops; write jigsaw"),
        ({"negatives": "nce"}, "contrasted by a softmax with whole views"),
        ({"views": ["simclr", "lab:l"]}, "nothing is random, and simclr is none"),
        ({"views": ["depth", "lab:l"]}, "nothing is random, and depth is none"),
    ],
)
def test_what_has_no_nine_crops_is_one_line(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        recipe_of(**options)
    assert "\n" not in str(caught.value)
