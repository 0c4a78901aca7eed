"""Whether the package and the OpenMetadata server are of one release line, before any work starts.

The package asks the same, once it is imported, which takes it 4 to 16 seconds. It goes on where only the third number
differs, and so do we.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock_runtime.container.engines import server
from penstock_runtime.contract import Exit
from penstock_runtime.errors import RunError


def check(settings: Mapping[str, Any], package: str, installed: str) -> None:
    """Compare the server's version with the installed package's. A server that gives no version is left to the package,
    which asks it again, and to what is said of its errors.

    Args:
        settings: the workflow's config, filled.
        package: name of the ingestion package, for the message.
        installed: its version.

    Raises:
        RunError: their release lines differ, and the config does not say `enableVersionValidation: false`.
    """
    block = server.block(settings)
    ours = _numbers(installed)
    if ours is None or block.get("enableVersionValidation") is False or not block.get("hostPort"):
        return
    found = server.version(settings)
    theirs = _numbers(found) if found is not None else None
    if theirs is None or theirs[:2] == ours[:2]:
        return
    number = ".".join(theirs)
    raise RunError(
        f"the OpenMetadata server {block['hostPort']} has version {number}, and this image has {package} {installed}: "
        "their first two numbers must be the same",
        fix=f"set openmetadata.version to {number} in penstock.yaml, from which the image follows, and deploy; where "
        f"images.openmetadata names an image or a lock of yours, put {package}=={number}.* into that; to run all the "
        "same, set enableVersionValidation: false in the workflow file's openMetadataServerConfig",
        exit_code=Exit.FAILED,
    )


def _numbers(version: str) -> list[str] | None:
    """Its first three numbers, without `-SNAPSHOT` and the like; None where it has not two."""
    parts = version.strip().removeprefix("v").partition("-")[0].split(".")[:3]
    return parts if len(parts) > 1 and all(part.isascii() and part.isdigit() for part in parts) else None
