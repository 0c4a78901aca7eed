"""Task definitions: as few as the tasks of a project allow, under names that stay.

Tasks share one where engine, image, architecture and secrets are the same; size is given at RunTask. The family's
name says project, environment and engine; its digest leaves out whatever an upgrade changes (size, a secret's
reference, the version of an engine's own image), so that those make a new revision and not a new family, and adding a
job renames none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from penstock.project.size import covering
from penstock_runtime import plan

Key = tuple[str, str, str | None, str, tuple[str, ...]]


@dataclass(frozen=True)
class Draft:
    """A task whose family is not known yet, and what its task definition must have."""

    task: plan.Task
    image: plan.Image
    default_image: bool
    """Whether the image is the engine's own, which a new version may replace."""
    architecture: plan.Architecture
    secrets: tuple[str, ...]
    """Names, sorted."""

    @property
    def key(self) -> Key:
        """What task definitions are told apart by."""
        return self.task.engine, self.image.reference, self.image.context, self.architecture, self.secrets

    @property
    def family_digest(self) -> str:
        """What the family's name is told apart by."""
        image = None if self.default_image else [self.image.reference, self.image.context]
        return _digest([self.task.engine, self.architecture, self.secrets, image], 6)


def definitions(
    prefix: str, region: str, secrets: Mapping[str, plan.Secret], drafts: Sequence[Draft]
) -> tuple[dict[Key, str], tuple[plan.TaskDefinition, ...]]:
    """The family of each key, and the task definitions by family."""
    groups: dict[Key, list[Draft]] = {}
    for draft in drafts:
        groups.setdefault(draft.key, []).append(draft)
    families: dict[Key, str] = {}
    found = []
    for key, group in groups.items():
        first = group[0]
        family = f"{prefix}-{first.task.engine}-{first.family_digest}"
        families[key] = family
        cpu_units, memory_mib = covering((draft.task.cpu_units, draft.task.memory_mib) for draft in group)
        found.append(
            plan.TaskDefinition(
                family=family,
                role_prefix=f"{prefix}-{_digest([family, region], 8)}",
                engine=first.task.engine,
                image=first.image,
                architecture=first.architecture,
                secrets=tuple(secrets[name] for name in first.secrets),
                cpu_units=cpu_units,
                memory_mib=memory_mib,
            )
        )
    assert len(set(families.values())) == len(families), "two task definitions have one digest"
    return families, tuple(sorted(found, key=lambda one: one.family))


def _digest(value: object, length: int) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:length]
