"""What boto3 sends, and what it makes of an answer, without a server."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from penstock.local.faults.answers import Answer
from penstock.local.faults.calls import Call, Head, call

URL = "https://127.0.0.1:4566"


class Raw:
    """The stream that botocore reads a body from."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, amt: int = 0, decode_content: bool = True) -> Any:
        yield self._body

    def read(self, amt: int | None = None) -> bytes:
        body, self._body = self._body, b""
        return body


class Sent:
    """One request of boto3's, caught before it leaves; of several the first, for S3 asks further after some errors."""

    def __init__(self, service: str, operation: str, answer: Any = None, **values: Any) -> None:
        self.head, self.body = Head("", "", {}), b""
        self.error: ClientError | None = None
        self.result: dict[str, Any] = {}
        self._answer = answer
        client: Any = boto3.client(
            service,  # type: ignore[call-overload]  any service
            endpoint_url=URL,
            region_name="eu-west-1",
            aws_access_key_id="AKIAEXAMPLE",
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}, inject_host_prefix=False),
        )
        client.meta.events.register("before-send.*.*", self._catch)
        try:
            self.result = getattr(client, operation)(**values)
        except ClientError as error:
            self.error = error
        except ResponseParserError:
            assert answer is None, "an answer of ours must be readable"

    @property
    def call(self) -> Call:
        return call(self.head, self.body if self.head.is_form else b"")

    def _catch(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        if not self.head.method:
            self._keep(request)
        found: Answer = self._answer(self) if self._answer else Answer(400, (("content-length", "0"),), b"")
        return AWSResponse(str(request.url), found.status, dict(found.headers), Raw(found.body))

    def _keep(self, request: AWSPreparedRequest) -> None:
        headers = {
            name.lower(): value.decode() if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }
        body: Any = request.body or b""
        self.body = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else body.read()
        self.head = Head(str(request.method), str(request.url).removeprefix(URL), headers)
