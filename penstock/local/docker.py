"""A stand-in for the `docker` command, for the CDK CLI in the embedded mode. It makes no images.

The CDK CLI calls the program that CDK_DOCKER names to build and publish image assets. `command` writes such a
program. `build` makes a folder that holds what the image would hold (`recipes`); `push` lets the embedded ECS and ECR
know it under the pushed name. It knows what the CDK CLI needs, and refuses anything else.
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import json
import os
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from penstock.local import images, recipes
from penstock_runtime.errors import InputError, PenstockError

IMAGES = "PENSTOCK_IMAGES"
"""Environment variable: the images folder of the instance. Its `local/` is for what is not pushed."""

_ECR = re.compile(
    r"^\d{12}\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<repository>[^:@]+):(?P<tag>.+)$"
)


def command(folder: Path) -> Path:
    """Write the program for CDK_DOCKER into a folder; returns its path."""
    path = folder / "docker"
    text = f'#!/bin/sh\n# Written by Penstock: {main.__doc__}\nexec {shlex.quote(sys.executable)} -m {__name__} "$@"\n'
    path.write_text(text)
    path.chmod(0o755)
    return path


def main(arguments: Sequence[str]) -> int:
    """Stand in for docker in the embedded mode; see penstock/local/docker.py."""
    try:
        return _run(list(arguments))
    except PenstockError as error:
        print(f"penstock docker: {error}", file=sys.stderr)
        return error.exit_code if error.exit_code != 1 else 3  # 1 means "no such image" to the CDK CLI


def _run(arguments: list[str]) -> int:
    if arguments[:1] == ["--config"]:
        arguments = arguments[2:]
    known: dict[str, Callable[[list[str]], int]] = {
        "build": _build,
        "inspect": _inspect,
        "images": _images,
        "login": _login,
        "tag": _tag,
        "push": _push,
    }
    if not arguments or arguments[0] not in known:
        _refuse(f"does not know {shlex.join(arguments) or 'an empty command'}; it knows {', '.join(known)}")
    return known[arguments[0]](arguments[1:])


def _build(arguments: list[str]) -> int:
    parser = _Parser(prog="build")
    parser.add_argument("--tag", required=True)
    parser.add_argument("--file", default="Dockerfile", choices=["Dockerfile"])
    # No platform is real here: everything runs on this machine's.
    parser.add_argument("--platform")
    parser.add_argument("context", type=Path)
    given = parser.parse_args(arguments)
    root = recipes.build(given.context.resolve(), lambda text: print(f"penstock docker: {text}", file=sys.stderr))
    # The Dockerfile's PATH, WORKDIR and ENV.
    images.write(
        _local(),
        images.Manifest(given.tag, [str(root / "venv" / "bin")], str(root / "project"), {"PYTHONUNBUFFERED": "1"}),
    )
    return 0


def _inspect(arguments: list[str]) -> int:
    parser = _Parser(prog="inspect")
    parser.add_argument("reference")
    manifest = images.load(_local(), parser.parse_args(arguments).reference)
    if manifest is None:
        return 1
    print(
        json.dumps(
            [{"RepoTags": [manifest.reference], "Penstock": {"path": manifest.path, "workdir": manifest.workdir}}]
        )
    )
    return 0


def _images(arguments: list[str]) -> int:
    parser = _Parser(prog="images")
    parser.add_argument("--format", choices=["{{.Repository}}:{{.Tag}}"], required=True)
    parser.add_argument("--filter", required=True)
    kind, _, pattern = parser.parse_args(arguments).filter.partition("=")
    if kind != "reference":
        _refuse(f"filters images by reference only, not by {kind}")
    for path in sorted(_local().glob("*.json")):
        reference = json.loads(path.read_text())["reference"]
        if fnmatch.fnmatchcase(reference, pattern):
            print(reference)
    return 0


def _login(arguments: list[str]) -> int:
    parser = _Parser(prog="login")
    parser.add_argument("--username", required=True)
    parser.add_argument("--password-stdin", action="store_true", required=True)
    parser.add_argument("registry")
    parser.parse_args(arguments)
    # Read, so that the CLI can write it; `push` uses the AWS credentials at hand.
    sys.stdin.read()
    return 0


def _tag(arguments: list[str]) -> int:
    parser = _Parser(prog="tag")
    parser.add_argument("source")
    parser.add_argument("target")
    given = parser.parse_args(arguments)
    manifest = _built(given.source)
    images.write(_local(), images.Manifest(given.target, manifest.path, manifest.workdir, manifest.environment))
    return 0


def _push(arguments: list[str]) -> int:
    parser = _Parser(prog="push")
    parser.add_argument("reference")
    manifest = _built(parser.parse_args(arguments).reference)
    _put_into_ecr(manifest)
    images.write(_folder(), manifest)
    return 0


def _put_into_ecr(manifest: images.Manifest) -> None:
    """Let ECR list the image, so that the next deploy finds it there."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    place = _ECR.match(manifest.reference)
    if place is None:
        _refuse(f"pushes to the embedded ECR only, not to {manifest.reference}")
    if not os.environ.get("AWS_ENDPOINT_URL", "").startswith("https://127.0.0.1:"):
        _refuse("pushes to the embedded ECR only, and AWS_ENDPOINT_URL does not name one")
    description = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.empty.v1+json",
                "digest": f"sha256:{hashlib.sha256(b'{}').hexdigest()}",
                "size": 2,
            },
            "layers": [],
            "annotations": {
                "org.opencontainers.image.description": "No image: a folder that stands for one (Penstock)",
                "penstock.folder": str(manifest.workdir),
            },
        }
    )
    try:
        ecr = boto3.client("ecr", region_name=place["region"])
        ecr.put_image(repositoryName=place["repository"], imageTag=place["tag"], imageManifest=description)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ImageAlreadyExistsException":
            raise PenstockError(f"the embedded ECR refuses the image: {error}", fix="run penstock up again") from error
    except BotoCoreError as error:
        raise PenstockError(f"the embedded ECR does not answer: {error}", fix="run penstock up again") from error


def _built(reference: str) -> images.Manifest:
    manifest = images.load(_local(), reference)
    if manifest is None:
        raise PenstockError(f"there is no image {reference} here", fix="build it first; the CDK CLI does")
    return manifest


def _folder() -> Path:
    value = os.environ.get(IMAGES)
    if not value:
        _refuse(f"needs the environment variable {IMAGES}")
    return Path(value)


def _local() -> Path:
    return _folder() / "local"


class _Parser(argparse.ArgumentParser):
    """Refuses what it does not know, as an error of ours."""

    def error(self, message: str) -> NoReturn:
        _refuse(f"does not support this `{self.prog}`: {message}")


def _refuse(what: str) -> NoReturn:
    raise InputError(
        f"this stand-in for docker {what}", fix="use real Docker, or the part of it that the CDK CLI needs"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
