"""Files of a task: what the runtime writes before the engine starts."""

from __future__ import annotations

import base64
import hashlib
import json
import stat
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock_runtime import contract
from penstock_runtime.airflow.operators.run_task import overrides
from penstock_runtime.container import files, stream
from penstock_runtime.contract import Exit
from penstock_runtime.errors import RunError
from penstock_runtime.plan.schedule import FargateTask, TaskFile
from tests.unit.runtime.container.sealed_network import RESOURCES
from tests.unit.runtime.container.start_container import start

KEYTAB = bytes(range(256))


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def environ(folder: Path, entries: dict[str, Any], **more: str) -> dict[str, str]:
    """A task's environment, with the artifacts in `folder`."""
    return {contract.FILES: json.dumps(entries), contract.FILES_URI: folder.as_uri(), **more}


def stored(folder: Path, content: bytes) -> str:
    """Put a file where the artifacts bucket would have it; its hash."""
    (folder / sha256(content)).write_bytes(content)
    return sha256(content)


def mode(path: Path) -> str:
    return f"{stat.S_IMODE(path.stat().st_mode):04o}"


def test_a_file_of_the_project_is_at_its_path_with_its_mode(tmp_path: Path) -> None:
    """Its folders are made, and the umask changes nothing."""
    target = tmp_path / "etc" / "acme" / "ca.pem"

    files.write(environ(tmp_path, {str(target): {"sha256": stored(tmp_path, b"PEM"), "mode": "0446"}}))

    assert (target.read_bytes(), mode(target)) == (b"PEM", "0446")
    assert [path.name for path in target.parent.iterdir()] == ["ca.pem"]


def test_a_relative_path_is_below_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As dbt's artefacts are named in workflow files."""
    monkeypatch.chdir(tmp_path)

    files.write(environ(tmp_path, {"target/manifest.json": {"sha256": stored(tmp_path, b"{}"), "mode": "0644"}}))

    assert (tmp_path / "target" / "manifest.json").read_bytes() == b"{}"


def test_a_secret_is_a_file_that_its_owner_alone_may_read(tmp_path: Path) -> None:
    """As text, or decoded from base64 as the `base64` command writes it, in lines."""
    target, keytab = tmp_path / "key.json", tmp_path / "keytab"
    entries = {
        str(target): {"secret": "KEY", "mode": "0600"},
        str(keytab): {"secret": "KEYTAB", "mode": "0400", "base64": True},
    }

    files.write(environ(tmp_path, entries, KEY='{"a": "ü"}', KEYTAB=base64.encodebytes(KEYTAB).decode()))

    assert (target.read_text(), mode(target)) == ('{"a": "ü"}', "0600")
    assert (keytab.read_bytes(), mode(keytab)) == (KEYTAB, "0400")


def test_a_wrong_hash_leaves_what_was_there(tmp_path: Path) -> None:
    """Nothing is at the path, or what was there before, and no half of a file beside it."""
    target, wrong = tmp_path / "out" / "ca.pem", sha256(b"another")
    target.parent.mkdir()
    target.write_bytes(b"before")
    (tmp_path / wrong).write_bytes(b"PEM")

    with pytest.raises(RunError, match=f"its SHA-256 is {sha256(b'PEM')}, not {wrong}") as caught:
        files.write(environ(tmp_path, {str(target): {"sha256": wrong, "mode": "0644"}}))

    assert caught.value.exit_code == Exit.ARTIFACT
    assert {path.name: path.read_bytes() for path in target.parent.iterdir()} == {"ca.pem": b"before"}


def test_a_read_that_breaks_off_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection to S3 may end at any moment."""

    def broken(uri: str) -> Iterator[bytes]:
        yield b"half"
        raise stream.failed(uri, "connection reset", "try again")

    monkeypatch.setattr(stream, "parts", broken)

    with pytest.raises(RunError, match="connection reset"):
        files.write(environ(tmp_path, {str(tmp_path / "out" / "a"): {"sha256": sha256(b""), "mode": "0644"}}))

    assert list((tmp_path / "out").iterdir()) == []


def test_a_large_file_is_never_whole_in_memory(tmp_path: Path) -> None:
    """64 MiB pass through the memory of a few parts."""
    content = bytes(64 * 1024 * 1024)
    name, target = stored(tmp_path, content), tmp_path / "driver.jar"
    del content
    tracemalloc.start()
    try:
        files.write(environ(tmp_path, {str(target): {"sha256": name, "mode": "0644"}}))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert target.stat().st_size == 64 * 1024 * 1024
    assert peak < 3 * stream.PART_BYTES


@pytest.mark.parametrize(
    ("entry", "more", "says"),
    [
        ({"secret": "KEY", "mode": "0600"}, {}, "environment variable KEY"),
        (
            {"secret": "KEY", "mode": "0600", "base64": True},
            {"KEY": "no base64!"},
            "secret KEY, which .* is not base64",
        ),
        ({"mode": "0600"}, {}, "without its content"),
        ({"secret": "KEY", "mode": "rw"}, {"KEY": "x"}, "no usable entry"),
        ({"sha256": "0" * 64, "mode": "0600"}, {}, "No such file"),
    ],
)
def test_what_cannot_be_written_is_said(tmp_path: Path, entry: dict[str, Any], more: dict[str, str], says: str) -> None:
    """What, and never a secret's value."""
    with pytest.raises(RunError, match=says) as caught:
        files.write(environ(tmp_path, {str(tmp_path / "a"): entry}, **more))

    assert "no base64!" not in str(caught.value)


def test_a_place_that_cannot_be_written_to_is_said_with_the_way_out(tmp_path: Path) -> None:
    """A folder of the image stands where the file is to be."""
    (tmp_path / "taken").mkdir()

    with pytest.raises(RunError, match=r"cannot write the file .*/taken: Is a directory") as caught:
        files.write(environ(tmp_path, {str(tmp_path / "taken"): {"secret": "KEY", "mode": "0600"}}, KEY="x"))

    assert "another path" in caught.value.fix
    assert caught.value.exit_code == Exit.WRONG_INPUT


def test_below_a_root_the_paths_are_rewritten_wherever_they_are_named(tmp_path: Path) -> None:
    """The embedded mode has no root of its own: a file's place, and its folder's, stand for the path."""
    entries = {
        "/tmp/wallet/cwallet.sso": {"secret": "A", "mode": "0600"},
        "/etc/ca.pem": {"secret": "A", "mode": "0600"},
    }
    root = str(tmp_path / "root")
    given = environ(tmp_path, entries, A="x", **{contract.ROOT: root})

    files.write(given)
    places = files.located(
        {
            "ca": "/etc/ca.pem",
            "url": ["jdbc:x?ca=/etc/ca.pem&a=1", "file:///etc/ca.pem"],
            "folder": "/tmp/wallet",
            "others": "/my/etc/ca.pem /etc/ca.pem.bak /tmp /tmp/wallets",
            "number": 1,
        },
        given,
    )

    assert (tmp_path / "root" / "etc" / "ca.pem").read_text() == "x"
    assert places == {
        "ca": f"{root}/etc/ca.pem",
        "url": [f"jdbc:x?ca={root}/etc/ca.pem&a=1", f"file://{root}/etc/ca.pem"],
        "folder": f"{root}/tmp/wallet",
        "others": "/my/etc/ca.pem /etc/ca.pem.bak /tmp /tmp/wallets",
        "number": 1,
    }
    assert files.located(places, given) == places
    assert files.located_environment({**given, "CA": "/etc/ca.pem"}) == {**given, "CA": f"{root}/etc/ca.pem"}


def test_without_a_root_nothing_is_rewritten(tmp_path: Path) -> None:
    """In a container a path is a path."""
    given = environ(tmp_path, {"/etc/ca.pem": {"secret": "A", "mode": "0600"}})

    assert files.located(["/etc/ca.pem"], given) == ["/etc/ca.pem"]


def test_the_engine_finds_its_files_and_the_log_does_not_show_them(tmp_path: Path) -> None:
    """A command that prints a secret file: what was base64 is masked as the plain text that it became."""
    root = tmp_path / "root"
    entries = {
        "/run/a.txt": {"sha256": stored(tmp_path, b"of the project"), "mode": "0644"},
        "/run/b.txt": {"secret": "CANARY", "mode": "0600", "base64": True},
    }
    code = "print(open('/run/a.txt').read()); print(open('/run/b.txt').read())"
    secret = base64.b64encode(b"correct horse battery").decode()

    done = start(
        **environ(tmp_path, entries, CANARY=secret, **{contract.ROOT: str(root)}),
        **{
            contract.SECRET_NAMES: '["CANARY"]',
            contract.COMMAND: json.dumps([sys.executable, "-c", code]),
        },
    )

    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[1:3] == ["of the project", "***"]
    assert mode(root / "run" / "b.txt") == "0600"


def test_a_file_that_cannot_be_had_ends_the_run_before_the_engine(tmp_path: Path) -> None:
    """Exit code 65, as for any artifact; one error with its fix, and no traceback."""
    done = start("print('engine')", **environ(tmp_path, {str(tmp_path / "a"): {"sha256": "0" * 64, "mode": "0644"}}))

    assert done.returncode == Exit.ARTIFACT
    assert "cannot use file://" in done.stdout
    assert "  fix: " in done.stdout
    assert "engine\n" not in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_run_task_is_given_the_files_and_no_content() -> None:
    """The overrides that Airflow shows hold paths, hashes and names of secrets."""
    given = (TaskFile("/tmp/ca.pem", "0644", sha256="1" * 64), TaskFile("/tmp/k", "0600", secret="K", base64=True))
    task = FargateTask(
        name="load",
        after=(),
        operator="ecs",
        engine="command",
        timeout_minutes=60,
        environment={},
        names=(),
        command=("x",),
        files=given,
        family="family",
        cpu_units=256,
        memory_mib=512,
        ephemeral_storage_gib=20,
        spot=False,
    )
    (container,) = overrides(task, RESOURCES, {}, 0)["containerOverrides"]
    variables = {one["name"]: one["value"] for one in container["environment"]}

    assert variables[contract.FILES_URI] == "s3://artifacts/files"
    assert json.loads(variables[contract.FILES]) == {
        "/tmp/ca.pem": {"mode": "0644", "sha256": "1" * 64},
        "/tmp/k": {"mode": "0600", "secret": "K", "base64": True},
    }
    read = files.read_files(variables)
    assert read == (
        files.File("/tmp/ca.pem", 0o644, sha256="1" * 64),
        files.File("/tmp/k", 0o600, secret="K", base64=True),
    )
