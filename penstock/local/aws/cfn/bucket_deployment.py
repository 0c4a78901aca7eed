"""Custom::CDKBucketDeployment, done here in place of CDK's Lambda function.

Properties and their meaning follow aws-cdk-lib 2.275.0, custom-resource-handlers/…/bucket-deployment-handler/index.py:
sources are unpacked one over the other, markers replaced with deploy-time values, then the result is synchronized to
the destination as `aws s3 sync` does: it lists the destination, and sends what has 8 MiB or more in parts (AWS CLI, "S3
Configuration": multipart_threshold). All of it with a session of the function's role: what CDK does not grant to
the function, fails here too.
"""

from __future__ import annotations

import contextlib
import fnmatch
import io
import json
import mimetypes
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from boto3.s3.transfer import TransferConfig

from penstock.local.aws import compat, iam
from penstock.local.aws.endpoint import Endpoint

Properties = dict[str, Any]
Made = tuple[str, Properties]

SESSION_SECONDS = 900
"""The longest that a Lambda function runs."""
_IN_PARTS = TransferConfig(multipart_threshold=8 * 1024 * 1024, use_threads=False)
OWNER_TAG = "aws-cdk:cr-owned"
"""Tag on the destination bucket for each deployment into it; CDK puts it there."""


class BucketDeployment:
    """The handlers of the resource."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def create(self, _logical_id: str, properties: Properties, _stack: str) -> Made:
        versions = self._deploy(properties)
        return f"aws.cdk.s3deployment.{uuid.uuid4()}", _attributes(properties, versions)

    def update(self, physical_id: str, old: Properties, new: Properties, _stack: str) -> Made:
        if not _flag(new, "RetainOnDelete", True) and _destination(old) != _destination(new):
            self._remove(old)
        versions = self._deploy(new)
        return physical_id, _attributes(new, versions)

    def delete(self, _physical_id: str, properties: Properties) -> None:
        if not _flag(properties, "RetainOnDelete", True) and not self._owned(properties):
            self._remove(properties)

    @contextlib.contextmanager
    def _s3(self, properties: Properties) -> Iterator[Any]:
        """A client with what CDK's function may do.

        Raises:
            ValueError: there is no such function.
            iam.RoleError: it cannot take its role.
        """
        token = str(properties["ServiceToken"])
        function = compat.lambda_svc._functions.get(token.rsplit(":", 1)[-1])
        if function is None:
            raise ValueError(f"Function not found: {token}")
        keys = iam.session(function["config"]["Role"], "deployment", "lambda.amazonaws.com", SESSION_SECONDS)
        try:
            yield self._endpoint.client("s3", keys)
        finally:
            iam.forget(keys)

    def _deploy(self, properties: Properties) -> list[str] | None:
        """Synchronize; the versions of what was deployed, one for each source, where they are asked for."""
        with self._s3(properties) as s3:
            self._synchronize(s3, properties)
            if not _flag(properties, "OutputObjectVersionIds", False):
                return None
            bucket, prefix = _destination(properties)
            names = [key.rsplit("/", 1)[-1] for key in properties["SourceObjectKeys"]]
            return [s3.head_object(Bucket=bucket, Key=prefix + name).get("VersionId", "") for name in names]

    def _synchronize(self, s3: Any, properties: Properties) -> None:
        files = self._files(s3, properties)
        bucket, prefix = _destination(properties)
        exclude, include = properties.get("Exclude") or [], properties.get("Include") or []
        kept = {name: body for name, body in files.items() if _selected(name, exclude, include)}
        arguments = _metadata(properties)
        # Every file is newer than what is there: it was unpacked just now. So all are sent, but the list is asked for.
        there = self._keys(s3, bucket, prefix)
        for name, body in kept.items():
            kind = mimetypes.guess_type(name)[0] or "binary/octet-stream"
            more = {"ContentType": kind, **arguments}
            s3.upload_fileobj(io.BytesIO(body), bucket, prefix + name, ExtraArgs=more, Config=_IN_PARTS)
        if _flag(properties, "Prune", True):
            # Like `sync --delete`: what the filters leave out is neither copied nor removed.
            gone = [
                key
                for key in there
                if key[len(prefix) :] not in kept and _selected(key[len(prefix) :], exclude, include)
            ]
            _delete(s3, bucket, gone)

    def _files(self, s3: Any, properties: Properties) -> dict[str, bytes]:
        buckets, keys = properties["SourceBucketNames"], properties["SourceObjectKeys"]
        markers = properties.get("SourceMarkers") or [{}] * len(buckets)
        settings = properties.get("SourceMarkersConfig") or [{}] * len(buckets)
        if len(markers) != len(buckets):
            raise ValueError("'source_markers' and 's3_source_zips' must be the same length")
        files: dict[str, bytes] = {}
        for bucket, key, found, setting in zip(buckets, keys, markers, settings, strict=True):
            body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            if not _flag(properties, "Extract", True):
                files[key.rsplit("/", 1)[-1]] = body
                continue
            values = _replacements(found, _flag(setting, "jsonEscape", False))
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                for entry in archive.infolist():
                    if not entry.is_dir():
                        files[entry.filename] = _replace(archive.read(entry), values)
        return files

    def _keys(self, s3: Any, bucket: str, prefix: str) -> list[str]:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [one["Key"] for page in pages for one in page.get("Contents", [])]

    def _remove(self, properties: Properties) -> None:
        bucket, prefix = _destination(properties)
        with self._s3(properties) as s3:
            _delete(s3, bucket, self._keys(s3, bucket, prefix))

    def _owned(self, properties: Properties) -> bool:
        """Whether a deployment still owns the destination: then this is a replacement, and nothing is removed."""
        bucket, prefix = _destination(properties)
        tag = f"{OWNER_TAG}:{prefix.rstrip('/')}" if prefix else OWNER_TAG
        with self._s3(properties) as s3:
            try:
                tags = s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
            except s3.exceptions.ClientError:
                return False
        return any(one["Key"].startswith(tag) for one in tags)


def _destination(properties: Properties) -> tuple[str, str]:
    """Bucket, and the keys' prefix with its slash."""
    prefix = str(properties.get("DestinationBucketKeyPrefix") or "").strip("/")
    return str(properties["DestinationBucketName"]), f"{prefix}/" if prefix else ""


def _attributes(properties: Properties, versions: list[str] | None) -> Properties:
    keys = properties["SourceObjectKeys"] if _flag(properties, "OutputObjectKeys", True) else []
    data = {"DestinationBucketArn": properties.get("DestinationBucketArn"), "SourceObjectKeys": keys}
    return data if versions is None else {**data, "SourceObjectVersionIds": versions}


def _flag(properties: Mapping[str, Any], name: str, default: bool) -> bool:
    """A boolean property; CloudFormation hands booleans to custom resources as text."""
    value = properties.get(name)
    return default if value is None else str(value).lower() == "true"


def _replacements(markers: Mapping[str, Any], json_escape: bool) -> dict[bytes, bytes]:
    contents = {}
    for marker, value in markers.items():
        text = value
        if json_escape:
            text = json.dumps(value)
            text = text[1:-1] if isinstance(value, str) else text
        contents[marker.encode()] = str(text).encode()
    return contents


def _replace(body: bytes, values: Mapping[bytes, bytes]) -> bytes:
    for marker, value in values.items():
        body = body.replace(marker, value)
    return body


def _selected(name: str, exclude: Sequence[str], include: Sequence[str]) -> bool:
    """`aws s3 sync --exclude … --include …`: all is in, the excludes take out, the includes after them take in."""
    chosen = not any(fnmatch.fnmatchcase(name, pattern) for pattern in exclude)
    return chosen or any(fnmatch.fnmatchcase(name, pattern) for pattern in include)


def _metadata(properties: Properties) -> dict[str, Any]:
    system = {
        "content-type": "ContentType",
        "cache-control": "CacheControl",
        "content-disposition": "ContentDisposition",
        "content-encoding": "ContentEncoding",
        "content-language": "ContentLanguage",
    }
    stated = {name.lower(): value for name, value in (properties.get("SystemMetadata") or {}).items()}
    found: dict[str, Any] = {system[name]: value for name, value in stated.items() if name in system}
    user = {name.lower(): str(value) for name, value in (properties.get("UserMetadata") or {}).items()}
    return {**found, **({"Metadata": user} if user else {})}


def _delete(s3: Any, bucket: str, keys: Sequence[str]) -> None:
    for start in range(0, len(keys), 1000):
        objects = [{"Key": key} for key in keys[start : start + 1000]]
        s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
