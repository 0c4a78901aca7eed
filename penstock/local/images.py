"""What stands for a container image in the embedded mode: a manifest that names folders on this machine.

`<first 32 hex digits of sha256(reference)>.json` in the images folder holds `reference`, `path` (folders that go on
PATH), `workdir` (copied for each container; null: an empty one), `environment`, and the image's own `entry_point` and
`command`. The embedded ECS reads it when it "pulls". The virtual environment behind it holds what the image holds, and
no more. Of an image of the user's own nothing is known: this machine's programs (/usr/bin, /bin) stand for it, and a
bare Python where the image is said to have one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from penstock.home import REQUIREMENTS
from penstock.local import cache, environments
from penstock.versions.openmetadata import OPENMETADATA_LINES
from penstock_runtime.errors import PenstockError
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.task_definition import TaskDefinition

_STOCK = re.compile(r"(?:^|/)openmetadata/ingestion(?:-base)?:(?P<line>\d+\.\d+)\.\d+[^/]*$")

_PYTHON = re.compile(r"(?:^|/)python(?:[:@]|$)")
"""Docker's official image of Python, also in a mirror or a cache."""

LOCKS = {line: f"openmetadata-{line}.txt" for line in OPENMETADATA_LINES}
"""Release line of OpenMetadata's image → the lock, in `requirements/images/`, that stands for it."""


@dataclass(frozen=True)
class Manifest:
    """One image of the embedded mode."""

    reference: str
    path: Sequence[str]
    workdir: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    entry_point: Sequence[str] = ()
    command: Sequence[str] = ()


def file_name(reference: str) -> str:
    """The file in the images folder that holds this reference's manifest."""
    return f"{hashlib.sha256(reference.encode()).hexdigest()[:32]}.json"


def write(folder: Path, manifest: Manifest) -> Path:
    """Put a manifest into an images folder, whole or not at all: the embedded ECS may be reading."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / file_name(manifest.reference)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(asdict(manifest), indent=2) + "\n")
    return draft.replace(path)


def load(folder: Path, reference: str) -> Manifest | None:
    """The manifest of a reference; None if there is none."""
    try:
        return Manifest(**json.loads((folder / file_name(reference)).read_text()))
    except FileNotFoundError:
        return None


def register_stock(folder: Path, plan: Plan, report: Callable[[str], None]) -> None:
    """Write the manifests of all images that the plan takes from a registry.

    Raises:
        PenstockError: nothing here can stand for one of them.
    """
    for manifest in stand_ins(plan, report):
        write(folder, manifest)


def stand_ins(plan: Plan, report: Callable[[str], None]) -> list[Manifest]:
    """What stands for each image that the plan takes from a registry, installed if it is missing.

    Raises:
        PenstockError: nothing here can stand for one of them.
    """
    users: dict[str, list[TaskDefinition]] = {}
    for definition in plan.task_definitions:
        if definition.image.kind != "built":
            users.setdefault(definition.image.reference, []).append(definition)
    return [_stand_in(reference, users[reference], report) for reference in sorted(users)]


def _stand_in(reference: str, users: Sequence[TaskDefinition], report: Callable[[str], None]) -> Manifest:
    if _STOCK.search(reference) or any(user.engine != "command" for user in users):
        environment = stock_environment(reference, report)
        return Manifest(reference, [str(environment / "bin")], environment={"PYTHONUNBUFFERED": "1"})
    if any(user.runtime for user in users) or _PYTHON.search(reference):
        report(f"{reference}: a bare Python and this machine's programs stand for it")
        return Manifest(reference, [str(bare_python(report) / "bin")], command=("python3",))
    report(f"{reference}: this machine's programs stand for it")
    return Manifest(reference, [], command=("sh",))


def bare_python(report: Callable[[str], None]) -> Path:
    """A virtual environment with nothing in it but Python.

    Raises:
        PenstockError: the interpreter is missing.
    """
    interpreter = environments.find_python(environments.PYTHON)
    key = hashlib.sha256(environments.describe(interpreter).encode()).hexdigest()[:16]
    folder = cache.root() / "envs" / f"python-{key}"
    make = partial(environments.run_uv, "venv", "--no-project", "--python", str(interpreter), str(folder))
    return cache.once(folder, make, report)


def stock_environment(reference: str, report: Callable[[str], None]) -> Path:
    """The virtual environment that stands for a stock image; installed if it is missing.

    Raises:
        PenstockError: there is no lock for this image.
    """
    stock = _STOCK.search(reference)
    lock = LOCKS.get(stock["line"]) if stock else None
    if lock is None:
        raise PenstockError(
            f"the embedded mode has nothing that stands for the image {reference}",
            fix=f"for workflows it knows OpenMetadata's images of {', '.join(LOCKS)}, for workflows and Meltano the "
            "images that Penstock builds; on AWS any image that holds them runs",
        )
    path = REQUIREMENTS / "images" / lock
    return environments.ensure(path.stem, path, report=report)
