"""What a generator makes, at a glance: pairs or clips on a contact sheet, with what they share in bits."""

from collections.abc import Callable
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mitools.core.specs import Spec, parse_spec
from mitools.datasets.known_information.tasks import benchmark_tasks
from mitools.datasets.output.contact_sheet import Group, Row, draw_sheet
from mitools.datasets.sources import DATA_SOURCES
from mitools.datasets.synthetic.cdp import CDP
from mitools.datasets.synthetic.colorful_moving_mnist import ColorfulMovingMNIST
from mitools.datasets.synthetic.open import open_cdp, open_colorful_moving_mnist, open_scenes
from mitools.datasets.synthetic.scenes.scenes import Scenes

_DENSITY_CELLS, _DENSITY_ZOOM = 48, 3


class Preview(NamedTuple):
    """A contact sheet, and the bits that each choice of shared attributes gives."""

    sheet: Image.Image
    bits: dict[str, dict[str, float]]


def preview(text: str, columns: int) -> Preview:
    """Draw the contact sheet of a generator.

    Parameters
    ----------
    text
        ``cdp?...``, ``colorful_moving_mnist?...`` or ``scenes?...``, with the options that open them as
        data, or ``known_mi?n=20000&seed=0``.
    columns
        How many pairs, densities or scenes in each row, or how many clips.

    Raises
    ------
    InputError
        When the spec cannot be read.
    """
    spec = parse_spec(text, PREVIEWS)
    return PREVIEWS[spec.source](spec, columns)


def preview_cdp(spec: Spec, columns: int) -> Preview:
    """Pairs side by side for every choice of shared attributes (Lee et al., Fig. 2)."""
    spec.only(*DATA_SOURCES["cdp"].options)
    return cdp_sheet(open_cdp(spec), columns)


def cdp_sheet(data: CDP, columns: int) -> Preview:
    """Draw the sheet of a CDP."""
    rows, bits = [], {}
    start = 0
    for shared in _subsets(data.truth.names):
        pairs = data.pairs(shared)
        indices = np.arange(start, start + columns) % len(data)
        start += columns
        first, second = (view.cpu().numpy() for view in pairs.compose(indices))
        labels = data.truth.labels(pairs.attributes(indices)[0], shared)
        groups = [
            Group(np.stack((x, y)), pairs.classes[label])
            for x, y, label in zip(first, second, labels, strict=True)
        ]
        heading = f"{_listed(shared)} shared: H(C) = {pairs.entropy_bits:.4g} bits"
        rows.append(Row(heading, groups))
        bits[", ".join(shared)] = {"entropy_bits": pairs.entropy_bits}
    return Preview(draw_sheet("CDP: same-class pairs", rows), bits)


def preview_colorful_moving_mnist(spec: Spec, columns: int) -> Preview:
    """Clips, and the second view for every choice of shared factors (Tian et al., Fig. 10)."""
    spec.only(*DATA_SOURCES["colorful_moving_mnist"].options)
    return colorful_moving_mnist_sheet(open_colorful_moving_mnist(spec), columns)


def colorful_moving_mnist_sheet(data: ColorfulMovingMNIST, columns: int) -> Preview:
    """Draw the sheet of a Colorful Moving-MNIST."""
    choices = [data.pairs(shared) for shared in ((), *_subsets(data.truth.names))]
    bits = {
        ", ".join(pairs.shared): {"label_bits": pairs.label_bits, "shared_bits": pairs.shared_bits}
        for pairs in choices
        if pairs.shared
    }
    rows = []
    for item in np.arange(columns) % len(data):
        clip, frame = data.clips([item], range(1, 11))[0].cpu().numpy(), data.compose([item]).cpu().numpy()
        first = [Group(clip, "frames 1 to 10"), Group(frame, f"frame {data.frame}")]
        second = [
            Group(
                pairs.compose([item])[1].cpu().numpy(), f"{_short(pairs.shared)}\n{pairs.label_bits:.3g} bits"
            )
            for pairs in choices
        ]
        rows += [Row("view 1", first), Row(f"view 2, built from frame {data.frame}", second)]
    title = "Colorful Moving-MNIST: view 2 shares the factors named under it (bits: entropy of their classes)"
    return Preview(draw_sheet(title, rows), bits)


def preview_scenes(spec: Spec, columns: int) -> Preview:
    """Scenes and their modalities, and the entropy of every attribute."""
    spec.only(*DATA_SOURCES["scenes"].options)
    return scenes_sheet(open_scenes(spec), columns)


def scenes_sheet(data: Scenes, columns: int) -> Preview:
    """Draw the sheet of scenes: one a column, under it its depth, normals and segmentation."""
    items = np.arange(columns) % len(data)
    found = data.render(items)
    captions = [
        "\n".join(
            f"light {values[code]}" if name == "light" else values[code]
            for (name, values), code in zip(data.truth.values.items(), codes, strict=True)
        )
        for codes in data.codes(items)
    ]
    nearest, farthest = float(found.depth.min()), float(found.depth.max())
    pictures = {
        "image": found.image.cpu().numpy(),
        f"depth: {nearest:.1f} (black) to {farthest:.1f} m (white)": depth_pictures(
            found.depth.cpu().numpy()
        ),
        "normals: red points right, green up, blue to the camera": normal_pictures(
            found.normals.cpu().numpy()
        ),
        f"segmentation: {', '.join(data.segments)}, darkest first": segment_pictures(
            found.segmentation.cpu().numpy(), len(data.segments)
        ),
    }
    rows = [
        Row(heading, [Group(picture[None], "") for picture in some]) for heading, some in pictures.items()
    ]
    rows[0] = Row(
        "image", [Group(image[None], text) for image, text in zip(pictures["image"], captions, strict=True)]
    )
    bits = {name: {"entropy_bits": data.entropy_bits((name,))} for name in data.truth.names}
    title = f"Scenes: the label is the {_listed(data.shared)}, {data.entropy_bits():.4g} bits"
    return Preview(draw_sheet(title, rows), bits)


def depth_pictures(depth: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Show depths, shape (n, 1, H, W), as grey: black for the nearest of all, white for the farthest."""
    nearest, span = depth.min(), max(float(np.ptp(depth)), 1e-9)
    return np.repeat((255 * (depth - nearest) / span).round().astype(np.uint8), 3, axis=1)


def normal_pictures(normals: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Show normals, shape (n, 3, H, W), as colours: red to the right, green up, blue to the camera."""
    shown = normals * np.array([1, -1, -1], dtype=np.float32)[:, None, None]
    return (127.5 * (1 + shown)).round().clip(0, 255).astype(np.uint8)


def segment_pictures(segments: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """Show class numbers, shape (n, 1, H, W), as grey, the first of `count` classes darkest."""
    return np.repeat(
        (segments.astype(np.float64) * (255 / max(count - 1, 1))).round().astype(np.uint8), 3, axis=1
    )


def preview_known_mi(spec: Spec, columns: int) -> Preview:
    """Densities of the tasks whose x and y have one dimension each, with the information they share."""
    spec.only("n", "seed")
    n, seed = spec.integer("n", 20_000, at_least=100), spec.integer("seed", 0)
    # One dimension each is what a density can show; the others are listed with their bits.
    samples = [task.sample(n, seed) for task in benchmark_tasks()]
    shown = [known for known in samples if known.x.size == known.y.size == n]
    groups = [
        Group(
            _density(known.x.astype(np.float64), known.y.astype(np.float64))[None],
            f"{known.name.removesuffix(' 1x1').removesuffix(' symbols')}\n{known.bits:.3g} bits",
        )
        for known in shown
    ]
    rows = [
        Row("x across, y up", groups[start : start + columns]) for start in range(0, len(groups), columns)
    ]
    bits = {known.name: {"true_bits": known.bits} for known in samples}
    return Preview(draw_sheet("Pairs whose mutual information is known", rows), bits)


def _density(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Draw a two-dimensional histogram as a picture, dark where there are many, uint8 (3, side, side)."""
    # Heavy tails would leave all but a few cells empty: the picture ends at the 1st and 99th percentile.
    limits = [tuple(np.quantile(values, [0.01, 0.99])) for values in (x.ravel(), y.ravel())]
    counts, _, _ = np.histogram2d(x.ravel(), y.ravel(), bins=_DENSITY_CELLS, range=limits)
    shade = 255 - np.round(255 * np.sqrt(counts / counts.max())).astype(np.uint8)
    side = np.kron(shade.T[::-1], np.ones((_DENSITY_ZOOM, _DENSITY_ZOOM), dtype=np.uint8))
    return np.broadcast_to(side, (3, *side.shape))


def _subsets(names: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [chosen for size in range(1, len(names) + 1) for chosen in combinations(names, size)]


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _short(names: tuple[str, ...]) -> str:
    return (
        " + ".join({"background": "bkgd", "position": "pos"}.get(name, name) for name in names) or "nothing"
    )


PREVIEWS: dict[str, Callable[[Spec, int], Preview]] = {
    "cdp": preview_cdp,
    "colorful_moving_mnist": preview_colorful_moving_mnist,
    "known_mi": preview_known_mi,
    "scenes": preview_scenes,
}
"""Which generators can be previewed: a function from their spec and the number of columns."""
