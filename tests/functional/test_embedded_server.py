"""The embedded AWS as a process: what it opens, how it ends, what it leaves."""

from __future__ import annotations

import json
import re
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from botocore.exceptions import ClientError

from penstock.local.aws.endpoint import Endpoint
from penstock_runtime.errors import PenstockError
from tests.functional.embedded import MARKER, ROOT, Aws, Server, base_template, deploy, free_port, serving, until

STUBBORN = "trap '' TERM; setsid sleep 91.5 & echo up; while true; do sleep 0.1; done"


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[Aws]:
    with serving(tmp_path) as server:
        yield Aws(server, server.endpoint, deploy(server.endpoint, "base", base_template()))


def descendants(server: Server) -> list[psutil.Process]:
    return psutil.Process(server.process.pid).children(recursive=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_end_of_the_server_ends_its_containers(aws: Aws, number: signal.Signals) -> None:
    """However the server ends, no process of a container stays, deaf to SIGTERM or in a session of its own."""
    aws.wait_for(aws.start(STUBBORN), "up")
    left = descendants(aws.server)
    assert len(left) >= 3

    aws.server.process.send_signal(number)
    code = aws.server.process.wait(6)

    until(lambda: not [one for one in left if one.is_running() and one.status() != psutil.STATUS_ZOMBIE], 3)
    if number == signal.SIGTERM:
        assert code == 0
        assert list((aws.server.state / "tasks").iterdir()) == []
        with pytest.raises(PenstockError, match="no embedded AWS"):
            Endpoint.load(aws.server.state)


def test_opens_one_port_on_the_loopback_and_no_back_door(aws: Aws) -> None:
    """It listens on 127.0.0.1 and its port only, never on 443; ministack's administration is closed."""
    aws.client("sqs").create_queue(QueueName="any")
    own = psutil.Process(aws.server.process.pid)
    listening = [one.laddr for one in own.net_connections("inet") if one.status == psutil.CONN_LISTEN]
    trusted = ssl.create_default_context(cafile=str(aws.endpoint.ca))

    assert [(one.ip, one.port) for one in listening] == [("127.0.0.1", aws.endpoint.port)]
    for path in ("/_ministack/reset", "/_ministack/config", "/_localstack/health", "/latest/meta-data/iam"):
        request = urllib.request.Request(aws.endpoint.url + path, data=b"", method="POST")
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, context=trusted)
        assert caught.value.code == 404
    with pytest.raises(ClientError):
        aws.client("dynamodb").list_tables()


def test_files_are_private_and_processes_marked(aws: Aws) -> None:
    """The root key is its owner's; what a container runs carries the instance's marker."""
    aws.wait_for(aws.start("echo up; sleep 20"), "up")

    for name in ("root.json", "server.key"):
        assert (aws.server.state / name).stat().st_mode & 0o077 == 0
    assert aws.endpoint.root().secret_access_key not in (aws.server.state / "aws.json").read_text()
    for one in descendants(aws.server):
        assert one.environ()["PENSTOCK_INSTANCE"] == MARKER
        assert "AKIA" not in "".join(one.environ().values())


def test_nothing_of_it_is_outside_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has a fixed name in the temporary folder, where another user can make it first, or link or read it."""
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o777)
    for name in ("TMPDIR", "STATE_DIR", "S3_DATA_DIR"):
        monkeypatch.setenv(name, str(shared))
    with serving(tmp_path / "own") as server:
        server.endpoint.client("sqs").create_queue(QueueName="any")
        for path in (server.state, *server.state.rglob("*")):
            assert path.stat().st_mode & 0o077 == 0, path
        assert any((server.state / "ministack").iterdir())

    assert list(shared.iterdir()) == []


def test_port_that_is_taken_is_an_error(aws: Aws, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "penstock.local.aws", "--state", str(tmp_path / "second")]
    more = ["--port", str(aws.endpoint.port), "--images", str(tmp_path), "--region", "eu-west-1"]
    environ = {"PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}"}

    done = subprocess.run([*command, *more], env=environ, capture_output=True, text=True)

    assert done.returncode == 1
    assert re.search(r"port \d+ on 127.0.0.1 is taken\n  fix: ", done.stderr)


def test_names_of_ministack_are_checked() -> None:
    """Every name of ministack that the package uses is in the table that is checked at start, and a gap is named."""
    folder = ROOT / "penstock" / "local" / "aws"
    used = {
        found
        for file in folder.rglob("*.py")
        for found in re.findall(r"compat\.([a-z_0-9]+)\.([A-Za-z_0-9]+)", file.read_text())
    }
    script = (
        "import json; from penstock.local.aws import compat; compat.check(); "
        "print(json.dumps([(m, n) for m, names in compat.NAMES.items() for n in names])); "
        "del compat.ecs._clusters; compat.VERSION = '9.9'; compat.check()"
    )
    environ = {"PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}", "GATEWAY_PORT": str(free_port())}

    done = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, text=True)

    checked = {tuple(one) for one in json.loads(done.stdout)}
    assert used - checked == set()
    assert "the embedded AWS is written for 9.9; it lacks ecs._clusters" in done.stderr
