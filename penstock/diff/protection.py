"""Termination protection: no template holds it, so it is compared with what the stacks have now.

The CDK CLI sets it at every deploy as the project says, for a stack whose template is the same, too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """What happens to one stack that is there."""

    stack: str
    before: bool
    after: bool


def compare(live: Mapping[str, bool], protected: bool, stacks: Collection[str]) -> list[Change]:
    """The stacks that a deploy protects, or no longer protects.

    Args:
        live: name → whether it is protected now, of those that are there.
        protected: what the project says.
        stacks: those that the deploy touches.
    """
    return [
        Change(name, before, protected)
        for name, before in sorted(live.items())
        if name in stacks and before != protected
    ]
