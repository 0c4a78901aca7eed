"""Findings of the judges that we have looked at and keep, each on one construct and with its reason.

The judges are cdk-nag, with the packs AwsSolutions and NIST 800-53 R5, and checkov (`CKV_…`), which reads the template.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias, cast

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from constructs import IConstruct

from stacks.managed_policies import ManagedPolicies

Grantee: TypeAlias = iam.IRole | ManagedPolicies
"""Whom statements are given to: a role, or policies that a role which is not ours will have."""


def acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Accept findings on one construct: rule, with the finding in brackets where it has one, to the reason."""
    rules = [cdk.Acknowledgment(id=rule, reason=reason) for rule, reason in reasons.items() if not _of_checkov(rule)]
    if rules:
        cdk.Validations.of(construct).acknowledge(*rules)
    skipped = {rule: reason for rule, reason in reasons.items() if _of_checkov(rule)}
    if skipped:
        resource = construct if isinstance(construct, cdk.CfnResource) else construct.node.default_child
        assert isinstance(resource, cdk.CfnResource)
        before = (resource.get_metadata("checkov") or {}).get("skip", [])
        known = {entry["id"]: entry for entry in before} | {
            rule: {"id": rule, "comment": why} for rule, why in skipped.items()
        }
        resource.add_metadata("checkov", {"skip": list(known.values())})


def _of_checkov(rule: str) -> bool:
    return rule.startswith("CKV_")


def acknowledge_log_group(group: IConstruct, why: str = "CloudWatch Logs encrypts it with a key of its own.") -> None:
    """Accept that a log group has no key of the customer's."""
    acknowledge(group, dict.fromkeys(("CKV_AWS_158", "NIST.800.53.R5-CloudWatchLogGroupEncrypted"), why))


def acknowledge_function(function: IConstruct) -> None:
    """Accept the settings of a function that only CloudFormation calls."""
    _acknowledge_function(
        function,
        unreserved="CloudFormation calls it, a few times in a deploy.",
        no_queue="CloudFormation waits for its answer, so a call that fails is told as a deploy that fails.",
        outside="It calls S3 and CloudFormation only, and MWAA's VPC may have no way to the latter.",
    )


def acknowledge_watch(function: IConstruct) -> None:
    """Accept the settings of a function that a clock calls."""
    _acknowledge_function(
        function,
        unreserved="A clock calls it, every quarter of an hour.",
        no_queue="An alarm counts its errors, and the next call does what one has missed.",
        outside="It calls S3, CloudWatch and SNS only, and MWAA's VPC may have no way to the latter.",
    )
    acknowledge(function, {"CKV_AWS_173": "Its environment names a bucket, a topic and a log group; nothing secret."})


def acknowledge_reaper(function: IConstruct) -> None:
    """Accept the settings of a function that a clock calls, and that looks at a cluster."""
    _acknowledge_function(
        function,
        unreserved="A clock calls it, every five minutes.",
        no_queue="An alarm counts its errors, and the next call does what one has missed.",
        outside="It calls ECS and SNS only, and MWAA's VPC may have no way to the latter.",
    )
    acknowledge(function, {"CKV_AWS_173": "Its environment names a cluster, a topic and a log group; nothing secret."})


def acknowledge_listener(function: IConstruct) -> None:
    """Accept the settings of a function that EventBridge calls, once for each task that failed.

    A queue for lost messages would need somebody who reads it, and the topic is what has failed.
    """
    _acknowledge_function(
        function,
        unreserved="EventBridge calls it for each task that failed; a limit would make messages late, or lose them.",
        no_queue="What fails after Lambda's two retries is lost: a message. An alarm counts the errors, and the rule's "
        "own metric counts the failure of the task all the same.",
        outside="It calls SNS only, and MWAA's VPC may have no way to it.",
    )
    acknowledge(function, {"CKV_AWS_173": "Its environment names a topic and a log group; nothing secret."})


def _acknowledge_function(function: IConstruct, *, unreserved: str, no_queue: str, outside: str) -> None:
    """Accept that a function has no concurrency of its own, no dead-letter queue, and lies in no VPC."""
    reasons = dict.fromkeys(("CKV_AWS_115", "NIST.800.53.R5-LambdaConcurrency"), unreserved)
    reasons |= dict.fromkeys(("CKV_AWS_116", "NIST.800.53.R5-LambdaDLQ"), no_queue)
    reasons |= dict.fromkeys(("CKV_AWS_117", "NIST.800.53.R5-LambdaInsideVPC"), outside)
    acknowledge(function, reasons)


@jsii.implements(cdk.IAspect)
class InlinePolicies:
    """Accepts that roles have their policies inline: each belongs to one role, and goes when that goes."""

    def visit(self, node: IConstruct) -> None:
        """Called by CDK for each construct."""
        if isinstance(node, cdk.CfnResource) and node.cfn_resource_type in ("AWS::IAM::Role", "AWS::IAM::Policy"):
            reason = "It belongs to one role, and goes when that goes."
            acknowledge(node, {"NIST.800.53.R5-IAMNoInlinePolicy": reason})


def acknowledge_wildcards(
    construct: IConstruct, statements: Iterable[iam.PolicyStatement | Mapping[str, Any]], reason: str
) -> None:
    """Accept on one construct the wildcards that these statements hold, and no other."""
    stack = cdk.Stack.of(construct)
    for statement in statements:
        written = statement.to_statement_json() if isinstance(statement, iam.PolicyStatement) else statement
        document = stack.resolve(written)
        findings = [f"Action::{action}" for action in _listed(document.get("Action"))]
        findings += [f"Resource::{_flat(resource)}" for resource in _listed(document.get("Resource"))]
        acknowledge(construct, {f"AwsSolutions-IAM5[{finding}]": reason for finding in findings if "*" in finding})


def grant(grantee: Grantee, statements: Sequence[iam.PolicyStatement], reason: str) -> None:
    """Add statements to a role's policy, or to what stands for it; both are constructs.

    Args:
        reason: why their wildcards are as narrow as can be.
    """
    for statement in statements:
        grantee.add_to_principal_policy(statement)
    acknowledge_wildcards(cast(IConstruct, grantee), statements, reason)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _flat(value: Any) -> str:
    """A resolved value as cdk-nag writes it in the id of a finding: `<LogicalId.Arn>/*`."""
    if isinstance(value, str):
        return value
    ((function, argument),) = value.items()
    if function == "Ref":
        return f"<{argument}>"
    if function == "Fn::GetAtt":
        return f"<{'.'.join(argument)}>"
    if function == "Fn::ImportValue":
        return str(argument)
    if function == "Fn::Join":
        separator, parts = argument
        return str(separator).join(_flat(part) for part in parts)
    if function == "Fn::Sub":
        return str(argument).replace("${", "<").replace("}", ">")
    raise ValueError(f"no id for {function} in a finding")
