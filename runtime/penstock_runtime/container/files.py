"""Files of a task: the runtime writes them where the task expects them, before its engine starts.

A file is the project's, fetched from the artifacts bucket by its hash, or a secret, which is an environment variable of
the container. Each is written beside its path and moved there whole, with its mode: no program reads half a file.
"""

from __future__ import annotations

import base64
import binascii
import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from penstock_runtime import contract
from penstock_runtime.container import stream
from penstock_runtime.container.environment import read, read_json, refuse
from penstock_runtime.contract import Exit
from penstock_runtime.errors import RunError

_OWN_VARIABLES = "PENSTOCK_"
_FEWEST_PARTS = 2
"""Of a folder that a text may name instead of the file in it: `/tmp/wallet`, but not `/tmp`."""


@dataclass(frozen=True)
class File:
    """One file. Exactly one of `sha256` and `secret` is set."""

    path: str
    """In the container: absolute, or below its working directory."""
    mode: int
    sha256: str | None = None
    """Of a file of the project."""
    secret: str | None = None
    """The environment variable that holds the content."""
    base64: bool = False
    """Whether the secret is base64 of the content, as it must be if the content is not text."""


def read_files(environ: Mapping[str, str]) -> tuple[File, ...]:
    """The files of this process's task; none if `PENSTOCK_FILES` is not set.

    Raises:
        RunError: it holds something else.
    """
    if not environ.get(contract.FILES):
        return ()
    files = []
    for path, entry in read_json(environ, contract.FILES, dict).items():
        try:
            file = File(
                path, int(entry["mode"], 8), entry.get("sha256"), entry.get("secret"), bool(entry.get("base64"))
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            refuse(contract.FILES, f"has no usable entry for {path!r}: {error}")
        if (file.sha256 is None) == (file.secret is None):
            refuse(contract.FILES, f"has an entry for {path!r} without its content, or with two")
        files.append(file)
    return tuple(files)


def write(environ: Mapping[str, str]) -> None:
    """Write all files of the task.

    Raises:
        RunError: one cannot be fetched or has another hash; a secret is missing or is not base64; its path cannot be
            written to. A file that was at its path stays, and half a file is never left.
    """
    for file in read_files(environ):
        if file.secret is None:
            uri = f"{read(environ, contract.FILES_URI)}/{file.sha256}"
            content = _checked(stream.parts(uri), uri, str(file.sha256))
        else:
            content = iter([_secret(file, environ)])
        _write(_location(file.path, environ), content, file)


def decoded(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The contents of secrets that are base64 of a text: a log must not show them either."""
    contents = []
    for file in read_files(environ):
        if file.secret is not None and file.base64:
            try:
                contents.append(_secret(file, environ).decode())
            except UnicodeDecodeError:
                continue  # A keytab: programs do not print it.
    return tuple(contents)


def located(value: Any, environ: Mapping[str, str]) -> Any:
    """The value with the real locations of the files instead of their paths, wherever a text in it names one.

    In a container both are the same. If `PENSTOCK_ROOT` is set, files and their folders lie below that.
    """
    root = environ.get(contract.ROOT, "")
    pattern = _paths(environ) if root else None
    if pattern is None:
        return value

    def walk(item: Any) -> Any:
        if isinstance(item, str):
            return pattern.sub(lambda match: root + match[0], item)
        if isinstance(item, Mapping):
            return {key: walk(inner) for key, inner in item.items()}
        if isinstance(item, list | tuple):
            return [walk(inner) for inner in item]
        return item

    return walk(value)


def located_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for the engine, with the files' locations in it; Penstock's own variables unchanged."""
    return {
        name: value if name.startswith(_OWN_VARIABLES) else located(value, environ) for name, value in environ.items()
    }


def _paths(environ: Mapping[str, str]) -> re.Pattern[str] | None:
    """Finds the absolute paths of the task's files, and of the folders that they are in, in a text."""
    paths = {file.path for file in read_files(environ) if file.path.startswith("/")}
    folders = {str(Path(path).parent) for path in paths}
    paths |= {folder for folder in folders if folder.count("/") >= _FEWEST_PARTS}
    if not paths:
        return None
    # The longest first: one may begin with another. Not in the middle of a longer path or name.
    either = "|".join(re.escape(path) for path in sorted(paths, key=len, reverse=True))
    return re.compile(rf"(?<![\w.-])(?:{either})(?![\w-]|\.\w)")


def _location(path: str, environ: Mapping[str, str]) -> Path:
    # In UTF-8 whatever the locale, as the engine's command line is.
    name = os.fsdecode(path.encode("utf-8", "surrogateescape"))
    return Path(environ.get(contract.ROOT, "") + name) if path.startswith("/") else Path(name)


def _secret(file: File, environ: Mapping[str, str]) -> bytes:
    name = str(file.secret)
    if name not in environ:
        raise RunError(
            f"the environment variable {name}, which holds the file {file.path}, is not set",
            fix="deploy again: the task definition and the bundle are of different releases",
            exit_code=Exit.WRONG_INPUT,
        )
    if not file.base64:
        return environ[name].encode("utf-8", "surrogateescape")
    try:
        # The output of `base64` has several lines.
        return base64.b64decode("".join(environ[name].split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise RunError(
            f"the secret {name}, which holds the file {file.path}, is not base64",
            fix="store the output of `base64 <file>` in it, or remove base64: true from the file in penstock.yaml",
            exit_code=Exit.WRONG_INPUT,
        ) from error


def _checked(content: Iterable[bytes], uri: str, sha256: str) -> Iterator[bytes]:
    digest = hashlib.sha256()
    for part in content:
        digest.update(part)
        yield part
    if digest.hexdigest() != sha256:
        raise stream.failed(
            uri,
            f"its SHA-256 is {digest.hexdigest()}, not {sha256}",
            "deploy again; do not write into the artifacts bucket by hand",
        )


def _write(target: Path, content: Iterable[bytes], file: File) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".penstock-", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as opened:
                for part in content:
                    opened.write(part)
                # Before the file gets its name, and whatever the umask.
                os.fchmod(handle, file.mode)
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        _unwritable(file, error)


def _unwritable(file: File, error: OSError) -> NoReturn:
    fix = {
        errno.EROFS: "put it below /tmp: the container's root is read-only (read_only_root)",
        errno.ENOSPC: "raise the task's ephemeral_storage_gib; or ecs.tmp_mib if the root is read-only",
        errno.EISDIR: "give the file another path: the image has a folder there",
    }.get(error.errno or 0, "put it below /tmp, or where the image's user may write")
    raise RunError(
        f"cannot write the file {file.path}: {error.strerror or error}", fix=fix, exit_code=Exit.WRONG_INPUT
    ) from error
