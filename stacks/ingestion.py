"""What runs the tasks: artifacts bucket, cluster, log group, and a Fargate task for each definition.

A stack of CloudFormation has room for 500 resources. Where the plan has more definitions than fit, it spreads them over
stacks of their own (`TaskDefinition.stack`): see docs/adr/0005.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as s3_deployment
from constructs import Construct, IDependable

from penstock_runtime import infrastructure
from penstock_runtime.plan import Plan, TaskDefinition
from stacks.bucket import data_bucket, deploy_files
from stacks.image import RECIPES, Images
from stacks.nag import Grantee, acknowledge_log_group, grant
from stacks.release import ReleaseCheck, Source
from stacks.run_grant import run_statements
from stacks.task import FargateTask, Surroundings


class IngestionStack(cdk.Stack):
    """The cluster and its task definitions. It does not know who starts them: that one calls `grant_run`."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        plan: Plan,
        artifacts: Path,
        runtime_sha256: str,
        project_root: Path,
        release: str,
        source: Source,
        **stack: Any,
    ) -> None:
        """
        Args:
            artifacts: folder that holds what goes to the artifacts bucket, by key.
            runtime_sha256: hash of the runtime archive among them.
            project_root: folder of the project file; images are built from folders in it.
            release: hash of the bundle that the stack downstream deploys.
            source: where plan and bundle come from.
        """
        super().__init__(scope, name, **stack)
        self._plan = plan
        self.artifacts = data_bucket(self, "Artifacts")
        check = ReleaseCheck(self, "Check", plan=plan, release=release, source=source, artifacts=self.artifacts)
        # Nothing is deleted: a run that started before this deploy still fetches its config and its runtime.
        uploaded = deploy_files(self, "Upload", to=self.artifacts, sources=[s3_deployment.Source.asset(str(artifacts))])
        log_group = logs.CfnLogGroup(
            self,
            "Logs",
            log_group_name=plan.log_group,
            retention_in_days=plan.log_retention_days,
            kms_key_id=plan.logs.kms_key,
        )
        log_group.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        if plan.logs.kms_key is None:
            acknowledge_log_group(log_group, "The project file names no key: logs.kms_key.")
        insights = ecs.CfnCluster.ClusterSettingsProperty(name="containerInsights", value=plan.ecs.container_insights)
        ecs.CfnCluster(
            self,
            "Cluster",
            cluster_name=plan.cluster,
            capacity_providers=["FARGATE", "FARGATE_SPOT"],
            cluster_settings=[insights],
        )
        caches = [
            ecr.CfnPullThroughCacheRule(
                self,
                f"PullThrough-{rule.prefix}",
                ecr_repository_prefix=rule.prefix,
                upstream_registry_url=rule.upstream,
                credential_arn=rule.credentials,
            )
            for rule in plan.pull_through
        ]
        first = [uploaded, log_group, check, *caches]
        own = [one for one in plan.task_definitions if one.stack is None]
        _add_tasks(self, own, plan, self.artifacts, runtime_sha256, project_root, after=first)
        self._spread = [
            TaskStack(
                scope,
                f"{plan.prefix}-tasks-{label}",
                definitions=[one for one in plan.task_definitions if one.stack == label],
                ingestion=self,
                plan=plan,
                runtime_sha256=runtime_sha256,
                project_root=project_root,
                **stack,
            )
            for label in sorted({one.stack for one in plan.task_definitions if one.stack is not None})
        ]
        self.infrastructure = infrastructure.describe(
            plan,
            runtime_sha256=runtime_sha256,
            images=infrastructure.image_contents(plan, recipes=RECIPES, project=project_root),
            account=self.account,
        )
        """What `penstock push` compares with."""
        cdk.CfnOutput(self, "ArtifactsBucket", value=self.artifacts.bucket_name)

    def grant_run(self, grantee: Grantee) -> None:
        """Let `grantee` start, watch and stop the plan's tasks, and read their logs; nothing else in ECS."""
        for reason, statements in run_statements(self, self._plan).items():
            grant(grantee, statements, reason)
        # Whoever starts tasks comes after them; by name only, since no value crosses the border.
        for stack in self._spread:
            cdk.Stack.of(grantee).add_stack_dependency(stack)


class TaskStack(cdk.Stack):
    """Some of the task definitions of a plan that has more than one stack takes."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        definitions: Sequence[TaskDefinition],
        ingestion: IngestionStack,
        plan: Plan,
        runtime_sha256: str,
        project_root: Path,
        **stack: Any,
    ) -> None:
        # A template has at most 1 MB (CloudFormation quotas); indentation would be a quarter of it.
        super().__init__(scope, name, suppress_template_indentation=True, **stack)
        self.add_stack_dependency(ingestion)
        # By its name, which the Airflow stack imports as well: an export that came and went with the number of task
        # definitions would be one that CloudFormation cannot remove.
        artifacts = s3.Bucket.from_bucket_name(self, "Artifacts", ingestion.artifacts.bucket_name)
        _add_tasks(self, definitions, plan, artifacts, runtime_sha256, project_root, after=[])


def _add_tasks(
    stack: cdk.Stack,
    definitions: Sequence[TaskDefinition],
    plan: Plan,
    artifacts: s3.IBucket,
    runtime_sha256: str,
    project_root: Path,
    *,
    after: Sequence[IDependable],
) -> None:
    images = Images(stack, "Images", project_root=project_root)
    surroundings = Surroundings(plan, artifacts, runtime_sha256)
    for definition in definitions:
        image = images.get(definition.image, definition.architecture)
        task = FargateTask(stack, definition.family, definition=definition, image=image, surroundings=surroundings)
        task.node.add_dependency(*after)
