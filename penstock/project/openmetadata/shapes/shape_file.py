"""Where the shapes of a version of OpenMetadata are kept: a file in the user's cache.

It is made from the package that is installed on this machine, and holds nothing that Penstock may give away: the
package's licence allows its use, and not that parts of it are copied into another project.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from penstock import home
from penstock.project.openmetadata.shapes.shapes import Shapes
from penstock.versions.openmetadata import line

EXPORT = Path(__file__).with_name("export.py")
"""The script that makes the file."""


@dataclass(frozen=True)
class Unknown:
    """Why the shapes of a version are not known, and how to have them."""

    why: str
    fix: str


Source = Callable[[str], Shapes | Unknown]
"""The shapes of a server's version."""


def lock_of(version: str) -> Path | None:
    """The committed lock that names the package of a server's release line; None where there is none."""
    lock = home.REQUIREMENTS / "images" / f"openmetadata-{line(version)}.txt"
    return lock if version.replace(".", "").isdigit() and lock.exists() else None


def path_of(lock: Path) -> Path:
    """The file that holds the shapes of a lock's package; named by all that goes into it."""
    key = hashlib.sha256(lock.read_bytes() + b"\0" + EXPORT.read_bytes()).hexdigest()[:16]
    return home.cache() / "shapes" / f"{lock.stem}-{key}.json"


def cached(version: str) -> Shapes | Unknown:
    """The shapes of a server's version, where they are in the cache."""
    lock = lock_of(version)
    if lock is None:
        locks = (home.REQUIREMENTS / "images").glob("openmetadata-*.txt")
        known = ", ".join(sorted(path.stem.partition("-")[2] for path in locks))
        return Unknown(
            f"Penstock has no lock for OpenMetadata {version}",
            f"nothing, unless the server is of a release with one: {known}",
        )
    path = path_of(lock)
    try:
        return Shapes(json.loads(path.read_text()))
    except FileNotFoundError:
        return Unknown(
            f"the package of OpenMetadata {line(version)} is not installed here",
            "run `penstock validate --install` once, or `make setup`",
        )
    except (OSError, ValueError, KeyError) as error:
        return Unknown(f"{path} cannot be read: {str(error)[:100]}", "remove it and run this again")
