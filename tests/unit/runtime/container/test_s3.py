"""Reading an object of S3 without boto3: signature, address, credentials, tries."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import botocore.auth
import botocore.session
import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from penstock.aws.arns import domain_of
from penstock_runtime.container import s3
from tests.unit.runtime.container.object_server import Objects, serving_objects

NOW = datetime(2026, 11, 30, 12, 30, 45, tzinfo=UTC)
SLOW_DOWN = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


class Sent(Exception):
    """A request is ready, and is not to go out."""


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> Iterator[Objects]:
    """Served at the endpoint that the environment names, with keys in the environment and no pauses."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "PENSTOCK_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    with serving_objects() as served:
        monkeypatch.setenv("AWS_ENDPOINT_URL", served.url)
        monkeypatch.setenv("AWS_REGION", "eu-west-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUSERSOWN")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the user's")
        yield served


@pytest.mark.parametrize("token", ["", "a/session+token=="])
@pytest.mark.parametrize("key", ["runtime/0.zip", "configs/a b+ü~'$.yaml"])
def test_the_signature_is_botocore_s(key: str, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same request at the same time, signed by botocore, has the same signature."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    url = s3.address("artifacts", key, "eu-west-1")
    request = AWSRequest("GET", url, headers={"X-Amz-Content-SHA256": s3.EMPTY})
    signer = botocore.auth.S3SigV4Auth(Credentials("AKIA", "secret/key", token or None), "s3", "eu-west-1")
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda remove_tzinfo=True: NOW.replace(tzinfo=None))
    signer.add_auth(request)

    headers = s3.signed(url, "eu-west-1", ("AKIA", "secret/key", token), NOW.utctimetuple())

    assert headers["Authorization"] == request.headers["Authorization"]
    assert headers["x-amz-date"] == request.headers["X-Amz-Date"]


def test_the_address_is_botocore_s_in_every_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """In all partitions that a project can be deployed to; with FIPS and with IPv6, where the environment asks."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    session = botocore.session.Session()
    regions = [one for name in ("aws", "aws-cn", "aws-us-gov") for one in session.get_available_regions("s3", name)]

    def of_botocore(region: str, bucket: str, **more: Any) -> str:
        client: Any = session.create_client(
            "s3", region, config=Config(**more), aws_access_key_id="a", aws_secret_access_key="b"
        )
        sent: list[str] = []

        def stop(request: Any, **_: object) -> None:
            sent.append(request.url)
            raise Sent

        client.meta.events.register("before-send.s3.GetObject", stop)
        with pytest.raises(Sent):
            client.get_object(Bucket=bucket, Key="a/b")
        return sent[0]

    assert len(regions) > 30
    for region in ("eu-west-1", "us-east-2", "cn-north-1", "us-gov-west-1"):
        for bucket in ("acme-dev-artifacts", "with.dots"):
            assert s3.address(bucket, "a/b", region) == of_botocore(region, bucket)
    for region in regions:
        assert s3.address("b", "k", region) == f"https://b.s3.{region}.{domain_of(region)}/k"
    assert s3.address("b", "k", "eusc-de-east-1") == f"https://b.s3.eusc-de-east-1.{domain_of('eusc-de-east-1')}/k"
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    monkeypatch.setenv("AWS_USE_DUALSTACK_ENDPOINT", "true")
    expected = of_botocore("us-east-2", "artifacts", use_fips_endpoint=True, use_dualstack_endpoint=True)
    assert s3.address("artifacts", "a/b", "us-east-2") == expected


def test_reads_below_the_endpoint_that_the_environment_names(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3's own endpoint before the one for all services; signed for the artifacts' region, whatever AWS_REGION is."""
    objects.found["/artifacts/a%20b"] = b"content"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", objects.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("PENSTOCK_ARTIFACTS_REGION", "eu-central-1")

    assert s3.read("artifacts", "a b") == b"content"
    assert "AKIAUSERSOWN/" in objects.asked[0][1]["authorization"]
    assert "/eu-central-1/s3/aws4_request" in objects.asked[0][1]["authorization"]


@pytest.mark.parametrize("as_file", [False, True])
def test_the_container_s_role_comes_before_keys_of_the_user_s(
    objects: Objects, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, as_file: bool
) -> None:
    """As ECS and EKS give it, with the token that the address asks for; no proxy is asked for credentials."""
    objects.found["/b/k"] = b"content"
    keys = {"AccessKeyId": "ASIAROLE", "SecretAccessKey": "s", "Token": "session"}
    objects.found["/credentials"] = json.dumps(keys).encode()
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{objects.url}/credentials")
    if as_file:
        (tmp_path / "token").write_text("Bearer 1\n")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
    else:
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Bearer 1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setattr(s3, "signed", lambda _url, _region, keys, _now: {"x-keys": "/".join(keys)})

    assert s3.credentials() == ("ASIAROLE", "s", "session")
    monkeypatch.delenv("http_proxy")
    assert s3.read("b", "k") == b"content"
    assert objects.asked[0] == ("/credentials", {**objects.asked[0][1], "authorization": "Bearer 1"})
    assert objects.asked[-1][1]["x-keys"] == "ASIAROLE/s/session"


def test_ecs_s_own_address_of_credentials(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative address is below ECS's link-local one (AWS, "Task IAM role")."""
    asked = []

    def get(url: str, headers: dict[str, str], *, direct: bool) -> bytes:
        asked.append((url, headers, direct))
        return b'{"AccessKeyId": "A", "SecretAccessKey": "S", "Token": "T"}'

    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/1")
    monkeypatch.setattr(s3, "get", get)

    assert s3.credentials() == ("A", "S", "T")
    assert asked == [("http://169.254.170.2/v2/credentials/1", {}, True)]


def test_without_credentials_it_says_so(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a role nor keys: one sentence, and nothing is asked."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")

    with pytest.raises(s3.S3Error, match="the container has no role") as caught:
        s3.read("b", "k")

    assert (caught.value.code, objects.asked) == ("NoCredentials", [])


@pytest.mark.parametrize(("status", "body"), [(503, SLOW_DOWN), (500, "x"), (429, ""), (400, SLOW_DOWN)])
def test_tries_again_where_that_may_help(objects: Objects, status: int, body: str) -> None:
    """Throttling and errors of the server; each try is a request of its own."""
    objects.found["/b/k"] = b"content"
    objects.failures = [(status, body)] * (s3.TRIES - 1)

    assert s3.read("b", "k") == b"content"
    assert len(objects.asked) == s3.TRIES


def test_gives_up_in_the_end_with_what_s3_said(objects: Objects) -> None:
    """After the last try: host, status, code and message."""
    objects.failures = [(503, SLOW_DOWN)] * s3.TRIES

    with pytest.raises(s3.S3Error) as caught:
        s3.read("b", "k")

    assert caught.value.code == "SlowDown"
    assert str(caught.value) == f"127.0.0.1:{objects.port} answered 503, SlowDown: Please reduce your request rate."
    assert len(objects.asked) == s3.TRIES


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchKey"])
def test_a_refusal_is_final(objects: Objects, code: str) -> None:
    """An error that another attempt cannot fix is reported at once."""
    objects.failures = [(403, f"<Error><Code>{code}</Code><Message>no</Message></Error>")]

    with pytest.raises(s3.S3Error) as caught:
        s3.read("b", "k")

    assert (caught.value.code, len(objects.asked)) == (code, 1)


def test_the_pauses_grow(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    """With chance in them, so that tasks that started together do not come back together."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    objects.failures = [(503, SLOW_DOWN)] * s3.TRIES

    with pytest.raises(s3.S3Error):
        s3.read("b", "k")

    assert len(pauses) == s3.TRIES - 1
    for number, pause in enumerate(pauses):
        assert 2**number / 2 <= pause <= 2**number


def test_nobody_answers(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address behind which nothing listens is named; the code is empty."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    with pytest.raises(s3.S3Error, match=r"127\.0\.0\.1:9: .*refused") as caught:
        s3.read("b", "k")

    assert caught.value.code == ""


def test_time_is_utc() -> None:
    """The stamp is in the form that SigV4 has."""
    headers = s3.signed("https://h/k", "eu-west-1", ("a", "b", ""), time.gmtime(0))

    assert headers["x-amz-date"] == "19700101T000000Z"
