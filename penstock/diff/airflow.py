"""Another Airflow for an MWAA environment that stays: what MWAA does with it, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.aws.cloudformation import Templates
from penstock.aws.mwaa import version_problem
from penstock.diff.templates import Change, name
from penstock.versions.number import parse

_TYPE = "AWS::MWAA::Environment"


@dataclass(frozen=True)
class Move:
    """An environment's way from one version to another."""

    environment: str
    before: str
    after: str
    problem: str | None
    """Why MWAA refuses it; None: it does not."""

    def __str__(self) -> str:
        if self.problem:
            return f"{self.environment}: {self.problem}"
        # MWAA user guide, "Changing the Apache Airflow version".
        before, after = parse(self.before) or (), parse(self.after) or ()
        way = "downgrades" if after < before else "upgrades"
        what = f"{self.environment}: MWAA {way} Airflow {self.before} to {self.after} in place"
        if before[:1] != after[:1]:
            what += ", from one major version to another: try the DAGs on it first (penstock up --airflow)"
        return f"{what}; it rolls back where the requirements do not fit the new version"


def moves(before: Templates, after: Templates, changes: list[Change]) -> Iterator[Move]:
    """The environments that stay and get another Airflow; one that is replaced starts anew, on any version."""
    replaced = {(change.stack, change.name) for change in changes if change.kind == "replaced"}
    for stack, template in after.items():
        for logical_id, resource in template.get("Resources", {}).items():
            old = before.get(stack, {}).get("Resources", {}).get(logical_id, {})
            known = (stack, name((stack, logical_id), old)) not in replaced
            if known and resource["Type"] == _TYPE and old.get("Type") == _TYPE:
                was, will = _version(old), _version(resource)
                if was and will and was != will:
                    yield Move(name((stack, logical_id), resource), was, will, version_problem(was, will))


def _version(resource: Mapping[str, Any]) -> str | None:
    version = resource.get("Properties", {}).get("AirflowVersion")
    return version if isinstance(version, str) and parse(version) else None
