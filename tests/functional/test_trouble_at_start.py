"""What keeps `penstock up` from its end: signals, disks that are full or cannot be written, no network.

Each test has a project of its own, which was never up.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.embedded import until
from tests.functional.embedded_system import SECONDS, EmbeddedSystem, copy_sample
from tests.functional.troubled import alive, left, no_traceback, offline, started

__all__ = ["offline"]


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[EmbeddedSystem]:
    """The sample in a folder of its own, never up."""
    copy_sample(tmp_path)
    system = EmbeddedSystem(tmp_path)
    yield system
    system.cli("down", check=False)


@pytest.mark.parametrize(
    ("step", "signals", "code", "words"),
    [
        ("install", [signal.SIGINT], 130, "ended by Ctrl-C"),
        ("embedded AWS", [signal.SIGTERM], 143, "ended by SIGTERM"),
        ("PostgreSQL", [signal.SIGHUP], 129, "ended by SIGHUP"),
        ("recording catalogue", [signal.SIGINT, signal.SIGINT, signal.SIGTERM], 130, "everything is being ended"),
        ("synthesize", [signal.SIGTERM, signal.SIGINT], 143, "everything is being ended"),
        ("bootstrap", [signal.SIGINT], 130, "ended by Ctrl-C"),
    ],
)
def test_a_signal_leaves_no_process(
    fresh: EmbeddedSystem, step: str, signals: list[signal.Signals], code: int, words: str
) -> None:
    """Whatever the step, also with an impatient second signal while everything is being ended."""
    first, *more = signals
    with started(fresh, "up", until_it_says=f"… {step}") as up:
        if more:
            # Slow to end, so that the others come while it is being waited for.
            stubborn = fresh.instance.processes["aws"].pid
            os.kill(stubborn, signal.SIGSTOP)
        up.send_signal(first)
        if more:
            assert up.stderr is not None
            next(line for line in up.stderr if line.startswith("✗"))
            until(lambda: not alive(fresh.instance.processes["postgres"].pid), 60)
            for number in more:
                up.send_signal(number)
            os.kill(stubborn, signal.SIGCONT)
        _, rest = up.communicate(timeout=SECONDS)

    assert up.returncode == code, rest
    assert words in rest
    no_traceback(rest)
    assert left(fresh) == []


@pytest.mark.parametrize(
    ("place", "words"),
    [("state", ".penstock"), ("mounted", ".penstock/dev"), ("cache", "PENSTOCK_CACHE")],
)
def test_what_cannot_be_written_is_named(
    fresh: EmbeddedSystem, monkeypatch: pytest.MonkeyPatch, place: str, words: str
) -> None:
    """A file where a folder is wanted, a read-only file system: the path and a fix, no traceback."""
    with contextlib.ExitStack() as stack:
        if place == "mounted":
            stack.enter_context(mounted(fresh.folder / ".penstock", "size=64k,ro"))
        else:
            path = fresh.folder / (".penstock" if place == "state" else "cache")
            path.write_text("in the way")
            stack.callback(path.unlink)
            if place == "cache":
                monkeypatch.setenv("PENSTOCK_CACHE", str(path))
        up = fresh.cli("up", check=False)

    assert up.returncode == 1
    assert "error: cannot write" in up.stderr
    assert words in up.stderr
    assert "fix: " in up.stderr
    no_traceback(up.stderr)


@pytest.mark.parametrize("kib", [8, 2048])
def test_a_full_disk_is_named(fresh: EmbeddedSystem, kib: int) -> None:
    """At the first file, and in the middle of `up`: the disk, the folder, no process."""
    with mounted(fresh.folder / ".penstock", f"size={kib}k"):
        up = fresh.cli("up", check=False)

        assert up.returncode == 1
        assert "No space left" in up.stderr or "a disk is full" in up.stderr, up.stderr
        assert "fix: free space" in up.stderr
        assert str(fresh.state) in up.stderr
        no_traceback(up.stderr)
        if (fresh.state / "instance.json").exists():
            assert left(fresh) == []
        fresh.cli("down")


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A small file system of its own on a folder."""
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(folder)], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"this machine lets us mount nothing: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_cold_machine_without_network_is_told(tmp_path: Path, offline: tuple[str, ...]) -> None:
    """Nothing installed and nobody to ask: where to look, in one message."""
    if not offline:
        pytest.skip("this machine has no network namespaces for us")
    environ = {**os.environ, "PENSTOCK_CACHE": str(tmp_path / "cache"), "UV_CACHE_DIR": str(tmp_path / "uv")}
    copy_sample(tmp_path)
    project = ["--project", str(tmp_path / "penstock.yaml")]

    done = subprocess.run(
        [*offline, sys.executable, "-m", "penstock.local.setup", *project],
        env=environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )

    assert done.returncode == 1
    assert "check the way to the package index" in done.stderr
    no_traceback(done.stderr)
    assert not any(one.is_dir() for one in (tmp_path / "cache" / "envs").iterdir())
