"""Image recipes (`runtime/images/`), made without Docker: the recipe's own `build.sh`, run into a folder of the cache.

It is the very script that the Dockerfile runs, with the Python that the Dockerfile starts from, so that the folder
holds what the image holds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from penstock.local import cache, environments
from penstock_runtime.errors import InputError

_BASE = re.compile(r"^FROM\s+python:(?P<version>\d+\.\d+)", re.MULTILINE)


def build(context: Path, report: Callable[[str], None]) -> Path:
    """Make what the image of a context folder holds; returns the folder that is /opt/penstock in the image.

    Args:
        context: Dockerfile, build.sh, requirements.txt and project/ (`stacks.ingestion.image` lays it out).

    Raises:
        PenstockError: it is not one of Penstock's recipes, or its build.sh failed.
    """
    script, dockerfile = context / "build.sh", context / "Dockerfile"
    if not script.exists() or not dockerfile.exists():
        raise _no_recipe(context, "has no Dockerfile or no build.sh")
    base = _BASE.search(dockerfile.read_text())
    if base is None:
        raise _no_recipe(dockerfile, "has no line FROM python:<version>")
    python = environments.find_python(base["version"])
    root = cache.root() / "images" / _key(context, environments.describe(python))

    def make() -> None:
        report("this is not Docker: the recipe's build.sh runs here, into a folder")
        environ = cache.environ() | {
            "CONTEXT": str(context),
            "IMAGE_ROOT": str(root),
            "PYTHON": str(python),
            "UV": str(cache.uv()),
        }
        done = cache.run(["/bin/sh", str(script)], environ)
        if done.code != 0:
            raise environments.failure(f"building the image ({script.name})", done)

    return cache.once(root, make, report)


def _key(context: Path, python: str) -> str:
    """A hash of the context's files, by name and content, and of the Python."""
    total = hashlib.sha256(python.encode())
    for path in sorted(path for path in context.rglob("*") if path.is_file()):
        name = path.relative_to(context).as_posix().encode()
        total.update(b"%d %s %s" % (len(name), name, hashlib.sha256(path.read_bytes()).digest()))
    return total.hexdigest()[:32]


def _no_recipe(path: Path, what: str) -> InputError:
    return InputError(
        f"{path} {what}: without Docker, only the recipes of runtime/images can be built",
        fix="use such a recipe, or name an image that exists and run on AWS",
    )
