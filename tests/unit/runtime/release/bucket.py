"""S3 in memory, for switches of releases."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from typing import Any

from penstock_runtime.release.manifest import MANIFEST, Manifest, Release, ReleaseLocation

PLACE = ReleaseLocation("artifacts", "dags", "dags/acme")


OLD = Release("aaaa", "1" * 64, 100, "c1", "deploy")


NEW = Release("bbbb", "2" * 64, 200, "c2", "push")


class ClientError(Exception):
    """As botocore's."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


class Bucket:
    """S3's answers to the calls of a switch, in memory; `fail_at` names a key that nobody may write, `kept` one that
    nobody may delete."""

    class exceptions:
        ClientError = ClientError

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.fail_at = ""
        self.kept = ""
        self.written: list[str] = []

    def etag(self, bucket: str, key: str) -> str:
        return hashlib.sha256(self.objects[bucket, key]).hexdigest()

    def list_objects_v2(self, Bucket: str, Prefix: str, MaxKeys: int = 1000) -> dict[str, Any]:
        keys = sorted(key for bucket, key in self.objects if bucket == Bucket and key.startswith(Prefix))
        return {"Contents": [{"Key": key} for key in keys[:MaxKeys]]} if keys else {}

    def get_paginator(self, _name: str) -> Any:
        class Pages:
            @staticmethod
            def paginate(**arguments: str) -> Iterator[dict[str, Any]]:
                yield self.list_objects_v2(**arguments)

        return Pages

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(self.objects[Bucket, Key]), "ETag": self.etag(Bucket, Key)}

    def put_object(
        self, Bucket: str, Key: str, Body: bytes, IfMatch: str | None = None, IfNoneMatch: str | None = None
    ) -> dict[str, Any]:
        there = (Bucket, Key) in self.objects
        if (IfNoneMatch == "*" and there) or (IfMatch and (not there or IfMatch != self.etag(Bucket, Key))):
            raise ClientError("PreconditionFailed")
        self.objects[Bucket, Key] = Body
        return {"ETag": self.etag(Bucket, Key)}

    def copy_object(self, Bucket: str, Key: str, CopySource: dict[str, str]) -> None:
        if Key.endswith(self.fail_at or "\0"):
            raise ClientError("AccessDenied")
        self.written.append(Key)
        self.objects[Bucket, Key] = self.objects[CopySource["Bucket"], CopySource["Key"]]

    def delete_object(self, Bucket: str, Key: str) -> None:
        del self.objects[Bucket, Key]

    def delete_objects(self, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:
        assert Delete["Quiet"]
        denied = []
        for one in Delete["Objects"]:
            if one["Key"].endswith(self.kept or "\0"):
                denied.append({"Key": one["Key"], "Code": "AccessDenied"})
            else:
                self.objects.pop((Bucket, one["Key"]), None)
        return {"Errors": denied} if denied else {}

    def upload(self, release: Release, *names: str) -> None:
        """A release's files at the top, each with the release's name in it."""
        for name in names:
            key = f"dags/acme/release/{release.release}/top/{name}"
            self.objects["dags", key] = f"{release.release} {name}".encode()
        self.objects["dags", f"dags/acme/release/{release.release}/shards/00.json"] = b"{}"
        self.objects["artifacts", f"plans/{release.plan}.json"] = b"{}"

    def releases(self) -> set[str]:
        """Those of which anything is there."""
        return {key.split("/")[3] for bucket, key in self.objects if bucket == "dags" and "/release/" in key}

    def plans(self) -> set[str]:
        """The first character of each plan that is there."""
        return {key.removeprefix("plans/")[0] for _, key in self.objects if key.startswith("plans/")}

    def top(self) -> dict[str, str]:
        """What lies right in the DAG folder."""
        return {
            key.removeprefix("dags/acme/"): body.decode()
            for (bucket, key), body in self.objects.items()
            if bucket == "dags" and "/release/" not in key
        }

    def manifest(self) -> Manifest:
        return Manifest.from_json(self.objects["artifacts", MANIFEST].decode())
