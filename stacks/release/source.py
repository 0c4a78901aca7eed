"""Where the project comes from that is deployed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """See `penstock_runtime.release.manifest.Release`."""

    order: int = 0
    committed: int = 0
    revision: str = ""
    replace: str = ""
    """When the user asked to replace something newer, ISO 8601; empty: not asked. A time, because CloudFormation
    leaves a resource alone that has the properties of the deploy before, whatever was pushed since."""
