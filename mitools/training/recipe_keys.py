"""Keys of a recipe that are given another place than the one they are read from."""

from collections.abc import Mapping
from typing import Any

from mitools.core.errors import InputError
from mitools.core.names import nearest
from mitools.training.methods.registry import (
    LIGHTLY_PREFIX,
    OWN_PREFIX,
    TRAINING_METHODS,
    is_known,
    is_own,
    method_class,
    read_options,
)

OPTIONS_AT_THE_TOP = ("temperature", "head_width", "negatives")
"""Options of methods that recipes may have beside ``method`` as well."""


def with_options_in_place(content: Mapping[str, Any]) -> dict[str, Any]:
    """Bring a recipe's keys to ``method`` and ``options``, the options checked and filled in.

    Recipes may call the method ``objective``, and have ``temperature``, ``head_width``, ``negatives`` and
    ``ctc`` (a part of its own) beside it. There a method without a temperature or a projection head has no
    use for these, and a value of null stands for the method's own.

    Options of the user's own code are left as they are: reading a recipe runs none.

    Raises
    ------
    InputError
        When the method is unknown, or an option is unknown or not of its kind; a key is named as it is
        written.
    """
    keys = dict(content)
    named = [key for key in ("method", "objective") if key in keys]
    if len(named) == 2:
        raise InputError("method and objective are two names of one key; give one of them")
    if not named:
        return keys
    name = keys["method"] = keys.pop(named[0])
    if not isinstance(name, str):
        return keys
    if not is_own(name) and not is_known(name):
        known = [*TRAINING_METHODS, f"{LIGHTLY_PREFIX}NAME", f"{OWN_PREFIX}MODULE:CLASS"]
        raise InputError(f"there is no {named[0]} {name!r}; did you mean {nearest(name, known)}?")
    options, under = _options(keys, name)
    keys["options"] = options if is_own(name) else read_options(name, options, under).model_dump(mode="json")
    return keys


def _options(keys: dict[str, Any], name: str) -> tuple[dict[str, Any], str]:
    """Take the options out of a recipe's keys; also what stands before their names there."""
    at_top = {key: keys.pop(key) for key in OPTIONS_AT_THE_TOP if key in keys}
    at_top = {key: value for key, value in at_top.items() if value is not None}
    ctc, given = keys.pop("ctc", None), keys.pop("options", None)
    if ctc is not None and name != "ctc":
        raise InputError(f"ctc is for the objective ctc, not for {name}")
    parts = {"ctc.": ctc, "options.": given, "": at_top or None}
    for under, part in parts.items():
        if part is not None and not isinstance(part, Mapping):
            raise InputError(f"{under.rstrip('.')!r} must hold keys and values, not {part!r:.60}")
    if not is_own(name):
        at_top = _used(at_top, name)
    options = {key: value for part in (at_top, given, ctc) for key, value in (part or {}).items()}
    return options, next((under for under, part in parts.items() if part is not None), "")


def _used(at_top: dict[str, Any], name: str) -> dict[str, Any]:
    """Leave out what the method has no option for; negatives and CTC's temperature would be missed."""
    known = method_class(name).Options.model_fields
    if name == "ctc" and "temperature" in at_top:
        raise InputError("ctc has two temperatures: ctc.alpha_temperature and ctc.beta_temperature")
    if "negatives" in at_top and "negatives" not in known:
        raise InputError(f"negatives from elsewhere are for simclr and class, not for {name}")
    return {key: value for key, value in at_top.items() if key in known}
