"""What goes wrong with a workflow, run by the real package: each has a diagnosis that names cause and fix.

Trouble with the server's answers is in `test_catalogue_trouble`, a wrong password of the source in `test_engines`.
"""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path

import psutil

from penstock.local.catalogue import client
from penstock.versions.openmetadata import RELEASES
from penstock_runtime import contract
from penstock_runtime.contract import Exit
from penstock_runtime.diagnosis.diagnose import diagnose
from tests.functional.engines import Warehouse, archive
from tests.functional.servers import free_port, recording_catalogue
from tests.functional.workflow_system import TOKEN, System
from tests.unit.runtime.diagnosis.stopped_task import stopped

__all__ = ["archive"]

LINE = "1.12"


def system(archive: Path, folder: Path, address: str) -> System:
    """Without a warehouse: no workflow here comes so far."""
    return System(LINE, archive, Warehouse(1), folder, address, folder)


def test_another_version_of_the_server(archive: Path, tmp_path: Path) -> None:
    """Before the package is imported: both versions, and what to change. The file may say to go on all the same."""
    with recording_catalogue(tmp_path, TOKEN, "1.9.17") as (state, address):
        done = system(archive, tmp_path, address).run("metadata")

    assert done.code == Exit.FAILED
    assert f"penstock: the OpenMetadata server {address} has version 1.9.17" in done.text
    assert f"openmetadata-ingestion {RELEASES[LINE].package}" in done.text
    assert "fix: set openmetadata.version to 1.9.17 in penstock.yaml" in done.text
    assert "enableVersionValidation: false" in done.text
    found = diagnose(stopped(code=done.code), done.text.splitlines())
    assert ("has version 1.9.17" in found.cause, "openmetadata.version to 1.9.17" in found.fix) == (True, True)
    assert client.summary(state) == {}


def test_server_that_is_down(archive: Path, tmp_path: Path) -> None:
    """The last word of the log is the diagnosis: which server, and what to look at."""
    address = f"http://127.0.0.1:{free_port()}/api"
    done = system(archive, tmp_path, address).run("metadata")

    found = diagnose(stopped(code=done.code), done.text.splitlines())
    assert done.code == Exit.FAILED
    assert found.cause == f"cannot reach the OpenMetadata server {address}: it refuses the connection"
    assert "the server is up" in found.fix


def test_time_limit(archive: Path, tmp_path: Path) -> None:
    """Reached before the package is even imported: the container ends itself, and the diagnosis names the setting."""
    address = f"http://127.0.0.1:{free_port()}/api"
    done = system(archive, tmp_path, address).run("metadata", **{contract.TIMEOUT_SECONDS: "1"})

    found = diagnose(stopped(code=done.code), done.text.splitlines())
    assert done.code == Exit.TIMED_OUT
    assert "reached its time limit" in found.cause
    assert "timeout_minutes" in found.fix


def test_out_of_memory(archive: Path, tmp_path: Path) -> None:
    """The kernel kills the engine's process, the largest one; the container lives on to say so."""
    killer = threading.Thread(target=_kill_engine, args=(tmp_path,), daemon=True)
    killer.start()
    done = system(archive, tmp_path, f"http://127.0.0.1:{free_port()}/api").run("metadata")

    found = diagnose(stopped(code=done.code) | {"memory": "1024"}, done.text.splitlines())
    assert done.code == Exit.KILLED
    assert done.metric["EndedBy"] == "signal"
    assert "memory was full" in found.cause
    assert found.fix == "raise memory_mib of the task; it had 1024 MiB"


def _kill_engine(folder: Path) -> None:
    """Kill the process of the engine that works in a folder, once it is there."""
    module = "penstock_runtime.container.engines.openmetadata"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for one in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if module in one.cmdline() and one.cwd() == str(folder):
                    return one.kill()
        time.sleep(0.1)
    return None
