"""One reason for a Fargate task to stop, and ECS's stop codes.

Sources of the reasons: AWS, Amazon ECS Developer Guide, "Stopped tasks error messages", "CannotPullContainer task
errors", "ResourceInitializationError task errors"; ECS's API, `stopCode`; Penstock's exit codes (`contract.Exit`).
"""

from __future__ import annotations

from dataclasses import dataclass

FAILED_TO_START = "TaskFailedToStart"
EXITED = "EssentialContainerExited"
USER_INITIATED = "UserInitiated"


@dataclass(frozen=True)
class Reason:
    """One way to end, and what to do about it."""

    name: str
    """Unique; letters only. It is in the subject of the message."""
    cause: str
    fix: str
    transient: bool = False
    """Whether the same task may well succeed when it is tried again: capacity, throttling, Spot, a lost host."""
    for_good: bool = False
    """Whether the same task fails again until somebody changes something: an image, a secret, a file, a setting."""
    restarts: int = 0
    """How often a task that did not start for this reason is started again within a try. More for what passes, once or
    twice for what is mostly a setting and now and then a hiccup."""
