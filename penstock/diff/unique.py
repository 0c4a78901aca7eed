"""Replacements that CloudFormation cannot make: the new resource comes first, and finds what is the old one's taken.

Sources: AWS CloudFormation User Guide, "Update behaviors of stack resources" ("Replacement"), and the services' errors
at `replacement.UNIQUE`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from penstock.diff.replacement import UNIQUE
from penstock.diff.values import text

Resource = Mapping[str, Any]

NEW_ENVIRONMENT = "or make it in a new environment of the project and delete this one"
_FIXES = {
    "AWS::ECR::PullThroughCacheRule": "or give the rule another prefix: images.<engine>.pull_through.prefix",
    "AWS::IAM::Role": "or change iam.role_name_prefix with it",
}
"""Type → what may be done instead of taking a change back."""


def at(resource: Resource, path: str) -> Any:
    """A property by its path."""
    value: Any = resource.get("Properties", {})
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def identity(resource: Resource) -> tuple[Any, ...] | None:
    """What no other resource of the type may have; None: nothing, or AWS makes it up."""
    paths = UNIQUE.get(resource["Type"], ())
    values = tuple(at(resource, path) for path in paths)
    return values if values and None not in values else None


def kept(was: Resource, is_now: Resource, moves: Callable[[Any], bool]) -> str | None:
    """Of a resource that is replaced: what of the old one the new one would have, in words; None: nothing.

    Args:
        moves: whether a value refers to something that is replaced itself.
    """
    own = identity(is_now)
    if was["Type"] != is_now["Type"] or own is None or own != identity(was) or any(map(moves, own)):
        return None
    return describe_name(is_now)


def describe_name(resource: Resource) -> str:
    """Its identity in words: `EcrRepositoryPrefix hub`."""
    return ", ".join(f"{path} {text(at(resource, path))}" for path in UNIQUE[resource["Type"]])


def fix(kind: str) -> str:
    """What to do about it, besides taking the change back."""
    return _FIXES.get(kind, NEW_ENVIRONMENT)


def again(before: Mapping[str, Resource], after: Mapping[str, Resource]) -> Iterator[tuple[str, str]]:
    """In one stack, under its logical ids: those that come new with the identity of one that is there, and that one.

    Yields:
        the new one's logical id, the old one's.
    """
    there = {
        (resource["Type"], repr(own)): name
        for name, resource in before.items()
        if (own := identity(resource)) is not None
    }
    for name, resource in after.items():
        own = identity(resource)
        other = there.get((resource["Type"], repr(own))) if own is not None else None
        if name not in before and other is not None:
            yield name, other
