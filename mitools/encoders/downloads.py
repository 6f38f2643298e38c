"""What libraries fetch: asked for once where there is no network, and never printed among results."""

import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from threading import RLock
from time import monotonic
from typing import Any

REACH_SECONDS = 10.0
"""Seconds in which the hub has to answer at all."""

KNOWN_SECONDS = 30.0
"""Seconds within which the hub is not asked twice whether it can be reached."""

PATIENCE_SECONDS = 20.0
"""Seconds of silence after which a download counts as lost; by themselves sockets wait for minutes."""

_ALONE = RLock()
"""What is set for a download holds for the whole process: threads fetch one after the other."""


@contextmanager
def downloading() -> Iterator[None]:
    """Let a library fetch a file: what it prints on stdout is left out, and it waits no longer than is sane.

    torch names what it downloads on stdout, where it would stand in the middle of a JSON document.
    """
    with _ALONE, redirect_stdout(io.StringIO()):
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(PATIENCE_SECONDS if before is None else before)
        try:
            yield
        finally:
            socket.setdefaulttimeout(before)


@contextmanager
def hub_files(name: str = "") -> Iterator[None]:
    """Let a library read files of the Hugging Face hub; without a network, those that are kept here alone.

    For a file that is not kept the hub's own library asks six times over 23 seconds, prints every try, and
    does so for each name that the file may have. So the hub is asked once whether it can be reached; if not,
    its library works as with ``HF_HUB_OFFLINE=1``.

    Parameters
    ----------
    name
        What is read; for a folder nobody is asked.

    Raises
    ------
    ConnectionError
        When it cannot be reached and a file is not kept here.
    """
    from huggingface_hub import constants

    asks = not (constants.HF_HUB_OFFLINE or Path(name or "?").is_dir())
    unreached = _why_unreached(constants.ENDPOINT, int(monotonic() / KNOWN_SECONDS)) if asks else ""
    if not unreached:
        with downloading():
            yield
        return
    with _ALONE:
        before, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, True
        try:
            yield
        except Exception as error:  # what the library makes of a file that it lacks differs among them
            if not _lacks_file(error):
                raise
            raise ConnectionError(
                f"{constants.ENDPOINT} cannot be reached ({unreached}), and not all its files are kept here"
            ) from None
        finally:
            constants.HF_HUB_OFFLINE = before


@lru_cache(maxsize=1)
def _why_unreached(endpoint: str, period: int) -> str:
    """Ask for any answer at all, as the hub's library asks (proxies, certificates); empty where one came.

    The answer holds for one period, so that a network that comes back is found.
    """
    utils: Any = import_module("huggingface_hub.utils")
    client = utils.get_session()
    try:
        client.head(endpoint, timeout=REACH_SECONDS)
    except Exception as error:  # httpx's or requests' errors, whichever the hub's library goes by
        return " ".join(str(error).split()) or type(error).__name__
    return ""


def _lacks_file(error: BaseException) -> bool:
    from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled

    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, LocalEntryNotFoundError | OfflineModeIsEnabled):
            return True
        chain = chain.__cause__ or chain.__context__
    return False
