"""AWS's errors as each service's protocol has them.

Source of the forms: AWS's Smithy specification ("AWS JSON 1.0", "AWS JSON 1.1", "AWS restJson1", "AWS restXml", "AWS
query", "AWS EC2 query", "Smithy RPC v2 CBOR"). Codes of throttling: botocore's `ThrottledRetryableChecker`, and the
"Common errors" of each service's API reference.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from xml.sax.saxutils import escape

from penstock.local.faults import services
from penstock.local.faults.calls import Call, Head
from penstock.local.faults.rules import Rule

_RATE = "Rate exceeded"
_THROTTLING = {
    "s3": (503, "SlowDown", "Please reduce your request rate."),
    "ec2": (503, "RequestLimitExceeded", "Request limit exceeded."),
    "lambda": (429, "TooManyRequestsException", _RATE),
    "mwaa": (429, "ThrottlingException", _RATE),
    "sqs": (400, "RequestThrottled", _RATE),
    **dict.fromkeys(("cloudformation", "cloudwatch", "iam", "sns", "sts"), (400, "Throttling", _RATE)),
}
_OTHER_THROTTLING = (400, "ThrottlingException", _RATE)
_HIDDEN = (
    400,
    "InvalidParameterException",
    "Error retrieving subnet information for [subnet-00000000]: Rate exceeded (ErrorCode: Throttling)",
)
"""ECS's words when EC2 throttles what RunTask asks of it (dagster-io/dagster #33439)."""
_ERROR = (500, "InternalError", "We encountered an internal error. Please try again.")
_SERVER_ERROR = 500


@dataclass(frozen=True)
class Answer:
    """An answer that the proxy gives itself."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def answer(rule: Rule, call: Call, head: Head) -> Answer:
    """The answer that a rule gives in the place of the embedded AWS."""
    if rule.fault != "answered":
        return error(rule, call, head)
    body = (rule.body or "").encode()
    kind = head.headers.get("content-type", "application/x-amz-json-1.1")
    headers = (("content-type", kind), ("x-amzn-requestid", secrets.token_hex(8)), ("content-length", str(len(body))))
    return Answer(200, headers, body)


def error(rule: Rule, call: Call, head: Head) -> Answer:
    """The answer that a rule with the fault `error` or `throttled` gives."""
    if rule.fault == "throttled":
        status, code, message = _HIDDEN if rule.hidden else _THROTTLING.get(call.service, _OTHER_THROTTLING)
    else:
        status, code, message = rule.status or _ERROR[0], rule.code or _ERROR[1], rule.message or _ERROR[2]
    kind, named, body = _form(call, head, status, code, message)
    number = secrets.token_hex(8)
    headers = (("content-type", kind), *named, ("x-amzn-requestid", number), ("x-amz-request-id", number))
    # S3 gives an error of HEAD no body, and botocore takes the status for its code.
    sent = b"" if head.method == "HEAD" else body
    return Answer(status, (*headers, ("content-length", str(len(sent)))), sent)


def _form(
    call: Call, head: Head, status: int, code: str, message: str
) -> tuple[str, tuple[tuple[str, str], ...], bytes]:
    """Content type, headers and body of an error, in the protocol in which the request was made."""
    named = (("x-amzn-errortype", code),)
    if "smithy-protocol" in head.headers:
        return "application/cbor", (("smithy-protocol", "rpc-v2-cbor"),), _cbor({"__type": code, "message": message})
    if "x-amz-target" in head.headers:
        kind = head.headers.get("content-type", "application/x-amz-json-1.1")
        return kind, named, json.dumps({"__type": code, "message": message}).encode()
    if head.is_form or call.service not in services.NAMES.values():
        return "text/xml", (), _query(call, status, code, message)
    protocol = services.model(call.service).metadata["protocol"]
    if protocol == "rest-xml":
        path = escape(head.target.partition("?")[0])
        body = f"<Error>{_xml(code, message)}<Resource>{path}</Resource><RequestId>0</RequestId></Error>"
        return "application/xml", (), _document(body)
    if protocol == "rest-json":
        # Lambda's models call the text Message, those of the others message; botocore reads either.
        return "application/json", named, json.dumps({"message": message}).encode()
    return "text/xml", (), _query(call, status, code, message)


def _query(call: Call, status: int, code: str, message: str) -> bytes:
    if call.service == "ec2":
        return _document(
            f"<Response><Errors><Error>{_xml(code, message)}</Error></Errors><RequestID>0</RequestID></Response>"
        )
    blame = "Receiver" if status >= _SERVER_ERROR else "Sender"
    named = f"<Type>{blame}</Type>{_xml(code, message)}"
    return _document(f"<ErrorResponse><Error>{named}</Error><RequestId>0</RequestId></ErrorResponse>")


def _document(body: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode()


def _xml(code: str, message: str) -> str:
    return f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"


def _cbor(fields: dict[str, str]) -> bytes:
    """A map of texts (RFC 8949): a head of five bytes, which holds any length, before the map and before each text."""
    texts = [part.encode() for field in fields.items() for part in field]
    return b"\xba" + len(fields).to_bytes(4, "big") + b"".join(b"\x7a" + len(t).to_bytes(4, "big") + t for t in texts)
