"""Fargate's prices, as far as we know them. Dated: look again when the date is old.

Source: AWS Price List, service AmazonECS, usage types `Fargate-vCPU-Hours:perCPU`, `Fargate-GB-Hours` and their ARM
kin, as quoted by others; each price is in two places that agree, or follows from a bill. A region or processor that is
not here has no price: better none than a wrong one. `observability.fargate_prices` sets one.
"""

from __future__ import annotations

from penstock_runtime.plan.observability import Price
from penstock_runtime.plan.task_definition import Architecture

CHECKED = "2026-11-01"
"""When the table was last compared with its sources."""

_X86: dict[str, tuple[float, float]] = {
    "eu-central-1": (0.04656, 0.00511),
    "eu-west-1": (0.04048, 0.004445),
    "us-east-1": (0.04048, 0.004445),
    "us-west-2": (0.04048, 0.004445),
}
_ARM: dict[str, tuple[float, float]] = {"us-east-1": (0.03238, 0.00356)}
_FARGATE: dict[Architecture, dict[str, tuple[float, float]]] = {"x86_64": _X86, "arm64": _ARM}


def fargate(region: str, architecture: Architecture) -> Price | None:
    """What Linux on this processor costs on demand in a region; None where we do not know."""
    hourly = _FARGATE[architecture].get(region)
    return None if hourly is None else Price(architecture, *hourly)
