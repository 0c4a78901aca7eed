"""The fault proxy before an embedded AWS: what boto3 sees of each fault, and what passes unchanged."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import io
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from penstock.local.aws.endpoint import Endpoint, Keys
from penstock.local.faults.client import Faults
from penstock.local.faults.place import Place
from penstock_runtime.errors import InputError, PenstockError
from tests.functional.embedded import ACCOUNT, REGION, ROOT, Aws, aws, free_port, until

__all__ = ["aws"]

MIB = 1024 * 1024
FILE = "# from the file\nfaults: [{call: sts:*, fault: error, code: FromFile}]\n"


@dataclass
class Proxied:
    """A proxy before an embedded AWS."""

    aws: Aws
    place: Place
    faults: Faults
    file: Path
    log: Path
    process: subprocess.Popen[bytes]

    def client(self, service: str, *, origin: str = "airflow", attempts: int = 1, **config: Any) -> Any:
        """A client that goes through the proxy, with the root key unless `keys` are given."""
        keys: Keys = config.pop("keys", None) or self.aws.endpoint.root()
        endpoint: Endpoint = self.aws.endpoint.through(getattr(self.place, origin))
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=endpoint.url,
            region_name=REGION,
            verify=str(endpoint.ca),
            aws_access_key_id=keys.access_key_id,
            aws_secret_access_key=keys.secret_access_key,
            aws_session_token=keys.session_token,
            config=Config(retries={"total_max_attempts": attempts}, inject_host_prefix=False, **config),
        )

    def tasks(self) -> set[str]:
        """The tasks that the embedded ECS knows, asked for directly."""
        ecs = self.aws.client("ecs")
        return {
            arn
            for status in ("RUNNING", "STOPPED")
            for arn in ecs.list_tasks(cluster="main", desiredStatus=status)["taskArns"]
        }

    def connection(self) -> http.client.HTTPSConnection:
        """A connection to Airflow's port, without boto3."""
        trusted = ssl.create_default_context(cafile=str(self.aws.endpoint.ca))
        return http.client.HTTPSConnection("127.0.0.1", self.place.airflow, context=trusted, timeout=20)


@contextlib.contextmanager
def proxying(aws: Aws, folder: Path) -> Iterator[Proxied]:
    """Start a proxy with a file of one rule."""
    state, file, log = folder / "faults", folder / "faults.yaml", folder / "faults.log"
    file.write_text(FILE)
    command = [sys.executable, "-m", "penstock.local.faults", "--state", str(state), "--aws", str(aws.server.state)]
    command += ["--file", str(file)]
    for name in ("airflow", "tasks", "desk", "control"):
        command += [f"--{name}", str(free_port())]
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}"}
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=subprocess.STDOUT)
    try:
        place = until(lambda: Place.load(state) or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield Proxied(aws, place, Faults(place.url), file, log, process)
    finally:
        if process.poll() is None:
            process.terminate()
            assert process.wait(10) == 0


@pytest.fixture(scope="module")
def shared(aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    with proxying(aws, tmp_path_factory.mktemp("proxy")) as found:
        yield found


@pytest.fixture
def proxied(shared: Proxied) -> Proxied:
    """A proxy that lets everything pass."""
    shared.faults.clear()
    return shared


def test_file_holds_until_other_rules_are_set(aws: Aws, tmp_path: Path) -> None:
    """Its rules hold at the start, a change of it counts at once, and a broken one keeps what holds."""
    with proxying(aws, tmp_path) as proxied:
        sts = proxied.client("sts")
        with pytest.raises(ClientError, match="FromFile"):
            sts.get_caller_identity()

        proxied.file.write_text(FILE.replace("FromFile", "Changed"))
        with pytest.raises(ClientError, match="Changed"):
            sts.get_caller_identity()

        proxied.file.write_text("faults: [{call: sts:Nothing, fault: error}]")
        with pytest.raises(ClientError, match="Changed"):
            sts.get_caller_identity()
        assert f"{proxied.file}:1:17: sts has no operation 'Nothing'" in (proxied.faults.counts().problem or "")
        assert "the rules from before still hold" in proxied.log.read_text()

        proxied.faults.set([])
        assert sts.get_caller_identity()["Account"] == ACCOUNT


def test_late_answer_is_held_back_and_the_call_is_done_at_once(proxied: Proxied) -> None:
    """What was called for is there long before the answer, and the answer is whole."""
    proxied.faults.set([{"call": "ecs:RunTask", "fault": "late", "seconds": 3, "count": 1}])
    before, answers = proxied.tasks(), list[Any]()
    ecs = proxied.client("ecs")
    start = time.monotonic()
    calling = threading.Thread(target=lambda: answers.append(ecs.run_task(**proxied.aws.call("true"))))
    calling.start()

    new = until(lambda: proxied.tasks() - before, 2)
    assert not answers
    calling.join(20)

    assert time.monotonic() - start >= 3
    assert {one["taskArn"] for one in answers[0]["tasks"]} == new


def test_call_whose_client_has_given_up_is_done_all_the_same(proxied: Proxied) -> None:
    """A client's timeout does not undo what AWS has done."""
    proxied.faults.set([{"call": "ecs:RunTask", "fault": "late", "seconds": 4}])
    before = proxied.tasks()

    with pytest.raises(ReadTimeoutError):
        proxied.client("ecs", read_timeout=1).run_task(**proxied.aws.call("true"))

    assert len(proxied.tasks() - before) == 1


def test_lost_answer(proxied: Proxied) -> None:
    """The call was done, once, and the client cannot know it."""
    proxied.faults.set([{"call": "ecs:RunTask", "fault": "lost"}])
    before = proxied.tasks()

    with pytest.raises(ConnectionClosedError):
        proxied.client("ecs").run_task(**proxied.aws.call("true"))

    assert len(proxied.tasks() - before) == 1
    assert proxied.faults.counts().calls["ecs:RunTask"] == 1


def test_lost_answer_is_asked_for_again(proxied: Proxied) -> None:
    """boto3 tries again; with the client token that it makes, AWS starts no second task."""
    proxied.faults.set([{"call": "ecs:RunTask", "fault": "lost", "count": 1}])
    before = proxied.tasks()

    answer = proxied.client("ecs", attempts=2).run_task(**proxied.aws.call("true"))

    assert {one["taskArn"] for one in answer["tasks"]} == proxied.tasks() - before
    assert len(answer["tasks"]) == 1
    assert proxied.faults.counts().calls["ecs:RunTask"] == 2


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ({"fault": "refused"}, BotoCoreError),
        ({"fault": "silent", "seconds": 1}, ConnectionClosedError),
        ({"fault": "error"}, ClientError),
        ({"fault": "throttled"}, ClientError),
        ({"fault": "throttled", "hidden": True}, ClientError),
    ],
)
def test_call_that_does_not_arrive_is_not_done(proxied: Proxied, rule: dict[str, Any], error: type[Exception]) -> None:
    """Nothing reaches the embedded AWS, and the next call passes."""
    proxied.faults.set([{"call": "ecs:RunTask", "count": 1, **rule}])
    before, ecs, start = proxied.tasks(), proxied.client("ecs"), time.monotonic()

    with pytest.raises(error):
        ecs.run_task(**proxied.aws.call("true"))

    assert time.monotonic() - start >= rule.get("seconds", 0)
    assert proxied.tasks() == before
    assert len(ecs.run_task(**proxied.aws.call("true"))["tasks"]) == 1
    assert proxied.faults.counts().hits == [1]


def test_refused_connection_is_reset(proxied: Proxied) -> None:
    """As by a host that knows nothing of it, not as by a server that is done."""
    proxied.faults.set([{"call": "*", "fault": "refused"}])
    with contextlib.closing(proxied.connection()) as connection:
        connection.request("GET", "/")
        with pytest.raises(ConnectionResetError):
            connection.getresponse()


def test_black_hole_outlasts_a_client(proxied: Proxied) -> None:
    """Its own timeout ends the call."""
    proxied.faults.set([{"call": "sts:*", "fault": "silent", "seconds": 60}])

    with pytest.raises(ReadTimeoutError):
        proxied.client("sts", read_timeout=1).get_caller_identity()


def test_cut_answer(proxied: Proxied) -> None:
    """Half of the body arrives, and the client sees that it is not all; without a body nothing arrives."""
    s3 = proxied.aws.client("s3")
    s3.put_object(Bucket="tool-bucket", Key="cut", Body=b"x" * 1000)
    proxied.faults.set([{"call": "s3:GetObject", "fault": "cut"}, {"call": "s3:HeadObject", "fault": "cut"}])
    behind = proxied.client("s3")

    with pytest.raises((ResponseStreamingError, BotoCoreError)) as caught:
        behind.get_object(Bucket="tool-bucket", Key="cut")["Body"].read()
    assert "500" in str(caught.value)
    with pytest.raises(ConnectionClosedError):
        behind.head_object(Bucket="tool-bucket", Key="cut")


def test_cut_answer_of_a_call(proxied: Proxied) -> None:
    """An answer that breaks off is an error of the connection, and no half answer."""
    proxied.faults.set([{"call": "ecs:DescribeTaskDefinition", "fault": "cut"}])

    with pytest.raises(BotoCoreError):
        proxied.client("ecs").describe_task_definition(taskDefinition="tool")


@pytest.mark.parametrize(
    ("service", "operation", "values"),
    [
        ("ecs", "describe_clusters", {}),
        ("logs", "describe_log_groups", {}),
        ("s3", "put_object", {"Bucket": "tool-bucket", "Key": "k", "Body": b"x" * MIB}),
        ("secretsmanager", "list_secrets", {}),
        ("sts", "get_caller_identity", {}),
    ],
)
def test_error_is_the_services_own(proxied: Proxied, service: str, operation: str, values: dict[str, Any]) -> None:
    """boto3 reads code, text and status, and the connection serves the next call."""
    rule = {"fault": "error", "status": 503, "code": "Odd", "message": "as asked <for>", "count": 1}
    proxied.faults.set([{"call": f"{service}:*", **rule}])
    client = proxied.client(service)

    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(**values)

    response: Any = caught.value.response
    assert (response["Error"]["Code"], response["Error"]["Message"]) == ("Odd", "as asked <for>")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 503
    getattr(client, operation)(**values)


def test_throttled_calls_are_tried_again(proxied: Proxied) -> None:
    """boto3 takes the code for throttling; what ECS hides behind another code it does not."""
    proxied.faults.set(
        [
            {"call": "ecs:DescribeClusters", "fault": "throttled", "count": 2},
            {"call": "s3:ListBuckets", "fault": "throttled", "count": 1},
            {"call": "ecs:RunTask", "fault": "throttled", "hidden": True},
        ]
    )

    proxied.client("ecs", attempts=4).describe_clusters()
    proxied.client("s3", attempts=4).list_buckets()
    with pytest.raises(ClientError, match=r"InvalidParameterException.*Rate exceeded") as caught:
        proxied.client("ecs", attempts=4).run_task(**proxied.aws.call("true"))

    assert caught.value.operation_name == "RunTask"
    assert proxied.faults.counts().calls == {"ecs:DescribeClusters": 3, "s3:ListBuckets": 2, "ecs:RunTask": 1}


def test_rules_change_during_the_run(proxied: Proxied) -> None:
    """From one call to the next on one connection; a wrong rule leaves those that hold."""
    sts = proxied.client("sts")
    sts.get_caller_identity()
    proxied.faults.set([{"call": "sts:*", "fault": "error", "code": "First"}])
    with pytest.raises(ClientError, match="First"):
        sts.get_caller_identity()
    with pytest.raises(InputError, match="sts has no operation 'Nothing'"):
        proxied.faults.set([{"call": "sts:Nothing", "fault": "lost"}])
    with pytest.raises(ClientError, match="First"):
        sts.get_caller_identity()
    assert proxied.faults.counts().hits == [2]

    proxied.faults.clear()
    sts.get_caller_identity()

    assert proxied.faults.counts().calls == {"sts:GetCallerIdentity": 1}


def test_origins_have_a_port_each(proxied: Proxied) -> None:
    """A rule for the tasks lets Airflow's calls pass, and counts tell one from the other."""
    proxied.faults.set([{"call": "sts:*", "from": "tasks", "fault": "throttled"}])

    proxied.client("sts").get_caller_identity()
    proxied.client("sts", origin="desk").get_caller_identity()
    with pytest.raises(ClientError, match="Throttling"):
        proxied.client("sts", origin="tasks").get_caller_identity()

    one = {"sts:GetCallerIdentity": 1}
    assert proxied.faults.counts().by_origin == {"airflow": one, "desk": one, "tasks": one}


def test_signatures_hold_behind_the_proxy(proxied: Proxied) -> None:
    """A role's own permissions count, and a wrong secret is refused: the request arrives as it was signed."""
    read = {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::tool-bucket/open/*"}
    keys = proxied.aws.role("behind-the-proxy", read)
    proxied.aws.client("s3").put_object(Bucket="tool-bucket", Key="open/a b+ü", Body=b"x")
    s3 = proxied.client("s3", keys=keys)

    assert s3.get_object(Bucket="tool-bucket", Key="open/a b+ü")["Body"].read() == b"x"
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket="tool-bucket", Key="closed")
    wrong = Keys(keys.access_key_id, "wrong", keys.session_token)
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        proxied.client("s3", keys=wrong).get_object(Bucket="tool-bucket", Key="open/a b+ü")


class Unseekable(io.RawIOBase):
    """A body that can be read once, of no known size: boto3 sends it in chunks of AWS's own."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._data.readinto(buffer)


def test_large_objects_pass_unchanged(proxied: Proxied) -> None:
    """20 MB at once, in parts and in chunks with a checksum behind them, up and down."""
    data = os.urandom(20 * MIB)
    digest = hashlib.sha256(data).hexdigest()
    s3, direct = proxied.client("s3"), proxied.aws.client("s3")

    s3.put_object(Bucket="tool-bucket", Key="whole", Body=data)
    s3.put_object(Bucket="tool-bucket", Key="chunks", Body=io.BytesIO(data), ChecksumAlgorithm="SHA256")
    s3.upload_fileobj(io.BufferedReader(Unseekable(data)), "tool-bucket", "parts")

    for key in ("whole", "chunks", "parts"):
        for client in (s3, direct):
            body = client.get_object(Bucket="tool-bucket", Key=key)["Body"].read()
            assert hashlib.sha256(body).hexdigest() == digest, key
        assert s3.head_object(Bucket="tool-bucket", Key=key)["ContentLength"] == len(data)
    found = io.BytesIO()
    s3.download_fileobj("tool-bucket", "whole", found)
    assert hashlib.sha256(found.getvalue()).hexdigest() == digest
    ranged = s3.get_object(Bucket="tool-bucket", Key="whole", Range="bytes=100-199")["Body"].read()
    assert ranged == data[100:200]
    calls = proxied.faults.counts().calls
    assert calls["s3:PutObject"] == 2
    assert calls["s3:UploadPart"] >= 3
    assert calls["s3:HeadObject"] >= 3


def test_client_waits_for_leave_to_send_its_body(proxied: Proxied) -> None:
    """The embedded AWS gives it, and it arrives; an error of the proxy's comes after the body, in good order."""
    with contextlib.closing(proxied.connection()) as connection:
        for status in (403, 500):
            proxied.faults.set([{"call": "*", "fault": "error"}] if status == 500 else [])
            connection.putrequest("PUT", "/tool-bucket/waits")
            connection.putheader("Content-Length", "5")
            connection.putheader("Expect", "100-continue")
            connection.endheaders()
            sock: Any = connection.sock
            assert sock.recv(65536).startswith(b"HTTP/1.1 100")
            connection.send(b"hello")
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status


def test_client_that_breaks_off_leaves_nothing_behind(proxied: Proxied) -> None:
    """The embedded AWS would wait for the rest of a body for as long as the proxy's connection to it is open."""
    own = psutil.Process(proxied.process.pid)

    def behind() -> set[int]:
        found = own.net_connections("inet")
        return {one.laddr.port for one in found if one.raddr and one.raddr.port == proxied.aws.endpoint.port}

    before = behind()
    with contextlib.closing(proxied.connection()) as connection:
        connection.putrequest("PUT", "/tool-bucket/half")
        connection.putheader("Content-Length", "1000")
        connection.endheaders(b"x" * 10)
        new = until(lambda: behind() - before)

    until(lambda: not behind() & new, 10)


def test_passing_through_takes_little(proxied: Proxied) -> None:
    """A call takes about a millisecond more; the limit leaves room for a busy machine."""

    def seconds(client: Any) -> float:
        found = []
        for _ in range(60):
            start = time.perf_counter()
            client.get_caller_identity()
            found.append(time.perf_counter() - start)
        return sorted(found)[len(found) // 2]

    behind, direct = proxied.client("sts"), proxied.aws.client("sts")
    seconds(behind), seconds(direct)

    assert seconds(behind) - seconds(direct) < 0.02


def test_connections_are_kept(proxied: Proxied) -> None:
    """A client's connection and the one behind it serve call after call: no more are opened."""
    own = psutil.Process(proxied.process.pid)
    sts = proxied.client("sts")
    sts.get_caller_identity()
    before = {one.laddr for one in own.net_connections("inet") if one.status == psutil.CONN_ESTABLISHED}

    for _ in range(20):
        sts.get_caller_identity()

    after = {one.laddr for one in own.net_connections("inet") if one.status == psutil.CONN_ESTABLISHED}
    assert after <= before


def test_rules_are_for_programs_of_this_machine(proxied: Proxied) -> None:
    """A web page that a browser of this machine shows can neither read counts nor set rules."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for headers in ({"Origin": "https://example.com"}, {"Host": "example.com:80"}):
        request = urllib.request.Request(proxied.place.url, data=b"faults: []", method="PUT", headers=headers)
        with pytest.raises(urllib.error.HTTPError, match="403"):
            opener.open(request)


def test_listens_on_the_loopback_only(proxied: Proxied) -> None:
    """Nobody else's calls come through it."""
    found = [
        one.laddr for one in psutil.Process(proxied.process.pid).net_connections("inet")
        if one.status == psutil.CONN_LISTEN
    ]  # fmt: skip
    place = proxied.place

    assert {one.ip for one in found} == {"127.0.0.1"}
    assert {one.port for one in found} == {place.airflow, place.tasks, place.desk, place.control}


def test_ends_at_once_with_a_call_held_back(aws: Aws, tmp_path: Path) -> None:
    """SIGTERM ends it whoever waits, and what says where it listens is gone."""
    with proxying(aws, tmp_path) as proxied:
        proxied.faults.set([{"call": "*", "fault": "silent", "seconds": 600}])
        sts = proxied.client("sts")
        errors = list[Exception]()

        def ask() -> None:
            try:
                sts.get_caller_identity()
            except BotoCoreError as error:
                errors.append(error)

        asking = threading.Thread(target=ask)
        asking.start()
        until(lambda: proxied.faults.counts().calls)
        proxied.process.send_signal(signal.SIGTERM)

        assert proxied.process.wait(5) == 0
        asking.join(10)
        assert len(errors) == 1
        assert Place.load(tmp_path / "faults") is None
        with pytest.raises(PenstockError, match="does not answer"):
            proxied.faults.counts()
