"""What goes wrong on a machine: killed processes, Ctrl-C, taken ports, full disks, no network.

One system, without any network but the loopback where the machine lets us make that, in the order of the tests.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from penstock.local import postgres_files, services
from penstock.local.instance import Process
from tests.functional.embedded import until
from tests.functional.embedded_system import SECONDS, EmbeddedSystem, copy_sample

WORD = "wait-for-the-test"
WAIT = f"import time; print('{WORD}', flush=True); time.sleep(600)"
HEAD = ["--format", "json"]


@pytest.fixture(scope="module")
def offline() -> Iterator[tuple[str, ...]]:
    """How a command line begins that has no network; nothing where this machine has no network namespaces for us."""
    script = "ip link set lo up && echo ready && exec sleep 3600"
    with subprocess.Popen(["unshare", "-n", "sh", "-c", script], stdout=subprocess.PIPE, text=True) as namespace:
        assert namespace.stdout is not None
        try:
            made = namespace.stdout.readline() == "ready\n"
            yield ("nsenter", "-t", str(namespace.pid), "-n") if made else ()
        finally:
            namespace.kill()


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, offline: tuple[str, ...]) -> Iterator[EmbeddedSystem]:
    """The sample with two jobs more, `hello` and `wait`; the tests bring it up."""
    folder = tmp_path_factory.mktemp("trouble")
    copy_sample(folder)
    found = EmbeddedSystem(folder, inside=offline)

    def edit(project: dict[str, Any]) -> None:
        for name, code in (("hello", "print('hello')"), ("wait", WAIT)):
            project["jobs"][name] = {"tasks": [{"name": name, "command": ["python", "-c", code]}]}
            project["schedules"].append({"name": f"{name}-by-hand", "job": name, "interval": "@manual", "retries": 0})
        project["schedules"][1]["interval"] = "@yearly"  # nothing but what the tests start

    found.edit(edit)
    try:
        yield found
    finally:
        found.cli("down", check=False)


@contextlib.contextmanager
def started(system: EmbeddedSystem, *arguments: str, until_it_says: str) -> Iterator[subprocess.Popen[str]]:
    """A command that has come so far as to say this."""
    with subprocess.Popen(
        system.command(*arguments),
        env=system.environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_hear,
    ) as command:
        try:
            assert command.stderr is not None
            said = ""
            for line in command.stderr:
                said += line
                if until_it_says in line:
                    break
            else:
                raise AssertionError(f"it never said {until_it_says!r}:\n{said}")
            yield command
        finally:
            if command.poll() is None:
                command.kill()


def _hear() -> None:
    """A shell that runs the tests in the background has made them deaf to Ctrl-C, nohup to the end of a session."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def kill(one: Process | psutil.Process) -> None:
    """SIGKILL, and wait until it is gone."""
    os.kill(one.pid, signal.SIGKILL)
    until(lambda: not alive(one.pid))


def alive(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def left(system: EmbeddedSystem) -> list[list[str]]:
    """What is left of the instance, by name and process id."""
    return [[one.name(), str(one.pid)] for one in services.leftovers(system.instance) if alive(one.pid)]


def of_command(system: EmbeddedSystem, word: str) -> list[psutil.Process]:
    """The processes of the instance whose command line holds a word."""
    found = []
    for one in services.marked(system.instance.id):
        with contextlib.suppress(psutil.NoSuchProcess):  # a zombie, too
            found += [one] if any(word in part for part in one.cmdline()) else []
    return found


def no_traceback(said: str) -> None:
    assert "Traceback" not in said, said


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


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[EmbeddedSystem]:
    """The sample in a folder of its own, never up."""
    copy_sample(tmp_path)
    found = EmbeddedSystem(tmp_path)
    yield found
    found.cli("down", check=False)


@pytest.mark.parametrize(
    ("step", "signals", "code", "words"),
    [
        ("install", [signal.SIGINT], 130, "ended by Ctrl-C"),
        ("embedded AWS", [signal.SIGTERM], 143, "ended by SIGTERM"),
        ("PostgreSQL", [signal.SIGHUP], 129, "ended by SIGHUP"),
        ("recording catalogue", [signal.SIGINT, signal.SIGINT, signal.SIGTERM], 130, "everything is being ended"),
        ("synthesize", [signal.SIGTERM, signal.SIGINT], 143, "everything is being ended"),
        ("bootstrap", [signal.SIGINT], 130, "ended by Ctrl-C"),
    ],
)
def test_a_signal_leaves_no_process(
    fresh: EmbeddedSystem, step: str, signals: list[signal.Signals], code: int, words: str
) -> None:
    """Whatever the step, also with an impatient second signal while everything is being ended."""
    first, *more = signals
    with started(fresh, "up", until_it_says=f"… {step}") as up:
        if more:
            # Slow to end, so that the others come while it is being waited for.
            stubborn = fresh.instance.processes["aws"].pid
            os.kill(stubborn, signal.SIGSTOP)
        up.send_signal(first)
        if more:
            assert up.stderr is not None
            next(line for line in up.stderr if line.startswith("✗"))
            until(lambda: not alive(fresh.instance.processes["postgres"].pid), 60)
            for number in more:
                up.send_signal(number)
            os.kill(stubborn, signal.SIGCONT)
        _, rest = up.communicate(timeout=SECONDS)

    assert up.returncode == code, rest
    assert words in rest
    no_traceback(rest)
    assert left(fresh) == []


@pytest.mark.parametrize(
    ("place", "words"),
    [("state", ".penstock"), ("mounted", ".penstock/dev"), ("cache", "PENSTOCK_CACHE")],
)
def test_what_cannot_be_written_is_named(
    fresh: EmbeddedSystem, monkeypatch: pytest.MonkeyPatch, place: str, words: str
) -> None:
    """A file where a folder is wanted, a read-only file system: the path and a fix, no traceback."""
    with contextlib.ExitStack() as stack:
        if place == "mounted":
            stack.enter_context(mounted(fresh.folder / ".penstock", "size=64k,ro"))
        else:
            path = fresh.folder / (".penstock" if place == "state" else "cache")
            path.write_text("in the way")
            stack.callback(path.unlink)
            if place == "cache":
                monkeypatch.setenv("PENSTOCK_CACHE", str(path))
        up = fresh.cli("up", check=False)

    assert up.returncode == 1
    assert "error: cannot write" in up.stderr
    assert words in up.stderr
    assert "fix: " in up.stderr
    no_traceback(up.stderr)


@pytest.mark.parametrize("kib", [8, 2048])
def test_a_full_disk_is_named(fresh: EmbeddedSystem, kib: int) -> None:
    """At the first file, and in the middle of `up`: the disk, the folder, no process."""
    with mounted(fresh.folder / ".penstock", f"size={kib}k"):
        up = fresh.cli("up", check=False)

        assert up.returncode == 1
        assert "No space left" in up.stderr or "a disk is full" in up.stderr, up.stderr
        assert "fix: free space" in up.stderr
        assert str(fresh.state) in up.stderr
        no_traceback(up.stderr)
        if (fresh.state / "instance.json").exists():
            assert left(fresh) == []
        fresh.cli("down")


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A small file system of its own on a folder."""
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(folder)], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"this machine lets us mount nothing: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_cold_machine_without_network_is_told(tmp_path: Path, offline: tuple[str, ...]) -> None:
    """Nothing installed and nobody to ask: where to look, in one message."""
    if not offline:
        pytest.skip("this machine has no network namespaces for us")
    environ = {**os.environ, "PENSTOCK_CACHE": str(tmp_path / "cache"), "UV_CACHE_DIR": str(tmp_path / "uv")}
    copy_sample(tmp_path)
    project = ["--project", str(tmp_path / "penstock.yaml")]

    done = subprocess.run(
        [*offline, sys.executable, "-m", "penstock.local.setup", *project],
        env=environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )

    assert done.returncode == 1
    assert "check the way to the package index" in done.stderr
    no_traceback(done.stderr)
    assert not any(one.is_dir() for one in (tmp_path / "cache" / "envs").iterdir())
