"""One Fargate task definition of the plan, with its two roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from penstock_runtime.errors import InputError
from penstock_runtime.plan.iam_limits import MAX_INLINE_CHARACTERS
from penstock_runtime.plan.task_definition import TaskDefinition
from stacks.ingestion.container import Surroundings, container_of
from stacks.ingestion.image import ContainerImage
from stacks.ingestion.role_statements import airflow_statements, artifact_statements, start_statements
from stacks.managed_policies import longest
from stacks.nag import acknowledge, acknowledge_wildcards
from stacks.permitted import acknowledge_permitted, policies_of

ECS_TASKS = "ecs-tasks.amazonaws.com"


class FargateTaskDefinition(Construct):
    """A task definition of the plan. Its family and role names are the plan's: others need no export for them."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        definition: TaskDefinition,
        image: ContainerImage,
        surroundings: Surroundings,
    ) -> None:
        super().__init__(scope, name)
        self._stack = cdk.Stack.of(self)
        task_role = self._role(
            "TaskRole",
            f"{definition.role_prefix}-task",
            [
                *artifact_statements(definition, surroundings.artifacts),
                *airflow_statements(self._stack, definition),
            ],
            policies_of(definition.permissions),
        )
        acknowledge_permitted(task_role, definition.permissions)
        execution_role = self._role(
            "ExecutionRole",
            f"{definition.role_prefix}-exec",
            start_statements(self._stack, definition, image, surroundings.plan.log_group),
        )
        task = ecs.CfnTaskDefinition(
            self,
            "Definition",
            family=definition.family,
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            runtime_platform=ecs.CfnTaskDefinition.RuntimePlatformProperty(
                operating_system_family="LINUX",
                cpu_architecture="ARM64" if definition.architecture == "arm64" else "X86_64",
            ),
            cpu=str(definition.cpu_units),
            memory=str(definition.memory_mib),
            task_role_arn=task_role.role_arn,
            execution_role_arn=execution_role.role_arn,
            container_definitions=[container_of(self._stack, definition, image, surroundings)],
        )
        acknowledge(
            task,
            {"AwsSolutions-ECS2": "Addresses and a hash; secrets come by reference."},
        )

    def _role(
        self,
        name: str,
        role_name: str,
        statements: Sequence[iam.PolicyStatement],
        permitted: Mapping[str, iam.PolicyDocument] | None = None,
    ) -> iam.Role:
        needs = {"Needs": iam.PolicyDocument(statements=list(statements))} if statements else {}
        policies = {**needs, **(permitted or {})}
        self._check_size(role_name, list(policies.values()))
        role = iam.Role(
            self,
            name,
            role_name=role_name,
            assumed_by=iam.ServicePrincipal(
                ECS_TASKS,
                # Nobody else's ECS may assume it (AWS, "Cross-service confused deputy prevention").
                conditions={"StringEquals": {"aws:SourceAccount": self._stack.account}},
            ),
            inline_policies=policies,
        )
        acknowledge_wildcards(role, statements, "Below one prefix of its own bucket or log group; or ECR's log-in.")
        return role

    def _check_size(self, role_name: str, policies: Sequence[iam.PolicyDocument]) -> None:
        """Raise an InputError if the policies are longer than IAM takes: CDK does not split inline policies."""
        size = sum(longest(self._stack.resolve(policy)) for policy in policies)
        if size > MAX_INLINE_CHARACTERS:
            raise InputError(
                f"the policies of role {role_name} take {size} characters; IAM takes {MAX_INLINE_CHARACTERS}",
                fix="let its task have fewer secrets (several values in one JSON secret) or permissions, or split it",
            )
