"""Options of a spec that are one of a few words."""

from collections.abc import Sequence

from mitools.core.errors import InputError
from mitools.core.specs import Spec


def one_of(spec: Spec, key: str, accepted: Sequence[str], default: str) -> str:
    """Read an option that is one of `accepted`.

    Raises
    ------
    InputError
        When it is another word.
    """
    value = spec.options.get(key, default)
    if value not in accepted:
        words = " or ".join(filter(None, [", ".join(accepted[:-1]), accepted[-1]]))
        raise InputError(f"spec {spec.text!r}: {key}={value}; accepted: {words}")
    return value


def yes_or_no(spec: Spec, key: str, default: bool) -> bool:
    """Read an option that is ``yes`` or ``no``.

    Raises
    ------
    InputError
        When it is another word.
    """
    return one_of(spec, key, ("yes", "no"), "yes" if default else "no") == "yes"


def require_trust(spec: Spec, what: str) -> None:
    """Go on only if the spec has ``trust=yes``, before anything of `what` is opened.

    Raises
    ------
    InputError
        When it has not.
    """
    if not yes_or_no(spec, "trust", False):
        raise InputError(
            f"spec {spec.text!r}: {what}, and nothing was run; add trust=yes if you trust where it comes from"
        )
