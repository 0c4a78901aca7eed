"""Installations that are interrupted, or run twice at the same time: by real processes, with nothing to download."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.local import cache
from penstock_runtime.errors import PenstockError
from tests.functional.embedded import ROOT, until

ENTRY = """
import sys
from pathlib import Path
from penstock.local import cache
folder = cache.root() / "envs" / "tool"
def make():
    done = cache.run(["sh", "-c", sys.argv[1]], cache.environ() | {"FOLDER": str(folder)})
    assert done.code == 0, done
print(cache.once(folder, make, lambda text: print(text, flush=True)))
"""
CHECKOUT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import install
folder = Path(sys.argv[3])
install.install(folder, [folder.parent / "lock.txt"], [["sh", "-c", sys.argv[1]]], hint="none")
print(folder)
"""
HALF = 'mkdir "$FOLDER"; echo $$ > "$FOLDER/pid"; while :; do sleep 0.05; done'
SLOWLY = 'mkdir "$FOLDER"; echo x >> "$FOLDER/../times"; until [ -e "$FOLDER/../go" ]; do sleep 0.05; done'
AT_ONCE = 'mkdir "$FOLDER"; echo whole > "$FOLDER/it"'


class Place:
    """Where one of the two ways to install puts its things."""

    def __init__(self, way: str, base: Path) -> None:
        self.way, self.folder = way, base / "envs" / "tool"
        self.environ = {**os.environ, "PENSTOCK_CACHE": str(base), "FOLDER": str(self.folder)}
        self.folder.parent.mkdir()
        (self.folder.parent / "lock.txt").touch()

    def start(self, script: str) -> subprocess.Popen[str]:
        """Install by this shell script."""
        code = ENTRY if self.way == "cache" else CHECKOUT
        command = [sys.executable, "-c", code, script, str(ROOT / "requirements"), str(self.folder)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(command, cwd=ROOT, env=self.environ, text=True, **pipes)  # type: ignore[call-overload,no-any-return]


@pytest.fixture(params=["cache", "checkout"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty cache, or an empty checkout."""
    return Place(request.param, tmp_path)


def test_the_next_one_repairs_what_was_killed(place: Place) -> None:
    """SIGKILL in the middle: the half that is there is not taken for the whole, and not mixed with it."""
    with place.start(HALF) as killed:
        written = until(lambda: (file := place.folder / "pid").exists() and file.read_text().strip())
        killed.kill()
    if place.way == "checkout":
        # Make's own commands have no keeper: the next one waits for what is left of them.
        with place.start(AT_ONCE) as waiting:
            assert waiting.stdout is not None
            assert "waiting for another process" in waiting.stdout.readline()
            os.kill(int(written), 9)
            out, _ = waiting.communicate(timeout=60)
    else:
        with place.start(AT_ONCE) as again:
            out, _ = again.communicate(timeout=60)
        assert not Path(f"/proc/{written}").exists()

    assert out.strip().endswith(str(place.folder))
    assert sorted(one.name for one in place.folder.iterdir()) == [".complete", "it"]


def test_of_two_at_the_same_time_one_installs(place: Place) -> None:
    """The other says that it waits, and takes what is there then."""
    with place.start(SLOWLY) as first:
        until((place.folder.parent / "times").exists)
        with place.start(SLOWLY) as second:
            assert second.stdout is not None
            assert second.stdout.readline().startswith("waiting for another process that makes tool")
            (place.folder.parent / "go").touch()
            out, _ = second.communicate(timeout=60)
        first.communicate(timeout=60)

    assert (first.returncode, second.returncode) == (0, 0)
    assert out.strip() == str(place.folder)
    assert (place.folder.parent / "times").read_text() == "x\n"


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for this process."""
    monkeypatch.setenv("PENSTOCK_CACHE", str(tmp_path))
    return tmp_path


def test_what_failed_leaves_no_half(own_cache: Path) -> None:
    """On a full disk, half an environment would be in the way of everything else."""
    folder = own_cache / "envs" / "tool"

    def make() -> None:
        assert cache.run(["sh", "-c", AT_ONCE], {"PATH": os.defpath, "FOLDER": str(folder)}).code == 0
        raise PenstockError("no", fix="none")

    with pytest.raises(PenstockError, match="no"):
        cache.once(folder, make, print)

    assert not folder.exists()


@pytest.mark.parametrize(
    ("script", "code", "how"),
    [("exit 3", 3, "failed with exit code 3"), ("kill -9 $$", 137, "was killed (SIGKILL)")],
)
def test_a_command_says_how_it_ended(own_cache: Path, script: str, code: int, how: str) -> None:
    """Exit codes are the shell's, and what it wrote is there."""
    done = cache.run(["sh", "-c", f"echo out; echo err >&2; {script}"], {"PATH": os.defpath})

    assert (done.code, done.how, done.output) == (code, how, "out\nerr\n")


def test_a_command_leaves_nothing_behind(own_cache: Path) -> None:
    """Not even who has a session of its own and is deaf."""
    done = cache.run(["sh", "-c", "trap '' TERM; setsid sleep 600 > /dev/null 2>&1 & echo $!"], {"PATH": os.defpath})

    assert not Path(f"/proc/{done.output.strip()}").exists()


def test_a_program_that_is_not_there_is_named(own_cache: Path) -> None:
    """127, as a shell says it."""
    done = cache.run(["/nowhere/uv"], {"PATH": os.defpath})

    assert done.code == 127
    assert "/nowhere/uv" in done.output
