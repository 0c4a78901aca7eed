"""Objects under a key of KMS: who reads or writes one needs the key too, by way of S3.

Nothing is encrypted here; what counts is who may. An object is under the key that its request names, else under its
bucket's. A bucket with `aws:kms` and no key uses AWS's own, which everybody in the account may use by way of S3. Of a
key that is not in this account its own policy is not known, and not asked.
Sources: Amazon S3 API Reference, "Permissions" of CreateMultipartUpload and UploadPart (what each call needs of the
key); AWS KMS Developer Guide, `kms:ViaService`.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from penstock.local.aws import compat, iam

Answer = tuple[int, dict[str, str], bytes]
Headers = dict[str, str]

KEY = "x-amz-server-side-encryption-aws-kms-key-id"
READ, WRITE = "kms:Decrypt", "kms:GenerateDataKey"


def install() -> None:
    """Put the check before ministack's own answers."""
    compat.s3._get_object = _checked(compat.s3._get_object, lambda bucket, key, *_: [(READ, of_object(bucket, key))])
    compat.s3._put_object = _checked(compat.s3._put_object, _write)
    compat.s3._create_multipart_upload = _checked(compat.s3._create_multipart_upload, _write)
    compat.s3._copy_object = _checked(compat.s3._copy_object, _copy)
    compat.s3._upload_part = _checked(
        compat.s3._upload_part, lambda _bucket, _key, _body, query, *_: [(READ, of_upload(query))]
    )


def use(bucket: str, encryption: dict[str, Any] | None) -> None:
    """Note a bucket's own key, from `BucketEncryption` of a template; ministack's CloudFormation leaves it out."""
    rules = (encryption or {}).get("ServerSideEncryptionConfiguration") or []
    default = (rules[0] if rules else {}).get("ServerSideEncryptionByDefault") or {}
    key = default.get("KMSMasterKeyID")
    if key is None:
        # ministack knows no key of AWS's own, and would refuse what asks for one.
        compat.s3._bucket_encryption.pop(bucket, None)
        return
    compat.s3._bucket_encryption[bucket] = (
        "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>"
        f"<SSEAlgorithm>{default['SSEAlgorithm']}</SSEAlgorithm><KMSMasterKeyID>{key}</KMSMasterKeyID>"
        "</ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"
    )


def named(headers: Headers, bucket: str) -> str | None:
    """The key that a request to write names, else its bucket's."""
    if "x-amz-server-side-encryption" in headers:
        return headers.get(KEY)
    found: str | None = compat.s3._bucket_default_sse_headers(bucket).get(KEY)
    return found


def of_object(bucket: str, key: str) -> str | None:
    """The key that an object is under."""
    found = ((compat.s3._buckets.get(bucket) or {}).get("objects") or {}).get(key) or {}
    return (found.get("preserved_headers") or {}).get(KEY)


def of_upload(query: dict[str, Any]) -> str | None:
    """The key that an upload in parts has begun with."""
    upload = query.get("uploadId") or ""
    found = compat.s3._multipart_uploads.get(upload[0] if isinstance(upload, list) else upload) or {}
    return (found.get("preserved_headers") or {}).get(KEY)


def _write(bucket: str, _key: str, *more: Any) -> list[tuple[str, str | None]]:
    # The headers come last, after the body where there is one.
    return [(WRITE, named(more[-1], bucket))]


def _copy(bucket: str, _key: str, headers: Headers) -> list[tuple[str, str | None]]:
    source, _, key = headers.get("x-amz-copy-source", "").partition("?")[0].lstrip("/").partition("/")
    return [(READ, of_object(source, urllib.parse.unquote(key))), (WRITE, named(headers, bucket))]


def _checked(
    inner: Callable[..., Answer], needs: Callable[..., Iterable[tuple[str, str | None]]]
) -> Callable[..., Answer]:
    @wraps(inner)
    def answer(bucket: str, key: str, *more: Any) -> Answer:
        # ministack's own calls come from nobody.
        for action, kms_key in needs(bucket, key, *more) if iam.CALLER.get() else ():
            refused = kms_key and iam.caller_denial(action, kms_key, via_s3())
            if refused:
                denied: Answer = compat.s3._error("AccessDenied", refused, 403, f"/{bucket}/{key}")
                return denied
        return inner(bucket, key, *more)

    return answer


def via_s3() -> dict[str, str]:
    """What S3 adds to its calls of KMS."""
    return {"kms:ViaService": f"s3.{compat.responses.get_region()}.amazonaws.com"}
