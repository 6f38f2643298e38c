"""Options of contrastive multiview coding, and which of its views are contrasted."""

from itertools import combinations
from typing import Annotated, Literal

from pydantic import Field

from mitools.core.errors import InputError
from mitools.core.recipes import Recipe
from mitools.training.memory.queue import negatives_among, queue_length
from mitools.training.recipes import Count, Positive
from mitools.views.augmentation.jigsaw import JigsawOfView, JigsawView
from mitools.views.registry import OWN, make_view

MOST_NEGATIVES = 16384
"""Negatives a positive that Tian et al. (2020, Sec. 4.1) take."""

BANK_MOMENTUM, ENCODER_MOMENTUM = 0.5, 0.999
"""What stays of a bank's row, as in the paper, and of a momentum encoder's weight, as in MoCo."""


class CMCOptions(Recipe):
    """What is contrasted, and against what (Tian et al. 2020).

    Attributes
    ----------
    views
        Names of two views or more: ``[lab:l, lab:ab]``.
    graph
        ``full`` contrasts every two views (Eq. 8), ``core`` one with all others (Eq. 7).
    core
        The core view; the first when None.
    encoders
        Networks of views that have another than the recipe's ``encoder``, by the view's name.
    same_encoder
        Views that are read by the encoder and head of another view, by their names, as two frames of a clip
        are: ``{"frame:any?shift=2": "frame:any"}``.
    temperature
        Divides the cosine similarities.
    head
        On each encoder: ``mlp``, as SimCLR's, or ``linear``, as the paper's last layer.
    head_width
        Of the rows that are compared.
    negatives
        Where an anchor's negatives come from. ``batch``: the other items of the batch. ``bank``: a softmax
        against rows of a memory bank a view (Sec. 3.4). ``nce``: the same bank, and noise-contrastive
        estimation (Eq. 11). ``queue``: the keys of earlier batches, made by momentum encoders (MoCo).
    negatives_count
        Negatives a positive, m, of all but ``batch``; None for the paper's 16,384, or as many as other items
        where the data have fewer, or as the run makes keys to fill a queue.
    point_layers
        Sub-patch contrast (Appendix B.2): of each view, the module of its encoder whose feature map is
        contrasted with the other views' rows, by the view's name; whole views are contrasted when empty.
    jigsaw
        Nine crops, ``jigsaw`` with its options, of which each view's encoder makes further anchors for the
        same keys, by heads of their own (PIRL; Table 9); None without.
    momentum
        The share that stays of a bank's row when its item is seen (0.5 when None), or of the momentum
        encoders' weights at a step (0.999).
    """

    views: list[str] = Field(default_factory=lambda: ["lab:l", "lab:ab"])
    graph: Literal["full", "core"] = "full"
    core: str | None = None
    encoders: dict[str, str] = Field(default_factory=dict)
    same_encoder: dict[str, str] = Field(default_factory=dict)
    temperature: Positive = 0.07
    head: Literal["mlp", "linear"] = "mlp"
    head_width: Count = 128
    negatives: Literal["batch", "bank", "nce", "queue"] = "batch"
    negatives_count: Count | None = None
    point_layers: dict[str, str] = Field(default_factory=dict)
    jigsaw: str | None = None
    momentum: Annotated[float, Field(ge=0, lt=1)] | None = None

    def pairs(self) -> list[tuple[int, int]]:
        """List the pairs of views that are contrasted, by their places."""
        places = range(len(self.views))
        if self.graph == "full":
            return list(combinations(places, 2))
        core = 0 if self.core is None else self.views.index(self.core)
        return [(core, other) for other in places if other != core]

    def count_among(self, items: int) -> int:
        """Give the negatives a positive, of so many items.

        Raises
        ------
        InputError
            When more are asked for than there are other items.
        """
        return negatives_among(self.negatives_count, MOST_NEGATIVES, items)

    def queue_among(self, items: int, made: int) -> int:
        """Give the length of a queue, of so many items in a run that makes so many keys.

        Raises
        ------
        InputError
            When more are asked for than there are other items, or than the run makes.
        """
        return queue_length(self.negatives_count, MOST_NEGATIVES, items, made)

    def _require_crops(self) -> None:
        assert self.jigsaw is not None
        crops = require_jigsaw(self.jigsaw)
        for name in self.views:
            if name.partition(":")[0] != OWN:  # as above
                JigsawOfView(crops, make_view(name))
        if self.point_layers or self.negatives == "nce":
            raise InputError(
                "options.jigsaw is contrasted by a softmax with whole views; leave point_layers and"
                " negatives: nce out"
            )

    def _require_encoders_to_share(self) -> None:
        for view, owner in self.same_encoder.items():
            if owner in self.same_encoder:
                raise InputError(
                    f"options.same_encoder gives {view} the encoder of {owner}, which has none of its own;"
                    " name a view that has"
                )
            if view in self.encoders or self.point_layers.get(view) != self.point_layers.get(owner):
                raise InputError(
                    f"options.same_encoder: {view} has the network of {owner}; name none, and no layer, of"
                    " its own"
                )

    def require_consistent(self) -> None:
        """Refuse views that cannot be contrasted, and names that are no view's.

        Raises
        ------
        InputError
            Naming the option and the remedy.
        """
        if len(self.views) < 2:
            raise InputError(
                f"cmc contrasts two views or more, and options.views names {len(self.views)}; write for"
                " example views: [lab:l, lab:ab]"
            )
        for name in self.views:
            # Reading a recipe runs none of the user's own code.
            random = name.partition(":")[0] == OWN or make_view(name).draws > 0
            if not random and self.views.count(name) > 1:
                raise InputError(
                    f"options.views names {name} twice, and nothing in it is random; leave one out"
                )
        sharing = [*self.same_encoder, *self.same_encoder.values()]
        core = [self.core] if self.core else []
        for option, named in (("core", core), ("encoders", list(self.encoders)), ("same_encoder", sharing)):
            for name in named:
                if name not in self.views:
                    known = ", ".join(self.views)
                    raise InputError(f"options.{option} names {name!r}, which is none of the views ({known})")
        self._require_encoders_to_share()
        if self.core is not None and self.graph == "full":
            raise InputError("options.core is for graph: core; the full graph has no core view")
        if self.point_layers and set(self.point_layers) != set(self.views):
            raise InputError(f"options.point_layers names a layer of every view: {', '.join(self.views)}")
        if self.point_layers and self.negatives != "batch":
            raise InputError("options.point_layers takes its negatives from the batch; leave negatives: out")
        if self.jigsaw is not None:
            self._require_crops()
        if self.negatives == "batch" and (self.negatives_count or self.momentum is not None):
            raise InputError("negatives: batch takes no negatives_count and no momentum; leave them out")


def require_jigsaw(name: str) -> JigsawView:
    """Make the view of nine crops that an option names.

    Raises
    ------
    InputError
        When it names another view.
    """
    view = make_view(name)
    if not isinstance(view, JigsawView):
        raise InputError(
            f"options.jigsaw names {name!r}, which has no nine crops; write jigsaw, or jigsaw?crop_area=0.6"
        )
    return view
