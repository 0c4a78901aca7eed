"""Who is notified: a new topic with its key, policy and subscribers, or an existing one."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from penstock_runtime.plan.plan import Plan

CREATE_KEY = "create"
ALARMS = "cloudwatch.amazonaws.com"


@dataclass(frozen=True)
class Topic:
    """The topic to notify."""

    arn: str
    key: str | None
    """ARN of its KMS key; None: it has none, or it is a topic that exists, and nobody said."""
    ours: bool

    def publish(self, stack: cdk.Stack) -> list[iam.PolicyStatement]:
        """What a role needs to publish.

        Source: Amazon SNS Developer Guide, "Managing Amazon SNS encryption keys and costs". Of a topic that exists we
        do not know the key: any of that account's will do, for SNS, and for this topic.
        """
        statements = [iam.PolicyStatement(actions=["sns:Publish"], resources=[self.arn])]
        key, conditions = self.key, {"kms:ViaService": f"sns.{stack.region}.amazonaws.com"}
        if not self.ours:
            account = self.arn.split(":")[4]
            key = f"arn:{stack.partition}:kms:{stack.region}:{account}:key/*"
            conditions["kms:EncryptionContext:aws:sns:topicArn"] = self.arn
        if key is not None:
            statements.append(
                iam.PolicyStatement(
                    actions=["kms:Decrypt", "kms:GenerateDataKey"],
                    resources=[key],
                    conditions={"StringEquals": conditions},
                )
            )
        return statements


def topic_of(scope: Construct, plan: Plan) -> Topic:
    """The topic that alarms and functions notify: made in `scope`, or the plan's."""
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
    # This environment's own alarms only (AWS, "Cross-service confused deputy"). Our functions publish by their roles.
    mine = stack.format_arn(
        service="cloudwatch",
        resource="alarm",
        resource_name=f"{plan.prefix}-*",
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal(ALARMS)],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={"ArnLike": {"aws:SourceArn": mine}, "StringEquals": account},
        )
    )
    return Topic(topic.topic_arn, key.key_arn if key is not None else None, ours=True)


def _key(scope: Construct, setting: str | None, account: dict[str, str]) -> kms.IKey | None:
    """SNS's own AWS-managed key will not do: alarms may not use it, and its policy cannot be changed."""
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
            principals=[iam.ServicePrincipal(ALARMS)],
            actions=["kms:Decrypt", "kms:GenerateDataKey*"],
            resources=["*"],
            conditions={"StringEquals": account},
        )
    )
    return key
