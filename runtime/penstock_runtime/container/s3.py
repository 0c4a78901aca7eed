"""Read an object of S3 with the standard library alone, with the credentials of the container's role.

The container's entry point holds this text too (`bootstrap`), less comments and docstrings, for images of which nothing
is known but that they have Python. Sources: AWS, Amazon S3 API Reference, "Authenticating Requests (AWS Signature
Version 4)"; AWS SDKs and Tools Reference Guide, "Container credential provider", "Service-specific endpoints".
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import random
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request

TRIES = 5
TIMEOUT_SECONDS = 60
"""Without a byte from the other side."""
EMPTY = hashlib.sha256(b"").hexdigest()
"""The hash of a request without a body."""
AGAIN = {"RequestTimeout", "SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded"}
"""Error codes that go away, besides all answers from 500 on and 429 (as botocore's `standard` retries)."""

MOST_OF_AN_ERROR = 9999
"""Bytes of an answer in which a code and a message are looked for."""


class S3Error(OSError):
    """An object could not be read. `code` is S3's own, or else the HTTP status; empty where nothing answered."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def read(bucket: str, key: str, span: str = "") -> bytes:
    """The object's content, or the part of it that `span` names, such as `bytes=0-99`.

    The container's role comes before keys in the environment: those may be the user's own, for something else.

    Raises:
        S3Error: there is no such object, the role may not read it, or S3 does not answer.
    """
    env = os.environ
    # Ours first: AWS_REGION may be the user's own.
    names = ("PENSTOCK_ARTIFACTS_REGION", "AWS_REGION", "AWS_DEFAULT_REGION")
    region = next((env[name] for name in names if env.get(name)), "us-east-1")
    url = address(bucket, key, region)
    return get(url, {**signed(url, region, credentials(), time.gmtime()), **({"Range": span} if span else {})})


def address(bucket: str, key: str, region: str) -> str:
    """The object's URL: below the endpoint that the environment names, or else in its region."""
    env, path = os.environ, "/" + urllib.parse.quote(key, safe="/~")
    endpoint = env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL")
    if endpoint:
        return endpoint.rstrip("/") + "/" + bucket + path
    suffix = {"cn": "amazonaws.com.cn", "eusc": "amazonaws.eu"}.get(region.partition("-")[0], "amazonaws.com")
    fips = "-fips" if env.get("AWS_USE_FIPS_ENDPOINT", "").lower() == "true" else ""
    dual = ".dualstack" if env.get("AWS_USE_DUALSTACK_ENDPOINT", "").lower() == "true" else ""
    host = f"s3{fips}{dual}.{region}.{suffix}"
    # A certificate's wildcard stands for one label.
    return f"https://{host}/{bucket}{path}" if "." in bucket else f"https://{bucket}.{host}{path}"


def credentials() -> tuple[str, str, str]:
    """Access key, secret key and session token (may be empty).

    Raises:
        S3Error: there are none.
    """
    env = os.environ
    relative, url = env.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"), env.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if relative:
        url = "http://169.254.170.2" + relative
    if url:
        token = env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
        if env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"):
            with open(env["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]) as file:  # noqa: PTH123
                token = file.read().strip()
        found = json.loads(get(url, {"Authorization": token} if token else {}, direct=True))
        return found["AccessKeyId"], found["SecretAccessKey"], found.get("Token", "")
    if env.get("AWS_ACCESS_KEY_ID") and env.get("AWS_SECRET_ACCESS_KEY"):
        return env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env.get("AWS_SESSION_TOKEN", "")
    raise S3Error("NoCredentials", "no AWS credentials: the container has no role, and no keys in its environment")


def signed(url: str, region: str, keys: tuple[str, str, str], now: time.struct_time) -> dict[str, str]:
    """The headers of a GET request for that URL, signed by Signature Version 4 at that time (UTC)."""
    place, stamp = urllib.parse.urlsplit(url), time.strftime("%Y%m%dT%H%M%SZ", now)
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    headers = {"host": place.netloc, "x-amz-content-sha256": EMPTY, "x-amz-date": stamp}
    if keys[2]:
        headers["x-amz-security-token"] = keys[2]
    names = ";".join(sorted(headers))
    lines = ["GET", place.path, "", *(f"{name}:{headers[name]}" for name in sorted(headers)), "", names, EMPTY]
    request = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    digest = f"AWS4{keys[1]}".encode()
    for part in (*scope.split("/"), "\n".join(("AWS4-HMAC-SHA256", stamp, scope, request))):
        digest = hmac.new(digest, part.encode(), "sha256").digest()
    told = f"Credential={keys[0]}/{scope}, SignedHeaders={names}, Signature={digest.hex()}"
    return {**headers, "Authorization": "AWS4-HMAC-SHA256 " + told}


def get(url: str, headers: dict[str, str], direct: bool = False) -> bytes:
    """What an address answers, tried again with growing pauses where that may help.

    Args:
        direct: whether no proxy of the environment leads there.

    Raises:
        S3Error: it answers with an error, or not at all.
    """
    context = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)
    handlers = [urllib.request.HTTPSHandler(context=context)]
    opener = urllib.request.build_opener(*handlers, *([urllib.request.ProxyHandler({})] if direct else []))
    host, error = urllib.parse.urlsplit(url).netloc, S3Error("", "")
    for number in range(TRIES):
        if number:
            time.sleep(random.uniform(0.5, 1) * 2 ** (number - 1))
        try:
            with opener.open(urllib.request.Request(url, headers=headers), timeout=TIMEOUT_SECONDS) as answer:
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as refusal:
            text = refusal.read(MOST_OF_AN_ERROR).decode("utf-8", "replace")
            code, message = (re.search(f"<{name}>(.*?)</{name}>", text, re.S) for name in ("Code", "Message"))
            told = f"{code[1]}: {message[1] if message else ''}" if code else text[:200]
            error = S3Error(code[1] if code else str(refusal.code), f"{host} answered {refusal.code}, {told}")
            if refusal.code < 500 and refusal.code != 429 and error.code not in AGAIN:
                break
        except (OSError, http.client.HTTPException) as trouble:
            error = S3Error("", f"{host}: {getattr(trouble, 'reason', '') or trouble}")
            if "CERTIFICATE_VERIFY_FAILED" in str(trouble):
                break
    raise error
