"""What stands for a container image in the embedded mode: a manifest that names folders on this machine.

`<first 32 hex digits of sha256(reference)>.json` in the images folder holds `reference`, `path` (folders that go on
PATH), `workdir` (copied for each container; null: an empty one) and `environment`. The embedded ECS reads it when it
"pulls". The virtual environment behind it holds what the image holds, and no more.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from penstock.home import REQUIREMENTS
from penstock.local import environments
from penstock_runtime.errors import PenstockError
from penstock_runtime.plan import Plan

_STOCK = re.compile(r"(?:^|/)openmetadata/ingestion(?:-base)?:(?P<line>\d+\.\d+)\.\d+[^/]*$")

LOCKS = {"1.12": "openmetadata-1.12.txt"}
"""Release line of OpenMetadata's image → the lock, in `requirements/images/`, that stands for it."""


@dataclass(frozen=True)
class Manifest:
    """One image of the embedded mode."""

    reference: str
    path: Sequence[str]
    workdir: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


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
    """The manifest of a reference; None where there is none."""
    try:
        return Manifest(**json.loads((folder / file_name(reference)).read_text()))
    except FileNotFoundError:
        return None


def register_stock(folder: Path, plan: Plan, report: Callable[[str], None]) -> None:
    """Write the manifests of all images that the plan takes from a registry.

    Raises:
        PenstockError: nothing here can stand for one of them.
    """
    for reference in stock_references(plan):
        environment = stock_environment(reference, report)
        write(folder, Manifest(reference, [str(environment / "bin")], environment={"PYTHONUNBUFFERED": "1"}))


def stock_references(plan: Plan) -> list[str]:
    """The images that the plan takes from a registry, each once, in order."""
    images = (definition.image for definition in plan.task_definitions)
    return sorted({image.reference for image in images if image.kind != "built"})


def stock_environment(reference: str, report: Callable[[str], None]) -> Path:
    """The virtual environment that stands for a stock image; installed where it is not there yet.

    Raises:
        PenstockError: there is no lock for this image.
    """
    found = _STOCK.search(reference)
    lock = LOCKS.get(found["line"]) if found else None
    if lock is None:
        raise PenstockError(
            f"the embedded mode has nothing that stands for the image {reference}",
            fix=f"here it knows OpenMetadata's ingestion image of {', '.join(LOCKS)}, and the images that Penstock "
            "builds; on AWS any image runs",
        )
    path = REQUIREMENTS / "images" / lock
    return environments.ensure(path.stem, path, report=report)
