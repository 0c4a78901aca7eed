"""Task definitions: as few as the tasks of a project allow, under names that stay.

Tasks share one where engine, image, architecture, secrets and permissions are the same; size is given at RunTask. The
family's name says project, environment and engine; its digest leaves out whatever an upgrade changes (size, a secret's
reference, the version of an engine's own image), so that those make a new revision and not a new family, and adding a
job renames none.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from penstock.aws.fargate import covering
from penstock.compile.role_size import check_execution_role
from penstock.project.secrets.references import region_of
from penstock_runtime.contract import FAMILY_DIGITS, ROLE_DIGITS
from penstock_runtime.errors import InputError
from penstock_runtime.plan.plan import Config, ProjectFile
from penstock_runtime.plan.schedule import FargateTask
from penstock_runtime.plan.task_definition import Architecture, Image, Permission, PullThrough, Secret, TaskDefinition

MOST_IN_ONE_STACK = 80
"""Task definitions that are with the cluster, in one stack; if there are more, all of them are spread over 16 stacks.
Each has three resources; CloudFormation takes 500 in a stack ("AWS CloudFormation quotas")."""
MOST_IN_A_SPREAD_STACK = 87
CHARACTERS_OF_ONE = 10_300
"""Room that a task definition and its roles take in a template, about, two thirds of it the text of the entry point;
a template has 1 MB (the same quotas)."""
SECRETS_OF_ONE, CHARACTERS_OF_A_SECRET = 4, 600
"""How many secrets that room is for, and what each of the others takes: in the container, and twice in its role."""

Key = tuple[str, Image, bool, str, tuple[str, ...], str, bool, bool, str | None]


@dataclass(frozen=True)
class Draft:
    """A task whose family is not known yet, and what its task definition must have."""

    task: FargateTask
    image: Image
    default_image: bool
    """Whether the image is the engine's own, which a new version may replace."""
    architecture: Architecture
    secrets: tuple[str, ...]
    """Names, sorted."""
    permissions: tuple[Permission, ...] = ()
    read_only_root: bool = False
    meltano_state: str | None = None
    """As in the task definition. The same for all Meltano tasks of an environment."""
    config: Config | None = None
    """The workflow config that the task names."""
    pull_through: PullThrough | None = None
    """The rule that the image needs, where the deploy makes it."""
    rest_api_of: str | None = None
    """As in the task definition."""
    project_files: tuple[ProjectFile, ...] = ()
    """Those of the task's files that are files of the project."""

    @property
    def key(self) -> Key:
        """What task definitions are parts apart by.

        By where the image's name comes from, too: otherwise the family's name would depend on the order of tasks.
        """
        granted = json.dumps([_without_reason(permission) for permission in self.permissions], sort_keys=True)
        image = self.image, self.default_image
        held = granted, self.read_only_root, self.task.runtime, self.rest_api_of
        return self.task.engine, *image, self.architecture, self.secrets, *held

    @property
    def family_digest(self) -> str:
        """What the family's name is parts apart by."""
        image = None if self.default_image else [self.image.reference, self.image.context]
        parts: list[object] = [self.task.engine, self.architecture, self.secrets, image]
        # Only where there are some, so that a project's families outlive these settings being thought of.
        if self.permissions or self.read_only_root:
            parts.append([[_without_reason(permission) for permission in self.permissions], self.read_only_root])
        # A release that is still running gives its commands to the runtime: its definition stays.
        if not self.task.runtime:
            parts.append("the image's own entry point")
        if self.rest_api_of is not None:
            parts.append(["REST API", self.rest_api_of])
        return _digest(parts, FAMILY_DIGITS)


def definitions(
    prefix: str,
    region: str,
    secrets: Mapping[str, Secret],
    drafts: Sequence[Draft],
    *,
    role_names: str = "",
    role_path: str = "/",
    kms_keys: Sequence[str] = (),
) -> tuple[dict[Key, str], tuple[TaskDefinition, ...]]:
    """The family of each key, and the task definitions by family.

    Args:
        role_names: what the name of every role starts with.
        role_path: IAM's path of every role. CloudFormation makes a role of another path anew, beside the old one, and
            so not under its name.
        kms_keys: ARNs of the keys that encrypt secrets.

    Raises:
        InputError: there are more than the stacks of a project take, or one has more secrets than a role may read.
    """
    groups: dict[Key, list[Draft]] = {}
    for draft in drafts:
        groups.setdefault(draft.key, []).append(draft)
    families: dict[Key, str] = {}
    task_definitions = []
    spread = sum(_weight(group[0].permissions, group[0].secrets) for group in groups.values()) > MOST_IN_ONE_STACK
    for key, group in groups.items():
        first = group[0]
        family = f"{prefix}-{first.task.engine}-{first.family_digest}"
        families[key] = family
        stack = _digest([family], 1) if spread else None
        # With the stack: a role whose definition moves gets another name, for a moment there are both.
        apart = [*([stack] if stack else []), *([role_path] if role_path != "/" else [])]
        cpu_units, memory_mib = covering((draft.task.cpu_units, draft.task.memory_mib) for draft in group)
        task_definitions.append(
            TaskDefinition(
                family=family,
                role_prefix=f"{role_names}{prefix}-{_digest([family, region, *apart], ROLE_DIGITS)}",
                engine=first.task.engine,
                image=first.image,
                architecture=first.architecture,
                secrets=tuple(secrets[name] for name in first.secrets),
                cpu_units=cpu_units,
                memory_mib=memory_mib,
                permissions=first.permissions,
                read_only_root=first.read_only_root,
                secret_kms_keys=_keys(first, secrets, kms_keys, region),
                files=any(file.sha256 is not None for draft in group for file in draft.task.files),
                meltano_state=first.meltano_state,
                stack=stack,
                runtime=first.task.runtime,
                rest_api_of=first.rest_api_of,
            )
        )
        check_execution_role(task_definitions[-1], region, first.task.name)
    _check_digests(families, groups)
    _check_room(task_definitions)
    return families, tuple(sorted(task_definitions, key=lambda definition: definition.family))


def _check_digests(families: Mapping[Key, str], groups: Mapping[Key, Sequence[Draft]]) -> None:
    named: dict[str, Draft] = {}
    for key, family in families.items():
        draft = groups[key][0]
        other = named.setdefault(family, draft)
        if other is not draft:
            raise InputError(
                f"tasks {other.task.name!r} and {draft.task.name!r} would share the name {family}, by chance",
                fix="rename a secret that one of them uses, or give one of them a permission more",
            )


def _keys(draft: Draft, secrets: Mapping[str, Secret], kms_keys: Sequence[str], region: str) -> tuple[str, ...]:
    """The keys that may encrypt what ECS reads for a task: those of the regions where it reads something."""
    read = [secrets[name] for name in draft.secrets] + ([draft.image.credentials] if draft.image.credentials else [])
    return keys_of(read, kms_keys, region)


def keys_of(secrets: Iterable[Secret], kms_keys: Sequence[str], region: str) -> tuple[str, ...]:
    """The keys that may encrypt these secrets: those of the regions where they are.

    Args:
        region: of secrets that do not say theirs.
    """
    regions = {region_of(secret, region) for secret in secrets}
    return tuple(sorted(key for key in kms_keys if key.split(":")[3] in regions))


def _weight(permissions: Sequence[Permission], secrets: Sequence[object]) -> float:
    """How many task definitions one with these counts as, by the room that it takes in a template."""
    more = CHARACTERS_OF_A_SECRET * max(0, len(secrets) - SECRETS_OF_ONE)
    return (
        1 + (len(json.dumps([dataclasses.asdict(permission) for permission in permissions])) + more) / CHARACTERS_OF_ONE
    )


def _check_room(definitions: Sequence[TaskDefinition]) -> None:
    room: dict[str | None, float] = {}
    for definition in definitions:
        room[definition.stack] = room.get(definition.stack, 0) + _weight(definition.permissions, definition.secrets)
    if max(room.values(), default=0) > MOST_IN_A_SPREAD_STACK:
        raise InputError(
            f"{len(definitions)} task definitions are more than fit into the stacks of one project",
            fix="let tasks share secrets, images and permissions, or split the project",
        )


def _without_reason(permission: Permission) -> dict[str, object]:
    return {name: value for name, value in dataclasses.asdict(permission).items() if name != "reason"}


def _digest(value: object, length: int) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:length]
