"""What goes wrong on a machine: processes that are killed, ports that are taken, no network.

One system, without any network but the loopback where the machine lets us make that, in the order of the tests.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from penstock.local import postgres_files, services
from tests.functional.embedded import until
from tests.functional.embedded_system import SECONDS, EmbeddedSystem, copy_sample
from tests.functional.troubled import alive, kill, left, no_traceback, offline, started

__all__ = ["offline"]

WORD = "wait-for-the-test"
WAIT = f"import time; print('{WORD}', flush=True); time.sleep(600)"
HEAD = ["--format", "json"]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, offline: tuple[str, ...]) -> Iterator[EmbeddedSystem]:
    """The sample with two jobs more, `hello` and `wait`; the tests bring it up."""
    folder = tmp_path_factory.mktemp("trouble")
    copy_sample(folder)
    embedded = EmbeddedSystem(folder, inside=offline)

    def edit(project: dict[str, Any]) -> None:
        for name, code in (("hello", "print('hello')"), ("wait", WAIT)):
            project["jobs"][name] = {"tasks": [{"name": name, "command": ["python", "-c", code]}]}
            project["schedules"].append({"name": f"{name}-by-hand", "job": name, "interval": "@manual", "retries": 0})
        project["schedules"][1]["interval"] = "@yearly"  # nothing but what the tests start

    embedded.edit(edit)
    try:
        yield embedded
    finally:
        embedded.cli("down", check=False)


def of_command(system: EmbeddedSystem, word: str) -> list[psutil.Process]:
    """The processes of the instance whose command line holds a word."""
    found = []
    for one in services.marked(system.instance.id):
        with contextlib.suppress(psutil.NoSuchProcess):  # a zombie, too
            found += [one] if any(word in part for part in one.cmdline()) else []
    return found


def test_a_killed_up_is_ended_by_the_next_command(system: EmbeddedSystem) -> None:
    """SIGKILL of `penstock up` takes the step it was at along; services stay, and the next `up` ends them."""
    with started(system, "up", until_it_says="… deploy the stacks") as up:
        until(lambda: of_command(system, "cdk"), 60)
        cdk = of_command(system, "cdk")
        kill(psutil.Process(up.pid))

    until(lambda: not any(alive(one.pid) for one in cdk))
    before = {name: one.pid for name, one in system.instance.processes.items()}
    assert set(before) == {"aws", "postgres", "catalogue"}
    status = system.cli("status", *HEAD, check=False)
    assert (status.returncode, json.loads(status.stdout)["up"]) == (1, False)
    with started(system, "up", until_it_says="… install"):
        assert not any(alive(pid) for pid in before.values())
    system.cli("down")


def test_a_second_command_is_refused_while_one_is_at_work(system: EmbeddedSystem) -> None:
    """`up`, `run` and `down` say who is at work; `status` and `logs` answer. Then the CDK CLI is killed."""
    with started(system, "up", until_it_says="… deploy the stacks") as up:
        until(lambda: of_command(system, "cdk") and "synth" in system.cli("logs").stdout, 60)
        # Stopped, so that it cannot end before all the others have been refused, however busy the machine is.
        for process in of_command(system, "cdk"):
            process.suspend()
        for command in (("up",), ("run", "hello"), ("run", "hello", "--up"), ("down",)):
            refused = system.cli(*command, check=False)
            assert refused.returncode == 1, command
            assert f"another penstock command (process {up.pid}) is at work" in refused.stderr
        assert system.cli("status", check=False).returncode == 1
        assert "synth" in system.cli("logs").stdout
        for one in of_command(system, "cdk"):
            with contextlib.suppress(ProcessLookupError):
                one.kill()
        _, said = up.communicate(timeout=SECONDS)

    assert up.returncode == 1
    assert "deploy was killed (SIGKILL)" in said
    assert f"read {system.state / 'logs' / 'deploy.log'}" in said
    no_traceback(said)
    assert left(system) == []


def test_a_service_that_dies_during_up_is_named(system: EmbeddedSystem) -> None:
    """Not the CDK CLI, which only fails because the embedded AWS is gone."""
    with started(system, "up", until_it_says="… deploy the stacks") as up:
        kill(system.instance.processes["aws"])
        _, said = up.communicate(timeout=SECONDS)

    assert up.returncode == 1
    assert "error: aws ended" in said
    assert str(system.instance.log("aws")) in said
    no_traceback(said)
    assert left(system) == []


def test_up_and_run_need_no_network(system: EmbeddedSystem) -> None:
    """What was installed once is enough, the image of the Meltano project included."""
    if system.inside:
        address = "import socket; socket.create_connection(('192.0.2.1', 443), 5)"
        away = subprocess.run([*system.inside, sys.executable, "-c", address], capture_output=True, text=True)
        assert "Network is unreachable" in away.stderr

    system.cli("up")

    assert system.run("hello")["succeeded"]


@pytest.mark.parametrize("whom", ["the process", "its keeper"])
def test_a_killed_fargate_task_fails_its_run(system: EmbeddedSystem, whom: str) -> None:
    """Exit code 137, as ECS says it, and nothing of the container is left."""
    with started(system, "run", "wait", *HEAD, until_it_says="running") as run:
        until(lambda: WORD in system.cli("logs", "wait", check=False).stdout, 60)
        (process,) = [one for one in of_command(system, WORD) if one.ppid() != system.instance.processes["aws"].pid]
        keeper = process.parent()
        assert keeper is not None
        kill(process if whom == "the process" else keeper)
        out, said = run.communicate(timeout=SECONDS)

    assert run.returncode == 1
    no_traceback(said)
    assert [task["exit_code"] for task in json.loads(out)["tasks"]] == [137]
    until(lambda: not of_command(system, WORD))


def test_dead_parts_of_airflow_are_named_and_taken_ports_left_alone(system: EmbeddedSystem) -> None:
    """Each one that dies is named; `up` starts them all, on other ports where theirs are taken, and loses no run."""
    processes = system.instance.processes
    with started(system, "run", "wait", until_it_says="running") as run:
        until(lambda: of_command(system, WORD), 60)
        kill(processes["airflow-scheduler"])
        _, said = run.communicate(timeout=SECONDS)
    assert run.returncode == 1
    assert "error: airflow-scheduler ended" in said
    assert processes["airflow-scheduler"].log in said
    no_traceback(said)

    names = ["airflow-scheduler"]
    for name in ("sync", "airflow-api-server", "airflow-triggerer", "airflow-dag-processor", "catalogue"):
        kill(processes[name])
        names.append(name)
        refused = system.cli("run", "hello", check=False)
        assert refused.returncode == 2
        assert f"{', '.join(one for one in processes if one in names)} ended since penstock up" in refused.stderr

    ports = {name: system.instance.ports[name] for name in ("airflow", "catalogue")}
    until(lambda: not any(listening(system, port) for port in ports.values()))
    with taken(system, *ports.values()):
        up = system.cli("up")
    for name in names:
        assert f"{name} ended since the last penstock up; its log: {processes[name].log}" in up.stderr
    assert "was cut off by that; it counts as failed" in up.stderr
    assert all(system.instance.ports[name] != port for name, port in ports.items())
    until(lambda: not of_command(system, WORD), 60)
    assert system.run("hello")["succeeded"]


def test_dead_databases_and_clouds_are_named_and_replaced(system: EmbeddedSystem) -> None:
    """PostgreSQL and the embedded AWS die in the middle of a run; one `penstock up` later all is well."""
    processes = system.instance.processes
    with started(system, "run", "wait", until_it_says="running") as run:
        until(lambda: of_command(system, WORD), 60)
        (server,) = psutil.Process(processes["postgres"].pid).children()
        kill(server)
        _, said = run.communicate(timeout=SECONDS)
    assert run.returncode == 1
    assert "error: postgres ended" in said
    assert "PostgreSQL ended by itself" in said
    no_traceback(said)
    kill(processes["aws"])
    until(lambda: not of_command(system, WORD))
    ports = {name: system.instance.ports[name] for name in ("aws", "postgres")}
    until(lambda: not any(listening(system, port) for port in ports.values()), 60)

    with taken(system, *ports.values()):
        system.cli("up")

    assert all(system.instance.ports[name] != port for name, port in ports.items())
    assert system.run("hello")["succeeded"]


def test_down_ends_the_rest(system: EmbeddedSystem) -> None:
    """After all that nothing is left, on disk either."""
    instance = system.instance

    system.cli("down")

    assert services.leftovers(instance) == []
    assert not system.state.exists()
    assert not postgres_files.exist(system.state / "postgres")


@contextlib.contextmanager
def taken(system: EmbeddedSystem, *ports: int) -> Iterator[None]:
    """Another program listens on these ports, where the system runs."""
    code = (
        "import socket, sys, time\n"
        "held = [socket.create_server(('127.0.0.1', int(port))) for port in sys.argv[1:]]\n"
        "print('ready', flush=True); time.sleep(3600)"
    )
    command = [*system.inside, sys.executable, "-c", code, *map(str, ports)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == "ready\n"
            yield
            assert other.poll() is None
        finally:
            other.kill()


def listening(system: EmbeddedSystem, port: int) -> bool:
    code = f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)"
    return subprocess.run([*system.inside, sys.executable, "-c", code], stderr=subprocess.DEVNULL).returncode == 0
