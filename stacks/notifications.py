"""Who gets told: a topic of our own with its key, policy and subscribers, or one that exists."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from penstock_runtime.plan import Plan

CREATE_KEY = "create"
EVENTS, ALARMS = "events.amazonaws.com", "cloudwatch.amazonaws.com"


@dataclass(frozen=True)
class Topic:
    """The topic that is told."""

    arn: str
    key: str | None
    """ARN of its KMS key; None: it has none, or it is a topic that exists, and nobody said."""
    ours: bool

    def publish(self, stack: cdk.Stack) -> list[iam.PolicyStatement]:
        """What a role of ours needs to publish.

        Source: Amazon SNS Developer Guide, "Managing Amazon SNS encryption keys and costs". Of a topic that exists we
        do not know the key: any of that account's will do, for SNS, and for this topic.
        """
        found = [iam.PolicyStatement(actions=["sns:Publish"], resources=[self.arn])]
        key, conditions = self.key, {"kms:ViaService": f"sns.{stack.region}.amazonaws.com"}
        if not self.ours:
            account = self.arn.split(":")[4]
            key = f"arn:{stack.partition}:kms:{stack.region}:{account}:key/*"
            conditions["kms:EncryptionContext:aws:sns:topicArn"] = self.arn
        if key is not None:
            found.append(
                iam.PolicyStatement(
                    actions=["kms:Decrypt", "kms:GenerateDataKey"],
                    resources=[key],
                    conditions={"StringEquals": conditions},
                )
            )
        return found


def topic_of(scope: Construct, plan: Plan, *, alarms: bool, rules: bool) -> Topic:
    """The topic that alarms and rules tell: made in `scope`, or the plan's.

    Args:
        alarms, rules: who publishes. Nobody else may, but for those whom IAM allows it in this account.
    """
    settings = plan.observability
    if settings.topic is not None:
        return Topic(settings.topic, None, ours=False)
    stack = cdk.Stack.of(scope)
    account = {"aws:SourceAccount": stack.account}
    key = _key(scope, settings.encryption, account)
    topic = sns.Topic(
        scope,
        "Topic",
        display_name=f"Penstock {plan.prefix}",
        master_key=key,
        enforce_ssl=True,
    )
    for address in settings.email:
        topic.add_subscription(subscriptions.EmailSubscription(address))
    # Each service publishes for this stack's own alarms and rules only (AWS, "Cross-service confused deputy").
    # Names that CloudFormation makes for rules start with the stack's, which starts with the prefix, as does the bus's.
    mine = f"{plan.prefix}-*"
    sources = {
        EVENTS: (rules, _arn(stack, "events", "rule", mine, cdk.ArnFormat.SLASH_RESOURCE_NAME)),
        ALARMS: (alarms, _arn(stack, "cloudwatch", "alarm", mine, cdk.ArnFormat.COLON_RESOURCE_NAME)),
    }
    for service, (publishes, source) in sources.items():
        if publishes:
            topic.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal(service)],
                    actions=["sns:Publish"],
                    resources=[topic.topic_arn],
                    conditions={"ArnLike": {"aws:SourceArn": source}, "StringEquals": account},
                )
            )
    return Topic(topic.topic_arn, key.key_arn if key is not None else None, ours=True)


def _arn(stack: cdk.Stack, service: str, resource: str, name: str, arn_format: cdk.ArnFormat) -> str:
    return stack.format_arn(service=service, resource=resource, resource_name=name, arn_format=arn_format)


def _key(scope: Construct, setting: str | None, account: dict[str, str]) -> kms.IKey | None:
    """SNS's own AWS-managed key will not do: neither alarms nor rules may use it, and its policy cannot be changed."""
    if setting is None:
        return None
    if setting != CREATE_KEY:
        return kms.Key.from_key_arn(scope, "Key", setting)
    key = kms.Key(
        scope,
        "Key",
        description="Messages about failed tasks and alarms, while SNS holds them",
        enable_key_rotation=True,
        # It holds nothing back: messages are gone within minutes.
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    key.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal(EVENTS), iam.ServicePrincipal(ALARMS)],
            actions=["kms:Decrypt", "kms:GenerateDataKey*"],
            resources=["*"],
            conditions={"StringEquals": account},
        )
    )
    return key
