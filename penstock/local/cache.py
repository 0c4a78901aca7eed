"""Where the embedded mode keeps what is costly to make and the same for every project, and how it makes it once.

`$PENSTOCK_CACHE`, else `$XDG_CACHE_HOME/penstock`, else `~/.cache/penstock`. Entries are named by a hash of all that
goes into them, so none is ever changed; one without its marker was interrupted, and is made again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from penstock import home
from penstock.local import command, files
from penstock.local.instance import MARKER as INSTANCE
from penstock_runtime.errors import PenstockError

MARKER = ".complete"
"""Written last, inside an entry."""
_HELD: list[int] = []
"""The locks of the entries that this process is making, as file descriptors."""


def root() -> Path:
    """The cache folder; it may not exist yet."""
    return home.cache()


def complete(folder: Path) -> bool:
    """Whether the entry is there, whole."""
    return (folder / MARKER).exists()


def once(folder: Path, make: Callable[[], None], report: Callable[[str], None]) -> Path:
    """Make an entry unless it is there. Of several processes one makes it, the others wait.

    Args:
        make: creates `folder`, which does not exist then.

    Raises:
        PenstockError: the cache cannot be written, or `make` failed.
    """
    if complete(folder):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _lock(folder.with_name(f"{folder.name}.lock"), folder.name, report):
            if not complete(folder):
                shutil.rmtree(folder, ignore_errors=True)
                try:
                    make()
                    (folder / MARKER).touch()
                except BaseException:
                    # Half an environment is of no use, and on a full disk its room is.
                    shutil.rmtree(folder, ignore_errors=True)
                    raise
    except OSError as error:
        fix = f"make {root()} writable, or name another place in PENSTOCK_CACHE"
        raise files.refusal(error, folder, fix=fix) from error
    return folder


def run(argv: Sequence[str], environ: Mapping[str, str]) -> command.Ended:
    """Run a command that fills an entry. The entry stays locked until the last process of the command is gone."""
    return command.run(argv, environ, holding=_HELD)


def environ() -> dict[str, str]:
    """The environment for what fills the cache: the caller's, without what would leak into an entry or slow it down."""
    dropped = ("AWS_", "MELTANO_", "PYTHON", "PENSTOCK_", "VIRTUAL_ENV", "UV_PROJECT")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped) or name == INSTANCE}
    # The system's certificates, as pip has them: behind the proxy of a company there is one of its own.
    return kept | {"UV_PYTHON_DOWNLOADS": "never", "UV_SYSTEM_CERTS": "1", "UV_NO_PROGRESS": "1", "NO_COLOR": "1"}


def uv() -> Path:
    """The uv that is installed beside this Python.

    Raises:
        PenstockError: there is none.
    """
    program = Path(sys.executable).parent / "uv"
    if not program.exists():
        raise PenstockError(f"uv is not installed at {program}", fix="run make setup")
    return program


@contextlib.contextmanager
def _lock(path: Path, name: str, report: Callable[[str], None]) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report(f"waiting for another process that makes {name}")
            fcntl.flock(file, fcntl.LOCK_EX)
        _HELD.append(file.fileno())
        try:
            yield
        finally:
            _HELD.remove(file.fileno())
