"""plugins.zip: a folder packed so that the same files give the same bytes, or a zip file unchanged.

MWAA unpacks it into Airflow's plugins folder. Source: MWAA user guide, "Installing custom plugins", which recommends
less than 1 GB and sets no limit.
"""

from __future__ import annotations

import importlib.util
import io
import re
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from penstock import archive
from penstock.project.document.files import TooManyError, files_below
from penstock_runtime.errors import InputError

MAX_MIB = 200
"""The function that copies it to the bucket (CDK's BucketDeployment) holds it twice, in the 512 MiB of disk that a
Lambda function has by default."""
MAX_FILES = 10_000
TRIGGER_FILE = "penstock_trigger.py"
"""What waits in Airflow's triggerer; see `runtime/plugin`."""
_MADE_BY_A_TOOL = re.compile(r"(?:^|/)(?:__MACOSX/|\.DS_Store$|__pycache__/|Thumbs\.db$)")
_LEFT_OUT = ("__pycache__", ".git", ".DS_Store", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".venv")


@dataclass(frozen=True)
class PluginFile:
    """One file of the archive."""

    content: bytes
    executable: bool = False


def read(path: Path, name: str, where: str) -> bytes:
    """The archive of a folder, or the content of a zip file.

    Args:
        name: the path, as errors show it.
        where: the place that names it.

    Raises:
        InputError: it is missing, too large, empty, no zip file, or leads out of its folder.
    """
    try:
        if path.is_dir():
            return pack(_files(path, name, where))
        if not path.is_file():
            raise InputError(f"{name} does not exist", fix="name a folder or a zip file", where=where)
        _check_size(path.stat().st_size, name, where)
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}", fix="check the path", where=where) from None
    _check_archive(content, name, where)
    return content


def pack(files: Mapping[str, PluginFile]) -> bytes:
    """A zip that depends on the files' names, content and whether they are executable, and on nothing else."""
    entries = {
        path: archive.Entry(file.content, stat.S_IFREG | (0o755 if file.executable else 0o644))
        for path, file in files.items()
    }
    return archive.pack(entries)


def trigger() -> bytes:
    """The content of `TRIGGER_FILE`."""
    spec = importlib.util.find_spec(TRIGGER_FILE.removesuffix(".py"))
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).read_bytes()


def with_trigger(content: bytes | None) -> bytes:
    """The archive that MWAA gets: the project's, if it has one, and Penstock's trigger beside what is in it.

    A file of the trigger's name that is there already stays: somebody pins a version of it.
    """
    name = TRIGGER_FILE
    if content is None:
        return pack({name: PluginFile(trigger())})
    if name in names(content):
        return content
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    # Appended, so that the project's own files stay as somebody packed them.
    whole = io.BytesIO(content)
    with zipfile.ZipFile(whole, "a") as target:
        target.writestr(entry, trigger())
    return whole.getvalue()


def names(content: bytes) -> frozenset[str]:
    """The files of an archive that `read` has returned."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return frozenset(archive.namelist())


def folder_around(content: bytes) -> str | None:
    """The one folder that all of an archive is below, where it was meant to be packed without it; None: it is not so.

    A single package (with an `__init__.py`) or a folder of wheels may be all that there is.
    """
    files = [name for name in names(content) if not _MADE_BY_A_TOOL.search(name) and not name.endswith("/")]
    tops = {name.partition("/")[0] for name in files}
    if len(tops) != 1 or any("/" not in name for name in files):
        return None
    top = tops.pop()
    is_package = f"{top}/__init__.py" in files
    has_modules = any(name.startswith(f"{top}/") and name.endswith(".py") for name in files)
    return top if has_modules and not is_package else None


def left_out(relative: PurePath) -> bool:
    """Whether a path below the folder is none of the archive's: caches, tools' own files."""
    return any(part in _LEFT_OUT for part in relative.parts) or relative.suffix == ".pyc"


def _files(folder: Path, name: str, where: str) -> dict[str, PluginFile]:
    root = folder.resolve()
    files: dict[str, PluginFile] = {}
    size = 0
    try:
        paths = files_below(folder, "")
    except TooManyError as error:
        fix = "name the folder that holds the plugins, and nothing else"
        raise InputError(f"{name}: {error}", fix=fix, where=where) from None
    for path in paths:
        relative = path.relative_to(folder)
        if not relative.as_posix().isprintable():
            shown = ascii(relative.as_posix())[:60]
            raise InputError(f"{name} holds a file with the name {shown}", fix="rename it", where=where)
        if left_out(relative) or not path.is_file():
            continue
        if not path.resolve().is_relative_to(root):
            what = f"{name}/{relative.as_posix()} is a link that leads out of the folder"
            raise InputError(what, fix="copy the file into it", where=where)
        status = path.stat()
        size += status.st_size
        _check_size(size, name, where)
        files[relative.as_posix()] = PluginFile(path.read_bytes(), bool(status.st_mode & stat.S_IXUSR))
        if len(files) > MAX_FILES:
            raise InputError(f"{name} holds more than {MAX_FILES} files", fix="name a zip file", where=where)
    if not files:
        raise InputError(f"{name} has no files", fix="put a plugin into it, or leave plugins out", where=where)
    return files


def _check_size(size: int, name: str, where: str) -> None:
    if size > MAX_MIB * 1024 * 1024:
        what = (
            f"{name} has {size / 1024 / 1024:.0f} MiB, and {MAX_MIB} MiB are the limit (AWS recommends less than 1 GB)"
        )
        raise InputError(what, fix="leave out what Airflow does not need", where=where)


def _check_archive(content: bytes, name: str, where: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            listed = archive.namelist()
    except zipfile.BadZipFile:
        raise InputError(f"{name} is not a zip file", fix="name a folder or a zip file", where=where) from None
    if not listed:
        raise InputError(f"{name} has no files", fix="put a plugin into it, or leave plugins out", where=where)
    for member in listed:
        path = PurePosixPath(member)
        if path.is_absolute() or ".." in path.parts or "\\" in member:
            what = f"{name} holds {member[:60]!r}, which leads out of the plugins folder"
            raise InputError(what, fix="pack the archive with relative paths", where=where)
