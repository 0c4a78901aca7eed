"""Which processes belong to an instance, and which do not, whatever has happened in between."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from penstock.local import files, services, trouble
from penstock.local.instance import Instance, Process
from penstock_runtime.errors import PenstockError
from tests.functional.embedded import until


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    """A new one, ended after the test."""
    new_instance = Instance.create(tmp_path / "dev")
    yield new_instance
    services.stop_all(new_instance)


@pytest.fixture
def bystander() -> Iterator[psutil.Process]:
    """A process of somebody else, in a session of its own."""
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as process:
        yield psutil.Process(process.pid)
        process.kill()


def test_who_has_the_process_id_by_now_is_left_alone(instance: Instance, bystander: psutil.Process) -> None:
    """After a restart of the machine, an id in `instance.json` is somebody else's."""
    recorded = Process("aws", bystander.pid, bystander.create_time() - 3600, str(instance.log("aws")))
    instance.processes["aws"] = recorded

    services.stop_all(instance)

    assert bystander.is_running()
    assert not services.alive(recorded)
    assert instance.processes == {}


def test_what_nobody_has_recorded_is_ended(instance: Instance) -> None:
    """Started by a command that was killed right then: it shows no marker any more, but it writes our log."""
    with (
        instance.log("airflow-scheduler").open("ab") as log,
        subprocess.Popen(["sleep", "600"], start_new_session=True, stdout=log, env={}) as lost,
    ):
        assert services.marked(instance.id) == []

        services.stop_all(instance)

        assert not psutil.pid_exists(lost.pid)


def test_followers_of_a_dead_process_are_ended(instance: Instance, tmp_path: Path) -> None:
    """SIGKILL of a service leaves its children; the next start of that name ends them first."""
    script = "sleep 600 > /dev/null & echo $!; exec sleep 600"
    first = services.start(instance, "tool", ["sh", "-c", script], {}, tmp_path)
    services.wait(first, lambda: Path(first.log).read_text().strip() != "", seconds=30)
    follower = psutil.Process(int(Path(first.log).read_text()))
    psutil.Process(first.pid).kill()
    until(lambda: not services.alive(first))

    second = services.start(instance, "tool", ["sleep", "600"], {}, tmp_path)

    assert not follower.is_running()
    assert services.alive(second)


def test_a_full_disk_keeps_nothing_alive(instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`instance.json` cannot be written, and yet every process ends."""
    started = [services.start(instance, name, ["sleep", "600"], {}, tmp_path) for name in ("aws", "airflow-scheduler")]

    def refuse(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "write", refuse)
    services.stop_all(instance)

    assert not any(services.alive(one) for one in started)


def test_an_error_names_the_service_that_died(instance: Instance, tmp_path: Path) -> None:
    """Not what followed from it; where nothing has died, the error stays what it was."""
    with pytest.raises(PenstockError, match=r"^it does not answer"), trouble.explained(instance):
        raise PenstockError("it does not answer", fix="none")
    process = services.start(instance, "postgres", ["sh", "-c", "echo last words"], {}, tmp_path)
    until(lambda: not services.alive(process))

    with pytest.raises(PenstockError) as caught, trouble.explained(instance):
        raise PenstockError("it does not answer", fix="none")

    assert caught.value.what.startswith("postgres ended, which nobody had asked for")
    assert "  | last words" in caught.value.what
    assert process.log in caught.value.fix


@pytest.mark.parametrize("said", ["ENOSPC: no space left on device, copyfile", "Disk quota exceeded"])
def test_an_error_names_the_disk_that_is_full(instance: Instance, said: str) -> None:
    """Also where the room has been given back since."""
    with pytest.raises(PenstockError, match=r"^a disk is full: synth failed") as caught, trouble.explained(instance):
        raise PenstockError(f"synth failed with exit code 1\n  | {said}", fix="read the log")

    assert f"MiB in {instance.folder}" in caught.value.fix
