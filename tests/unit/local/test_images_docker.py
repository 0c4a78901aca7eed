"""The stand-in for docker, on a recipe that needs no network."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest

from penstock.local import docker, images, recipes

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/cdk-assets:abc"

BUILD = """\
set -eu
mkdir -p "$IMAGE_ROOT/venv/bin" "$IMAGE_ROOT/project"
cp "$CONTEXT/project/file" "$IMAGE_ROOT/project/file"
test -x "$PYTHON" && test -x "$UV"
"""


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PENSTOCK_IMAGES", str(tmp_path / "images"))


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "context"
    (folder / "project").mkdir(parents=True)
    (folder / "project" / "file").write_text("one")
    (folder / "Dockerfile").write_text("# x\nFROM python:3.11-slim AS build\nRUN sh build.sh\n")
    (folder / "build.sh").write_text(BUILD)
    monkeypatch.chdir(folder)
    return folder


def build(tag: str = "cdkasset-abc") -> int:
    return docker.main(["build", "--tag", tag, "--platform", "linux/amd64", "."])


class Ecr:
    """Records what is put into it."""

    def __init__(self) -> None:
        self.put: list[dict[str, Any]] = []

    def put_image(self, **arguments: Any) -> None:
        self.put.append(arguments)


def test_builds_tags_and_pushes_as_the_cdk_cli_does(
    context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """inspect says no, build, inspect says yes, tag, push: then the embedded ECS and ECR know the pushed name."""
    ecr = Ecr()
    monkeypatch.setattr(boto3, "client", lambda *_args, **_more: ecr)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://127.0.0.1:4566")

    assert docker.main(["inspect", "cdkasset-abc"]) == 1
    assert build() == 0
    assert docker.main(["--config", "/some/folder", "inspect", "cdkasset-abc"]) == 0
    assert docker.main(["tag", "cdkasset-abc", ECR]) == 0
    assert images.load(tmp_path / "images", ECR) is None
    assert docker.main(["push", ECR]) == 0

    stand_in = images.load(tmp_path / "images", ECR)
    assert stand_in is not None
    assert stand_in.workdir is not None
    assert (Path(stand_in.workdir) / "file").read_text() == "one"
    assert [(one["repositoryName"], one["imageTag"]) for one in ecr.put] == [("cdk-assets", "abc")]


def test_lists_images_by_tag(context: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The CLI looks for one that it has built before."""
    build()
    docker.main(["tag", "cdkasset-abc", ECR])
    capsys.readouterr()

    docker.main(["images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference=*/*:abc"])

    assert capsys.readouterr().out.splitlines() == [ECR]


def test_the_same_content_is_built_once(context: Path) -> None:
    """Same files, same folder; another file or another name of it, another folder."""
    first = recipes.build(context, print)
    assert recipes.build(context, print) == first

    (context / "project" / "file").write_text("two")
    second = recipes.build(context, print)
    assert second != first
    assert (second / "project" / "file").read_text() == "two"

    (context / "project" / "file").rename(context / "project" / "other")
    (context / "project" / "file").write_text("two")
    assert recipes.build(context, print) not in (first, second)


def test_a_failed_build_says_why_and_leaves_nothing(context: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The script's last lines; not the code that the CLI takes for `no such image`; the next build starts anew."""
    (context / "build.sh").write_text("mkdir -p $IMAGE_ROOT; echo 'no such plugin' >&2; exit 9\n")

    assert build() not in (0, 1, 125)

    assert "no such plugin" in capsys.readouterr().err
    assert docker.main(["inspect", "cdkasset-abc"]) == 1
    assert build() != 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "x"], "does not know run x"),
        ([], "does not know an empty command"),
        (["build", "--tag", "x", "--secret", "id=a,src=b", "."], "does not support this `build`"),
        (["tag", "no-such-image", "y"], "there is no image no-such-image here"),
        (["push", "no-such-image"], "there is no image no-such-image here"),
    ],
)
def test_refuses_what_it_does_not_know(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what it is, and is not taken for Docker."""
    assert docker.main(arguments) not in (0, 1, 125)

    assert says in capsys.readouterr().err


def test_never_pushes_to_real_aws(
    context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without an embedded AWS in the environment, nothing is sent anywhere."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(boto3, "client", lambda *_args, **_more: pytest.fail("it called AWS"))
    build()
    docker.main(["tag", "cdkasset-abc", ECR])

    assert docker.main(["push", ECR]) not in (0, 1, 125)
    assert "embedded ECR only" in capsys.readouterr().err
    assert images.load(tmp_path / "images", ECR) is None


def test_only_recipes_are_built(context: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A Dockerfile alone says nothing that could be done without Docker."""
    (context / "build.sh").unlink()

    assert build() not in (0, 1, 125)
    assert "only the recipes of runtime/images" in capsys.readouterr().err


def test_the_program_for_the_cdk_cli_runs(tmp_path: Path) -> None:
    """It starts from any folder, and tells what it is."""
    program = docker.command(tmp_path)

    done = subprocess.run([program, "version"], cwd=tmp_path, capture_output=True, text=True, timeout=60)

    assert done.returncode == 2
    assert "this stand-in for docker does not know version" in done.stderr
