"""What is needed to start, watch and stop the tasks of a plan, as IAM statements that fit into one policy."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from penstock_runtime.contract import FAMILY_DIGITS, ROLE_DIGITS
from penstock_runtime.plan.plan import Plan
from stacks.ingestion.role_statements import log_streams, secret_statements
from stacks.ingestion.task import ECS_TASKS
from stacks.roles import role_arn


def run_statements(stack: cdk.Stack, plan: Plan) -> dict[str, list[iam.PolicyStatement]]:
    """The statements, under the reason for their wildcards."""
    own_tasks = stack.format_arn(service="ecs", resource="task", resource_name=f"{plan.cluster}/*")
    cluster = stack.format_arn(service="ecs", resource="cluster", resource_name=plan.cluster)
    run = iam.PolicyStatement(
        actions=["ecs:RunTask"],
        # ECS checks an ARN with a revision, also when RunTask names a family only (aws-cdk #30390, #30788).
        resources=[
            stack.format_arn(service="ecs", resource="task-definition", resource_name=f"{family}:*")
            for family in _families(plan)
        ],
        conditions={"ArnEquals": {"ecs:cluster": cluster}},
    )
    hand_over = iam.PolicyStatement(
        actions=["iam:PassRole"],
        resources=[role_arn(stack, plan.iam, name) for name in _roles(plan)],
        conditions={"StringEquals": {"iam:PassedToService": ECS_TASKS}},
    )
    watch = iam.PolicyStatement(actions=["ecs:DescribeTasks", "ecs:StopTask"], resources=[own_tasks])
    # A try looks for what earlier ones left. But for a container instance AWS checks this on `*` only (Amazon ECS
    # Developer Guide, "List and describe tasks"); the condition leaves one cluster.
    find = iam.PolicyStatement(
        actions=["ecs:ListTasks"], resources=["*"], conditions={"ArnEquals": {"ecs:cluster": cluster}}
    )
    read = iam.PolicyStatement(actions=["logs:GetLogEvents"], resources=[log_streams(stack, plan.log_group)])
    # RunTask takes the tags of the task definition over; ECS asks for this then, too.
    tag = iam.PolicyStatement(
        actions=["ecs:TagResource"],
        resources=[own_tasks],
        conditions={"StringEquals": {"ecs:CreateAction": "RunTask"}},
    )
    # Tasks in Airflow's workers have its role, and no task definition that brings them their secrets.
    own_secrets = secret_statements(stack, plan.worker_secrets, plan.worker_secret_kms_keys)
    return {
        **({"Secrets Manager ends a secret's ARN in six random characters.": own_secrets} if own_secrets else {}),
        "Any revision of this environment's own families: RunTask takes the latest.": [run, hand_over],
        "The ids of Fargate tasks and log streams are made at run time.": [watch, read, tag],
        "AWS knows no resource for it; the condition names the cluster.": [find],
    }


def _families(plan: Plan) -> list[str]:
    """A pattern for each engine's families, which no other environment's name can fit.

    Not the families themselves: a deploy that replaces one changes this policy before the DAGs that name the old one.
    """
    engines = sorted({definition.engine for definition in plan.task_definitions})
    return [f"{plan.prefix}-{engine}-{'?' * FAMILY_DIGITS}" for engine in engines]


def _roles(plan: Plan) -> list[str]:
    """The roles that ECS is handed: two patterns, as narrow as those of the families."""
    return [f"{plan.iam.role_name_prefix}{plan.prefix}-{'?' * ROLE_DIGITS}-{kind}" for kind in ("task", "exec")]
