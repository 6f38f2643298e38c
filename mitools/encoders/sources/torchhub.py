"""A network that a repository's ``hubconf.py`` returns."""

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mitools.backends.seeding import seeded
from mitools.core.errors import InputError
from mitools.core.files import digest_file, digest_text
from mitools.core.names import nearest
from mitools.core.specs import Spec
from mitools.encoders.checkpoints.load import digest_weights
from mitools.encoders.downloads import downloading
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.preprocess import ASSUMED, PREPROCESS_OPTIONS, Preprocess, preprocess_origin
from mitools.encoders.spec_options import one_of, require_trust, yes_or_no


def open_torchhub(spec: Spec) -> Encoder:
    """Open ``torchhub:ORG/REPO[:REF]:ENTRY?trust=yes``, or ``torchhub:FOLDER:ENTRY?trust=yes``.

    A repository that starts with ``/`` or ``.`` is a folder, and so is any with ``source=local``.

    The entry gets ``pretrained=yes|no`` and ``weights=NAME`` where the spec has them; without them it does
    what its author chose, and that may be a network without trained weights. It runs the repository's code.
    What it returns is taken as it is, a classifier included; ``layer=`` reads what lies before.

    Raises
    ------
    InputError
        When the spec does not trust the repository, it cannot be had, it has no such entry, or the entry
        fails or returns no network.
    """
    repository, _, entry = spec.need_name("torchhub:facebookresearch/dino:main:dino_vits16").rpartition(":")
    spec.only("source", "trust", "pretrained", "weights", *PREPROCESS_OPTIONS)
    # As the shell tells a file from a command: what starts as a path is one.
    usual = "local" if repository.startswith(("/", ".")) else "github"
    source = one_of(spec, "source", ("github", "local"), usual)
    if not repository or not entry:
        raise InputError(f"spec {spec.text!r}: write torchhub:repository:entry")
    if source == "local" and not (Path(repository) / "hubconf.py").is_file():
        raise InputError(f"{repository}: no folder with a hubconf.py; name the repository's own")
    require_trust(spec, "torchhub: runs the repository's code")
    arguments: dict[str, Any] = {key: spec.options[key] for key in ("weights",) if key in spec.options}
    if "pretrained" in spec.options:
        arguments["pretrained"] = yes_or_no(spec, "pretrained", True)
    module, code = _load(spec, repository, entry, source, arguments)
    return Encoder(
        spec.text,
        entry,
        spec.source,
        digest_text("torchhub", entry, code, digest_weights(module)),
        module,
        Preprocess().overridden(spec),
        preprocess_from=preprocess_origin(ASSUMED, spec),
    )


def _load(
    spec: Spec, repository: str, entry: str, source: str, arguments: dict[str, Any]
) -> tuple[nn.Module, str]:
    """Call the entry; returns the network, and a digest of the repository's files that took part."""
    folder = Path(repository).resolve() if source == "local" else Path(torch.hub.get_dir()).resolve()
    files = {folder / "hubconf.py"} if source == "local" else set()
    where = str(folder) if source == "local" else repository
    try:
        # What an entry prints is no result of ours, and would stand in the middle of a JSON document.
        with _apart(folder, files), downloading(), redirect_stdout(sys.stderr), seeded(0):
            module = torch.hub.load(where, entry, source=source, trust_repo=True, verbose=False, **arguments)
    except (Exception, SystemExit) as error:  # the repository and the network may raise anything
        known = _entries(folder / "hubconf.py") if source == "local" else [entry]
        if entry not in known:
            near = nearest(entry, known)
            raise InputError(f"{repository} has no entry {entry!r} in hubconf.py; nearest: {near}") from None
        reason = " ".join(str(error).split())[:300]
        raise InputError(
            f"spec {spec.text!r}: {entry} cannot be had ({type(error).__name__}: {reason})"
        ) from None
    if not isinstance(module, nn.Module):
        raise InputError(
            f"spec {spec.text!r}: {entry} returns {type(module).__name__}, not a torch.nn.Module"
        )
    files |= {Path(type(part).forward.__code__.co_filename).resolve() for part in module.modules()}
    code = [
        f"{path.relative_to(folder).as_posix()} {digest_file(path)}"
        for path in sorted(files)
        if path.is_relative_to(folder) and path.is_file()
    ]
    return module, digest_text(*code)


@contextmanager
def _apart(folder: Path, files: set[Path]) -> Iterator[None]:
    """Note the files of the modules that the repository imports, and forget these modules afterwards.

    Another repository's ``models.py`` must not be taken for this one's.
    """
    known = set(sys.modules)
    try:
        yield
    finally:
        for name in set(sys.modules) - known:
            file = getattr(sys.modules[name], "__file__", None)
            if file and Path(file).resolve().is_relative_to(folder):
                files.add(Path(file).resolve())
                del sys.modules[name]


def _entries(hubconf: Path) -> list[str]:
    """Names that a ``hubconf.py`` defines or imports, read without running it."""
    try:
        body = ast.parse(hubconf.read_bytes()).body
    except SyntaxError:
        return []
    names = [node.name for node in body if isinstance(node, ast.FunctionDef)]
    imports = [node for node in body if isinstance(node, ast.ImportFrom)]
    names += [alias.asname or alias.name for node in imports for alias in node.names]
    return sorted(name for name in names if not name.startswith("_"))
