"""The names that resources will have, as patterns for IAM: the templates' own, and those that CloudFormation makes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock_runtime.errors import PenstockError

Resource = Mapping[str, Any]
"""As a template has it."""

_TAIL = 15
"""Two dashes and the random end of a generated name: 12 characters, formerly 13."""
_DIGEST = re.compile(r"(?<=-)([0-9a-f]{8}|[0-9a-f]{6})(?=-(?:task|exec)$|$)")
"""What ends a family or begins the end of a role's name, and changes with what is in them."""


@dataclass(frozen=True)
class Naming:
    """How the resources of one type are named."""

    attribute: str
    """The property that names one; where it is absent, CloudFormation makes a name."""
    maximum: int = 64
    """Characters, as the service has it."""
    lower: bool = False
    """Whether CloudFormation writes the made name in lower case."""
    by_logical_id: bool = False
    """Whether the made name may begin with the logical id instead of the stack's name."""


NAMINGS = {
    "AWS::CloudWatch::Alarm": Naming("AlarmName", 255),
    "AWS::CloudWatch::Dashboard": Naming("DashboardName", 255),
    "AWS::ECS::Cluster": Naming("ClusterName", 255),
    "AWS::ECS::TaskDefinition": Naming("Family", 255),
    "AWS::Events::Rule": Naming("Name"),
    "AWS::IAM::ManagedPolicy": Naming("ManagedPolicyName", 128),
    "AWS::IAM::Role": Naming("RoleName"),
    "AWS::Lambda::Function": Naming("FunctionName"),
    # Handlers of CloudFormation's newer kind name by the logical id alone; seen in accounts, documented nowhere.
    "AWS::Lambda::LayerVersion": Naming("LayerName", 140, by_logical_id=True),
    "AWS::Logs::LogGroup": Naming("LogGroupName", 512),
    "AWS::MWAA::Environment": Naming("Name", 80),
    "AWS::S3::Bucket": Naming("BucketName", 63, lower=True),
    "AWS::SNS::Topic": Naming("TopicName", 256),
    "AWS::SecretsManager::Secret": Naming("Name", 512),
    "AWS::StepFunctions::StateMachine": Naming("StateMachineName", 80, by_logical_id=True),
}
"""Type → naming. Maximum: the API Reference of each service."""


def patterns(stack: str, logical_id: str, resource: Resource, prefix: str) -> list[str]:
    """What the name of a resource will match, its path included.

    Args:
        prefix: of the plan's names. The digest in a name of ours is left open: another task would bring another one.

    Raises:
        PenstockError: the name is known only once the template is deployed.
    """
    naming = NAMINGS[resource["Type"]]
    properties = resource.get("Properties", {})
    name = properties.get(naming.attribute)
    if name is None:
        names = [_made(stack, naming)]
        if naming.by_logical_id:
            # CDK ends logical ids in eight digits of their path's hash.
            names.append(f"{re.sub(r'[0-9A-F]{8}$', '', logical_id)}*")
    elif isinstance(name, str):
        begin, ours, rest = name.rpartition(prefix)
        names = [f"{begin}{ours}{_DIGEST.sub(lambda match: '?' * len(match[0]), rest)}"]
    else:
        raise PenstockError(
            f"the name of {logical_id} in stack {stack} is known only after a deploy",
            fix="report it with your project file: no policy can be written for such a name",
        )
    path = properties.get("Path", "/") if resource["Type"].startswith("AWS::IAM::") else ""
    return [f"{path}{pattern}" for pattern in names]


def _made(stack: str, naming: Naming) -> str:
    """`<stack>-<logical id>-<random>`, of which a service's maximum leaves the stack at least half.

    AWS documents the form ("Resource name" of each type), and not how it shortens it: that a stack's name keeps 25
    characters of 64 is seen in accounts, and one fewer holds for the longer random end that there was before.
    """
    stack = stack.lower() if naming.lower else stack
    kept = (naming.maximum - _TAIL) // 2
    return f"{stack}-*" if len(stack) <= kept else f"{stack[:kept]}*"
