"""``mitools demo``: a small audit that needs no network, no data and less than a minute."""

from pathlib import Path

from mitools.cli.console import (
    HtmlOption,
    JsonOption,
    OverwriteOption,
    SeedOption,
)
from mitools.cli.measuring.audit import CacheOption, OutOption, audit_and_report

DATA = "digits"
ENCODERS = [
    "builtin:pixels",
    "builtin:pca?k=2",
    "builtin:pca?k=4",
    "builtin:pca?k=16",
    "builtin:random_conv?width=64",
    "timm:test_resnet.r160_in1k?pretrained=no&image_size=32",
]


def demo(
    destination: OutOption = Path("mitools-demo"),
    seed: SeedOption = 0,
    cache: CacheOption = None,
    html: HtmlOption = True,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> int:
    """Audit a graded family of offline encoders on scikit-learn's digits."""
    options = {"seed": seed, "device": "cpu", "html": html, "overwrite": overwrite, "quick_critic": True}
    return audit_and_report(DATA, ENCODERS, destination, cache, json, **options)
