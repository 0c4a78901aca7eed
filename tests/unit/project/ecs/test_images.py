"""What stands for images: manifests, the cache, and which stock images there is something for."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import time
from pathlib import Path

import pytest

from penstock.local import cache, command, environments, images
from penstock_runtime.errors import PenstockError

LOCKS = {
    "requirements/images/openmetadata-1.12.txt",
    "runtime/images/meltano/requirements.txt",
    "ingestion/meltano/requirements/build.txt",
    "ingestion/meltano/requirements/tap-nycflights.txt",
    "ingestion/meltano/requirements/target-postgres.txt",
}
"""Of the repository itself; a team may add its own."""
STOCK = "docker.getcollate.io/openmetadata/ingestion-base:1.12.14"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_CACHE", str(tmp_path / "cache"))


def quiet(_text: str) -> None:
    return


def test_a_manifest_is_found_by_its_reference(tmp_path: Path) -> None:
    """The file's name is the agreed hash; what is written is what is read; nothing else is left in the folder."""
    manifest = images.Manifest("x/y:1", ["/a/bin"], "/a/work", {"K": "v"}, ["run"], ["all"])

    path = images.write(tmp_path / "images", manifest)

    assert path.name == hashlib.sha256(b"x/y:1").hexdigest()[:32] + ".json"
    assert json.loads(path.read_text()) == {
        "reference": "x/y:1", "path": ["/a/bin"], "workdir": "/a/work", "environment": {"K": "v"},
        "entry_point": ["run"], "command": ["all"],
    }  # fmt: skip
    assert images.load(tmp_path / "images", "x/y:1") == manifest
    assert images.load(tmp_path / "images", "x/y:2") is None
    assert [found.name for found in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("reference", [STOCK, "docker.getcollate.io/openmetadata/ingestion:1.12.3"])
def test_a_stock_image_has_a_lock(reference: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """OpenMetadata's image of a known release line stands for a committed lock."""
    asked: list[Path] = []

    def ensure(_name: str, lock: Path, **_more: object) -> Path:
        asked.append(lock)
        return tmp_path

    monkeypatch.setattr(environments, "ensure", ensure)

    assert images.stock_environment(reference, quiet) == tmp_path
    assert [lock.name for lock in asked] == ["openmetadata-1.12.txt"]
    assert asked[0].exists()


@pytest.mark.parametrize(
    "reference", ["docker.getcollate.io/openmetadata/ingestion:1.11.0", "python:3.11", "x/ingestion:1.12.1"]
)
def test_an_unknown_image_is_an_error(reference: str) -> None:
    """Nothing is taken for an image that it is not."""
    with pytest.raises(PenstockError, match="nothing that stands for the image"):
        images.stock_environment(reference, quiet)


def test_locks_name_no_place() -> None:
    """Every line of a lock is a package, a hash or a comment without an address."""
    locks = environments_locks()
    root = Path(__file__).parents[4]

    assert {lock.relative_to(root).as_posix() for lock in locks} >= LOCKS
    for lock in locks:
        text = lock.read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text
        assert "index-url" not in text
        assert "/tmp" not in text


def environments_locks() -> list[Path]:
    root = Path(__file__).parents[4]
    locks = [*root.glob("requirements/images/*.txt"), *root.glob("runtime/images/*/requirements.txt")]
    return [*locks, *root.glob("ingestion/meltano/requirements/*.txt")]


def test_an_entry_is_made_once(tmp_path: Path) -> None:
    """The second time it is there already."""
    made: list[int] = []
    folder = tmp_path / "cache" / "x"

    def make() -> None:
        made.append(1)
        folder.mkdir()

    assert cache.once(folder, make, quiet) == cache.once(folder, make, quiet) == folder
    assert made == [1]


def test_an_interrupted_entry_is_made_again(tmp_path: Path) -> None:
    """Without the marker, nothing of what is there is trusted."""
    folder = tmp_path / "cache" / "x"
    folder.mkdir(parents=True)
    (folder / "half").touch()

    def make() -> None:
        folder.mkdir()
        (folder / "whole").touch()

    cache.once(folder, make, quiet)

    assert sorted(path.name for path in folder.iterdir()) == [cache.MARKER, "whole"]


def test_a_failed_entry_is_no_entry(tmp_path: Path) -> None:
    """An error while it is made leaves no marker, and the next one may try."""
    folder = tmp_path / "cache" / "x"

    def fail() -> None:
        folder.mkdir()
        raise PenstockError("no", fix="-")

    with pytest.raises(PenstockError, match="no"):
        cache.once(folder, fail, quiet)

    assert not cache.complete(folder)
    cache.once(folder, folder.mkdir, quiet)
    assert cache.complete(folder)


def _make_slowly(folder: Path, log: Path) -> None:
    def make() -> None:
        folder.mkdir()
        with log.open("a") as file:
            file.write("made\n")
        time.sleep(0.3)

    cache.once(folder, make, quiet)
    with log.open("a") as file:
        file.write("whole\n" if cache.complete(folder) else "half\n")


def test_two_processes_do_not_make_it_twice(tmp_path: Path) -> None:
    """One makes it; the other waits until it is whole."""
    folder, log = tmp_path / "cache" / "x", tmp_path / "log"
    context = multiprocessing.get_context("fork")
    both = [context.Process(target=_make_slowly, args=(folder, log)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(20)

    assert sorted(log.read_text().split()) == ["made", "whole", "whole"]


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc/version").exists(), reason="needs a place nobody may write")
def test_says_that_the_cache_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """The place, and the variable that names another one."""
    monkeypatch.setenv("PENSTOCK_CACHE", "/proc/nowhere")

    with pytest.raises(PenstockError) as caught:
        cache.once(cache.root() / "envs" / "x", lambda: None, quiet)

    assert "/proc/nowhere" in str(caught.value)
    assert "PENSTOCK_CACHE" in caught.value.fix


def test_names_the_python_that_is_missing() -> None:
    """No interpreter is downloaded: the error names the one to install."""
    with pytest.raises(PenstockError, match=r"Python 3\.99 is not on this machine") as caught:
        environments.find_python("3.99")

    assert "python3.99" in caught.value.fix


@pytest.mark.parametrize(
    ("code", "output", "fix"),
    [
        (2, "error: failed to write to file: No space left on device (os error 28)", "PENSTOCK_CACHE"),
        (2, "error: failed to create directory `/c`: Permission denied (os error 13)", "UV_CACHE_DIR"),
        (1, "error: Failed to fetch: `x`\n  Caused by: dns error: failed to lookup address", "network"),
        (1, "error: Hash mismatch for `x==1`", "do not install it"),
        (1, "error: something else", "make lock"),
        (137, "installing x", "run it again"),
    ],
)
def test_an_installation_error_says_what_to_do(code: int, output: str, fix: str) -> None:
    """The installer's own last lines, and what they mean."""
    error = environments.failure("uv pip sync", command.Ended(code, output))

    assert fix in error.fix
    assert output.splitlines()[-1] in error.what


def test_a_build_sees_nothing_of_the_callers_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would leak into an entry or slow it down for good is not handed on."""
    for name in (
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONPATH",
        "VIRTUAL_ENV",
        "AWS_SECRET_ACCESS_KEY",
        "MELTANO_ENVIRONMENT",
    ):
        monkeypatch.setenv(name, "1")

    environ = cache.environ()

    assert not {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "VIRTUAL_ENV", "AWS_SECRET_ACCESS_KEY"} & set(environ)
    assert "MELTANO_ENVIRONMENT" not in environ
    assert environ["UV_PYTHON_DOWNLOADS"] == "never"
    assert environ["PATH"] == os.environ["PATH"]
