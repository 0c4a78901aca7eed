"""Two sets of templates: which resources come, go, change or are replaced.

Replacement spreads: a subnet of a VPC that is replaced is replaced, and so is the MWAA environment in that subnet,
though its own template does not change by a letter; references are followed across stacks.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from penstock.aws.cloudformation import Templates
from penstock.diff import unique
from penstock.diff.fields import Field, between
from penstock.diff.replacement import FIXED, HOLDS_DATA, STAYS
from penstock.diff.unique import at
from penstock.diff.values import plain

Id = tuple[str, str]
"""Stack name and logical id."""

_NOISE = frozenset({"AWS::CDK::Metadata"})
_NAMES = ("Name", "BucketName", "LogGroupName", "RoleName", "Family", "ClusterName", "FunctionName", "TopicName")
_RETENTION = ("DeletionPolicy", "UpdateReplacePolicy")
_POLICIES = frozenset({"PolicyDocument", "AssumeRolePolicyDocument", "KeyPolicy", "Policies"})
"""Properties whose values are reported as permissions."""
_FILES = frozenset(
    {
        *("Code", "Content", "SourceBucketNames", "SourceObjectKeys"),
        *("RequirementsS3ObjectVersion", "PluginsS3ObjectVersion", "StartupScriptS3ObjectVersion"),
    }
)
"""Where the deploy's own files lie, and versions that S3 gives them at their upload."""
_UPLOAD = "Custom::CDKBucketDeployment"
"""Goes by its logical id without the hash: that of a file of MWAA's is its content's
(`stacks.airflow.environment_files`)."""


@dataclass(frozen=True)
class Change:
    """What happens to one resource."""

    kind: Literal["added", "removed", "changed", "replaced"]
    stack: str
    type: str
    name: str
    """Its own name where it has one; else where it is in the stack: `acme-dev-airflow/Dags`."""
    properties: tuple[str, ...] = ()
    """Of a changed or replaced one: which differ."""
    because: tuple[str, ...] = ()
    """Of a replaced one: the properties that make CloudFormation replace it; they may refer to another replaced one."""
    fields: tuple[Field, ...] = ()
    """Of a changed or replaced one: what of it was and will be, where that can be read; hashes and policies cannot."""
    retained: bool = False
    """Of a removed one: whether it stays in the account, without a stack."""
    stays: tuple[str, ...] = ()
    """Of a changed one: what leaves the template and stays in force, and what to do."""
    taken: str = ""
    """Of a replaced or added one: what it would have in common with one that is there, so that the deploy fails."""

    @property
    def loss(self) -> str | None:
        """What is lost; None: nothing that holds data."""
        lost = HOLDS_DATA.get(self.type)
        return lost if self.kind == "replaced" or (self.kind == "removed" and not self.retained) else None


def compare(before: Templates, after: Templates) -> list[Change]:
    """The changes that a deploy of `after` makes. A stack that only `before` has is not touched by a deploy."""
    old, new, exports = _resources(before), _resources(after), _exports(after)
    replaced, again = _replaced(old, new, exports), _again(before, after)
    changes = []
    for key in sorted({*old, *new}):
        stack = key[0]
        was, is_now = old.get(key), new.get(key)
        if was is None:
            changes.append(Change("added", stack, new[key]["Type"], name(key, new[key]), taken=again.get(key, "")))
        elif is_now is None:
            if stack in after:
                kept = was.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate")
                changes.append(Change("removed", stack, was["Type"], name(key, was), retained=kept))
        elif key in replaced or was != is_now:
            changed, fields = tuple(sorted(_changed(was, is_now))), tuple(_fields(was, is_now))
            if key in replaced:
                because = tuple(sorted(replaced[key]))
                taken = unique.kept(was, is_now, partial(_moves, stack, replaced, exports)) or ""
                me = name(key, was)
                changes.append(Change("replaced", stack, was["Type"], me, changed, because, fields, taken=taken))
            elif changed:
                stays = tuple(_stays(was, is_now))
                me = name(key, is_now)
                changes.append(Change("changed", stack, is_now["Type"], me, changed, fields=fields, stays=stays))
    return changes


def _again(before: Templates, after: Templates) -> dict[Id, str]:
    """What comes under another logical id, and would have the identity of one that its stack still has then."""
    return {
        (stack, new): unique.describe_name(after[stack]["Resources"][new])
        for stack in after
        for new, _ in unique.again(before.get(stack, {}).get("Resources", {}), after[stack].get("Resources", {}))
    }


def _moves(stack: str, replaced: Container[Id], exports: Mapping[str, tuple[str, Any]], value: Any) -> bool:
    """Whether a value refers to something that is replaced."""
    return any(key in replaced for key in _references(stack, value, exports))


def left_over(before: Templates, after: Templates) -> list[str]:
    """Stacks that are deployed and no longer in the project: a deploy leaves them alone."""
    return sorted(set(before) - set(after))


@dataclass(frozen=True)
class Held:
    """An export that CloudFormation refuses to change, because deployed stacks import it."""

    name: str
    stack: str
    importers: tuple[str, ...]


def held(before: Templates, after: Templates) -> list[Held]:
    """The exports in use that a deploy would take away or give another value.

    Source: AWS CloudFormation User Guide, "Get exported outputs from a deployed CloudFormation stack".
    """
    replaced = _replaced(_resources(before), _resources(after), _exports(after))
    exports, held_exports = _exports(after), []
    for name_, (stack, value) in _exports(before).items():
        importers = tuple(
            importer for importer, template in before.items() if importer != stack and name_ in _imports(template)
        )
        if stack not in after or not importers:
            continue
        if _moves(stack, replaced, exports, value) or exports.get(name_) != (stack, value):
            held_exports.append(Held(name_, stack, importers))
    return held_exports


def name(key: Id, resource: Mapping[str, Any]) -> str:
    """What a person calls a resource."""
    properties = resource.get("Properties", {})
    for attribute in _NAMES:
        if isinstance(properties.get(attribute), str):
            return str(properties[attribute])
    path = resource.get("Metadata", {}).get("aws:cdk:path")
    if not isinstance(path, str):
        return "/".join(key)
    return path.removesuffix("/Resource").removesuffix("/Default")


def _resources(templates: Templates) -> dict[Id, Mapping[str, Any]]:
    return {
        (stack, _place(logical_id, resource)): resource
        for stack, template in templates.items()
        for logical_id, resource in template.get("Resources", {}).items()
        if resource["Type"] not in _NOISE
    }


def _place(logical_id: str, resource: Mapping[str, Any]) -> str:
    return re.sub("[0-9A-F]{8}$", "", logical_id) if resource["Type"] == _UPLOAD else logical_id


def _exports(templates: Templates) -> dict[str, tuple[str, Any]]:
    """Export → the stack that makes it, and its value."""
    return {
        output["Export"]["Name"]: (stack, output["Value"])
        for stack, template in templates.items()
        for output in template.get("Outputs", {}).values()
        if isinstance(output.get("Export", {}).get("Name"), str)
    }


def _imports(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(_imports, value))
    if not isinstance(value, Mapping):
        return set()
    own = {str(value["Fn::ImportValue"])} if "Fn::ImportValue" in value else set()
    return own.union(*map(_imports, value.values()))


def _replaced(
    old: Mapping[Id, Mapping[str, Any]], new: Mapping[Id, Mapping[str, Any]], exports: Mapping[str, tuple[str, Any]]
) -> dict[Id, set[str]]:
    """The resources that are replaced, with the properties that make it so."""
    both = [key for key in old if key in new]
    replaced: dict[Id, set[str]] = {}
    for key in both:
        was, is_now = old[key], new[key]
        if was["Type"] != is_now["Type"]:
            replaced[key] = {"Type"}
            continue
        fixed = {path for path in FIXED.get(was["Type"], ()) if at(was, path) != at(is_now, path)}
        if fixed:
            replaced[key] = fixed
    grew = True
    while grew:
        grew = False
        for key in both:
            if key in replaced:
                continue
            moved = {
                path
                for path in FIXED.get(new[key]["Type"], ())
                if _moves(key[0], replaced, exports, at(new[key], path))
            }
            if moved:
                replaced[key], grew = moved, True
    return replaced


def _references(stack: str, value: Any, exports: Mapping[str, tuple[str, Any]]) -> Iterator[Id]:
    """The resources that a value of a template refers to, through exports too."""
    if isinstance(value, list):
        for member in value:
            yield from _references(stack, member, exports)
    elif isinstance(value, Mapping):
        for function, argument in value.items():
            if function == "Ref" and isinstance(argument, str):
                yield stack, argument
            elif function == "Fn::GetAtt":
                yield stack, argument[0] if isinstance(argument, list) else str(argument).partition(".")[0]
            elif function == "Fn::ImportValue" and argument in exports:
                yield from _references(*exports[argument], exports)
            else:
                yield from _references(stack, argument, exports)


def _changed(was: Mapping[str, Any], is_now: Mapping[str, Any]) -> Iterator[str]:
    """The properties and policies that differ, by their top-level name."""
    old, new = was.get("Properties", {}), is_now.get("Properties", {})
    yield from (key for key in {*old, *new} if old.get(key) != new.get(key))
    yield from (key for key in _RETENTION if was.get(key) != is_now.get(key))


def _fields(was: Mapping[str, Any], is_now: Mapping[str, Any]) -> Iterator[Field]:
    """What a person can read of it, whole."""
    for key in sorted(_changed(was, is_now)):
        old, new = (
            (resource if key in _RETENTION else resource.get("Properties", {})).get(key) for resource in (was, is_now)
        )
        if key not in _POLICIES | _FILES:
            yield from (field_ for field_ in between(key, plain(old), plain(new)) if field_.readable and field_.short)


def _stays(was: Mapping[str, Any], is_now: Mapping[str, Any]) -> Iterator[str]:
    old, new = was.get("Properties", {}), is_now.get("Properties", {})
    for key, meaning in STAYS.get(is_now["Type"], {}).items():
        if key in old and key not in new:
            yield f"{key} was {old[key]}; {meaning}"
