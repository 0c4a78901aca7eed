"""AWS::S3::Bucket: its tags, which CDK's custom resources read, its key, and that only an empty one can be deleted."""

from __future__ import annotations

from typing import Any

from penstock.local.aws import compat, s3_encryption


def correct(handler: dict[str, Any]) -> None:
    """Store tags and encryption with the bucket, as the calls of S3 do; check before a delete."""
    create, update, delete = handler["create"], handler["update"], handler["delete"]

    def create_bucket(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
        name, attributes = create(logical_id, properties, stack)
        s3_encryption.use(name, properties.get("BucketEncryption"))
        return _tag(name, properties), attributes

    def update_bucket(bucket: str, old: dict[str, Any], new: dict[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
        name, attributes = update(bucket, old, new, stack)
        s3_encryption.use(name, new.get("BucketEncryption"))
        return _tag(name, new), attributes

    def delete_bucket(bucket: str, properties: dict[str, Any]) -> None:
        versions = [key for key, kept in compat.s3._object_versions.items() if key[0] == bucket and kept]
        if versions or (compat.s3._buckets.get(bucket) or {}).get("objects"):
            raise ValueError("The bucket you tried to delete is not empty (Service: S3, Status Code: 409)")
        delete(bucket, properties)

    handler.update(create=create_bucket, update=update_bucket, delete=delete_bucket)


def _tag(bucket: str, properties: dict[str, Any]) -> str:
    tags = {one["Key"]: one["Value"] for one in properties.get("Tags") or []}
    if tags:
        compat.s3._bucket_tags[bucket] = tags
    else:
        compat.s3._bucket_tags.pop(bucket, None)
    return bucket
