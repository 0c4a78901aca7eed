"""A container: a local process group under a `keeper`, in a folder of its own."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

KEEPER = Path(__file__).with_name("keeper.py")
MARKER = "PENSTOCK_INSTANCE"
"""Passed on from the server's environment, so that the desk finds what an instance has left."""
SYSTEM_PATH = ("/usr/bin", "/bin")
LINE_BYTES = 256 * 1024 - 26
"""The largest CloudWatch Logs event, less its overhead; a longer line becomes several events."""


class StartError(Exception):
    """The process could not be started; the text is ECS's."""


@dataclass(frozen=True)
class Image:
    """What a manifest in the images folder says: which folders are on PATH, what lies in the working directory."""

    reference: str
    path: tuple[str, ...]
    workdir: Path | None
    environment: dict[str, str]
    entry_point: tuple[str, ...] = ()
    command: tuple[str, ...] = ()

    def argv(self, entry_point: Sequence[str] | None, command: Sequence[str] | None) -> list[str]:
        """What a container starts with these settings of ECS's in the place of the image's own.

        With another entry point the image's own command counts no more (Docker, "docker container run", --entrypoint).
        """
        if entry_point:
            return [*entry_point, *(command or ())]
        return [*self.entry_point, *(command or self.command)]


class Container:
    """One started container."""

    def __init__(self, keeper: subprocess.Popen[bytes], folder: Path) -> None:
        self._keeper, self._folder = keeper, folder

    @classmethod
    def start(cls, image: Image, argv: Sequence[str], environ: Mapping[str, str], folder: Path) -> Container:
        """Start `argv` in a copy of the image's working directory below `folder`, which must not exist.

        Raises:
            StartError: there is no such program, or it cannot be executed.
        """
        home, tmp = folder / "work", folder / "tmp"
        if image.workdir is not None:
            shutil.copytree(image.workdir, home, symlinks=True)
        home.mkdir(parents=True, exist_ok=True)
        tmp.mkdir(mode=0o700)
        path = os.pathsep.join((*image.path, *SYSTEM_PATH))
        marker = {MARKER: os.environ[MARKER]} if MARKER in os.environ else {}
        full = {"PATH": path, "HOME": str(home), "TMPDIR": str(tmp), **image.environment, **environ, **marker}
        program = shutil.which(argv[0], path=full["PATH"]) if argv else None
        if program is None:
            name = argv[0] if argv else ""
            raise StartError(f'CannotStartContainerError: exec: "{name}": executable file not found in $PATH: unknown')
        order = {"argv": [*argv], "environ": full, "cwd": str(home)}
        keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(KEEPER)],
            env=marker,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        container = cls(keeper, folder)
        with contextlib.suppress(BrokenPipeError):
            _pipe(keeper.stdin).write(json.dumps(order).encode() + b"\n")
            _pipe(keeper.stdin).flush()
        said = _pipe(keeper.stderr).readline().decode(errors="replace").strip()
        if not said.startswith("started"):
            container.wait()
            container.close()
            raise StartError(f"CannotStartContainerError: {said.removeprefix('failed ') or 'the keeper ended'}")
        first = int(said.removeprefix("started"))
        threading.Thread(
            target=container._end_without_keeper, args=(first,), daemon=True, name=f"keeper-{keeper.pid}"
        ).start()
        return container

    def lines(self) -> Iterator[str]:
        """What the container writes, line by line without the line ends, until its last process is gone."""
        stdout = _pipe(self._keeper.stdout)
        while line := stdout.readline(LINE_BYTES):
            yield line.decode("utf-8", "replace").rstrip("\r\n")

    def terminate(self) -> None:
        """SIGTERM to the container's first process, as `StopTask` does."""
        with contextlib.suppress(ProcessLookupError):
            self._keeper.terminate()

    def kill(self) -> None:
        """SIGKILL to all of its processes: the keeper does it when its standard input closes."""
        with contextlib.suppress(OSError):
            _pipe(self._keeper.stdin).close()

    def wait(self, seconds: float | None = None) -> int:
        """The exit code, 137 where the keeper itself was killed.

        Raises:
            subprocess.TimeoutExpired: it still runs after `seconds`.
        """
        code = self._keeper.wait(seconds)
        return code if code >= 0 else 137

    def _end_without_keeper(self, first: int) -> None:
        """End the container whose keeper was killed: its first process died with it, the others hold the pipe."""
        if self._keeper.wait() >= 0:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(first, signal.SIGKILL)
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError, PermissionError):
                if os.getsid(process.pid) == first:
                    process.kill()

    def close(self) -> None:
        """Give the pipes of an ended container back."""
        for pipe in (self._keeper.stdin, self._keeper.stdout, self._keeper.stderr):
            with contextlib.suppress(OSError):
                _pipe(pipe).close()


def load_image(folder: Path, reference: str) -> Image | None:
    """The image that stands for `reference`, or None where the folder holds no manifest for it."""
    name = hashlib.sha256(reference.encode()).hexdigest()[:32]
    try:
        data = json.loads((folder / f"{name}.json").read_text())
    except FileNotFoundError:
        return None
    workdir = Path(data["workdir"]) if data.get("workdir") else None
    return Image(
        reference,
        tuple(data["path"]),
        workdir,
        dict(data.get("environment") or {}),
        tuple(data.get("entry_point") or ()),
        tuple(data.get("command") or ()),
    )


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise AssertionError("the keeper is started with pipes")
    return pipe
