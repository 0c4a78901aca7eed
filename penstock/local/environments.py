"""Virtual environments from locks: every package by version and hash, made once and shared by all projects."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from penstock.local import cache, command
from penstock_runtime.errors import PenstockError

PYTHON = "3.11"
"""The Python that the committed locks are for."""

_NO_SPACE = re.compile(r"No space left on device|Disk quota exceeded", re.IGNORECASE)
_NO_WRITE = re.compile(r"Permission denied|Read-only file system|Not a directory", re.IGNORECASE)
_NO_NETWORK = re.compile(
    r"error sending request|dns error|failed to lookup|Could not connect|Connection refused|tcp connect|timed out"
    r"|Failed to fetch|network",
    re.IGNORECASE,
)
_WRONG_HASH = re.compile(r"Hash mismatch", re.IGNORECASE)
_LINES = 15


def ensure(name: str, lock: Path, *, python: str = PYTHON, report: Callable[[str], None]) -> Path:
    """The virtual environment that holds what a lock lists, and nothing else; made if it does not exist yet.

    Environments of other locks stay: another project may use them.

    Args:
        name: for people; part of the folder's name.
        lock: a requirements file with a hash for each package (`uv pip compile --generate-hashes`).
        python: the Python that it needs, as `3.11`.
        report: gets one line when something takes long.

    Raises:
        PenstockError: the interpreter is missing, or the network, or space on the disk.
    """
    interpreter = find_python(python)
    folder = _folder(name, lock, interpreter)

    def make() -> None:
        report(f"installing {name} from {lock.name}")
        run_uv("venv", "--no-project", "--python", str(interpreter), str(folder))
        run_uv(
            "pip",
            "sync",
            "--require-hashes",
            # Compiled here, once: what runs in it may not be able to write, and every start would compile again.
            "--compile-bytecode",
            "--python",
            str(folder / "bin" / "python"),
            str(lock),
        )

    return cache.once(folder, make, report)


def installed(name: str, lock: Path, *, python: str = PYTHON) -> Path | None:
    """The virtual environment that `ensure` makes, where it is there; see `ensure`."""
    if not any((cache.root() / "envs").glob(f"{name}-*/{cache.MARKER}")):
        return None  # without looking for the interpreter, which takes a while
    folder = _folder(name, lock, find_python(python))
    return folder if cache.complete(folder) else None


def _folder(name: str, lock: Path, interpreter: Path) -> Path:
    try:
        content = lock.read_bytes()
    except OSError as error:
        raise PenstockError(f"cannot read the lock {lock}: {error.strerror}", fix="run make lock") from error
    key = hashlib.sha256(content + b"\0" + describe(interpreter).encode()).hexdigest()[:16]
    return cache.root() / "envs" / f"{name}-{key}"


def find_python(version: str) -> Path:
    """An interpreter of this version on this machine. None is downloaded.

    Raises:
        PenstockError: there is none.
    """
    find = [str(cache.uv()), "python", "find", "--system", "--no-project", version]
    environ = cache.environ()
    environ["PATH"] = os.pathsep.join(_without_shims(environ.get("PATH", os.defpath).split(os.pathsep), version))
    search = subprocess.run(find, env=environ, capture_output=True, text=True)
    if search.returncode != 0:
        raise PenstockError(
            f"Python {version} is not on this machine",
            fix=f"install Python {version} so that python{version} is on PATH (a pyenv version counts too)",
        )
    return Path(search.stdout.strip())


def _without_shims(folders: list[str], version: str) -> Iterator[str]:
    """The folders of PATH, with pyenv's shims replaced by what they stand for.

    A shim is there for each version that is installed, and runs only those that pyenv's setting selects.
    """
    for folder in folders:
        installed = Path(folder).with_name("versions")
        if Path(folder).name == "shims" and installed.is_dir():
            versions = [one for one in installed.iterdir() if f"{one.name}.".startswith(f"{version}.")]
            newest_first = sorted(
                versions, key=lambda one: [int(n) for n in re.findall(r"\d+", one.name)], reverse=True
            )
            yield from (str(one / "bin") for one in newest_first)
        else:
            yield folder


def describe(interpreter: Path) -> str:
    """What makes two interpreters' environments differ: exact version and platform.

    Raises:
        PenstockError: it does not run, or was built without modules that Airflow and pip need.
    """
    code = (
        "import platform, sysconfig; import ctypes, sqlite3, ssl, zlib; "
        "print(platform.python_version(), sysconfig.get_platform())"
    )
    answer = subprocess.run([str(interpreter), "-I", "-c", code], capture_output=True, text=True)
    if answer.returncode != 0:
        raise PenstockError(f"{interpreter} does not run: {answer.stderr.strip()}", fix="repair or remove this Python")
    return answer.stdout.strip()


def run_uv(*arguments: str) -> None:
    """Run uv to its end.

    Raises:
        PenstockError: it failed; says why, as far as its output tells.
    """
    done = cache.run([str(cache.uv()), *arguments], cache.environ())
    if done.code != 0:
        raise failure(f"uv {arguments[0]} {arguments[1]}", done)


def failure(what: str, done: command.Ended) -> PenstockError:
    """The error for an installation that ended so."""
    output = done.output
    tail = "\n".join(f"  | {line}" for line in output.strip().splitlines()[-_LINES:]) or "  (it wrote nothing)"
    if done.killed:
        fix = "run it again: what is there is kept (killed by nobody that you know of: look for want of memory)"
    elif _NO_SPACE.search(output):
        fix = f"free space, or name another place in PENSTOCK_CACHE (now {cache.root()})"
    elif _WRONG_HASH.search(output):
        fix = "a package is not the one that the lock names; do not install it, and tell who runs your package index"
    elif _NO_WRITE.search(output):
        fix = f"make {cache.root()} and uv's own cache (UV_CACHE_DIR) writable, or name another place for them"
    elif _NO_NETWORK.search(output):
        fix = "check the way to the package index (network, proxy, certificates; UV_INDEX_URL for one of your own)"
    else:
        fix = "read the lines above; `make lock` compiles the locks again where a package has gone"
    return PenstockError(f"{what} {done.how}\n{tail}", fix=fix)
