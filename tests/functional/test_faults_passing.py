"""What passes the fault proxy unchanged, whom it serves, and how it ends."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import signal
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from penstock.local.aws.endpoint import Keys
from penstock.local.faults.place import Place
from penstock_runtime.errors import PenstockError
from tests.functional.embedded import Aws, aws, until
from tests.functional.proxied import Proxied, proxied, proxying, shared

__all__ = ["aws", "proxied", "shared"]

MIB = 1024 * 1024


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
    buffer = io.BytesIO()
    s3.download_fileobj("tool-bucket", "whole", buffer)
    assert hashlib.sha256(buffer.getvalue()).hexdigest() == digest
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
    """A call takes about a millisecond more; one that waits for a timer of TCP's takes 40."""

    def seconds(client: Any) -> float:
        found = []
        for _ in range(60):
            start = time.perf_counter()
            client.get_caller_identity()
            found.append(time.perf_counter() - start)
        return min(found)

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
