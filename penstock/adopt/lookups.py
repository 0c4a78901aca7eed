"""What the look-ups share: clients, and the way that each look-up is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from penstock.adopt.live import Gone

T = TypeVar("T")


class Clients(Protocol):
    """Makes boto3 clients, by service."""

    def __call__(self, service: str) -> Any:
        """A client."""


class Look(Protocol):
    """Makes one look-up. One that fails is noted, and never keeps the others from being made."""

    def __call__(self, permission: str, look: Callable[[], T], gone: Mapping[str, Gone] | None = None) -> T | None:
        """What was found; None: it failed.

        Args:
            permission: the actions that it takes.
            gone: AWS's error code → what is missing then.
        """
