"""Every view by its name, for commands, recipes and Python."""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, cast

from mitools.core.errors import InputError
from mitools.core.names import check_name
from mitools.core.own_code import import_named
from mitools.views.specs import ViewSpec, parse_view_spec, split_name, view_family

if TYPE_CHECKING:
    from mitools.views.base import View
    from mitools.views.recipes import AugmentationRecipe


class NamedView(NamedTuple):
    """Where a view is made, and what it is.

    Attributes
    ----------
    maker
        ``module:function`` under :mod:`mitools.views`; the function makes the view from a
        :class:`~mitools.views.specs.ViewSpec`. A view's module is imported when the view is asked for.
    what
        One line for people.
    example
        A spec that makes it.
    """

    maker: str
    what: str
    example: str


COLOUR = "colour.view:colour_view"

VIEWS: dict[str, NamedView] = {
    "image": NamedView("image:image_view", "the image itself", "image"),
    "rgb": NamedView(COLOUR, "red, green and blue, or some of them", "rgb:gb"),
    "xyz": NamedView(COLOUR, "CIE XYZ", "xyz:xz"),
    "lab": NamedView(COLOUR, "CIE L*a*b*: lightness and two axes of colour", "lab:ab"),
    "yuv": NamedView(COLOUR, "YUV of PAL", "yuv:uv"),
    "yiq": NamedView(COLOUR, "YIQ of NTSC", "yiq:iq"),
    "ycbcr": NamedView(COLOUR, "YCbCr of JPEG and digital video", "ycbcr:cbcr"),
    "ypbpr": NamedView(COLOUR, "YPbPr of analogue video", "ypbpr:pbpr"),
    "ydbdr": NamedView(COLOUR, "YDbDr of SECAM", "ydbdr:dbdr"),
    "hsv": NamedView(COLOUR, "hue, saturation and value", "hsv:h"),
    "hed": NamedView(COLOUR, "haematoxylin, eosin and DAB, the stains of histology", "hed:ed"),
    "patch": NamedView(
        "patch:patch_view",
        "one of two patches at a distance of (d, d): #0 at a random corner, #1 beside it",
        "patch?size=16&distance=24#0",
    ),
    "blur": NamedView("frequency:blur_view", "the low frequencies: a Gaussian blur", "blur?sigma=0.7"),
    "residual": NamedView(
        "frequency:residual_view",
        "the high frequencies: what a blur takes away, about 0.5",
        "residual?sigma=0.7",
    ),
    "flow": NamedView(
        "flow.view:flow_view",
        "channels of a colour space that a run of learned_views has learnt: #0 the first, #1 the others",
        "flow:runs/views#0",
    ),
    "depth": NamedView("modality:depth_view", "the depth that data have beside the image", "depth?far=5"),
    "normals": NamedView("modality:normals_view", "the surface normals that data have", "normals"),
    "segmentation": NamedView(
        "modality:segmentation_view", "the segmentation that data have", "segmentation?classes=13"
    ),
    "partner": NamedView(
        "modality:partner_view", "another image of the item, of data that have it", "partner:1"
    ),
    "frames": NamedView("clip:frames_view", "successive frames of a clip", "frames:1-10"),
    "frame": NamedView("clip:frame_view", "one frame of a clip, or a random one", "frame:20"),
    "optical_flow": NamedView(
        "optical_flow:optical_flow_view", "TV-L1 flow around a frame of a clip (slow)", "optical_flow"
    ),
    "simclr": NamedView(
        "augmentation.simclr:simclr_view",
        "crop, flip, colour jitter, grey and blur of Chen et al. 2020; AutoAugment with auto=",
        "simclr?strength=0.5",
    ),
    "infomin": NamedView(
        "augmentation.infomin:infomin_view",
        "crop, flip, colour jitter, blur, RandAugment and grey of Tian et al. 2020 (InfoMin)",
        "infomin?strength=0.5&steps=0",
    ),
    "jigsaw": NamedView(
        "augmentation.jigsaw:jigsaw_view",
        "nine crops of a 3 x 3 grid in random order, PIRL's second branch",
        "jigsaw?keep=0.9",
    ),
}
"""The views by name: a new one is a file and a row here."""

OWN = "python"
"""What begins the name of a view from the user's own code."""


def make_view(spec: "str | AugmentationRecipe | View") -> "View":
    """Make the view that a spec names.

    Parameters
    ----------
    spec
        A name of :data:`VIEWS`, with its options: ``simclr?strength=0.5``. ``python:module:View`` names a
        view of the user's own, or what makes one when called without arguments; naming it runs its code. An
        :class:`~mitools.views.recipes.AugmentationRecipe` is SimCLR's augmentation, and a view is itself.
        ``name=`` is what tables and figures show (:func:`shown_view`), and changes nothing of the view.

    Raises
    ------
    InputError
        When there is no such view (the nearest are named) or it does not take such an option.

    Examples
    --------
    >>> make_view("simclr?strength=0.5&blur=0").name
    'simclr?strength=0.5&blur=0'
    """
    if not isinstance(spec, str):
        from mitools.views.augmentation.simclr import SimCLRView
        from mitools.views.recipes import AugmentationRecipe

        return SimCLRView(spec) if isinstance(spec, AugmentationRecipe) else spec
    spec, _ = split_name(spec)
    name = view_family(spec)
    if name == OWN:
        return _own_view(spec)
    check_name("view", name, [*VIEWS, f"{OWN}:module:View"])
    module, _, function = VIEWS[name].maker.partition(":")
    maker = getattr(import_module(f"mitools.views.{module}"), function)
    return cast("Callable[[ViewSpec], View]", maker)(parse_view_spec(spec))


def shown_view(spec: str) -> str:
    """Give the name by which a view is shown: the one that the spec gives it, or the view's own.

    Raises
    ------
    InputError
        As :func:`make_view`, and when the spec gives it another view's own name.

    Examples
    --------
    >>> shown_view("simclr?strength=0.5&name=weak"), shown_view("simclr?strength=1")
    ('weak', 'simclr')
    """
    own, named = make_view(spec).name, split_name(spec)[1]
    if named in VIEWS and named != own:
        raise InputError(f"view {spec!r}: {named} is another view's own name; give it another name=")
    return named or own


def _own_view(text: str) -> "View":
    from mitools.views.base import View

    spec = parse_view_spec(text)
    spec.only()
    found = import_named("view", spec.name)
    try:
        view = found() if isinstance(found, type) or not isinstance(found, View) else found
    except (Exception, SystemExit) as error:  # the user's own code may raise anything
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"view {text!r} cannot be made ({type(error).__name__}: {reason})") from None
    if not isinstance(view, View):
        raise InputError(
            f"view {text!r} is {type(view).__name__}, which lacks name, channels, draws or a call of"
            " (items, draws); see mitools.views.base.View"
        )
    return view
