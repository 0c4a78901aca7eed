"""The container's own program as a process of this machine, with nothing of the shell's but what a task may need."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from penstock.home import HOME
from penstock.local import environments
from penstock.local.aws.process import Container, Image, StartError
from penstock_runtime.errors import PenstockError

STOP_SECONDS = 30
"""Between SIGTERM and SIGKILL, as ECS has it."""
_PASSED_ON = ("AWS_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_",
              "REQUESTS_CA_BUNDLE", "LANG", "LC_", "TZ")  # fmt: skip
"""What begins the names of variables that a process of this machine needs to reach what a container in AWS does."""


def from_shell(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """The shell's variables that go along: access to AWS, proxies, certificates, the locale.

    Args:
        home: of the caller; where AWS's files are, if no variable says so.
    """
    kept = {name: value for name, value in environ.items() if name.startswith(_PASSED_ON)}
    for name, file in (("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")):
        if name not in kept and (home / ".aws" / file).exists():
            kept[name] = str(home / ".aws" / file)
    return kept


def run(
    environ: Mapping[str, str], lock: Path, folder: Path, say: Callable[[str], None], report: Callable[[str], None]
) -> int:
    """Run the runtime to its end; returns its exit code (`contract.Exit`, or the engine's own).

    On a signal it is stopped as ECS stops a container: SIGTERM, half a minute, SIGKILL.

    Args:
        lock: what the engine is installed from, if it is not there yet.
        folder: for the container's working directory; it must not have one yet.
        say: gets each line of its log, secrets masked.
        report: gets one line when something takes long.

    Raises:
        PenstockError: the engine cannot be installed, or does not start.
    """
    name = lock.stem if lock.parent.name == "images" else f"{lock.parent.name}-own"
    engine = environments.ensure(name, lock, report=report)
    image = Image("this machine", (str(engine / "bin"),), None, {"PYTHONUNBUFFERED": "1"})
    given = {**environ, "PYTHONPATH": str(HOME / "runtime")}
    try:
        container = Container.start(image, ["python", "-m", "penstock_runtime"], given, folder / "container")
    except StartError as error:
        raise PenstockError(str(error), fix=f"remove {engine} and run this again") from error
    with _stopped_with_us(container, say):
        for line in container.lines():
            say(line)
        return container.wait()


@contextlib.contextmanager
def _stopped_with_us(container: Container, say: Callable[[str], None]) -> Iterator[None]:
    """Where this process is asked to end, the container ends first, and says its last lines."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        container.terminate()
        killer = threading.Timer(STOP_SECONDS, container.kill)
        killer.start()
        try:
            for line in container.lines():
                say(line)
        finally:
            killer.cancel()
        raise
    finally:
        container.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            container.wait(STOP_SECONDS)
        container.close()
