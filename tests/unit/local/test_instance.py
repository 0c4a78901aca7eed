"""The folder of an embedded system: whose it is, and what a command refuses to work on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.local import instance
from penstock.local.instance import Instance
from penstock_runtime.errors import PenstockError


def test_only_its_owner_enters_it(tmp_path: Path) -> None:
    """The folder, all that a command makes in it and all that its processes make; the caller's umask is back later."""
    before = os.umask(0o022)
    try:
        folder = tmp_path / ".penstock" / "dev"
        with instance.locked(folder):
            Instance.create(folder)
            (folder / "aws").mkdir()
            (folder / "aws" / "own").touch()
            subprocess.run([sys.executable, "-c", "open('child', 'w')"], cwd=folder / "aws", check=True)
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)

    for path in (folder.parent, *folder.parent.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


def test_folder_of_an_earlier_version_is_closed(tmp_path: Path) -> None:
    """It was open to everyone."""
    folder = tmp_path / ".penstock" / "dev"
    folder.mkdir(parents=True, mode=0o755)
    with instance.locked(folder):
        pass

    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("link", [".penstock", ".penstock/dev"])
def test_link_is_refused(tmp_path: Path, link: str) -> None:
    """`penstock down` would empty the folder that it points to; nothing in it is touched."""
    target, path = tmp_path / "precious", tmp_path / link
    (target / "dev").mkdir(parents=True)
    (target / "file").touch()
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(target)

    with (
        pytest.raises(PenstockError, match=r"is a symbolic link.*\n.*fix: remove the link"),
        instance.locked(tmp_path / ".penstock" / "dev"),
    ):
        pytest.fail("it was entered")
    assert sorted(one.name for one in target.rglob("*")) == ["dev", "file"]


def test_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may name processes to end, and hold passwords that the other one knows. Root may do as it likes."""
    folder = tmp_path / ".penstock" / "dev"
    folder.mkdir(parents=True)
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)

    with pytest.raises(PenstockError, match="belongs to another user"), instance.locked(folder):
        pytest.fail("it was entered")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with instance.locked(folder):
        pass
