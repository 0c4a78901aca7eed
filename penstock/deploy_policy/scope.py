"""What the templates of some environments of a project name: the places of `types` are filled from it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.aws.arns import partition_of
from penstock.aws.cloudformation import Templates
from penstock.deploy_policy.names import NAMINGS, Resource, patterns
from penstock_runtime.plan.airflow import Airflow
from penstock_runtime.plan.plan import Plan

QUALIFIER = "hnb659fds"
"""CDK's own (`DefaultStackSynthesizer.DEFAULT_QUALIFIER`)."""
ROLE = "AWS::IAM::Role"
_PLACE = re.compile(r"\{([^}]+)\}")


@dataclass(frozen=True)
class Deployment:
    """One environment of the project, synthesized."""

    plan: Plan
    templates: Templates


@dataclass
class Scope:
    """The values for each place. Environments with the same account, region, bootstrap and permissions boundary."""

    partition: str
    project: str
    environments: list[str]
    boundary: str | None
    types: set[str] = field(default_factory=set)
    places: dict[str, list[str]] = field(default_factory=dict)
    attached: list[str] = field(default_factory=list)
    """ARNs of the managed policies that roles of ours have."""
    passed: dict[str, list[str]] = field(default_factory=dict)
    """Service → patterns of the roles that trust it, which is whom they can be passed to."""

    def fill(self, on: Iterable[str]) -> list[str]:
        """The ARNs of a grant; none for a place of which there is nothing."""
        arns: dict[str, None] = {}
        for pattern in on:
            names = dict.fromkeys(_PLACE.findall(pattern))
            for values in itertools.product(*(self.places.get(name, []) for name in names)):
                filled = pattern
                for name, value in zip(names, values, strict=True):
                    filled = filled.replace(f"{{{name}}}", value)
                # What ends in `*` covers what follows a colon.
                if not (filled.endswith("*:*") and self._arn(filled[:-2]) in arns):
                    arns[self._arn(filled)] = None
        return list(arns)

    def _arn(self, rest: str) -> str:
        return rest if rest == "*" or rest.startswith("arn:") else f"arn:{self.partition}:{rest}"


def scope_of(deployments: list[Deployment], account: str) -> Scope:
    """What is in the templates of these environments.

    Args:
        account: twelve digits.
    """
    first = deployments[0].plan
    qualifier = first.iam.bootstrap_qualifier or QUALIFIER
    scope = Scope(
        partition=partition_of(first.region),
        project=first.project,
        environments=[deployment.plan.environment for deployment in deployments],
        boundary=first.iam.permissions_boundary,
        places={
            "region": [first.region],
            "account": [account],
            "assets": [f"cdk-{qualifier}-assets-{account}-{first.region}"],
            "version": [f"/cdk-bootstrap/{qualifier}/version"],
        },
    )
    for deployment in deployments:
        for stack, template in deployment.templates.items():
            for logical_id, resource in template.get("Resources", {}).items():
                _read(scope, stack, logical_id, resource, deployment.plan)
        network = deployment.plan.network
        _add(scope, "vpc", [network.vpc] if network.vpc else [])
        _add(scope, "subnet", network.private_subnets)
        _add(scope, "group", (*network.airflow_security_groups, *network.endpoint_security_groups))
        if isinstance(deployment.plan.airflow, Airflow):
            _read_airflow(scope, deployment.plan.airflow)
    return scope


def _read(scope: Scope, stack: str, logical_id: str, resource: Resource, plan: Plan) -> None:
    kind, properties = resource["Type"], resource.get("Properties", {})
    scope.types.add(kind)
    names = patterns(stack, logical_id, resource, plan.prefix) if kind in NAMINGS else []
    _add(scope, kind, names)
    if kind == ROLE:
        attached = [_text(arn, scope) for arn in properties.get("ManagedPolicyArns", [])]
        scope.attached = _union(scope.attached, attached)
        _add(scope, "attaching", names if attached else [])
        for service in _trusted(properties["AssumeRolePolicyDocument"]):
            scope.passed[service] = _union(scope.passed.get(service, []), names)
    elif kind == "AWS::IAM::ManagedPolicy":
        _add(scope, "guest", [role for role in properties.get("Roles", []) if isinstance(role, str)])
    elif kind == "AWS::ECR::PullThroughCacheRule" and "CredentialArn" in properties:
        _add(scope, "secret", [_text(properties["CredentialArn"], scope)])


def _read_airflow(scope: Scope, airflow: Airflow) -> None:
    """What an MWAA environment of ours has that is not in the templates."""
    _add(scope, "key", [airflow.kms_key] if airflow.kms_key else [])
    _add(scope, "their_bucket", [airflow.bucket] if airflow.bucket else [])
    if airflow.execution_role:
        for service in ("airflow.amazonaws.com", "airflow-env.amazonaws.com"):
            scope.passed[service] = _union(scope.passed.get(service, []), [f"/{airflow.execution_role}"])


def _trusted(document: Mapping[str, Any]) -> list[str]:
    """The services that a role trusts."""
    trusted: list[str] = []
    for statement in document["Statement"]:
        services = statement.get("Principal", {}).get("Service", [])
        trusted += [services] if isinstance(services, str) else services
    return trusted


def _text(value: Any, scope: Scope) -> str:
    """A text of a template, worked out as far as it depends on the place only; `*` for the rest."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(_text(part, scope) for part in parts)
    known = {
        "AWS::Partition": scope.partition,
        "AWS::Region": scope.places["region"][0],
        "AWS::AccountId": scope.places["account"][0],
    }
    return known.get(value.get("Ref", ""), "*") if isinstance(value, Mapping) else "*"


def _add(scope: Scope, place: str, values: Iterable[str]) -> None:
    if patterns_ := _union(scope.places.get(place, []), values):
        scope.places[place] = patterns_


def _union(before: list[str], more: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*before, *more]))
