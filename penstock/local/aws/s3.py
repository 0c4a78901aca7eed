"""S3 where ministack is more lenient or knows nothing.

Whether a key exists is told only to who may list the bucket. Source: Amazon S3 API Reference, GetObject and HeadObject:
a missing object is 404 with `s3:ListBucket`, 403 without. The condition key `s3:prefix` then holds the object's key (as
Ceph's authors saw on AWS: ceph/ceph, pull request 68577).

The account's own public access block can be asked for; it has none. Source: Amazon S3 API Reference, S3 Control,
GetPublicAccessBlock.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from penstock.local.aws import compat, iam

Answer = tuple[int, dict[str, str], bytes]

_ACCOUNT_BLOCK = "/v20180820/configuration/publicAccessBlock"


def install() -> None:
    """Put the check behind ministack's own answers."""
    compat.s3._get_object = _hiding(compat.s3._get_object)
    compat.s3._head_object = _hiding(compat.s3._head_object)
    compat.app._handle_s3_control_request = _with_account_block(compat.app._handle_s3_control_request)


def _with_account_block(inner: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def answer(
        path: str, method: str, body: bytes, query: Any, request: str, headers: dict[str, str] | None = None
    ) -> Any:
        if (path, method) != (_ACCOUNT_BLOCK, "GET"):
            return await inner(path, method, body, query, request, headers)
        action = "s3:GetAccountPublicAccessBlock"
        refused = compat.app._enforce_data_plane("s3", action, headers or {}, query, request, resource_arn="*")
        what = "The public access block configuration was not found"
        return refused or compat.s3.s3control_error("NoSuchPublicAccessBlockConfiguration", what, 404)

    return answer


def _hiding(inner: Callable[..., Answer]) -> Callable[..., Answer]:
    def answer(bucket: str, key: str, *more: Any) -> Answer:
        found = inner(bucket, key, *more)
        # That a bucket is missing is not a secret; and ministack's own calls come from nobody.
        if found[0] != 404 or bucket not in compat.s3._buckets or not iam.CALLER.get():
            return found
        refused = iam.caller_denial("s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": key})
        if refused is None:
            return found
        hidden: Answer = compat.s3._error("AccessDenied", refused, 403, f"/{bucket}/{key}")
        return hidden

    return answer
