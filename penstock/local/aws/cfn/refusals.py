"""What AWS refuses of a resource before it is made or changed, and ministack would take: values that the services' own
models do not allow, and a replacement under a name that the old resource still has.

Source: AWS CloudFormation User Guide, "Update behaviors of stack resources" and "Name Type"; the models are botocore's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.aws.service_models import RESOURCES, refusals
from penstock.diff import unique
from penstock.diff.replacement import FIXED
from penstock.local.aws import compat

Properties = Mapping[str, Any]

_OWN_TAGS = "aws:cloudformation:"


def install() -> None:
    """Check each resource of each stack operation; an error rolls the operation back."""
    provision, update = compat.stacks._provision_resource, compat.stacks._update_resource

    def provision_checked(kind: str, logical_id: str, properties: Properties, *more: Any) -> Any:
        check(kind, properties)
        return provision(kind, logical_id, properties, *more)

    def update_checked(kind: str, physical_id: str, old: Properties, new: Properties, *more: Any) -> Any:
        if old != new:
            check(kind, new)
            check_replacement(kind, physical_id, old, new)
        return update(kind, physical_id, old, new, *more)

    compat.stacks._provision_resource = provision_checked
    compat.stacks._update_resource = update_checked


def check(kind: str, properties: Properties) -> None:
    """Refuse what the service would refuse.

    Raises:
        ValueError: in its words.
    """
    wrong = refusals(kind, _without_own_tags(_without_empty(properties)))
    if wrong:
        service = RESOURCES[kind].service.capitalize()
        raise ValueError(f'Resource handler returned message: "{wrong[0]} (Service: {service}, Status Code: 400)"')


def _without_empty(value: Any) -> Any:
    """What ministack makes of an empty `CommaDelimitedList`, as CDK's bootstrap template has some: one empty text."""
    if isinstance(value, Mapping):
        return {name: _without_empty(one) for name, one in value.items()}
    return [_without_empty(one) for one in value if one != ""] if isinstance(value, list) else value


def _without_own_tags(properties: Properties) -> Properties:
    """Leave out CloudFormation's own tags, which ministack has put among those of the template."""
    tags = properties.get("Tags")
    kept: Any = None
    if isinstance(tags, Mapping):
        kept = {name: one for name, one in tags.items() if not name.startswith(_OWN_TAGS)} or None
    elif isinstance(tags, list):
        kept = [one for one in tags if not _is_own_tag(one)] or None
    return {**properties, "Tags": kept}


def _is_own_tag(tag: Any) -> bool:
    return isinstance(tag, Mapping) and str(tag.get("Key", "")).startswith(_OWN_TAGS)


def check_replacement(kind: str, physical_id: str, old: Properties, new: Properties) -> None:
    """Refuse a change that would make the resource anew under the same name.

    Raises:
        ValueError: in CloudFormation's words.
    """
    was, is_now = ({"Type": kind, "Properties": one} for one in (old, new))
    replaced = any(unique.at(was, path) != unique.at(is_now, path) for path in FIXED.get(kind, ()))
    if replaced and unique.kept(was, is_now, lambda _: False):
        raise ValueError(
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
            f"Rename {physical_id} and update the stack again."
        )
