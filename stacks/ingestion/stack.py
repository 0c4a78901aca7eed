"""Where the tasks run: artifacts bucket, cluster, log group.

The task definitions are in the stack with the DAGs that name them, so that both change, or are rolled back, as one
(docs/adr/0007). A stack of CloudFormation has room for 500 resources: where the plan has more definitions than fit, it
spreads them over stacks of their own (`TaskDefinition.stack`, docs/adr/0005).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_deployment as s3_deployment
from constructs import Construct

from penstock_runtime import contract
from penstock_runtime.plan.plan import Plan
from penstock_runtime.release import infrastructure
from stacks.bucket import data_bucket, deploy_files
from stacks.ingestion.image import RECIPES
from stacks.ingestion.run_grant import run_statements
from stacks.ingestion.task import FargateTaskDefinition
from stacks.ingestion.tasks import Tasks
from stacks.nag import Grantee, acknowledge_log_group, grant
from stacks.release.check import ReleaseCheck
from stacks.release.source import Source


class IngestionStack(cdk.Stack):
    """The cluster. It does not know who starts tasks on it: the starter calls `add_tasks` and `grant_run`."""

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
        task_files: Path | None = None,
        **stack: Any,
    ) -> None:
        """
        Args:
            artifacts: folder that holds what goes to the artifacts bucket, by key.
            runtime_sha256: hash of the runtime archive among them.
            project_root: folder of the project file; images are built from folders in it.
            release: hash of the bundle that the stack downstream deploys.
            source: where plan and bundle come from.
            task_files: folder that holds the project's files for tasks, by hash; None: there are none.
        """
        super().__init__(scope, name, **stack)
        self._plan = plan
        self.artifacts = data_bucket(self, "Artifacts")
        ReleaseCheck(self, "Check", plan=plan, release=release, source=source, artifacts=self.artifacts)
        # Nothing is deleted: a run that started before this deploy still fetches its config and its runtime.
        deploy_files(self, "Upload", to=self.artifacts, sources=[s3_deployment.Source.asset(str(artifacts))])
        if task_files is not None:
            # Separate, because they may be large: they are uploaded again only if one of them changes.
            deploy_files(
                self,
                "TaskFiles",
                to=self.artifacts,
                prefix=contract.FILES_PREFIX,
                sources=[s3_deployment.Source.asset(str(task_files))],
                size_bytes=sum({file.sha256: file.size_bytes for file in plan.files}.values()),
            )
        log_group = logs.CfnLogGroup(
            self,
            "Logs",
            log_group_name=plan.log_group,
            retention_in_days=plan.log_retention_days,
            kms_key_id=plan.logs.kms_key,
        )
        log_group.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
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
        for rule in plan.pull_through:
            ecr.CfnPullThroughCacheRule(
                self,
                f"PullThrough-{rule.prefix}",
                ecr_repository_prefix=rule.prefix,
                upstream_registry_url=rule.upstream,
                credential_arn=rule.credentials,
            )
        # An export that came and went with the number of definitions would be one that CloudFormation cannot remove.
        self.artifacts_name = self.export_value(self.artifacts.bucket_name)
        """The name of the artifacts bucket, for other stacks."""
        self._tasks = Tasks(plan, self.artifacts_name, runtime_sha256, project_root)
        self._spread = [
            TaskStack(scope, f"{plan.prefix}-tasks-{label}", label=label, ingestion=self, tasks=self._tasks, **stack)
            for label in sorted(
                {definition.stack for definition in plan.task_definitions if definition.stack is not None}
            )
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

    def add_tasks(self, stack: cdk.Stack) -> list[FargateTaskDefinition]:
        """Add the task definitions to the stack that makes their DAGs live, which comes after all others.

        CloudFormation deletes what is no longer needed once that stack is complete: until then the previous DAGs run.
        """
        # By name only, because no value is passed.
        for needed in (self, *self._spread):
            stack.add_stack_dependency(needed)
        return self._tasks.add(stack, None)


class TaskStack(cdk.Stack):
    """Some of the task definitions of a plan that has more than one stack takes."""

    def __init__(
        self, scope: Construct, name: str, *, label: str, ingestion: IngestionStack, tasks: Tasks, **stack: Any
    ) -> None:
        # A template has at most 1 MB (CloudFormation quotas); indentation would be a quarter of it.
        super().__init__(scope, name, suppress_template_indentation=True, **stack)
        self.add_stack_dependency(ingestion)
        tasks.add(self, label)
