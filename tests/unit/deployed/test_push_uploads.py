"""What a push uploads, and how often it asks what is there already."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from penstock.deployed.account import Account
from penstock.deployed.push import Push, do
from penstock.deployed.state import Deployed
from penstock_runtime.errors import PenstockError
from penstock_runtime.plan.plan import ProjectFile
from penstock_runtime.release.manifest import Release, ReleaseLocation
from tests.unit.runtime.release.bucket import Bucket

PLACE = ReleaseLocation("artifacts", "dags", "dags/acme")
RELEASE = Release("bbbb", "2" * 64, 200, "c2", "push")


class Counting(Bucket):
    """Counts the listings, and keeps the keys that are uploaded."""

    def __init__(self) -> None:
        super().__init__()
        self.listed: list[str] = []
        self.put: list[str] = []

    def list_objects_v2(self, Bucket: str, Prefix: str, MaxKeys: int = 1000) -> dict[str, Any]:
        self.listed.append(Prefix)
        return super().list_objects_v2(Bucket, Prefix, MaxKeys)

    def put_object(self, Bucket: str, Key: str, Body: bytes, **condition: Any) -> dict[str, Any]:
        self.put.append(Key)
        return super().put_object(Bucket, Key, Body, **condition)


def test_what_is_there_is_asked_once_and_not_uploaded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many files there are: each listing is a call of S3 at least."""
    s3 = Counting()
    monkeypatch.setattr(Account, "s3", s3)
    objects = {("artifacts", f"configs/{number:03}.yaml"): b"" for number in range(200)}
    objects |= {("dags", "dags/acme/release/bbbb/top/schedules_00.py"): b""}
    s3.objects["artifacts", "configs/007.yaml"] = b""
    deployed = Deployed(Account("eu-west-1"), PLACE, {}, None)
    uploaded = do(Push(deployed, RELEASE, objects, (), (), force=False), lambda _text: None)

    assert uploaded == 200
    assert "configs/007.yaml" not in s3.put
    assert s3.listed.count("configs/") == 1


def test_files_of_tasks_are_sent_in_parts_and_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """From a copy that was checked; what is there already is not sent; one that changed meanwhile is refused."""
    s3 = Counting()
    sent: dict[str, bytes] = {}
    monkeypatch.setattr(s3, "upload_fileobj", lambda file, _bucket, key: sent.update({key: file.read()}), raising=False)
    monkeypatch.setattr(Account, "s3", s3)
    contents = {"a.txt": b"one", "b.txt": b"two"}
    files = {}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        files[f"files/{sha256}"] = ProjectFile(name, sha256, len(content))
    there, missing = files
    s3.objects["artifacts", there] = b"one"
    s3.objects["dags", "dags/acme/release/bbbb/top/schedules_00.py"] = b""
    deployed = Deployed(Account("eu-west-1"), PLACE, {}, None)
    push = Push(deployed, RELEASE, {}, (), (), force=False, files=files, project=tmp_path)

    assert do(push, lambda _text: None) == 1
    assert sent == {missing: b"two"}

    del s3.objects["artifacts", there]
    (tmp_path / "a.txt").write_bytes(b"other")
    with pytest.raises(PenstockError, match=r"a\.txt changed while it was being copied"):
        do(push, lambda _text: None)
    assert there not in sent
