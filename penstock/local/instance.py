"""One embedded system: its folder, its ports, its passwords, its processes. Everything else asks here.

The folder is `.penstock/<environment>/` beside the project file:

    instance.json     id, ports, processes; written after every process start
    private/          passwords and tokens of this instance
    logs/             one file per process, and those of the CDK CLI
    aws/ airflow/ catalogue/ images/ cdk.out/ runs/

Only its owner may enter it: what Meltano and Airflow write there holds secrets, too.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from penstock.local import files
from penstock_runtime.errors import PenstockError

MARKER = "PENSTOCK_INSTANCE"
"""Environment variable that every process of an instance carries, children of children included."""


@dataclass(frozen=True)
class Process:
    """A process of the instance. `created` (seconds since the epoch) tells it from a later one with the same id."""

    name: str
    pid: int
    created: float
    log: str


@dataclass
class Instance:
    """The state of one embedded system, kept in its folder."""

    folder: Path
    id: str
    ports: dict[str, int] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)
    ready: bool = False
    """Whether the last `up` came to its end."""

    @classmethod
    def load(cls, folder: Path) -> Instance | None:
        """The instance in `folder`, or None when there is none.

        Raises:
            PenstockError: the folder holds something that no `up` of this version wrote, or cannot be read.
        """
        try:
            data = json.loads((folder / "instance.json").read_text())
            processes = {name: Process(**one) for name, one in data["processes"].items()}
            return cls(folder, data["id"], data["ports"], processes, data["ready"])
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PenstockError(
                f"cannot read {folder / 'instance.json'}: {error.strerror}",
                fix=f"look at what is in the way at {folder}, then delete it",
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise PenstockError(
                f"{folder / 'instance.json'} cannot be read: {error}",
                fix=f"end what still runs, then delete the folder {folder}",
            ) from error

    @classmethod
    def create(cls, folder: Path) -> Instance:
        """A new instance in `folder`, which is made with everything that an instance keeps in it.

        Raises:
            PenstockError: the folder cannot be written.
        """
        with files.writing(folder):
            for name in ("logs", "private", "images", "runs"):
                (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
            instance = cls(folder, secrets.token_hex(8))
            instance.save()
        return instance

    def save(self) -> None:
        """Write `instance.json`, whole or not at all."""
        processes = {name: asdict(one) for name, one in self.processes.items()}
        data = {"id": self.id, "ports": self.ports, "processes": processes, "ready": self.ready}
        files.write(self.folder / "instance.json", json.dumps(data, indent=2))

    def port(self, name: str) -> int:
        """The port of a service: the one it had before, or a free one, kept from now on."""
        if name not in self.ports:
            self.ports[name] = self._free_port()
            self.save()
        return self.ports[name]

    def renew_port(self, name: str) -> int:
        """Another free port for a service that is about to start, if the one it had is taken by now."""
        if name in self.ports and not _is_free(self.ports[name]):
            del self.ports[name]
        return self.port(name)

    def password(self, name: str) -> str:
        """A password or token of this instance, made when first asked for."""
        file = self.password_file(name)
        return file.read_text()

    def password_file(self, name: str) -> Path:
        """The file that holds `password(name)`; readable by its owner only."""
        file = self.folder / "private" / name
        if not file.exists():
            files.write(file, secrets.token_urlsafe(32))
        return file

    def log(self, name: str) -> Path:
        """The log file of a process or step."""
        return self.folder / "logs" / f"{name}.log"

    def environ(self) -> dict[str, str]:
        """What every process of the instance is started with: nothing of the caller's but PATH, HOME and language."""
        kept = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR") if name in os.environ
        }
        return {"LANG": "C.UTF-8", **kept, "PYTHONUNBUFFERED": "1", MARKER: self.id}

    def remove(self) -> None:
        """Delete the folder, logs included.

        Raises:
            PenstockError: something in it cannot be deleted.
        """
        # `instance.json` last: while it is there, another `penstock down` goes on where this one was interrupted.
        with files.writing(self.folder):
            for child in self.folder.iterdir():
                if child.is_dir() and not child.is_symlink():
                    shutil.rmtree(child)
            shutil.rmtree(self.folder)

    def _free_port(self) -> int:
        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port: int = probe.getsockname()[1]
            if port not in self.ports.values():
                return port


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder for one command that changes it. What is made in the block is for its owner only.

    Raises:
        PenstockError: another command holds it; the folder is a link or another user's; it cannot be written, now or
            later in the block.
    """
    _check_own(folder)
    mask = os.umask(0o077)
    try:
        with _held(folder):
            yield
    finally:
        os.umask(mask)


def _check_own(folder: Path) -> None:
    """Refuse what `penstock down` would delete in a place that nobody named."""
    for path in (folder.parent, folder):
        if path.is_symlink():
            raise PenstockError(
                f"{path} is a symbolic link: penstock down would empty what it points to",
                fix="remove the link; to use another disk, put the project there",
            )
        if path.exists() and os.geteuid() not in (0, path.stat().st_uid):
            raise PenstockError(f"{path} belongs to another user", fix="use a checkout of your own, or remove it")


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    with files.writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for path in (folder.parent, folder):  # an earlier version left them open to all
            path.chmod(0o700)
        file = (folder.parent / f"{folder.name}.lock").open("a+")
    with files.writing(folder), file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise PenstockError(
                f"another penstock command ({file.read().strip() or 'unknown process'}) is at work on {folder}",
                fix="wait for it to end, or end it with Ctrl-C where it runs",
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()}")
        file.flush()
        yield


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
